"""What the tabs of Settings have in common."""

from __future__ import annotations

from typing import Any, ClassVar, Final, NamedTuple

from fastapi import Request, Response

from bahi.kernel.actor import require_admin
from bahi.web.room import Room, is_part
from bahi.web.seat import Seat

HERE: Final = "/settings"


class Tab(NamedTuple):
    """A part of Settings."""

    name: str
    title: str
    path: str
    for_admins: bool = False


TABS: Final = (
    Tab("keys", "Keys", f"{HERE}/keys"),
    Tab("you", "You", f"{HERE}/you"),
    Tab("webhooks", "Webhooks", f"{HERE}/webhooks"),
    Tab("limits", "Limits", "/risk"),
    Tab("calendar", "Calendar", f"{HERE}/calendar"),
    Tab("house", "House", f"{HERE}/house"),
    Tab("users", "Users", f"{HERE}/users", for_admins=True),
    Tab("backups", "Backups", f"{HERE}/backups", for_admins=True),
)


class Tabbed(Room):
    """A tab of Settings."""

    tab: ClassVar[str]

    @property
    def here(self) -> str:
        """Where it is."""
        return f"{HERE}/{self.tab}"

    async def admin(self, request: Request) -> Seat:
        """Return who looks; others than admins are refused."""
        seat = await self.sit(request)
        require_admin(seat.person)
        return seat

    async def admin_with_form(self, request: Request) -> tuple[Seat, dict[str, str]]:
        """Return the admin who sent a form, and what stands in it."""
        seat, form = await self.sit_with_form(request)
        require_admin(seat.person)
        return seat, form

    async def open(self, request: Request, seat: Seat, template: str, **shown: Any) -> Response:
        """Render the tab as a page."""
        tabs = [it for it in TABS if seat.person.is_admin or not it.for_admins]
        shown |= {"tabs": tabs, "tab": self.tab}
        return await self.show(request, seat, template, here=self.here, **shown)

    async def once(
        self, request: Request, seat: Seat, template: str, changed: str, **shown: Any
    ) -> Response:
        """Show a secret, this once: in the page that asked, or on one that is kept nowhere.

        `changed` tells that page's list that it is not as it was.
        """
        if is_part(request):
            answer = self.part(seat, template, **shown)
            answer.headers["HX-Trigger"] = changed
            return answer
        return await self.open(request, seat, "settings/once.html", secret=template, **shown)
