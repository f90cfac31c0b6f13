"""Accounts: every one of them on one page, by person and family, with what moves ticking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap import House
from bahi.bootstrap.matrix import Matrix, Row, Sums, matrix_of
from bahi.db.tx import Tx
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of
from bahi.web.whom import Users, users_of
from bahi.web.written import money, mood, signed, whole

HERE: Final = "/accounts"
COLUMNS: Final = (
    "family", "person", "row.account.id", "row.account.name", "row.account.broker",
    "row.account.mode", "row.tokens.good", "row.tokens.total", "row.free", "realized", "unrealized",
    "charges", "net_amount", "row.breaks", "row.open_positions", "row.working_orders",
    "row.unprotected", "armed", "stopped", "why",
)  # fmt: skip


def account_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of accounts."""
    pages = Accounts(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/matrix")(pages.matrix)
    router.get(f"{HERE}/figures")(pages.tick)
    return router


class Group(NamedTuple):
    """One person's accounts, and what they come to: paper and live each for itself."""

    name: str
    rows: list[Row]
    sums: list[Sums]


class Family(NamedTuple):
    """A user's persons, and what all of theirs comes to."""

    name: str
    groups: list[Group]
    sums: list[Sums]


class Flat(NamedTuple):
    """A row with its names, as a file has it."""

    family: str
    person: str
    row: Row

    @property
    def realized(self) -> int:
        """What was booked today."""
        return self.row.made.realized

    @property
    def unrealized(self) -> int | None:
        """What is open, where it is known."""
        return self.row.made.unrealized

    @property
    def charges(self) -> int:
        """What the day cost."""
        return self.row.made.charges

    @property
    def net_amount(self) -> int | None:
        """What is left of both after charges."""
        return self.row.made.net

    @property
    def why(self) -> str:
        """Why something is not known."""
        return self.row.made.why

    @property
    def armed(self) -> str:
        """Which strategies may trade."""
        return "; ".join(self.row.strategies)

    @property
    def stopped(self) -> str:
        """What stops it."""
        return "; ".join(self.row.killed)


class Accounts(Room):
    """Everybody's accounts."""

    async def every(self, request: Request) -> Response:
        """Open the page; what there is to know of each account follows in a moment."""
        seat = await self.sit(request)
        return await self.show(
            request,
            seat,
            "accounts/page.html",
            here=HERE,
            figures=f"{HERE}/figures",
            removed=await self._removed(seat),
        )

    async def matrix(self, request: Request) -> Response:
        """Show every account with what there is to know of it."""
        seat = await self.sit(request)
        families = await self._families(seat)
        return self.part(seat, "accounts/matrix.html", families=families)

    async def tick(self, request: Request) -> Response:
        """Say what moves of them."""
        seat = await self.sit(request)
        found = await matrix_of(self.house, seat.person, seat.accounts, only_money=True)
        return await self.figures(request, seat, cells_of(found))

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        flat = [
            Flat(family.name, group.name, row)
            for family in await self._families(seat)
            for group in family.groups
            for row in group.rows
        ]
        return csv_of("accounts", COLUMNS, flat)

    async def _removed(self, seat: Seat) -> list[Account]:
        """Return what was removed and can be brought back, by who may do that."""
        if not seat.person.may_change():
            return []

        def read(tx: Tx) -> list[Account]:
            return list_accounts(tx, seat.person, deleted=True)

        every = await self.house.stores["main"].read(read, fresh=True)
        return [it for it in every if it.deleted_at is not None]

    async def _families(self, seat: Seat) -> list[Family]:
        found = await matrix_of(self.house, seat.person, seat.accounts)
        users = await users_of(self.house, seat, {it.user_id for it in seat.accounts})
        return families_of(found, users)


def families_of(found: Matrix, users: Users) -> list[Family]:
    """Group accounts by the user whose family it is, and by the person whose money it is."""
    families = []
    for user_id in dict.fromkeys(it.account.user_id for it in found.rows):
        own = [it for it in found.rows if it.account.user_id == user_id]
        name = users.get(user_id, f"user {user_id}")
        sums = [it for it in found.families if it.user_id == user_id]
        families.append(Family(name, _groups(own, found.persons, user_id), sums))
    return families


def _groups(rows: Sequence[Row], sums: Iterable[Sums], user_id: int) -> list[Group]:
    groups = []
    persons = {0 if it.person is None else it.person.id: it.person for it in rows}
    for number, person in sorted(persons.items(), key=lambda it: (it[0] == 0, it[0])):
        groups.append(
            Group(
                "No person named yet" if person is None else person.name,
                [it for it in rows if number == (0 if it.person is None else it.person.id)],
                [
                    it
                    for it in sums
                    if it.user_id == user_id
                    and number == (0 if it.person is None else it.person.id)
                ],
            )
        )
    return groups


def cells_of(found: Matrix) -> Mapping[str, Cell]:
    """Return what moves: of each account, of each person, of each family."""
    cells: dict[str, Cell] = {}
    for it in found.rows:
        number = it.account.id
        cells[f"free-{number}"] = (money(it.free), "")
        cells[f"made-{number}"] = (signed(it.made.net), mood(it.made.net))
        cells[f"open-{number}"] = (whole(it.open_positions), "")
        cells[f"working-{number}"] = (whole(it.working_orders), "")
    for kind, sums in (("person", found.persons), ("family", found.families)):
        for each in sums:
            name = f"{kind}-{each.mode}-{each.user_id}-{each.person.id if each.person else 0}"
            cells[f"free-{name}"] = (money(each.free), "")
            cells[f"made-{name}"] = (signed(each.made.net), mood(each.made.net))
            cells[f"open-{name}"] = (whole(each.open_positions), "")
            cells[f"working-{name}"] = (whole(each.working_orders), "")
    return cells
