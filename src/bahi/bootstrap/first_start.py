"""What a house cannot be without: its settings, one admin, and a paper account to begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bahi.accounts.service.accounts import add_account
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service.users import count_users, create_user, first_admin
from bahi.kernel.actor import the_house
from bahi.kernel.errors import NotFound
from bahi.kernel.words import BrokerSlug, Role
from bahi.settings.service import seed

ADMIN: Final = "admin"
PAPER: Final = "Paper"


def furnish(tx: Tx, now: datetime) -> None:
    """Enter the settings that are missing; where nobody is, the admin and a paper account."""
    seed(tx, now)
    if count_users(tx):
        return
    house = the_house("first start")
    admin = create_user(tx, house, ADMIN, now, role=Role.ADMIN)
    add_account(
        tx,
        house,
        BrokerSlug.PAPER,
        {"name": PAPER, "is_primary": True},
        now,
        user_id=admin.id,
    )


def admin_of(tx: Tx) -> User:
    """Return the admin who was there first: whom the terminal acts for when it names nobody."""
    admin = first_admin(tx)
    if admin is None:
        raise NotFound("There is no active admin; `bahi user restore` brings one back.")
    return admin
