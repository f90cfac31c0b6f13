"""What one client and the house say to each other once it is known who the client is."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bahi.api.live.events import Topic
from bahi.api.live.following import Following
from bahi.api.live.frames import (
    TEXT_AT_MOST,
    Frame,
    Named,
    answering,
    order_update,
    refused,
)
from bahi.api.live.line import Line, TooSlow
from bahi.api.live.room import Room
from bahi.api.openalgo.words import mode_of, segment_of
from bahi.bootstrap.meant import account_meant
from bahi.instruments.model.catalogue import Catalogue
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Conflict, Invalid
from bahi.kernel.words import BrokerSlug
from bahi.orders.service.happening import Happened

ORDERS_KNOWN: Final = 2_000
"""Orders of which it is remembered how far the client was told of them."""

SLOW_ROUNDS_AT_MOST: Final = 10
"""Rounds of prices in a row that may be long in going."""

Answer = Callable[[Frame], Awaitable[dict[str, Any]]]


class Talk:
    """One client whose key is good."""

    def __init__(self, room: Room, line: Line, actor: Actor) -> None:
        assert actor.key_id is not None  # noqa: S101 - it came by a key
        self._house, self._happenings, self._line = room.house, room.happenings, line
        self.actor = actor
        self._following = Following(room, actor.key_id)
        self._wants_orders = asyncio.Event()
        self._wants_none = asyncio.Event()
        self._told: OrderedDict[int, int] = OrderedDict()
        self._listens = asyncio.Event()
        self._answers: dict[str, Answer] = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "unsubscribe_all": self._unsubscribe_all,
            "subscribe_orders": self._subscribe_orders,
            "unsubscribe_orders": self._unsubscribe_orders,
            "get_broker_info": self._broker_info,
            "get_supported_brokers": self._supported_brokers,
            "ping": self._ping,
            "heartbeat": self._ping,
        }

    async def welcome(self) -> dict[str, Any]:
        """Return what a client is told that has said who it is."""
        return {
            "type": "auth",
            "status": "success",
            "message": "Authentication successful",
            "user_id": self.actor.name,
            **await self._where(),
        }

    async def listen(self) -> None:
        """Answer frames for as long as they come."""
        while True:
            frame = await self._line.hear()
            answer = self._answers.get(frame.action.strip().lower())
            try:
                if answer is None:
                    known = ", ".join(self._answers)
                    said = frame.action[:TEXT_AT_MOST]
                    raise Invalid(f"action: {said!r} is not known; there are {known}.")
                told = await answer(frame)
            except BahiError as failure:
                await self._line.say(refused(failure, frame))
            else:
                await self._line.say(answering(told, frame))
                self._following.apply()

    async def tell_prices(self) -> None:
        """Tell the newest price of what is followed, whenever there is one."""
        slow_rounds = 0
        while True:
            news = await self._following.subscription.news()
            before = self._line.held_up
            for quote in news.quotes:
                for text in self._following.frames(quote):
                    await self._line.send(text)
            if news.missed and slow_rounds:
                await self._line.say(_slow(news.missed))
            slow_rounds = slow_rounds + 1 if self._line.held_up > before else 0
            if slow_rounds > SLOW_ROUNDS_AT_MOST:
                raise TooSlow

    async def tell_orders(self) -> None:
        """Tell what happens to orders, while that is wanted."""
        while True:
            await self._wants_orders.wait()
            self._wants_none.clear()
            telling = asyncio.create_task(self._keep_telling(), name="a socket's orders")
            ending = asyncio.create_task(self._wants_none.wait())
            try:
                await asyncio.wait((telling, ending), return_when=asyncio.FIRST_COMPLETED)
                if telling.done():
                    telling.result()
            finally:
                self._listens.clear()
                for task in (telling, ending):
                    task.cancel()
                await asyncio.gather(telling, ending, return_exceptions=True)

    async def _keep_telling(self) -> None:
        async with self._happenings.listen(self.actor, {Topic.ORDER}) as listener:
            self._listens.set()
            while True:
                event = await listener.next()
                about = event.about
                if isinstance(about, Happened) and self._is_news(about):
                    account = await listener.sight.account(about.order.account_id)
                    if account is not None:
                        await self._line.say(order_update(about.order, account, self.actor.name))

    def _is_news(self, about: Happened) -> bool:
        """Say whether an order is further than the client was told; each state is told once."""
        order = about.order
        if self._told.get(order.id, 0) >= order.version:
            return False
        self._told[order.id] = order.version
        self._told.move_to_end(order.id)
        if len(self._told) > ORDERS_KNOWN:
            self._told.popitem(last=False)
        return True

    async def _authenticate(self, _frame: Frame) -> dict[str, Any]:
        raise Conflict("Whose socket this is was said already; open another for another key.")

    async def _subscribe(self, frame: Frame) -> dict[str, Any]:
        catalogue = await self._house.instruments.catalogue()
        rows = [self._begin(catalogue, frame, it) for it in frame.named]
        return _of_several("subscribe", rows)

    def _begin(self, catalogue: Catalogue, frame: Frame, it: Named) -> dict[str, Any]:
        row: dict[str, Any] = _shown(it)
        try:
            row["mode"] = mode = frame.mode_of(it)
            instrument = catalogue.get(it.symbol, segment_of(it.exchange))
            self._following.add(instrument, mode)
        except BahiError as refusal:
            return row | {"status": "error", "code": refusal.code, "message": str(refusal)}
        row |= {"symbol": instrument.symbol, "exchange": instrument.exchange}
        return row | {"status": "success"}

    async def _unsubscribe(self, frame: Frame) -> dict[str, Any]:
        catalogue = await self._house.instruments.catalogue()
        return _of_several("unsubscribe", [self._end(catalogue, frame, it) for it in frame.named])

    def _end(self, catalogue: Catalogue, frame: Frame, it: Named) -> dict[str, Any]:
        row: dict[str, Any] = _shown(it)
        try:
            says_mode = it.mode is not None or frame.mode is not None
            mode = frame.mode_of(it) if says_mode else None
            instrument = catalogue.get(it.symbol, segment_of(it.exchange))
        except BahiError as refusal:
            return row | {"status": "error", "code": refusal.code, "message": str(refusal)}
        row["mode"] = mode
        if self._following.drop(instrument.id, mode):
            return row | {"status": "success"}
        return row | {"status": "error", "code": "not_found", "message": "It was not followed."}

    async def _unsubscribe_all(self, _frame: Frame) -> dict[str, Any]:
        many = self._following.drop_all()
        said = f"{many} instruments are followed no more"
        return {"type": "unsubscribe_all", "status": "success", "count": many, "message": said}

    async def _subscribe_orders(self, _frame: Frame) -> dict[str, Any]:
        self._wants_orders.set()
        await self._listens.wait()
        said = "Subscribed to order updates"
        return {"type": "subscribe_orders", "status": "success", "message": said}

    async def _unsubscribe_orders(self, _frame: Frame) -> dict[str, Any]:
        self._wants_orders.clear()
        self._listens.clear()
        self._wants_none.set()
        said = "Unsubscribed from order updates"
        return {"type": "unsubscribe_orders", "status": "success", "message": said}

    async def _broker_info(self, _frame: Frame) -> dict[str, Any]:
        where = await self._where()
        return {
            "type": "broker_info",
            "status": "success",
            "user_id": self.actor.name,
            "following": len(self._following),
            **where,
        }

    async def _supported_brokers(self, _frame: Frame) -> dict[str, Any]:
        brokers = [str(it) for it in BrokerSlug]
        many = len(brokers)
        return {
            "type": "supported_brokers",
            "status": "success",
            "brokers": brokers,
            "count": many,
        }

    async def _ping(self, _frame: Frame) -> dict[str, Any]:
        at_ms = int(self._house.clock().timestamp() * 1000)
        return {"type": "pong", "status": "success", "timestamp": at_ms}

    async def _where(self) -> dict[str, Any]:
        """Return the broker and the mode of the key's default account, null where it has none."""
        try:
            account = await account_meant(self._house, self.actor, None)
        except BahiError:
            return {"broker": None, "mode": None}
        return {"broker": str(account.broker), "mode": mode_of(account.mode)}

    def close(self) -> None:
        """Follow nothing any more."""
        self._following.close()


def _slow(missed: int) -> dict[str, Any]:
    said = "Frames are taken more slowly than prices change: those that came between are left out."
    return {"type": "slow", "missed": missed, "message": said}


def _shown(it: Named) -> dict[str, Any]:
    return {"symbol": it.symbol[:TEXT_AT_MOST], "exchange": it.exchange[:TEXT_AT_MOST]}


def _of_several(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    good = sum(row["status"] == "success" for row in rows)
    status = "success" if good == len(rows) else "partial" if good else "error"
    said: dict[str, Any] = {"type": kind, "status": status, "subscriptions": rows}
    if good < len(rows):
        said["message"] = next(row["message"] for row in rows if row["status"] == "error")
    return said
