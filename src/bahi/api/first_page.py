"""The first page: what this is, where its data lies, what to do next. Nothing in it moves."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bahi.config import Settings, place

HERE: Final = Path(__file__).parent
IN_A_FILE: Final = (
    "The file <code>keyring</code> there opens every sealed secret: "
    "keep a copy of it, apart from your backups."
)
FROM_OUTSIDE: Final = (
    "The keys that open sealed secrets come from the environment: keep a copy of them."
)


def first_page_routes(settings: Settings, version: str) -> APIRouter:
    """Make the door that a browser opens first."""
    style = (HERE / "first_page.css").read_text("utf-8")
    frame = Template((HERE / "first_page.html").read_text("utf-8"))
    page = frame.substitute(
        style=style,
        version=escape(version),
        home=escape(str(settings.home)),
        keys=FROM_OUTSIDE if settings.keys else IN_A_FILE,
        stores="\n".join(_row(store, url) for store, url in settings.urls.items()),
    )
    headers = {"Content-Security-Policy": policy_for(style), "Cache-Control": "no-cache"}
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def first_page() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    return router


def policy_for(style: str) -> str:
    """Allow exactly this style and drawings written into the page; no script, no other address."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _row(store: str, url: str) -> str:
    return f"<tr><th scope=row>{escape(store)}</th><td>{escape(place(url))}</td></tr>"
