"""Approvals: orders that wait for a person, what each would do now, and the two answers to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.approving import Waiting, approvals_of, needs_now, one_of
from bahi.kernel.errors import BahiError
from bahi.kernel.names import shown
from bahi.kernel.symbols import spaced
from bahi.kernel.words import OrderType
from bahi.orders.model.order import APPROVAL, Order
from bahi.orders.service.waiting import approve_order, decline_order
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room, is_part
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import UNKNOWN, lasted, price, whole, word

HERE: Final = "/approvals"
SHOWN: Final = 50
COLUMNS: Final = (
    "account.name", "order.id", "order.placed_at", "order.expires_at", "order.side",
    "order.quantity", "order.segment", "order.symbol", "order.product", "order.order_type",
    "order.price", "order.trigger_price", "order.margin", "order.strategy", "order.actor",
)  # fmt: skip


def approval_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of approvals."""
    pages = Approvals(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/figures")(pages.tick)
    router.get(HERE + "/{order_id}/now")(pages.now)
    router.post(HERE + "/{order_id}/approve")(pages.approve)
    router.post(HERE + "/{order_id}/decline")(pages.decline)
    return router


class Approvals(Room):
    """What waits for a person."""

    async def every(self, request: Request) -> Response:
        """List what waits on every account that one sees, the oldest first."""
        seat = await self.sit(request)
        found = await approvals_of(self.house, seat.accounts, SHOWN + 1)
        shown: dict[str, Any] = {
            "waiting": found[:SHOWN],
            "is_more": len(found) > SHOWN,
            "sentences": {it.order.id: sentence_of(it.order) for it in found},
            "cells": cells_of(found, self.house.clock()),
        }
        if is_part(request):
            return self.part(seat, "approvals/rows.html", **shown)
        return await self.show(
            request, seat, "approvals/page.html", here=HERE, figures=f"{HERE}/figures", **shown
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        return csv_of("approvals", COLUMNS, await approvals_of(self.house, seat.accounts))

    async def tick(self, request: Request) -> Response:
        """Say how long each has waited, and may wait still."""
        seat = await self.sit(request)
        found = await approvals_of(self.house, seat.accounts, SHOWN)
        return await self.figures(request, seat, cells_of(found, self.house.clock()))

    async def now(self, request: Request, order_id: str) -> Response:
        """Say what an order would need if it went out now."""
        seat = await self.sit(request)
        request.state.is_beat = True
        it = await self._meant(seat, order_id)
        if it.order.waits_for != APPROVAL or it.order.completed_at is not None:
            why = f"It waits no longer: it is {word(it.order.status)}."
            return self.part(seat, "approvals/now.html", now=None, why=why)
        try:
            now = await needs_now(self.house, seat.person, it.order)
        except BahiError as fault:
            return self.part(seat, "approvals/now.html", now=None, why=str(fault))
        at = self.house.clock()
        return self.part(seat, "approvals/now.html", now=now, why="", at=at)

    async def approve(self, request: Request, order_id: str) -> Response:
        """Let it go out; the verdict on it is asked for anew."""
        seat, _ = await self.sit_with_form(request)
        it = await self._meant(seat, order_id)
        desk = await self.house.desk(seat.person, it.account.id)
        order = await approve_order(desk, it.order.id)
        why = f": {order.error_message}" if order.error_message else ""
        said = f"{sentence_of(order)} on {it.account.name} is {word(order.status)} now{why}."
        return done(seat, HERE, said.replace("..", "."))

    async def decline(self, request: Request, order_id: str) -> Response:
        """End it, and say why."""
        seat, form = await self.sit_with_form(request)
        it = await self._meant(seat, order_id)
        why = fields.required(form, "reason")
        desk = await self.house.desk(seat.person, it.account.id)
        order = await decline_order(desk, it.order.id, why)
        return done(seat, HERE, f"{sentence_of(order)} on {it.account.name} was declined.")

    async def _meant(self, seat: Seat, order_id: str) -> Waiting:
        return await one_of(self.house, seat.accounts, fields.identity(order_id, "order"))


def sentence_of(it: Order) -> str:
    """Say what an order would do: `SELL 1,755 NIFTY 26000 CE (27 lots), NRML, at market`."""
    lot = it.lot or 1
    lots = f" ({whole(it.quantity // lot)} lots)" if lot > 1 else ""
    is_limit = it.order_type in {OrderType.LIMIT, OrderType.STOP_LOSS}
    at = f"at {price(it.price)}" if is_limit and it.price is not None else "at market"
    if it.trigger_price is not None:
        at = f"when it trades at {price(it.trigger_price)}, {at}"
    return f"{it.side} {whole(it.quantity)} {spaced(it.symbol)}{lots}, {shown(it.product)}, {at}"


def cells_of(found: list[Waiting], now: datetime) -> dict[str, Cell]:
    """Return what moves of orders that wait: their age, and what time is left."""
    cells: dict[str, Cell] = {}
    for _, it in found:
        cells[f"age-{it.id}"] = (lasted(now - it.placed_at), "")
        left = None if it.expires_at is None else it.expires_at - now
        cells[f"left-{it.id}"] = (UNKNOWN if left is None else lasted(left), "")
    return cells
