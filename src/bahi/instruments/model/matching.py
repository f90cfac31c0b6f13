"""Which instrument a broker's listing is, and what of it has changed.

Ids never change. A listing is first looked for by our symbol, which for a contract says all of its
terms, and by the exchange's token, which goes on through a corporate action but is used again once
a contract has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

Facts = Mapping[str, Any]
"""Columns of an instrument and their values; what a listing does not say is None."""


def facts_of(listing: Listing) -> dict[str, Any]:
    """Return what a listing says of its instrument."""
    cas = listing.cas_eligible
    return {
        "symbol": listing.symbol,
        "root_symbol": listing.root or None,
        "trading_symbol": listing.trading_symbol or None,
        "name": listing.name or None,
        "instrument_type": str(listing.instrument_type),
        "isin": listing.isin or None,
        "expiry": None if listing.expiry is None else listing.expiry.isoformat(),
        "strike": listing.strike,
        "option_type": None if listing.option_type is None else str(listing.option_type),
        "lot_size": listing.lot_size,
        "tick_size": listing.tick_size,
        "exchange_token": listing.exchange_token or None,
        "series": listing.series or None,
        "freeze_qty": listing.freeze_qty,
        "lower_band": listing.lower_band,
        "upper_band": listing.upper_band,
        "cas_eligible": None if cas is None else int(cas),
    }


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
    return {
        name: value
        for name, value in facts.items()
        if value is not None
        and (before := getattr(known, name)) != value
        and (before is None or may_change)
    }


def has_authority(broker: BrokerSlug, named_by: str | None) -> bool:
    """Say whether a broker's word counts against another's who is heard as well."""
    if named_by is None or named_by == broker:
        return True
    return AUTHORITY.index(broker) <= AUTHORITY.index(BrokerSlug(named_by))


def kinds_of(changed: Facts, known: Known) -> Iterator[str]:
    """Say in words what kinds of change these are, for the report."""
    if "symbol" in changed:
        yield "renamed" if "strike" not in changed else "strike moved"
    for name in TERMS:
        if name in changed and name != "strike" and getattr(known, name) is not None:
            yield name.replace("_", " ")


def terms_moved(changed: Facts, known: Known) -> bool:
    """Say whether dated terms change, rather than become known."""
    return any(name in changed and getattr(known, name) is not None for name in TERMS)
