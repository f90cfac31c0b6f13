"""Scripts of other web pages: let in from the origins that a setting names, and from no other.

They ask with a key. Cookies are never taken from elsewhere, so no page can act as who is signed in.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from bahi.api.callers import KEY_HEADER

BROUGHT: Final = (
    KEY_HEADER,
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
)
SHOWN: Final = (
    "ETag",
    "Retry-After",
    "X-Request-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKED_AGAIN_AFTER_S: Final = 600


def share_with(app: FastAPI, origins: Collection[str]) -> None:
    """Let scripts of these origins read our answers; without any, nothing is said of it."""
    if origins:
        app.add_middleware(CORSMiddleware, **_terms(origins))


def shared(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Return an application whose answers scripts of these origins may read, likewise."""
    return CORSMiddleware(app, **_terms(origins)) if origins else app


def _terms(origins: Collection[str]) -> dict[str, Any]:
    return {
        "allow_origins": list(origins),
        "allow_credentials": False,
        "allow_methods": METHODS,
        "allow_headers": BROUGHT,
        "expose_headers": SHOWN,
        "max_age": ASKED_AGAIN_AFTER_S,
    }
