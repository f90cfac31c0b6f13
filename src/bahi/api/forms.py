"""What questions and answers are made of: ids, instants, money, texts, pages of a list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Header, Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic import StringConstraints as Constraints

from bahi.kernel.clock import IST
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import parse_money, plain
from bahi.kernel.words import BrokerSlug, parse

PAGE_AT_MOST: Final = 100
LARGEST: Final = (1 << 63) - 1
RUPEES: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$"
"""How an amount is written: rupees with at most four decimals."""
KEY: Final = r"^[!-~]([ -~]{0,98}[!-~])?$"

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2999
WHEN: Final = (
    "write an instant with its zone: 2026-11-20T09:15:00+05:30 (in an address a `+` is %2B)"
)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


def _digits(said: Any) -> Any:
    return str(said) if type(said) is int else said


def _when(said: Any, read: ValidatorFunctionWrapHandler) -> datetime:
    """Read an instant; a number is none, since nobody says of what it counts."""
    try:
        if not isinstance(said, str) or said.lstrip("-").replace(".", "", 1).isdecimal():
            raise ValueError
        at: datetime = read(said)
        if at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
            raise ValueError
    except ValueError:
        raise ValueError(WHEN) from None
    return at.astimezone(UTC)


def _day(said: date) -> date:
    if not FIRST_YEAR <= said.year <= LAST_YEAR:
        raise ValueError(f"write a day of {FIRST_YEAR} to {LAST_YEAR}: 2026-11-20")
    return said


def _counted(said: Any) -> Any:
    if isinstance(said, bool):
        raise ValueError("write a whole number")  # noqa: TRY004 - which pydantic answers with
    return said


def _rupees(said: Any) -> int:
    try:
        return parse_money(said, "rupees")
    except Invalid as refused:
        raise ValueError(str(refused).removeprefix("rupees: ").rstrip(".")) from None


Rupees = Annotated[
    int,
    BeforeValidator(_rupees),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": RUPEES}, {"type": "number"}],
            "description": "Rupees, exactly: text with at most four decimals is never rounded.",
        }
    ),
]
"""An amount or a price that is asked for."""

Amount = Annotated[
    int,
    PlainSerializer(plain, return_type=str, when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "pattern": RUPEES}),
]
"""An amount or a price that is answered: exact text."""

Id = Annotated[
    str, BeforeValidator(_digits), Constraints(pattern=r"^[0-9]{1,19}$"),
]  # fmt: skip
"""An id: decimal, and text, since numbers of JSON lose digits."""

Instant = Annotated[
    datetime,
    PlainSerializer(
        lambda it: it.astimezone(IST).isoformat(), return_type=str, when_used="json-unless-none"
    ),
]
"""An instant that is answered, at the exchange's offset."""

When = Annotated[datetime, WrapValidator(_when)]
"""An instant that somebody names."""

Day = Annotated[date, AfterValidator(_day)]
"""A day that somebody names."""

Whole = Annotated[int, BeforeValidator(_counted)]
"""A whole number that somebody asks for; `true` is none."""

Text = Annotated[str, Constraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Long = Annotated[str, Constraints(max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]

PathId = Annotated[str, Path(pattern=r"^[0-9]{1,19}$", description="An id, in decimal digits.")]
PathName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.:@-]+$")]
Broker = Annotated[
    str,
    Path(
        max_length=20,
        pattern=r"^[A-Za-z]+$",
        description="breeze, kite, upstox, dhan or openalgo; `zerodha` and `icici` are known too.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=100,
        pattern=KEY,
        description="The caller's own name for what is asked: asked twice, it is done once.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_AT_MOST, description="How many at most.")]
After = Annotated[
    str | None,
    Query(max_length=64, pattern=r"^[A-Za-z0-9_-]*$", description="The `next` of the page before."),
]


class Form(BaseModel):
    """A question; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """An answer, made of what the house knows."""

    model_config = ConfigDict(from_attributes=True)


class Page(BaseModel, Generic[T]):
    """A part of a list; `next` is what `after` has to be for the following part."""

    items: list[T]
    next: str | None


def asked_twice(shown: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Describe the answer to one who asks again under a name that was given before."""
    return {
        200: {"model": shown, "description": "It was asked before: what the name was given to."}
    }


def number(said: str) -> int:
    """Return an id as a number; no row has one that is too large."""
    if (it := int(said)) > LARGEST:
        raise NotFound(f"There is no {said[:19]}.")
    return it


def named(in_body: str | None, in_header: str | None) -> str | None:
    """Return the one name that a wish was given; two that differ are refused."""
    if in_body is not None and in_header is not None and in_body != in_header:
        raise Invalid("client_order_id: the header Idempotency-Key gives another name; give one.")
    return in_header if in_body is None else in_body


def cursor(*place: int) -> str:
    """Write where a page ended."""
    return base64.urlsafe_b64encode(".".join(map(str, place)).encode()).decode().rstrip("=")


def place(after: str | None, parts: int = 1) -> tuple[int, ...] | None:
    """Read where the page before ended."""
    if not after:
        return None
    try:
        text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode("ascii")
        found = tuple(int(part) for part in text.split("."))
    except (ValueError, binascii.Error):
        found = ()
    if len(found) != parts or not all(0 <= each <= LARGEST for each in found):
        raise Invalid("after: that is no `next` of a page of this list.")
    return found


def page_of(rows: Sequence[Any], shown: type[M], limit: int, at: Callable[[Any], int]) -> Page[M]:
    """Make a page of what was read with one more than its limit."""
    following = cursor(at(rows[limit - 1])) if len(rows) > limit else None
    return Page(items=[shown.model_validate(row) for row in rows[:limit]], next=following)


def part_of(rows: Iterable[Any], shown: type[M], limit: int, after: str | None) -> Page[M]:
    """Make a page of a list that is bounded as a whole, in the order of its ids."""
    ended = place(after)
    ordered = sorted(rows, key=lambda row: row.id)
    if ended is not None:
        ordered = [row for row in ordered if row.id > ended[0]]
    return page_of(ordered, shown, limit, lambda row: row.id)


def broker_of(said: str) -> BrokerSlug:
    """Return the broker that is meant, by any of its names."""
    broker = parse(BrokerSlug, said, field="service")
    if broker in {BrokerSlug.PAPER, BrokerSlug.ANGEL}:
        raise Invalid(f"service: {broker} has no login; the others are breeze, kite, upstox, dhan "
                      "and openalgo.")  # fmt: skip
    return broker
