"""How honest the paper exchange is: the settings of its market, and whose manners it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import BrokerSlug
from bahi.quotes.model.troubles import NO_TROUBLES, Troubles

GST_PERCENT: Final = 18
WHOLE: Final = 10_000
"""All of something, in 1/100 percent."""


class QueueModel(StrEnum):
    """When an order that rests is filled.

    THROUGH: when the market trades through its price. QUEUE: also when what waited before it at
    its price was traded. TOUCH: as soon as the market comes to its price, which flatters.
    """

    THROUGH = "through"
    QUEUE = "queue"
    TOUCH = "touch"


class Profile(NamedTuple):
    """A broker's manners where it acts by itself."""

    square_off_fee: Money
    pledges: bool = False


PROFILES: Final = {
    BrokerSlug.KITE: Profile(Money(50 * SCALE)),
    BrokerSlug.UPSTOX: Profile(Money(50 * SCALE)),
    BrokerSlug.DHAN: Profile(Money(20 * SCALE), pledges=True),
}
"""What brokers ask for each order that squares off, before GST, and whether they pledge MTF shares
by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the exchange goes by; `protection` in 1/100 percent, nothing per second: no limit.

    Of `troubles`, `freak` and `stalled` trouble whatever feed there is: freaks fire stops. `words`
    are what the profile's broker says of a refusal, by our code for it; of others ours are said.
    """

    queue: QueueModel = QueueModel.THROUGH
    protection: int = 300
    fresh: timedelta = timedelta(seconds=5)
    latency_ms: tuple[int, int] = (0, 0)
    orders_per_second: int = 0
    profile: BrokerSlug = BrokerSlug.KITE
    squares_off: bool = True
    troubles: Troubles = NO_TROUBLES
    seed: int = 1
    words: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what no market can be."""
        least, most = self.latency_ms
        if not 0 <= least <= most:
            raise Invalid(f"A latency of {least} to {most} ms cannot be; write the smaller first.")
        if not 0 < self.protection < WHOLE:
            raise Invalid("The protection of MARKET orders is a share above 0 and below 100 %.")
        if self.profile not in PROFILES:
            raise Invalid(f"There is no profile of {self.profile}; take {', '.join(PROFILES)}.")

    @property
    def square_off_fee(self) -> Money:
        """What one order that squares off costs, with GST."""
        return Money(PROFILES[self.profile].square_off_fee * (100 + GST_PERCENT) // 100)

    @property
    def pledges(self) -> bool:
        """Whether what is held as MTF is pledged to the broker without being asked."""
        return PROFILES[self.profile].pledges

    def latency_s(self, of: str) -> float:
        """Return how long the wire takes for something: the same for the same."""
        least, most = self.latency_ms
        return (least + drawn(self.seed, of) % (most - least + 1)) / 1000


def drawn(seed: int, *of: object) -> int:
    """Return a number that looks like chance, and is the same each time."""
    name = "|".join(map(str, (seed, *of))).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
