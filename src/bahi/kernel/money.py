"""Money and prices: whole ten-thousandths of a rupee, exact from one edge to the other.

An amount is a plain int wherever it is kept or reckoned with; text, Decimal and float exist only at
the edges, and are taken in exactly or not at all. Nothing is rounded unless a tick asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NewType

from bahi.kernel.errors import Invalid

Money = NewType("Money", int)
Price = NewType("Price", int)
Rupees = str | int | float | Decimal  # what the edges may hand in

NOTHING: Final = Money(0)
SCALE: Final = 10_000
PAISE: Final = 100
LARGEST: Final = 2**63 - 1  # either way, so that a sign can always be turned

_TEXT: Final = re.compile(
    r"-?(?:\d+|[1-9]\d?(?:,\d\d)*,\d{3})(?:\.\d{1,4})?",  # commas only where an Indian puts them
    re.ASCII,
)
_SHOWN: Final = 40  # characters of a refused value that its error repeats


def parse_money(rupees: Rupees, field: str = "amount") -> Money:
    """Take in an amount of rupees exactly, or refuse it."""
    return Money(_parse(rupees, field))


def parse_price(rupees: Rupees, field: str = "price") -> Price:
    """Take in a price in rupees exactly, or refuse it."""
    return Price(_parse(rupees, field))


def plain(amount: int) -> str:
    """Write an amount as the views do: `2950.50`, `0.0025`, `-12.00`."""
    sign, rupees, decimals = _written(amount)
    return f"{sign}{rupees}.{decimals}"


def grouped(amount: int) -> str:
    """Write an amount as an Indian reads it: `1,00,00,000.00`."""
    sign, rupees, decimals = _written(amount)
    return f"{sign}{_in_lakhs(rupees)}.{decimals}"


def to_paise(amount: int) -> int:
    """Round to whole paise, half away from zero: what a person is shown of an amount."""
    paise = (abs(amount) + PAISE // 2) // PAISE * PAISE
    return paise if amount >= 0 else -paise


def grouped_count(number: int) -> str:
    """Write a count of something likewise: `1,00,000`."""
    return f"{'-' if number < 0 else ''}{_in_lakhs(str(abs(number)))}"


def checked(amount: int, what: str = "amount") -> Money:
    """Pass on what was reckoned, unless 63 bits cannot hold it."""
    return Money(_within(amount, what, amount))


def times(price: Price, quantity: int) -> Money:
    """Reckon what a quantity comes to at a price."""
    return checked(price * quantity, "price times quantity")


def total(amounts: Iterable[Money]) -> Money:
    """Add amounts up."""
    return checked(sum(amounts), "total")


def up_to_tick(price: Price, tick: Price) -> Price:
    """Move a price to the first tick at or above it (towards plus infinity)."""
    return _on_tick(-(-price // _usable(tick)) * tick)


def down_to_tick(price: Price, tick: Price) -> Price:
    """Move a price to the first tick at or below it (towards minus infinity)."""
    return _on_tick(price // _usable(tick) * tick)


def nearest_tick(price: Price, tick: Price) -> Price:
    """Move a price to the nearest tick; from the middle, away from zero, so that signs mirror."""
    size = (2 * abs(price) + _usable(tick)) // (2 * tick) * tick
    return _on_tick(size if price >= 0 else -size)


def _parse(rupees: Rupees, field: str) -> int:
    match rupees:
        case bool():  # an int to Python, never an amount to anybody
            raise _refused(rupees, field, "is not an amount")
        case int():
            return _within(rupees * SCALE, field, rupees)
        case str():
            if not _TEXT.fullmatch(rupees):
                raise _refused(rupees, field, "is not an amount in rupees")
            return _scaled(Decimal(rupees.replace(",", "")), field, rupees)
        case float():
            return _scaled(Decimal(float.__repr__(rupees)), field, rupees)
        case Decimal():
            return _scaled(rupees, field, rupees)
        case _:
            raise _refused(rupees, field, "is not an amount")


def _scaled(exact: Decimal, field: str, given: Rupees) -> int:
    if not exact.is_finite():
        raise _refused(given, field, "is not a number")
    if not exact:
        return 0
    if exact.adjusted() >= len(str(LARGEST // SCALE)):
        raise _too_large(given, field)  # before 1E+999999 is written out
    if exact.adjusted() < -4:
        raise _refused(given, field, "has more than four decimals")
    numerator, denominator = exact.as_integer_ratio()  # Decimal's own products would round
    amount, remainder = divmod(numerator * SCALE, denominator)
    if remainder:
        raise _refused(given, field, "has more than four decimals")
    return _within(amount, field, given)


def _within(amount: int, field: str, given: Rupees) -> int:
    if -LARGEST <= amount <= LARGEST:
        return amount
    raise _too_large(given, field)


def _usable(tick: Price) -> Price:
    if tick > 0:
        return tick
    raise Invalid(f"A tick of {plain(tick)} rupees cannot be used; it must be above zero.")


def _on_tick(price: int) -> Price:
    return Price(_within(price, "price on its tick", price))


def _written(amount: int) -> tuple[str, str, str]:
    rupees, decimals = divmod(abs(amount), SCALE)
    paise, beyond = divmod(decimals, 100)
    return "-" if amount < 0 else "", str(rupees), f"{paise:02d}" + f"{beyond:02d}".rstrip("0")


def _in_lakhs(digits: str) -> str:
    head, thousands = digits[:-3], digits[-3:]
    return (re.sub(r"\B(?=(?:\d\d)+$)", ",", head) + "," if head else "") + thousands


def _refused(given: object, field: str, why: str) -> Invalid:
    right = "write rupees with at most four decimals, such as 2950.50 or 1,00,000.0025"
    return Invalid(f"{field}: {_shown(given)} {why}; {right}.")


def _too_large(given: object, field: str) -> Invalid:
    return Invalid(
        f"{field}: {_shown(given)} does not fit; amounts go up to {grouped(LARGEST)} rupees."
    )


def _shown(given: object) -> str:
    if isinstance(given, int) and given.bit_length() > 128:
        return f"a number of {given.bit_length()} bits"  # Python refuses to write the longest
    text = str(given) if isinstance(given, Decimal) else repr(given)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
