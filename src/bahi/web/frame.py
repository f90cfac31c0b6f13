"""What every page stands in: its template, its style, and what a browser may do with it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from bahi.config import Settings
from bahi.kernel.clock import ist_text
from bahi.web.called import CALLED
from bahi.web.nav import places_for
from bahi.web.written import FILTERS

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
A_YEAR_S: Final = 31_536_000
NAME_BYTES: Final = 8
"""Of the name that a form's wish is given: sent twice, it is done once."""
LOOKS: Final = {"bahi_theme": ("", "light", "dark"), "bahi_rows": ("", "comfortable")}
"""How a person likes pages, by the cookie that remembers it; nothing: as their machine has it."""


class Frame:
    """Renders pages."""

    def __init__(self, settings: Settings, version: str) -> None:
        self.settings, self.version = settings, version
        self.is_https = settings.address.startswith("https:")
        self._files, self._marks = _static(), _marks()
        self._templates = _templates(version)

    def page(
        self,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **shown: Any,
    ) -> HTMLResponse:
        """Render a page, or a part of one; nobody keeps a copy of it."""
        text = self.text(template, **shown)
        return HTMLResponse(text, status, {**(headers or {}), "Content-Security-Policy": POLICY})

    def text(self, template: str, **shown: Any) -> str:
        """Render a template as text."""
        return self._templates.get_template(template).render(**shown)

    def failure(
        self, request: Request, status: int, message: str, headers: Mapping[str, str] | None
    ) -> Response:
        """Say what went wrong: on a page, or in the place of a page that asked."""
        shown = {"message": message, "request_id": request.state.request_id}
        if "hx-request" in request.headers:
            return self.page("frame/why.html", status, headers, **shown)
        seat, look = getattr(request.state, "seat", None), look_of(request)
        if seat is None:
            return self.page("frame/failure.html", status, headers, look=look, **shown)
        here = request.url.path if request.method == "GET" else "/"
        around = {"seat": seat, "look": look, "pulse": None, "here": here, "figures": "/figures"}
        return self.page("frame/failure_inside.html", status, headers, **around, **shown)

    def static_routes(self) -> APIRouter:
        """Make the door of stylesheet, scripts and the mark."""
        router = APIRouter(prefix="/static")

        @router.get("/{name:path}")
        async def static(name: str, request: Request) -> Response:
            if name not in self._files:
                raise HTTPException(404)
            is_named = request.url.query == self._marks[name]
            # Its address changes with it; who comes without that asks each time.
            kept = f"public, max-age={A_YEAR_S}, immutable" if is_named else "no-cache"
            kind = KINDS[Path(name).suffix]
            return Response(
                self._files[name], headers={"Content-Type": kind, "Cache-Control": kept}
            )

        return router


def look_of(request: Request) -> dict[str, str]:
    """Return how a person likes pages."""
    said = {name: request.cookies.get(name, "") for name in LOOKS}
    return {name: value if value in LOOKS[name] else "" for name, value in said.items()}


# Read and compiled once in a process: what changes under a running service is of the next one.


@cache
def _templates(version: str) -> jinja2.Environment:
    folder = HERE / "templates"
    found = folder.rglob("*.html")
    templates = jinja2.Environment(
        loader=jinja2.DictLoader(
            {it.relative_to(folder).as_posix(): it.read_text("utf-8") for it in found}
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "static": lambda name: f"/static/{name}?{_marks()[name]}",
        "version": version,
        "new_name": lambda: f"desk-{secrets.token_hex(NAME_BYTES)}",
        "nav": lambda is_admin: places_for(is_admin=is_admin),
    }
    templates.filters |= {**FILTERS, **CALLED, "ist": _when}
    return templates


@cache
def _static() -> dict[str, bytes]:
    folder = HERE / "static"
    found = (it for it in folder.rglob("*") if it.is_file())
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in found}


@cache
def _marks() -> dict[str, str]:
    return {name: hashlib.sha256(it).hexdigest()[:12] for name, it in _static().items()}


def _when(instant: datetime | None) -> str:
    return "—" if instant is None else ist_text(instant)
