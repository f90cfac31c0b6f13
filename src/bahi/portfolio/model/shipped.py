"""The rates that come with Bahi, as found in November 2026; each is a row, dated, with its source.

Each release of Bahi that knows more raises the number; what a person entered goes before all of
them. What could not be confirmed in the publisher's own words is marked so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product as every
from typing import Any, Final

from bahi.kernel.money import parse_money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.ends import EXPIRES_TODAY, STOCK_EXPIRES_TODAY, in_the_money
from bahi.portfolio.model.rates import BILLION, Basis, Charge, Kind, Rate

RELEASE: Final = 2

NSE: Final = Segment.NSE_EQ
BSE: Final = Segment.BSE_EQ
NFO: Final = Segment.NSE_FNO
BFO: Final = Segment.BSE_FNO
CURRENCY: Final = (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
MCX: Final = Segment.MCX_COMM
EQUITY, FUTURE, OPTION = Kind
DELIVERY: Final = (Product.CNC, Product.MTF)
BUY, SELL = Side

SINCE: Final = date(2023, 4, 1)
FEES: Final = date(2024, 10, 1)
"""Uniform fees of the exchanges, and the STT of the Finance (No. 2) Act, 2024."""
BEFORE_FEES: Final = date(2024, 9, 30)
BUDGET: Final = date(2026, 4, 1)
BEFORE_BUDGET: Final = date(2026, 3, 31)

ACT: Final = "Finance Acts of 2004 to 2026, securities transaction tax"
STAMPS: Final = "Indian Stamp Act as amended, from 2020-07-01"
NSE_LIST: Final = "NSE circular of 2024-09-27, uniform charges"
NSE_SLAB: Final = "the brokers' lists of 2024, by the slab of a large member"
BSE_LIST: Final = "BSE notice, charges from 2024-10-01"
MCX_LIST: Final = "MCX circular, charges from 2024-10-01"
SEBI: Final = "SEBI (Stock Brokers) Regulations, ten rupees a crore"
DELIVERY_MARGIN: Final = (
    "exchanges' delivery margins, 10, 25, 45 and 70 % of VaR and ELM, those at 20 %"
)
LEVERAGE: Final = "four times the own money, as brokers lend on most of their MTF lists"
LAST_DAY: Final = "Zerodha's policy on physical settlement"
MARGINS: Final = "Bahi's own rule, near what SPAN and exposure came to in 2026"


def percent(text: str) -> int:
    """Return a percentage as billionths; one that has more digits than that is refused."""
    rate = Decimal(text) * (BILLION // 100)
    if rate != int(rate):
        raise ValueError(f"{text} % is no whole number of billionths")
    return int(rate)


def shipped() -> tuple[Rate, ...]:
    """Return every rate that comes with Bahi."""
    return (*_taxes(), *_stamps(), *_exchanges(), *_brokers(), *_margins())


def _of(charge: Charge, rate: str | None = None, **more: Any) -> Rate:
    usual = Basis.PREMIUM if more.get("kind") is OPTION else Basis.TURNOVER
    fields: dict[str, Any] = {"valid_from": SINCE, "is_verified": True, "basis": usual} | more
    billionths = None if rate is None else percent(rate)
    return Rate(charge=charge, rate=billionths, release=RELEASE, **fields)


def _taxes() -> Iterator[Rate]:
    tax = Charge.STT
    for product in DELIVERY:
        yield _of(tax, "0.1", kind=EQUITY, product=product, source=ACT)
    yield _of(tax, "0.025", kind=EQUITY, side=SELL, source=ACT)
    for of, steps in (
        (FUTURE, ("0.0125", "0.02", "0.05")),
        (OPTION, ("0.0625", "0.1", "0.15")),
    ):
        dates = ((SINCE, BEFORE_FEES), (FEES, BEFORE_BUDGET), (BUDGET, None))
        for segment, (rate, (first, last)) in every((NFO, BFO), zip(steps, dates, strict=True)):
            days: dict[str, Any] = {"valid_from": first, "valid_until": last}
            yield _of(tax, rate, kind=of, side=SELL, segment=segment, source=ACT, **days)
    exercised: dict[str, Any] = {"kind": OPTION, "basis": Basis.INTRINSIC, "source": ACT}
    for segment in (NFO, BFO):
        days = {"valid_from": FEES, "valid_until": BEFORE_BUDGET}
        yield _of(tax, "0.125", segment=segment, **exercised, **days)
        yield _of(tax, "0.15", segment=segment, **exercised, valid_from=BUDGET)
    commodity: dict[str, Any] = {
        "segment": MCX,
        "side": SELL,
        "source": "commodities transaction tax",
    }
    yield _of(tax, "0.01", kind=FUTURE, **commodity)
    yield _of(tax, "0", kind=FUTURE, condition="agricultural", **commodity)
    yield _of(tax, "0.05", kind=OPTION, **commodity)


def _stamps() -> Iterator[Rate]:
    stamp: dict[str, Any] = {"side": BUY, "source": STAMPS}
    for product in DELIVERY:
        yield _of(Charge.STAMP_DUTY, "0.015", kind=EQUITY, product=product, **stamp)
    yield _of(Charge.STAMP_DUTY, "0.003", kind=EQUITY, **stamp)
    yield _of(Charge.STAMP_DUTY, "0.002", kind=FUTURE, **stamp)
    yield _of(Charge.STAMP_DUTY, "0.003", kind=OPTION, **stamp)
    for segment, of in every(CURRENCY, (FUTURE, OPTION)):
        yield _of(Charge.STAMP_DUTY, "0.0001", kind=of, segment=segment, **stamp)


def _exchanges() -> Iterator[Rate]:
    fee = Charge.TRANSACTION
    yield _of(Charge.SEBI_FEE, "0.0001", basis=Basis.TURNOVER, source=SEBI)
    slab: dict[str, Any] = {"valid_until": BEFORE_FEES, "source": NSE_SLAB, "is_verified": False}
    now: dict[str, Any] = {"valid_from": FEES, "source": NSE_LIST}
    for where, old, new, fund in (
        ({"segment": NSE, "kind": EQUITY}, "0.00322", "0.00297", "0.0001"),
        ({"segment": NFO, "kind": FUTURE}, "0.00188", "0.00173", "0.0001"),
        ({"segment": NFO, "kind": OPTION}, "0.0495", "0.03503", "0.0005"),
    ):
        yield _of(fee, old, **where, **slab)
        yield _of(fee, new, **where, **now)
        yield _of(Charge.IPFT, fund, **where, **now)
    bse: dict[str, Any] = {"valid_from": FEES, "source": BSE_LIST}
    yield _of(fee, "0.00375", segment=BSE, kind=EQUITY, **bse)
    for groups, rate in ((("X", "XT", "Z"), "0.1"), (("P", "ZP"), "1")):
        for group in groups:
            yield _of(
                fee, rate, segment=BSE, kind=EQUITY, condition=f"group {group}",
                **bse | {"is_verified": False},
            )  # fmt: skip
    yield _of(fee, "0", segment=BFO, kind=FUTURE, **bse)
    yield _of(fee, "0.0325", segment=BFO, kind=OPTION, **bse)
    yield _of(fee, "0.005", segment=BFO, kind=OPTION, condition="stock", **bse)
    mcx: dict[str, Any] = {"segment": MCX, "valid_from": FEES, "source": MCX_LIST}
    yield _of(fee, "0.0021", kind=FUTURE, **mcx)
    yield _of(fee, "0.0418", kind=OPTION, **mcx)
    money: dict[str, Any] = {
        "segment": Segment.NSE_CURRENCY,
        "valid_from": FEES,
        "source": NSE_LIST,
    }
    yield _of(fee, "0.00035", kind=FUTURE, **money)
    yield _of(fee, "0.0311", kind=OPTION, **money)
    yield _of(Charge.IPFT, "0.00005", kind=FUTURE, **money)
    yield _of(Charge.IPFT, "0.002", kind=OPTION, **money)


def _brokers() -> Iterator[Rate]:
    tax: dict[str, Any] = {"source": "Central Goods and Services Tax Act"}
    yield _of(Charge.GST, "18", basis=Basis.FEES, **tax)
    for plan, found in (("kite", "Zerodha's list of charges"), ("paper", "as kite")):
        yield from _flat(plan, found, future="0.03", intraday="0.03")
        yield _of(Charge.GST, "18", basis=Basis.IPFT, plan=plan, source=found)
        for product, rate in ((Product.CNC, "0"), (Product.MTF, "0.3")):
            at_most = None if product is Product.CNC else parse_money("20")
            yield _of(
                Charge.BROKERAGE, rate, plan=plan, kind=EQUITY, product=product,
                at_most=at_most, source=found,
            )  # fmt: skip
        yield _fixed(plan, Charge.BROKERAGE, "40", kind=OPTION, condition="in debit", source=found)
        yield _fixed(
            plan, Charge.DP, "13", is_verified=False, source=f"{found}; 13.50 in another source"
        )
        yield _fixed(plan, Charge.SQUARE_OFF, "50", condition="squared off", source=found)
        for condition, rate in (("physical", "0.25"), ("physical netted", "0.1")):
            yield _of(Charge.BROKERAGE, rate, plan=plan, condition=condition, source=found)
    found = "Dhan's list of charges"
    yield from _flat("dhan", found, future="0.03", intraday="0.03")
    yield _of(Charge.BROKERAGE, "0", plan="dhan", kind=EQUITY, product=Product.CNC, source=found)
    yield _fixed("dhan", Charge.DP, "12.50", source=found)
    yield _fixed("dhan", Charge.SQUARE_OFF, "20", condition="squared off", source=found)
    found = "Upstox's list of October 2024"
    yield from _flat("upstox", found, future="0.05", intraday="0.1", confirmed=False)
    yield _of(
        Charge.BROKERAGE, basis=Basis.ORDER, amount=parse_money("20"), plan="upstox", kind=EQUITY,
        product=Product.CNC, is_verified=False, source=found,
    )  # fmt: skip
    yield _fixed("upstox", Charge.SQUARE_OFF, "50", condition="squared off", source=found)
    yield from _prime()


def _flat(
    plan: str, found: str, *, future: str, intraday: str, confirmed: bool = True
) -> Iterator[Rate]:
    """Yield what a discount broker takes: a share of the turnover up to 20, and 20 for options."""
    more: dict[str, Any] = {"plan": plan, "is_verified": confirmed, "source": found}
    for of, rate in ((EQUITY, intraday), (FUTURE, future)):
        yield _of(Charge.BROKERAGE, rate, kind=of, at_most=parse_money("20"), **more)
    yield _of(Charge.BROKERAGE, kind=OPTION, basis=Basis.ORDER, amount=parse_money("20"), **more)


def _fixed(plan: str, charge: Charge, rupees: str, **more: Any) -> Rate:
    basis = Basis.ISIN_DAY if charge is Charge.DP else Basis.ORDER
    return _of(charge, plan=plan, amount=parse_money(rupees), basis=basis, **more)


def _prime() -> Iterator[Rate]:
    """Yield ICICI's dearest Prime plan; the cheaper ones are entered as plans of their own."""
    more: dict[str, Any] = {
        "plan": "breeze/prime",
        "is_verified": False,
        "source": "ICICI Direct Prime, dearest",
    }
    for product in DELIVERY:
        yield _of(Charge.BROKERAGE, "0.25", kind=EQUITY, product=product, **more)
    yield _of(Charge.BROKERAGE, "0.025", kind=EQUITY, **more)
    yield _of(Charge.BROKERAGE, "0.025", kind=FUTURE, **more)
    yield _of(Charge.BROKERAGE, kind=OPTION, basis=Basis.LOT, amount=parse_money("49"), **more)
    yield _of(Charge.BROKERAGE, "0.15", condition="physical", **more)
    yield _of(Charge.DP, basis=Basis.ISIN_DAY, amount=parse_money("20"), **more)
    squared: dict[str, Any] = {
        "segment": MCX,
        "condition": "squared off",
        "amount": parse_money("50"),
    }
    yield _of(Charge.SQUARE_OFF, basis=Basis.ORDER, **squared, **more)


def _margins() -> Iterator[Rate]:
    """Yield what is blocked: shares of a contract's worth, of ours and never a broker's word."""
    rule: dict[str, Any] = {"basis": Basis.CONTRACT, "is_verified": False, "source": MARGINS}
    yield _of(Charge.MARGIN, "100", kind=EQUITY, product=Product.CNC, **rule)
    yield from _funded()
    yield _of(Charge.MARGIN, "20", kind=EQUITY, **rule)
    for of, index, stock in ((FUTURE, "13", "22"), (OPTION, "13", "22")):
        for segment in (NFO, BFO):
            where: dict[str, Any] = {"kind": of, "segment": segment}
            yield _of(Charge.MARGIN, stock, **where, **rule)
            yield _of(Charge.MARGIN, index, condition="index", **where, **rule)
        yield _of(Charge.MARGIN, "15", kind=of, segment=MCX, **rule)
        for segment in CURRENCY:
            yield _of(Charge.MARGIN, "5", kind=of, segment=segment, **rule)
    last: dict[str, Any] = {"kind": OPTION, "side": SELL, "condition": EXPIRES_TODAY}
    yield _of(Charge.MARGIN_EXTRA, "2", **last, **rule)
    yield from _near_the_end()


def _funded() -> Iterator[Rate]:
    """Yield what MTF asks for: the account's own share, and interest on the rest for each day."""
    held: dict[str, Any] = {"kind": EQUITY, "product": Product.MTF}
    own: dict[str, Any] = {"basis": Basis.CONTRACT, "is_verified": False, "source": LEVERAGE}
    yield _of(Charge.MARGIN, "25", **own, **held)
    day: dict[str, Any] = {"basis": Basis.FUNDED_DAY} | held
    for plan, rate, found, confirmed in (
        ("kite", "0.04", "Zerodha's MTF calculator: from T+1, weekends too", True),
        ("paper", "0.04", "as kite", True),
        ("dhan", "0.0342", "Dhan's lowest slab, 12.49 % a year", False),
        ("upstox", "0.05", "Upstox, 20 rupees a day for each 40,000", False),
    ):
        yield _of(
            Charge.INTEREST, rate, plan=plan, source=found, is_verified=confirmed, **day
        )  # fmt: skip


def _near_the_end() -> Iterator[Rate]:
    """Yield what contracts that end in shares ask for in their last days."""
    rule: dict[str, Any] = {"basis": Basis.CONTRACT, "is_verified": False}
    bought: dict[str, Any] = {"kind": OPTION, "side": BUY, "product": Product.MARGIN} | rule
    for left, rate in ((4, "2"), (3, "5"), (2, "9"), (1, "14"), (0, "14")):
        near = {"condition": in_the_money(left), "source": DELIVERY_MARGIN}
        yield _of(Charge.MARGIN_EXTRA, rate, **near, **bought)
    for plan in ("kite", "paper"):
        last: dict[str, Any] = {"plan": plan, "source": LAST_DAY}
        yield _of(Charge.MARGIN_EXTRA, "50", condition=in_the_money(0), **last, **bought)
        for kind, side in ((FUTURE, None), (OPTION, SELL)):
            which = {"kind": kind, "side": side, "product": Product.MARGIN} | last
            which["condition"] = STOCK_EXPIRES_TODAY
            times = rule | {"basis": Basis.MARGIN}
            yield _of(Charge.MARGIN_TIMES, "150", **which, **times)
            yield _of(Charge.MARGIN_MOST, "50", **which, **rule)
