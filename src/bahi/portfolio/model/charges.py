"""What a trade costs, item by item, to the ten-thousandth of a rupee.

Brokerage is the order's and not the fill's, and so is the GST on it: a fill is charged what the
order comes to with it, less what its earlier fills were charged. So the fills of an order cost the
same in whatever order they come. Taxes are kept as they are, and rounded by the contract note.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bahi.kernel.money import NOTHING, SCALE, Money
from bahi.portfolio.model.rates import Basis, Charge, Chosen, Deal, Rates, nearest


class Charges(NamedTuple):
    """What one trade is charged."""

    brokerage: Money = NOTHING
    exchange: Money = NOTHING
    clearing: Money = NOTHING
    stt: Money = NOTHING
    stamp_duty: Money = NOTHING
    transaction: Money = NOTHING
    sebi_fee: Money = NOTHING
    ipft: Money = NOTHING
    gst: Money = NOTHING

    @property
    def total(self) -> Money:
        """All of them."""
        return Money(sum(self))

    @property
    def fees(self) -> Money:
        """What GST is taken of, beside brokerage and the investor protection fund."""
        return Money(self.exchange + self.clearing + self.transaction + self.sebi_fee)


class Dealt(NamedTuple):
    """How much was dealt: the quantity, how many make a lot (0: not known), what it was worth."""

    quantity: int
    lot: int
    value: Money


class Earlier(NamedTuple):
    """What the earlier fills of the same order come to, and what they were charged."""

    quantity: int = 0
    turnover: Money = NOTHING
    brokerage: Money = NOTHING
    fees: Money = NOTHING
    ipft: Money = NOTHING
    gst: Money = NOTHING

    def with_one(self, dealt: Dealt, cost: Charges) -> Earlier:
        """Return it with one more fill."""
        return Earlier(
            self.quantity + dealt.quantity,
            Money(self.turnover + dealt.value),
            Money(self.brokerage + cost.brokerage),
            Money(self.fees + cost.fees),
            Money(self.ipft + cost.ipft),
            Money(self.gst + cost.gst),
        )


FIRST: Final = Earlier()


def charges(rates: Rates, deal: Deal, dealt: Dealt, earlier: Earlier = FIRST) -> Charges:
    """Return what a trade is charged, the earlier fills of its order being charged already."""
    if not rates:
        return Charges()
    by, value = rates.on(deal), dealt.value
    brokerage = Money(_of_order(by, dealt, earlier) - earlier.brokerage)
    found = Charges(
        brokerage=brokerage,
        exchange=_of_value(by, Charge.EXCHANGE, value),
        clearing=_of_value(by, Charge.CLEARING, value),
        stt=_of_value(by, Charge.STT, value),
        stamp_duty=_of_value(by, Charge.STAMP_DUTY, value),
        transaction=_of_value(by, Charge.TRANSACTION, value),
        sebi_fee=_of_value(by, Charge.SEBI_FEE, value),
        ipft=_of_value(by, Charge.IPFT, value),
    )
    taxed = earlier.brokerage + brokerage + earlier.fees + found.fees
    gst = _gst(by, Money(taxed), Money(earlier.ipft + found.ipft))
    return found._replace(gst=Money(gst - earlier.gst))


def of_the_day(rates: Rates, deal: Deal) -> Money:
    """Return what is taken for one security delivered on one day, with its tax."""
    by = rates.on(deal)
    rate = by.get((Charge.DP, None))
    fee = rate.of(1) if rate else NOTHING
    return Money(fee + _gst(by, fee, NOTHING))


def on_exercise(rates: Rates, deal: Deal, intrinsic: Money) -> Money:
    """Return the tax on an option that is exercised, by what it is worth then."""
    rate = rates.find(deal, Charge.STT, Basis.INTRINSIC)
    return rate.of(intrinsic) if rate else NOTHING


def to_the_rupee(tax: Money) -> Money:
    """Round a tax as a contract note does: to the nearest rupee, from the middle up."""
    return Money(nearest(tax, SCALE) * SCALE)


def _of_value(by: Chosen, charge: Charge, value: Money) -> Money:
    rate = by.get((charge, None))
    return rate.of(value) if rate else NOTHING


def _of_order(by: Chosen, dealt: Dealt, earlier: Earlier) -> int:
    """Return what the broker takes for an order as far as it is filled."""
    found = 0
    for charge in (Charge.BROKERAGE, Charge.SQUARE_OFF):
        rate = by.get((charge, None))
        if rate is None:
            continue
        if rate.basis is Basis.ORDER:
            found += rate.of(1)
        elif rate.basis is Basis.LOT:
            quantity = earlier.quantity + dealt.quantity
            found += rate.of(-(-quantity // dealt.lot) if dealt.lot else 1)
        else:
            found += rate.of(earlier.turnover + dealt.value)
    return found


def _gst(by: Chosen, fees: Money, ipft: Money) -> Money:
    """Return the tax on fees, and on the protection fund's part where the plan says so."""
    on_fees, on_ipft = by.get((Charge.GST, None)), by.get((Charge.GST, Basis.IPFT))
    return Money((on_fees.of(fees) if on_fees else 0) + (on_ipft.of(ipft) if on_ipft else 0))
