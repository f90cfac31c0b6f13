"""Worked examples of charges, each with its arithmetic: what a contract note of the day said.

Amounts are rupees; a rate is written as the publisher writes it, in percent of what it is of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from bahi.kernel.money import Money, parse_money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.charges import Charges

TODAY: Final = date(2026, 11, 20)
OLD: Final = date(2024, 9, 30)
UNIFORM: Final = date(2024, 10, 1)
LAST_OF_OLD_STT: Final = date(2026, 3, 31)
NEW_STT: Final = date(2026, 4, 1)

BUY, SELL = Side
CNC, MIS, NRML, MTF = Product.CNC, Product.INTRADAY, Product.MARGIN, Product.MTF
NSE, BSE, NFO, BFO = Segment.NSE_EQ, Segment.BSE_EQ, Segment.NSE_FNO, Segment.BSE_FNO
CDS, MCX = Segment.NSE_CURRENCY, Segment.MCX_COMM


@dataclass(frozen=True, kw_only=True)
class Worked:
    """One trade with what it is charged, item by item, and the sum as a note shows it."""

    says: str
    plan: str = "kite"
    day: date = TODAY
    segment: Segment = NSE
    product: Product = CNC
    side: Side = BUY
    is_option: bool = False
    lot: int = 0
    quantity: int
    price: str
    conditions: frozenset[str] = frozenset()
    items: dict[str, Decimal]
    total: str

    @property
    def expected(self) -> Charges:
        """The items to the ten-thousandth of a rupee."""
        return Charges(**{name: _money(it) for name, it in self.items.items()})


def of(value: str, percent: str) -> Decimal:
    """So many percent of a value."""
    return Decimal(value) * Decimal(percent) / 100


def rupees(text: str) -> Decimal:
    """A fixed amount."""
    return Decimal(text)


def _money(exact: Decimal) -> Money:
    return parse_money(exact.quantize(Decimal("0.0001"), ROUND_HALF_UP))


EXAMPLES: Final = (
    # -- shares for delivery: 100 at 800 are 80,000
    Worked(
        says="delivery bought on NSE with Kite: no brokerage, STT on both sides, stamp on this",
        quantity=100,
        price="800",
        items={
            "stt": of("80000", "0.1"),  # 80
            "transaction": of("80000", "0.00297"),  # 2.376
            "ipft": of("80000", "0.0001"),  # 0.08
            "sebi_fee": of("80000", "0.0001"),  # 0.08
            "stamp_duty": of("80000", "0.015"),  # 12
            "gst": of("2.456", "18") + of("0.08", "18"),  # 0.44208 + 0.0144
        },
        total="94.9925",
    ),
    Worked(
        says="delivery sold on NSE with Kite: STT again, no stamp",
        side=SELL,
        quantity=100,
        price="800",
        items={
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "gst": of("2.456", "18") + of("0.08", "18"),
        },
        total="82.9925",
    ),
    Worked(
        says="delivery bought before the uniform fees: the slab of a large member, no IPFT beside",
        day=OLD,
        quantity=100,
        price="800",
        items={
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00322"),  # 2.576
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.015"),
            "gst": of("2.656", "18"),  # 0.47808
        },
        total="95.1341",
    ),
    Worked(
        says="delivery bought on BSE: its own fee, and no IPFT",
        segment=BSE,
        quantity=100,
        price="800",
        items={
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00375"),  # 3
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.015"),
            "gst": of("3.08", "18"),  # 0.5544
        },
        total="95.6344",
    ),
    Worked(
        says="a share of BSE's group X pays a tenth of a percent to the exchange",
        segment=BSE,
        side=SELL,
        quantity=1000,
        price="12.50",
        conditions=frozenset({"group X"}),
        items={
            "stt": of("12500", "0.1"),  # 12.5
            "transaction": of("12500", "0.1"),  # 12.5
            "sebi_fee": of("12500", "0.0001"),  # 0.0125
            "gst": of("12.5125", "18"),  # 2.25225
        },
        total="27.2648",
    ),
    Worked(
        says="a share of BSE's group ZP pays one percent to the exchange",
        segment=BSE,
        quantity=1000,
        price="12.50",
        conditions=frozenset({"group ZP"}),
        items={
            "stt": of("12500", "0.1"),
            "transaction": of("12500", "1"),  # 125
            "sebi_fee": of("12500", "0.0001"),
            "stamp_duty": of("12500", "0.015"),  # 1.875
            "gst": of("125.0125", "18"),  # 22.50225
        },
        total="161.8898",
    ),
    Worked(
        says="delivery bought with Upstox: 20 an order, and no tax on the protection fund",
        plan="upstox",
        quantity=100,
        price="800",
        items={
            "brokerage": rupees("20"),
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.015"),
            "gst": of("22.456", "18"),  # 20 + 2.376 + 0.08
        },
        total="118.5781",
    ),
    Worked(
        says="delivery bought with ICICI Prime: a quarter of a percent",
        plan="breeze/prime",
        quantity=100,
        price="800",
        items={
            "brokerage": of("80000", "0.25"),  # 200
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.015"),
            "gst": of("202.456", "18"),  # 36.44208
        },
        total="330.9781",
    ),
    Worked(
        says="delivery bought with Dhan costs no brokerage either",
        plan="dhan",
        quantity=40,
        price="2500",
        items={
            "stt": of("100000", "0.1"),
            "transaction": of("100000", "0.00297"),  # 2.97
            "ipft": of("100000", "0.0001"),
            "sebi_fee": of("100000", "0.0001"),
            "stamp_duty": of("100000", "0.015"),
            "gst": of("3.07", "18"),  # 0.5526
        },
        total="118.7226",
    ),
    Worked(
        says="shares bought on margin funding are delivery to the taxes",
        product=MTF,
        quantity=100,
        price="800",
        items={
            "brokerage": rupees("20"),  # 0.3 % would be 240
            "stt": of("80000", "0.1"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.015"),
            "gst": of("22.456", "18") + of("0.08", "18"),
        },
        total="118.5925",
    ),
    # -- shares within the day: 100 at 800
    Worked(
        says="intraday bought with Kite: 0.03 % is 24, so 20; no STT on the way in",
        product=MIS,
        quantity=100,
        price="800",
        items={
            "brokerage": rupees("20"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "stamp_duty": of("80000", "0.003"),  # 2.4
            "gst": of("22.456", "18") + of("0.08", "18"),
        },
        total="28.9925",
    ),
    Worked(
        says="intraday sold with Kite: STT of a fortieth of a percent",
        product=MIS,
        side=SELL,
        quantity=100,
        price="800",
        items={
            "brokerage": rupees("20"),
            "stt": of("80000", "0.025"),  # 20
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "gst": of("22.456", "18") + of("0.08", "18"),
        },
        total="46.5925",
    ),
    Worked(
        says="a small intraday order pays 0.03 % and not 20",
        product=MIS,
        quantity=10,
        price="500",
        items={
            "brokerage": of("5000", "0.03"),  # 1.5
            "transaction": of("5000", "0.00297"),  # 0.1485
            "ipft": of("5000", "0.0001"),  # 0.005
            "sebi_fee": of("5000", "0.0001"),
            "stamp_duty": of("5000", "0.003"),  # 0.15
            "gst": of("1.6535", "18") + of("0.005", "18"),  # 0.29763 + 0.0009
        },
        total="2.107",
    ),
    Worked(
        says="intraday with Upstox: the lower of 20 and 0.1 %",
        plan="upstox",
        product=MIS,
        side=SELL,
        quantity=10,
        price="500",
        items={
            "brokerage": of("5000", "0.1"),  # 5
            "stt": of("5000", "0.025"),  # 1.25
            "transaction": of("5000", "0.00297"),
            "ipft": of("5000", "0.0001"),
            "sebi_fee": of("5000", "0.0001"),
            "gst": of("5.1535", "18"),  # 0.92763
        },
        total="7.3361",
    ),
    Worked(
        says="intraday with ICICI Prime: a fortieth of a percent without an upper bound",
        plan="breeze/prime",
        product=MIS,
        quantity=1000,
        price="800",
        items={
            "brokerage": of("800000", "0.025"),  # 200
            "transaction": of("800000", "0.00297"),  # 23.76
            "ipft": of("800000", "0.0001"),
            "sebi_fee": of("800000", "0.0001"),
            "stamp_duty": of("800000", "0.003"),  # 24
            "gst": of("224.56", "18"),  # 40.4208
        },
        total="289.7808",
    ),
    Worked(
        says="what the broker squares off costs 50 more, and tax on it",
        product=MIS,
        side=SELL,
        quantity=100,
        price="800",
        conditions=frozenset({"squared off"}),
        items={
            "brokerage": rupees("20") + rupees("50"),
            "stt": of("80000", "0.025"),
            "transaction": of("80000", "0.00297"),
            "ipft": of("80000", "0.0001"),
            "sebi_fee": of("80000", "0.0001"),
            "gst": of("72.456", "18") + of("0.08", "18"),
        },
        total="105.5925",
    ),
    # -- futures: 75 at 24,000 are 18,00,000
    Worked(
        says="an index future sold today: STT of a twentieth of a percent",
        segment=NFO,
        product=NRML,
        side=SELL,
        quantity=75,
        price="24000",
        items={
            "brokerage": rupees("20"),
            "stt": of("1800000", "0.05"),  # 900
            "transaction": of("1800000", "0.00173"),  # 31.14
            "ipft": of("1800000", "0.0001"),  # 1.8
            "sebi_fee": of("1800000", "0.0001"),
            "gst": of("52.94", "18") + of("1.8", "18"),  # 9.5292 + 0.324
        },
        total="964.5932",
    ),
    Worked(
        says="the same on the last day of the old STT: a fiftieth of a percent",
        day=LAST_OF_OLD_STT,
        segment=NFO,
        product=NRML,
        side=SELL,
        quantity=75,
        price="24000",
        items={
            "brokerage": rupees("20"),
            "stt": of("1800000", "0.02"),  # 360
            "transaction": of("1800000", "0.00173"),
            "ipft": of("1800000", "0.0001"),
            "sebi_fee": of("1800000", "0.0001"),
            "gst": of("52.94", "18") + of("1.8", "18"),
        },
        total="424.5932",
    ),
    Worked(
        says="the same before October 2024: an eightieth of a percent, and the old slab",
        day=OLD,
        segment=NFO,
        product=NRML,
        side=SELL,
        quantity=75,
        price="24000",
        items={
            "brokerage": rupees("20"),
            "stt": of("1800000", "0.0125"),  # 225
            "transaction": of("1800000", "0.00188"),  # 33.84
            "sebi_fee": of("1800000", "0.0001"),
            "gst": of("55.64", "18"),  # 10.0152
        },
        total="290.6552",
    ),
    Worked(
        says="an index future bought: stamp duty and no STT",
        segment=NFO,
        product=MIS,
        quantity=75,
        price="24000",
        items={
            "brokerage": rupees("20"),
            "transaction": of("1800000", "0.00173"),
            "ipft": of("1800000", "0.0001"),
            "sebi_fee": of("1800000", "0.0001"),
            "stamp_duty": of("1800000", "0.002"),  # 36
            "gst": of("52.94", "18") + of("1.8", "18"),
        },
        total="100.5932",
    ),
    Worked(
        says="a future on BSE pays the exchange nothing",
        plan="dhan",
        segment=BFO,
        product=NRML,
        side=SELL,
        quantity=20,
        price="80000",
        items={
            "brokerage": rupees("20"),
            "stt": of("1600000", "0.05"),  # 800
            "sebi_fee": of("1600000", "0.0001"),  # 1.6
            "gst": of("21.6", "18"),  # 3.888
        },
        total="825.488",
    ),
    Worked(
        says="a future with Upstox on the first day of the uniform fees",
        plan="upstox",
        day=UNIFORM,
        segment=NFO,
        product=NRML,
        side=SELL,
        quantity=25,
        price="1200",
        items={
            "brokerage": of("30000", "0.05"),  # 15
            "stt": of("30000", "0.02"),  # 6
            "transaction": of("30000", "0.00173"),  # 0.519
            "ipft": of("30000", "0.0001"),  # 0.03
            "sebi_fee": of("30000", "0.0001"),
            "gst": of("15.549", "18"),  # 2.79882
        },
        total="24.3778",
    ),
    # -- options: 75 at a premium of 120 are 9,000
    Worked(
        says="an option written today: STT of 0.15 % of the premium",
        segment=NFO,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=75,
        price="120",
        items={
            "brokerage": rupees("20"),
            "stt": of("9000", "0.15"),  # 13.5
            "transaction": of("9000", "0.03503"),  # 3.1527
            "ipft": of("9000", "0.0005"),  # 0.045
            "sebi_fee": of("9000", "0.0001"),  # 0.009
            "gst": of("23.1617", "18") + of("0.045", "18"),  # 4.169106 + 0.0081
        },
        total="40.8839",
    ),
    Worked(
        says="the same a day before the budget took effect: 0.1 %",
        day=LAST_OF_OLD_STT,
        segment=NFO,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=75,
        price="120",
        items={
            "brokerage": rupees("20"),
            "stt": of("9000", "0.1"),  # 9
            "transaction": of("9000", "0.03503"),
            "ipft": of("9000", "0.0005"),
            "sebi_fee": of("9000", "0.0001"),
            "gst": of("23.1617", "18") + of("0.045", "18"),
        },
        total="36.3839",
    ),
    Worked(
        says="the same before October 2024: 0.0625 %, and the old slab",
        day=OLD,
        segment=NFO,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=75,
        price="120",
        items={
            "brokerage": rupees("20"),
            "stt": of("9000", "0.0625"),  # 5.625
            "transaction": of("9000", "0.0495"),  # 4.455
            "sebi_fee": of("9000", "0.0001"),
            "gst": of("24.464", "18"),  # 4.40352
        },
        total="34.4925",
    ),
    Worked(
        says="an option bought: stamp on the premium, no STT",
        day=NEW_STT,
        segment=NFO,
        product=MIS,
        is_option=True,
        quantity=75,
        price="120",
        items={
            "brokerage": rupees("20"),
            "transaction": of("9000", "0.03503"),
            "ipft": of("9000", "0.0005"),
            "sebi_fee": of("9000", "0.0001"),
            "stamp_duty": of("9000", "0.003"),  # 0.27
            "gst": of("23.1617", "18") + of("0.045", "18"),
        },
        total="27.6539",
    ),
    Worked(
        says="an account in debit pays 40 an option order",
        segment=NFO,
        product=NRML,
        is_option=True,
        quantity=75,
        price="120",
        conditions=frozenset({"in debit"}),
        items={
            "brokerage": rupees("40"),
            "transaction": of("9000", "0.03503"),
            "ipft": of("9000", "0.0005"),
            "sebi_fee": of("9000", "0.0001"),
            "stamp_duty": of("9000", "0.003"),
            "gst": of("43.1617", "18") + of("0.045", "18"),
        },
        total="51.2539",
    ),
    Worked(
        says="a Sensex option on BSE",
        segment=BFO,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=20,
        price="300",
        items={
            "brokerage": rupees("20"),
            "stt": of("6000", "0.15"),  # 9
            "transaction": of("6000", "0.0325"),  # 1.95
            "sebi_fee": of("6000", "0.0001"),  # 0.006
            "gst": of("21.956", "18"),  # 3.95208
        },
        total="34.9081",
    ),
    Worked(
        says="an option on a stock on BSE",
        segment=BFO,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=500,
        price="12",
        conditions=frozenset({"stock"}),
        items={
            "brokerage": rupees("20"),
            "stt": of("6000", "0.15"),
            "transaction": of("6000", "0.005"),  # 0.3
            "sebi_fee": of("6000", "0.0001"),
            "gst": of("20.306", "18"),  # 3.65508
        },
        total="32.9611",
    ),
    Worked(
        says="options with ICICI Prime are paid by the lot: three of them",
        plan="breeze/prime",
        segment=NFO,
        product=NRML,
        is_option=True,
        lot=75,
        quantity=225,
        price="40",
        items={
            "brokerage": 3 * rupees("49"),
            "transaction": of("9000", "0.03503"),
            "ipft": of("9000", "0.0005"),
            "sebi_fee": of("9000", "0.0001"),
            "stamp_duty": of("9000", "0.003"),
            "gst": of("150.1617", "18"),  # 27.029106
        },
        total="177.5058",
    ),
    # -- currency and commodities
    Worked(
        says="a currency future: no STT at all, and a stamp of a millionth",
        segment=CDS,
        product=NRML,
        quantity=1000,
        price="88.50",
        items={
            "brokerage": rupees("20"),  # 0.03 % would be 26.55
            "transaction": of("88500", "0.00035"),  # 0.30975
            "ipft": of("88500", "0.00005"),  # 0.05 a lakh: 0.04425
            "sebi_fee": of("88500", "0.0001"),  # 0.0885
            "stamp_duty": of("88500", "0.0001"),
            "gst": of("20.3983", "18") + of("0.0443", "18"),
        },
        total="24.2108",
    ),
    Worked(
        says="a currency option sold: two rupees a lakh to the protection fund",
        segment=CDS,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=10000,
        price="0.50",
        items={
            "brokerage": rupees("20"),
            "transaction": of("5000", "0.0311"),  # 1.555
            "ipft": of("5000", "0.002"),  # 0.1
            "sebi_fee": of("5000", "0.0001"),  # 0.005
            "gst": of("21.56", "18") + of("0.1", "18"),  # 3.8808 + 0.018
        },
        total="25.5588",
    ),
    Worked(
        says="a gold future sold: the commodities' tax of a hundredth of a percent",
        segment=MCX,
        product=NRML,
        side=SELL,
        quantity=100,
        price="12000",
        items={
            "brokerage": rupees("20"),
            "stt": of("1200000", "0.01"),  # 120
            "transaction": of("1200000", "0.0021"),  # 25.2
            "sebi_fee": of("1200000", "0.0001"),  # 1.2
            "gst": of("46.4", "18"),  # 8.352
        },
        total="174.752",
    ),
    Worked(
        says="a future on farmers' goods pays no such tax",
        segment=MCX,
        product=NRML,
        side=SELL,
        quantity=100,
        price="12000",
        conditions=frozenset({"agricultural"}),
        items={
            "brokerage": rupees("20"),
            "transaction": of("1200000", "0.0021"),
            "sebi_fee": of("1200000", "0.0001"),
            "gst": of("46.4", "18"),
        },
        total="54.752",
    ),
    Worked(
        says="a commodity option sold: a twentieth of a percent of the premium",
        segment=MCX,
        product=NRML,
        side=SELL,
        is_option=True,
        quantity=100,
        price="85",
        items={
            "brokerage": rupees("20"),
            "stt": of("8500", "0.05"),  # 4.25
            "transaction": of("8500", "0.0418"),  # 3.553
            "sebi_fee": of("8500", "0.0001"),  # 0.0085
            "gst": of("23.5615", "18"),  # 4.24107
        },
        total="32.0526",
    ),
    Worked(
        says="a commodity option bought pays a stamp on its premium",
        segment=MCX,
        product=MIS,
        is_option=True,
        quantity=100,
        price="85",
        items={
            "brokerage": rupees("20"),
            "transaction": of("8500", "0.0418"),
            "sebi_fee": of("8500", "0.0001"),
            "stamp_duty": of("8500", "0.003"),  # 0.255
            "gst": of("23.5615", "18"),
        },
        total="28.0576",
    ),
    # -- delivery of what expired
    Worked(
        says="shares that a contract's end delivers pay a quarter of a percent",
        quantity=500,
        price="800",
        conditions=frozenset({"physical"}),
        items={
            "brokerage": of("400000", "0.25"),  # 1,000
            "stt": of("400000", "0.1"),  # 400
            "transaction": of("400000", "0.00297"),  # 11.88
            "ipft": of("400000", "0.0001"),
            "sebi_fee": of("400000", "0.0001"),
            "stamp_duty": of("400000", "0.015"),  # 60
            "gst": of("1012.28", "18") + of("0.4", "18"),  # 182.2104 + 0.072
        },
        total="1654.9624",
    ),
    Worked(
        says="and a tenth where they are netted",
        plan="paper",
        quantity=500,
        price="800",
        conditions=frozenset({"physical netted"}),
        items={
            "brokerage": of("400000", "0.1"),  # 400
            "stt": of("400000", "0.1"),
            "transaction": of("400000", "0.00297"),
            "ipft": of("400000", "0.0001"),
            "sebi_fee": of("400000", "0.0001"),
            "stamp_duty": of("400000", "0.015"),
            "gst": of("412.28", "18") + of("0.4", "18"),
        },
        total="946.9624",
    ),
)
