"""How OpenAlgo's clients ask and are answered: one JSON object in, one out, the key inside.

A body is decoded once, into the form of its request; words that a form does not know are passed
over, as OpenAlgo passes them over. Nothing of it is kept in the record: it carries the key.

    {"status": "error", "message": "...", "code": "invalid", "request_id": "5f..."}
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bahi.accounts.model import Account
from bahi.api.callers import KEY_HEADER, Caller
from bahi.api.errors import RETRY_AFTER_S, status_of
from bahi.api.openalgo.words import mode_of
from bahi.bootstrap import House
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import BahiError, Invalid, TooSoon, Unauthenticated

PREFIX: Final = "/api/v1"
JSON: Final = "application/json"
NAME_AT_MOST: Final = 120
MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`$")

Text = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(max_length=NAME_AT_MOST)]
Said = str | int
"""An id or a name, which clients send as a number too."""
Rupees = Decimal | None


class Ask(msgspec.Struct, kw_only=True):
    """What every request may bring: its key, and the account that it means."""

    apikey: Text = ""
    account: Said | None = None

    @property
    def named(self) -> str | None:
        """The account that is named, if one is."""
        return None if self.account in {None, ""} else str(self.account)


class Refused(BahiError):
    """What was asked was refused, and there is more to say than a sentence."""

    code = "refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(
        self,
        sentence: str = "",
        *,
        code: str | None = None,
        status: HTTPStatus | None = None,
        **beside: Any,
    ) -> None:
        super().__init__(sentence)
        self.beside = beside
        self.said_code, self.said_status = code or self.code, status or self.status


class Door(Route):
    """The door of one request: its form, who answers, and whether it `changes` something."""

    form: type[Ask]
    answered_by: Callable[..., Any]
    changes: bool


F = TypeVar("F", bound=Ask)
Answer = Mapping[str, Any] | Response
Answers = Callable[[House, Actor, F], Awaitable[Answer]]

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_KEY_ALONE: Final = msgspec.json.Decoder(Ask, strict=False)


def asked(
    house: House,
    path: str,
    form: type[F],
    answer: Answers[F],
    *,
    changes: bool = False,
    in_address: bool = False,
) -> Door:
    """Make the door of one request; `in_address` is asked with GET, its form in the query.

    What `changes` something is refused to a key that only reads, whatever it brought.
    """
    decoder = msgspec.json.Decoder(form, strict=False)

    async def ask(request: Request) -> Response:
        request.state.is_private = True
        try:
            it, actor = await (
                _of_address(request, form) if in_address else _of_body(request, decoder)
            )
            if changes:
                require_change(actor)
            found = await answer(house, actor, it)
        except BahiError as failure:
            return refusal(request, failure)
        return found if isinstance(found, Response) else told(found)

    door = Door(f"{PREFIX}/{path}", ask, methods=["GET" if in_address else "POST"])
    door.form, door.answered_by, door.changes = form, answer, changes
    return door


def told(answer: Mapping[str, Any], status: int = 200) -> Response:
    """Answer with one JSON object."""
    return Response(_ENCODER.encode(answer), status, media_type=JSON)


def good(account: Account | None = None, **more: Any) -> dict[str, Any]:
    """Return an answer that succeeded, which says the mode of the account that it is about."""
    said = {"status": "success", **more}
    if account is not None:
        said["mode"] = mode_of(account.mode)
    return said


async def _of_body(request: Request, decoder: msgspec.json.Decoder[F]) -> tuple[F, Actor]:
    body = await request.body()
    caller: Caller = request.state.caller
    try:
        it = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        key = _key_of(body)
        key = key or request.headers.get(KEY_HEADER, key)
        await (caller.stranger() if key is None else caller.by_key(key))
        raise Invalid(_what_is_wrong(fault)) from None
    return it, await caller.by_key(it.apikey or request.headers.get(KEY_HEADER, ""))


async def _of_address(request: Request, form: type[F]) -> tuple[F, Actor]:
    brought = {**request.query_params, **request.path_params}
    caller: Caller = request.state.caller
    actor = await caller.by_key(brought.get("apikey") or request.headers.get(KEY_HEADER, ""))
    try:
        return msgspec.convert(brought, form, strict=False), actor
    except msgspec.MsgspecError as fault:
        raise Invalid(_what_is_wrong(fault)) from None


def _key_of(body: bytes) -> str | None:
    """Return the key of a body that is wrong otherwise: who it is decides what they are told."""
    try:
        return _KEY_ALONE.decode(body).apikey
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _what_is_wrong(fault: Exception) -> str:
    """Name the field and what is wrong with it; never what was brought, which holds the key."""
    if not isinstance(fault, msgspec.ValidationError):
        return "body: this is no JSON object in UTF-8, or it is nested without end."
    said = str(fault)
    place = PLACE.search(said)
    where = "" if place is None else place[1].replace("[", ".").replace("]", "")
    said = PLACE.sub("", said)
    if missing := MISSING.fullmatch(said):
        return f"{f'{where}.' if where else ''}{missing[1]}: it is missing."
    return f"{where or 'body'}: {said.replace('`', '')}."


def refusal(request: Request, failure: BahiError) -> Response:
    """Answer with a failure as OpenAlgo's clients know it, with a code and the request's id."""
    status, code, message = status_of(type(failure)), failure.code, str(failure)
    beside: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(failure, Unauthenticated):
        status, message = HTTPStatus.FORBIDDEN, "Invalid openalgo apikey"
    if isinstance(failure, Refused):
        status, code, beside = failure.said_status, failure.said_code, failure.beside
    retry_after_s = beside.get("retry_after", RETRY_AFTER_S.get(status))
    if isinstance(failure, TooSoon):
        retry_after_s = failure.retry_after_s
    if retry_after_s is not None:
        beside["retry_after"] = retry_after_s
        headers["Retry-After"] = str(retry_after_s)
    request.state.failure = f"{code}: {message}"
    request_id = getattr(request.state, "request_id", "")
    body = {"status": "error", "message": message, "code": code, "request_id": request_id}
    answer = told(body | beside, status)
    answer.headers.update(headers)
    return answer
