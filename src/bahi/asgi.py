"""The application on a House of its own: `uvicorn bahi.asgi:app --factory`, or `bahi up`."""

from __future__ import annotations

import os

from fastapi import FastAPI

from bahi.api.app import make_app
from bahi.bootstrap import build
from bahi.config import Settings


def app(settings: Settings | None = None) -> FastAPI:
    """Build the one House that serves this data folder, and put its doors on."""
    settings = settings or Settings.from_environment(os.environ)
    return make_app(build(settings, serving=True))
