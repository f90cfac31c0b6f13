"""Which instrument a broker's listing is, and what of it has changed.

Ids never change. A listing is first looked for by our symbol, which for a contract says all of its
terms, and by the exchange's token, which goes on through a corporate action but is used again once
a contract has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from bahi.kernel.listings import Listing
from bahi.kernel.words import BrokerSlug

TERMS: Final = ("lot_size", "tick_size", "freeze_qty", "lower_band", "upper_band", "strike")
"""What is dated: a change of it is kept with the day from which it holds."""

AUTHORITY: Final = (
    BrokerSlug.UPSTOX,
    BrokerSlug.KITE,
    BrokerSlug.DHAN,
    BrokerSlug.OPENALGO,
    BrokerSlug.ANGEL,
    BrokerSlug.BREEZE,
    BrokerSlug.PAPER,
)
"""Whose word counts where two masters disagree: the one that says most comes first. Without an
order, two brokers that differ over a strike would move it back and forth every morning."""


class Known(NamedTuple):
    """An instrument as it stands, in the values of its columns."""

    id: int
    symbol: str
    root_symbol: str | None
    trading_symbol: str | None
    name: str | None
    instrument_type: str | None
    isin: str | None
    expiry: str | None
    strike: int | None
    option_type: str | None
    lot_size: int | None
    tick_size: int | None
    exchange_token: str | None
    series: str | None
    freeze_qty: int | None
    lower_band: int | None
    upper_band: int | None
    cas_eligible: int | None
    is_active: int
    terms_since: str | None
    named_by: str | None


FACTS: Final = Known._fields[1:-3]
"""What a listing may say: all but the id, and what the house itself decides."""

Facts = tuple[Any, ...]
"""What a listing says of its instrument, as FACTS names it; what it does not say is None."""

Changed = Mapping[str, Any]
"""Columns that come to differ, and their values."""


@lru_cache(maxsize=4096)
def _written(day: date) -> str:
    return day.isoformat()


def facts_of(listing: Listing) -> Facts:
    """Return what a listing says of its instrument, in the order of FACTS."""
    expiry, option, cas = listing.expiry, listing.option_type, listing.cas_eligible
    return (
        listing.symbol,
        listing.root or None,
        listing.trading_symbol or None,
        listing.name or None,
        str(listing.instrument_type),
        listing.isin or None,
        None if expiry is None else _written(expiry),
        listing.strike,
        None if option is None else str(option),
        listing.lot_size,
        listing.tick_size,
        listing.exchange_token or None,
        listing.series or None,
        listing.freeze_qty,
        listing.lower_band,
        listing.upper_band,
        None if cas is None else int(cas),
    )


def which(listing: Listing, named: Known | None, numbered: Known | None) -> Known | None:
    """Choose between the instrument of the same symbol and that of the same exchange token."""
    if numbered is not None and numbered is not named and _is_same(listing, numbered):
        moved = listing.expiry is not None and listing.root != numbered.root_symbol
        if named is None or (not moved and (_is_stub(named) or _has_another_token(listing, named))):
            return numbered
    return None if named is not None and is_handed_on(listing, named) else named


def is_handed_on(listing: Listing, named: Known) -> bool:
    """Say whether a contract's symbol passes to this one: a live contract keeps its token.

    An adjustment makes 174 of the strike 179, and on that day a new 179 may be listed.
    """
    return listing.expiry is not None and _has_another_token(listing, named)


def _is_stub(known: Known) -> bool:
    """Say whether it is an underlying that was never named: nothing but a symbol."""
    return known.named_by is None and not known.is_active


def _is_same(listing: Listing, known: Known) -> bool:
    """Say whether a token still stands for what it stood for."""
    if listing.expiry is not None or known.expiry is not None:
        expiry = None if listing.expiry is None else listing.expiry.isoformat()
        renamed = known.is_active and listing.strike == known.strike  # with its company
        return (
            expiry == known.expiry
            and listing.option_type == known.option_type
            and bool(listing.root == known.root_symbol or renamed)
        )
    if listing.series and known.series and listing.series != known.series:
        return False  # RELIANCE in T0 is no other name of RELIANCE
    return bool(listing.isin) and listing.isin == known.isin


def _has_another_token(listing: Listing, named: Known) -> bool:
    """Say whether what has this symbol is known by another token; unknown is no other."""
    tokens = {named.exchange_token or "", listing.exchange_token}
    return len(tokens) == 2 and "" not in tokens


def changes(facts: Facts, known: Known, *, may_change: bool) -> dict[str, Any]:
    """Return what of an instrument a listing changes; what nobody said before is always taken."""
    standing = known[1:-3]
    if facts == standing:
        return {}
    return {
        name: value
        for name, value, before in zip(FACTS, facts, standing, strict=True)
        if value is not None and before != value and (before is None or may_change)
    }


def has_authority(broker: BrokerSlug, named_by: str | None) -> bool:
    """Say whether a broker's word counts against another's who is heard as well."""
    if named_by is None or named_by == broker:
        return True
    return AUTHORITY.index(broker) <= AUTHORITY.index(BrokerSlug(named_by))


def kinds_of(changed: Changed, known: Known) -> Iterator[str]:
    """Say in words what kinds of change these are, for the report."""
    if "symbol" in changed:
        yield "renamed" if "strike" not in changed else "strike moved"
    for name in TERMS:
        if name in changed and name != "strike" and getattr(known, name) is not None:
            yield name.replace("_", " ")


def terms_moved(changed: Changed, known: Known) -> bool:
    """Say whether dated terms change, rather than become known."""
    return any(name in changed and getattr(known, name) is not None for name in TERMS)
