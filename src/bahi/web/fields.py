"""What people typed into forms, as words and numbers; or one sentence: what is wrong, where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import Segment

W = TypeVar("W", bound=StrEnum)
Form = Mapping[str, str]

MOST_DIGITS: Final = 18
LARGEST_ID: Final = 2**63 - 1
YEARS: Final = range(1970, 2101)
"""Days of other years are slips of a hand; the first and last have no instants on either side."""


def text(form: Form, name: str, *, at_most: int = 200) -> str:
    """Return what was typed, without the blanks around it; nothing typed is empty."""
    said = form.get(name, "").strip()
    if len(said) > at_most or not said.isprintable():
        raise Invalid(f"{name}: write up to {at_most} characters on one line.")
    return said


def required(form: Form, name: str, *, at_most: int = 200) -> str:
    """Return what was typed, which may not be empty."""
    said = text(form, name, at_most=at_most)
    if not said:
        raise Invalid(f"{name}: it is empty.")
    return said


def whole(form: Form, name: str) -> int:
    """Return a whole number; commas may part it."""
    said = text(form, name).replace(",", "")
    digits = said.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
        raise Invalid(f"{name}: {said[:40]!r} is not a whole number.")
    return int(said)


def maybe_whole(form: Form, name: str) -> int | None:
    """Return a whole number, None where nothing was typed."""
    return whole(form, name) if text(form, name) else None


def maybe_price(form: Form, name: str) -> Price | None:
    """Return a price in rupees, None where nothing was typed."""
    said = text(form, name)
    return parse_price(said, name) if said else None


def one_of(form: Form, name: str, words: type[W], default: W | None = None) -> W:
    """Return a word of a list."""
    said = text(form, name)
    if not said and default is not None:
        return default
    found = next((it for it in words if it == said), None)
    if found is None:
        raise Invalid(f"{name}: {said[:40]!r} is none of {', '.join(words)}.")
    return found


def maybe_one_of(form: Form, name: str, words: type[W]) -> W | None:
    """Return a word of a list, None where nothing was chosen."""
    return one_of(form, name, words) if text(form, name) else None


def maybe_day(form: Form, name: str) -> date | None:
    """Return a day as `2026-11-22`, None where nothing was typed."""
    said = text(form, name)
    if not said:
        return None
    try:
        found = date.fromisoformat(said)
    except ValueError:
        raise Invalid(f"{name}: {said[:40]!r} is not a day; write it as 2026-11-22.") from None
    if found.year not in YEARS:
        raise Invalid(f"{name}: {said} is not in the years {YEARS[0]} to {YEARS[-1]}.")
    return found


def identity(said: str, what: str) -> int:
    """Return an id that stood in an address or in a form."""
    digits = said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS + 1
    if not digits or int(said) > LARGEST_ID:
        raise Invalid(f"{what}: {said[:40]!r} is no id.")
    return int(said)


def ticked(form: Form, name: str) -> bool:
    """Say whether a box was ticked."""
    return bool(form.get(name))


def listed(form: Form) -> tuple[Segment, str]:
    """Return which instrument is meant."""
    return one_of(form, "segment", Segment), required(form, "symbol", at_most=100).upper()
