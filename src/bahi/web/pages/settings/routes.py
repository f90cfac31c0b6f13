"""Every tab of Settings, as one router."""

from __future__ import annotations

from fastapi import APIRouter

from bahi.bootstrap import House
from bahi.web.frame import Frame
from bahi.web.pages.settings.backups import backup_routes
from bahi.web.pages.settings.calendar import calendar_routes
from bahi.web.pages.settings.configs import config_routes
from bahi.web.pages.settings.keys import key_routes
from bahi.web.pages.settings.people import people_routes
from bahi.web.pages.settings.webhooks import webhook_routes
from bahi.web.pages.settings.you import your_routes


def settings_routes(house: House, frame: Frame) -> APIRouter:
    """Make all of them."""
    whole = APIRouter()
    for make in (
        key_routes,
        your_routes,
        webhook_routes,
        calendar_routes,
        config_routes,
        people_routes,
        backup_routes,
    ):
        whole.routes.extend(make(house, frame).routes)
    return whole
