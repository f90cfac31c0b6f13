"""One simulated instrument on one day: its last price, its day's figures, its minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import Price
from bahi.quotes.model.course import Activity, Course, block_of
from bahi.quotes.model.depth import Liquidity
from bahi.quotes.model.hours import MINUTE, Session
from bahi.quotes.model.pricing import Grid, Pricing

AUCTIONED: Final = 0.05
"""The part of a day's trading that is done in its closing auction, where there is one."""


class Place(NamedTuple):
    """A second of the day at which a price was made; `minute` is counted from midnight."""

    minute: int
    second: int
    in_auction: bool = False


class Bar(NamedTuple):
    """What a minute came to."""

    open: Price
    high: Price
    low: Price
    close: Price


@dataclass(slots=True)
class Traded:
    """An instrument's day. What it keeps is only what it reckoned once already."""

    instrument: Instrument
    session: Session
    midnight: int
    course: Course
    activity: Activity
    pricing: Pricing
    grid: Grid
    liquidity: Liquidity
    blocks: list[tuple[int, int, int]]
    """Highest and lowest price of all blocks up to one, and how many minutes these are."""
    closing: int
    """The minute from which an option that expires today counts its life in minutes."""

    def block(self, minute: int) -> int:
        """Return the block of the day in which a minute's prices are reckoned."""
        return block_of(minute, self.closing)

    def place(self, second: int) -> Place:
        """Return where the last price of an instant was made, which is not before the open."""
        ends = self.session.auction_ends
        if ends is not None and second >= ends - 1:
            return Place((ends - MINUTE - self.midnight) // MINUTE, MINUTE - 1, in_auction=True)
        latest = self.session.opens
        for span in self.session.spans:
            if second >= span.begins:
                latest = min(second, span.ends - 1)
        return Place(*divmod(latest - self.midnight, MINUTE))

    def second_of(self, place: Place) -> int:
        """Return a place as seconds since 1970."""
        return self.midnight + place.minute * MINUTE + place.second

    def last(self, place: Place) -> Price:
        """Return the price that was made there."""
        if place.in_auction:
            return self.auction_price
        at = place.minute - self.course.shape.first
        worth = self.course.seconds(at)[place.second]
        return self.pricing.price(worth, self.block(place.minute))

    @property
    def auction_price(self) -> Price:
        """The one price of the closing auction."""
        block = self.block((self.session.ends - 1 - self.midnight) // MINUTE)
        return self.pricing.price(self.course.close, block)

    @property
    def final(self) -> Price:
        """The day's last price: its close."""
        place = self.place(self.session.ends - 1)
        if place.in_auction:
            return self.auction_price
        worth = self.course.ends[place.minute + 1 - self.course.shape.first]
        return self.pricing.price(worth, self.block(place.minute))

    @property
    def opening(self) -> Price:
        """The day's first price."""
        minute = self.activity.minutes[0]
        return self.pricing.price(
            self.course.ends[minute - self.course.shape.first], self.block(minute)
        )

    def bar(self, place: Place) -> Bar:
        """Return what a minute came to, as far as a second of it."""
        at, block = place.minute - self.course.shape.first, self.block(place.minute)
        course = self.course
        one, low, high, other = (
            course.ends[at], course.lows[at], course.highs[at], course.ends[at + 1],
        )  # fmt: skip
        if place.second < MINUTE - 1:
            walked = course.seconds(at)[: place.second + 1]
            low, high, other = min(walked), max(walked), walked[-1]
        lowest, highest = self._range(low, high, block)
        return Bar(
            self.pricing.price(one, block), highest, lowest, self.pricing.price(other, block)
        )

    def _range(self, low: float, high: float, block: int) -> tuple[Price, Price]:
        one, other = self.pricing.price(low, block), self.pricing.price(high, block)
        return (other, one) if self.pricing.falls else (one, other)

    def extremes(self, place: Place) -> tuple[Price, Price]:
        """Return the lowest and the highest price of the day up to a second."""
        minutes = self.activity.minutes
        whole = (
            len(minutes) if place.in_auction else self.activity.place[place.minute]
        )  # minutes that are over
        blocks = self._whole_blocks(whole)
        high, low, done = self.blocks[blocks]
        course, first = self.course, self.course.shape.first
        lows = [course.lows[minute - first] for minute in minutes[done:whole]]
        highs = [course.highs[minute - first] for minute in minutes[done:whole]]
        block = self.block(minutes[whole - 1])
        if not place.in_auction:
            walked = course.seconds(place.minute - first)[: place.second + 1]
            block = self.block(place.minute)
            lows.append(min(walked))
            highs.append(max(walked))
        if lows:
            lowest, highest = self._range(min(lows), max(highs), block)
            high, low = max(high, highest), min(low, lowest)
        if place.in_auction:
            high, low = max(high, self.auction_price), min(low, self.auction_price)
        return Price(low), Price(high)

    def _whole_blocks(self, whole: int) -> int:
        """Lay out the blocks that are over after so many minutes; return how many there are."""
        minutes, known = self.activity.minutes, self.blocks
        found = next((n for n in range(len(known) - 1, -1, -1) if known[n][2] <= whole), 0)
        while True:
            high, low, done = known[found]
            if done >= whole:
                return found
            block = self.block(minutes[done])
            ends = done
            while ends < whole and self.block(minutes[ends]) == block:
                ends += 1
            if ends == whole and (ends == len(minutes) or self.block(minutes[ends]) == block):
                return found  # the block goes on, or is the day's last
            first = self.course.shape.first
            lowest, highest = self._range(
                min(self.course.lows[it - first] for it in minutes[done:ends]),
                max(self.course.highs[it - first] for it in minutes[done:ends]),
                block,
            )
            if found + 1 == len(known):
                known.append((max(high, highest), min(low, lowest), ends))
            found += 1

    def done(self, place: Place) -> float:
        """Return the part of the day's trading that is done when a second ends."""
        continuous = 1.0 if self.session.auction_ends is None else 1 - AUCTIONED
        if place.in_auction:
            return 1.0
        return continuous * self.activity.until(place.minute, place.second)

    def volume(self, place: Place) -> int | None:
        """Return what was traded of the day so far; an index is not traded."""
        if not self.instrument.is_tradable:
            return None
        lot = self.liquidity.lot
        return int(self.liquidity.traded // lot * self.done(place)) * lot

    def open_interest(self, place: Place) -> int | None:
        """Return the contracts that are open; None: what is no contract has none."""
        if self.liquidity.interest is None:
            return None
        before, after = self.liquidity.interest
        lot = self.liquidity.lot
        return before + int((after - before) // lot * self.done(place)) * lot
