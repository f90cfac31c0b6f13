"""What brokers post of orders: a hint to read the order again, never taken at its word."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bahi.accounts.service.accounts import get_account
from bahi.api.bodies import check_json
from bahi.api.callers import Caller
from bahi.api.errors import answer_to
from bahi.api.hooks.guesses import Guesses
from bahi.api.limits import Limits
from bahi.api.openalgo.door import told
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.actor import the_house
from bahi.kernel.errors import BahiError, Invalid, NotFound, Unauthenticated
from bahi.streams import service as streams
from bahi.streams.model import Inlet

POSTBACKS_A_MINUTE: Final = 3_000
HEX: Final = frozenset("0123456789abcdef")
BROKER: Final = the_house("broker")

log = logging.getLogger("bahi.api")


class Forged(Unauthenticated):
    """The broker did not sign this."""

    code = "forged"


def postback_routes(house: House) -> list[Route]:
    """Make the door at which brokers post of orders."""
    inlets = Inlets(house)
    return [Route("/hooks/postbacks/{secret}", inlets.answer, methods=["POST"])]


class Inlets:
    """Takes what brokers post."""

    def __init__(self, house: House) -> None:
        self._house, self._limits, self._guesses = house, Limits(), Guesses()

    async def answer(self, request: Request) -> Response:
        """Write a postback down, have the driver look, and answer."""
        request.state.is_private = True
        try:
            is_news = await self._take(request)
        except BahiError as failure:
            return answer_to(request, failure)
        return told({"status": "success", "is_news": is_news})

    async def _take(self, request: Request) -> bool:
        house, now = self._house, self._house.clock()
        inlet = await self._inlet(request)
        share = self._limits.count(f"inlet:{inlet.id}", POSTBACKS_A_MINUTE)
        if share.asked > share.limit:
            raise share.refuse()
        said = await _said(request)

        def verified(tx: Tx) -> bool | None:
            account = get_account(tx, BROKER, inlet.account_id)
            return streams.is_signed(tx, house.vault, account.id, account.broker, said)

        is_signed = await house.stores["main"].read(verified, fresh=True)
        if is_signed is False:
            log.warning("a postback of account %s was not signed by its broker", inlet.account_id)
            raise Forged
        is_news = await house.stores["main"].write(
            streams.take_postback, inlet, (said, is_signed), now
        )
        if is_news:
            house.trading.wake()
        return is_news

    async def _inlet(self, request: Request) -> Inlet:
        secret, house = request.path_params["secret"], self._house
        caller: Caller = request.state.caller
        found = None
        if len(secret) == 2 * streams.SECRET_BYTES and HEX.issuperset(secret):
            digest = house.vault.digest(secret, streams.PATH_PURPOSE)
            look = partial(house.stores["main"].read, streams.inlet_at, digest, fresh=True)
            found = await self._guesses.found(caller, digest, look)
        else:
            await caller.stranger()
        if found is None:
            raise NotFound("Nothing is posted at this address.")
        return found


async def _said(request: Request) -> dict[str, Any]:
    body = await request.body()
    check_json(body)
    try:
        found = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        raise Invalid("body: a postback is a JSON object, and this is none.") from None
    if not isinstance(found, dict):
        raise Invalid("body: a postback is a JSON object, and this is another thing.")
    return found
