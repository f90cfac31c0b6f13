"""Alerts that become orders: posted by TradingView, Chartink or OpenAlgo's `Strategy`.

Whoever knows the address may post: its secret part is a key, and never in a record or a log. Where
the sender can sign, `X-Bahi-Signature: sha256=<hex>` is the HMAC of the body. An alert is written
down before anything is placed, and its orders are named by it, so that one that comes twice, or a
process that dies in between, places none twice.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bahi.api.bodies import check_json
from bahi.api.callers import Caller
from bahi.api.errors import answer_to
from bahi.api.hooks.guesses import Guesses
from bahi.api.limits import Limits
from bahi.api.openalgo.door import told
from bahi.api.openalgo.outcomes import row_of
from bahi.api.openalgo.wishes import NewOrder, SmartOrder, wish_of
from bahi.bootstrap import House
from bahi.identity.service.users import get_user
from bahi.kernel.actor import Actor
from bahi.kernel.errors import (
    BahiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
)
from bahi.kernel.words import KeyScope
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.aiming import place_smart
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.strategies.model.webhooks import AlertStatus, Webhook, orders_of, require_welcome
from bahi.strategies.service import webhooks

SIGNATURE: Final = "x-bahi-signature"
ALERTS_A_MINUTE: Final = 100
NOT_DONE: Final = 422
FORM: Final = "application/x-www-form-urlencoded"
SECRETS: Final = frozenset("0123456789abcdef")


class NotSigned(Unauthenticated):
    """The alert is not signed as this webhook asks; sign its body with the webhook's secret."""

    code = "not_signed"


def alert_routes(house: House) -> list[Route]:
    """Make the doors at which alerts come in; the second is where OpenAlgo's client knocks."""
    inbox = Inbox(house)
    return [
        Route("/hooks/alerts/{secret}", inbox.answer, methods=["POST"]),
        Route("/strategy/webhook/{secret}", inbox.answer, methods=["POST"]),
    ]


class Inbox:
    """Takes alerts, and has their orders placed."""

    def __init__(self, house: House) -> None:
        self._house, self._limits, self._guesses = house, Limits(), Guesses()
        self._doing: dict[int, asyncio.Task[list[dict[str, Any]]]] = {}

    async def answer(self, request: Request) -> Response:
        """Answer an alert with what became of its orders."""
        request.state.is_private = True
        try:
            answer = await self._taken(request)
            return told(answer, 200 if answer["status"] == "success" else NOT_DONE)
        except BahiError as failure:
            return answer_to(request, failure)

    async def _taken(self, request: Request) -> Mapping[str, Any]:
        caller: Caller = request.state.caller
        hook = await self._welcome(request, caller)
        alert = await _alert_in(request)
        house, address = self._house, caller.address
        taken = await house.stores["main"].write(
            webhooks.take_alert, hook, alert, address, house.clock()
        )
        known = taken.alert
        if known.status is AlertStatus.REFUSED:
            raise Conflict(f"This alert came before, and was refused: {known.error_message}")
        if known.status is AlertStatus.DONE:
            said = "This alert came before; nothing was placed again."
            return _told(known.id, said, known.outcome or [])
        # new, or somebody died over it: its orders have names, and are placed once
        return _told(known.id, "", await self._once(hook, known.id, alert, caller))

    async def _once(
        self, hook: Webhook, alert_id: int, alert: Mapping[str, Any], caller: Caller
    ) -> list[dict[str, Any]]:
        """Have an alert's orders placed; of several that bring it at once all wait for the same."""
        doing = self._doing.get(alert_id)
        if doing is None:
            placing = self._place(hook, alert_id, alert, caller)
            doing = asyncio.create_task(self._house.trading.errands.see_through(placing))
            self._doing[alert_id] = doing
            doing.add_done_callback(lambda _: self._doing.pop(alert_id, None))
        return await asyncio.shield(doing)

    async def _welcome(self, request: Request, caller: Caller) -> Webhook:
        """Return the webhook of an address; a stranger's guess costs them, and tells nothing."""
        secret, house = request.path_params["secret"], self._house
        found = None
        if len(secret) == 2 * webhooks.SECRET_BYTES and SECRETS.issuperset(secret):
            digest = house.vault.digest(secret, webhooks.PATH_PURPOSE)
            main = house.stores["main"]
            look = partial(main.read, webhooks.webhook_at, house.vault, digest, fresh=True)
            found = await self._guesses.found(caller, digest, look)
        else:
            await caller.stranger()
        if found is None:
            raise NotFound("There is no webhook at this address.")
        hook, signing = found
        share = self._limits.count(f"hook:{hook.id}", ALERTS_A_MINUTE)
        if share.asked > share.limit:
            raise share.refuse()
        if signing is not None:
            _require_signed(await request.body(), request.headers.get(SIGNATURE, ""), signing)
        require_welcome(hook, caller.address, house.clock())
        return hook

    async def _place(
        self, hook: Webhook, alert_id: int, alert: Mapping[str, Any], caller: Caller
    ) -> list[dict[str, Any]]:
        """Place what an alert asks for, and write down what became of it."""
        house = self._house
        outcome: list[dict[str, Any]] | None = None
        why = ""
        try:
            orders = orders_of(hook, alert)
            desk = await house.desk(await self._owner(hook, caller), hook.account_id)
            outcome = [
                await _placed(desk, hook, order, f"hook:{alert_id}/{n}")
                for n, order in enumerate(orders, 1)
            ]
        except BahiError as fault:
            why = str(fault)
            raise
        finally:
            await house.stores["main"].write(
                webhooks.end_alert, alert_id, outcome, why, house.clock()
            )
        return outcome

    async def _owner(self, hook: Webhook, caller: Caller) -> Actor:
        user = await self._house.stores["main"].read(get_user, hook.user_id, fresh=True)
        if not user.is_active:
            raise Forbidden("The owner of this webhook may not trade.")
        return Actor(
            name=f"{user.username} by webhook {hook.name}",
            user_id=user.id,
            role=user.role,
            scope=KeyScope.TRADE,
            address=caller.address,
            agent=caller.visitor.agent,
            request_id=caller.visitor.request_id,
        )


async def _placed(desk: Desk, hook: Webhook, order: dict[str, Any], name: str) -> dict[str, Any]:
    """Place one order of an alert; what is wrong with it is said of it alone."""
    symbol = str(order.get("symbol") or "")
    try:
        wish, target = _wish(order, hook.name, name)
        if target is None:
            return row_of(await place_order(desk, wish), None, symbol=symbol)
        aim = await place_smart(desk, wish, target)
    except BahiError as fault:
        return row_of(None, fault, symbol=symbol)
    if aim.order is None and aim.fault is None:
        said = "The position is there already; nothing was placed."
        return {"symbol": symbol, "status": "success", "message": said}
    return row_of(aim.order, aim.fault, symbol=symbol)


def _wish(order: dict[str, Any], strategy: str, name: str) -> tuple[PlaceOrder, int | None]:
    """Return the wish of an order's words, and where the position is to be, if it says that."""
    form = SmartOrder if "position_size" in order else NewOrder
    try:
        it = msgspec.convert(order, form, strict=False)
    except msgspec.ValidationError as fault:
        raise Invalid(f"The order of this alert cannot be made: {fault}.") from None
    wish = wish_of(it, strategy=strategy, client_order_id=name)
    return wish, it.position_size if isinstance(it, SmartOrder) else None


async def _alert_in(request: Request) -> dict[str, Any]:
    """Read an alert: a JSON object, whatever its content type says, or a form."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM and not body.lstrip().startswith(b"{"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)[:100])
    check_json(body)
    try:
        found = msgspec.json.decode(body)  # which takes no half of a character for a text
    except msgspec.MsgspecError:
        raise Invalid("body: an alert is a JSON object, and this is none.") from None
    if not isinstance(found, dict):
        raise Invalid("body: an alert is a JSON object, and this is another thing.")
    return found


def _require_signed(body: bytes, said: str, secret: str) -> None:
    right = hmac.new(secret.encode(), body, sha256).hexdigest()
    brought = said.strip().lower().removeprefix("sha256=")
    if not hmac.compare_digest(right.encode(), brought.encode("utf-8", "replace")):
        raise NotSigned


def _told(alert_id: int, message: str, outcome: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer with every order; one that failed makes the whole an error that was answered."""
    failed = sum(it.get("status") != "success" for it in outcome)
    said = {"message": message} if message else {}
    status = "error" if outcome and failed == len(outcome) else "success"
    return {"status": status, "alert_id": str(alert_id), **said, "results": outcome}
