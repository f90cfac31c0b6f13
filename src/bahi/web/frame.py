"""What every page stands in: its template, its style, and what a browser may do with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from bahi.config import Settings
from bahi.kernel.clock import ist_text

HERE: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
KINDS: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
A_YEAR_S: Final = 31_536_000


class Frame:
    """Renders pages; one for each process."""

    def __init__(self, settings: Settings, version: str) -> None:
        self.settings, self.version = settings, version
        self.is_https = settings.address.startswith("https:")
        self._files = {it.name: it.read_bytes() for it in (HERE / "static").iterdir()}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["static"] = self._address_of
        self._templates.filters["ist"] = _when

    def page(
        self,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **shown: Any,
    ) -> HTMLResponse:
        """Render a page; nobody keeps a copy of it."""
        text = self._templates.get_template(template).render(version=self.version, **shown)
        return HTMLResponse(text, status, {**(headers or {}), "Content-Security-Policy": POLICY})

    def failure(
        self, request: Request, status: int, message: str, headers: Mapping[str, str] | None
    ) -> Response:
        """Say on a page what went wrong."""
        request_id = request.state.request_id
        return self.page("failure.html", status, headers, message=message, request_id=request_id)

    def static_routes(self) -> APIRouter:
        """Make the door of the stylesheet."""
        router = APIRouter(prefix="/static")

        @router.get("/{name}")
        async def static(name: str) -> Response:
            if name not in self._files:
                raise HTTPException(404)
            kind = KINDS[Path(name).suffix]
            kept = f"public, max-age={A_YEAR_S}, immutable"  # its address changes with it
            return Response(
                self._files[name], headers={"Content-Type": kind, "Cache-Control": kept}
            )

        return router

    def _address_of(self, name: str) -> str:
        return f"/static/{name}?{hashlib.sha256(self._files[name]).hexdigest()[:12]}"


def _when(instant: datetime | None) -> str:
    return "—" if instant is None else ist_text(instant)
