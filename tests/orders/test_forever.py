"""Forever orders: they fire once, when their price comes, and never for a price that is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import ForeverStatus, Segment, Side, TriggerType
from bahi.orders.model.forever import Forever, Trigger
from bahi.orders.model.wishes import Seen
from bahi.orders.repository import forever as rows
from bahi.orders.service.firing import watch
from bahi.orders.service.forever import (
    PlaceForever,
    cancel_forever,
    change_forever,
    place_forever,
)
from bahi.risk.model.limits import Limits
from bahi.risk.model.verdict import Reference
from bahi.risk.service import switching
from tests.orders.brokers import REFUSED
from tests.orders.desks import ACTOR, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
RUPEE = 10_000
ABOVE, BELOW, RANGE = TriggerType.LTP_ABOVE, TriggerType.LTP_BELOW, TriggerType.LTP_RANGE

prices = st.integers(1, 10**6).map(Price)


@given(prices, prices)
def test_a_trigger_fires_at_its_price_and_beyond(at: Price, last: Price) -> None:
    assert Trigger(kind=ABOVE, above=at).fires(last) is (last >= at)
    assert Trigger(kind=BELOW, below=at).fires(last) is (last <= at)
    outside = Trigger(kind=RANGE, above=Price(at + 10), below=at)
    assert outside.fires(last) is not (at < last < at + 10)


def _at(stand: Stand, last: int | None, *, is_open: bool | None = True) -> Stand:
    """Return the stand in a market whose last price is this."""
    look = stand.desk.look

    def priced(segment: Segment, symbol: str) -> Seen:
        reference = None if last is None else Reference(Price(last), stand.clock(), "test")
        return replace(look(segment, symbol), reference=reference, is_open=is_open)

    return stand._replace(desk=replace(stand.desk, look=priced))


def _wish(stand: Stand, at: int, kind: TriggerType = ABOVE) -> PlaceForever:
    order = limit(stand.desk, Side.BUY, 10, price=Price(at))
    side = {"above": Price(at)} if kind is ABOVE else {"below": Price(at)}
    return PlaceForever(order=order, trigger=Trigger(kind=kind, **side))


async def _known(stand: Stand, it: Forever) -> Forever:
    found = await stand.desk.store.read(rows.find, it.id, fresh=True)
    assert found is not None
    return found


def test_it_fires_once_however_many_look_and_says_which_order_it_became(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        below = _at(stand, 799 * RUPEE)
        (waits,) = await place_forever(below.desk, _wish(stand, 800 * RUPEE))
        assert not await watch(below.desk, waits)
        there = _at(stand, 800 * RUPEE)
        await asyncio.gather(*(watch(there.desk, waits) for _ in range(8)))
        fired = await _known(stand, waits)
        assert fired.status is ForeverStatus.TRIGGERED
        (placed,) = stand.broker.orders.values()
        assert sum(stand.broker.calls.values()) == 1
        assert fired.triggered_order_id is not None
        assert fired.triggered_at == stand.clock()
        assert placed.ticket.quantity == 10
        with pytest.raises(Conflict, match="it waits no more"):
            await cancel_forever(stand.desk, waits.id)
        await stand.balanced()

    at_a_stand(story)


def test_the_same_name_again_is_the_same_forever_order(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        high, low = _wish(stand, 850 * RUPEE), _wish(stand, 750 * RUPEE, BELOW)
        wish = replace(high, other=(low.order, low.trigger), client_order_id="pair")
        first = await place_forever(at.desk, wish)
        both = await asyncio.gather(*(place_forever(at.desk, wish) for _ in range(4)))
        assert {tuple(it.id for it in again) for again in both} == {tuple(it.id for it in first)}
        with pytest.raises(Invalid, match="client_order_id"):
            await place_forever(at.desk, replace(high, client_order_id="a\0b"))

    at_a_stand(story)


def test_an_unknown_price_and_a_closed_market_fire_nothing(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        (waits,) = await place_forever(_at(stand, 799 * RUPEE).desk, _wish(stand, 800 * RUPEE))
        for there in (
            _at(stand, None),
            _at(stand, 900 * RUPEE, is_open=False),
            _at(stand, 900 * RUPEE, is_open=None),
        ):
            assert not await watch(there.desk, waits)
        assert (await _known(stand, waits)).waits

    at_a_stand(story)


def test_of_two_that_exclude_each_other_one_fires_and_the_other_ends(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        high, low = _wish(stand, 850 * RUPEE), _wish(stand, 750 * RUPEE, BELOW)
        wish = replace(high, other=(low.order, low.trigger))
        target, stop = await place_forever(at.desk, wish)
        assert (target.oco_leg_id, stop.oco_leg_id) == (stop.id, target.id)
        there = _at(stand, 740 * RUPEE)
        assert not await watch(there.desk, target)
        assert await watch(there.desk, stop)
        assert (await _known(stand, target)).status is ForeverStatus.CANCELLED
        await watch(_at(stand, 900 * RUPEE).desk, target)
        assert len(stand.broker.orders) == 1
        again = await place_forever(at.desk, wish)
        await cancel_forever(stand.desk, again[0].id)
        assert not (await _known(stand, again[1])).waits
        with pytest.raises(Invalid, match="one is LTP_ABOVE and one LTP_BELOW"):
            await place_forever(at.desk, replace(high, other=(high.order, high.trigger)))

    at_a_stand(story)


def test_one_lapses_at_its_end_and_one_that_is_not_yours_is_not_there(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        until = stand.clock() + timedelta(days=2)
        (waits,) = await place_forever(
            at.desk, replace(_wish(stand, 850 * RUPEE), expires_at=until)
        )
        (year,) = await place_forever(at.desk, _wish(stand, 850 * RUPEE))
        assert year.expires_at == stand.clock() + timedelta(days=365)
        stand.clock.set(until)
        assert await watch(_at(stand, 900 * RUPEE).desk, waits)
        assert (await _known(stand, waits)).status is ForeverStatus.EXPIRED
        assert not await watch(_at(stand, 900 * RUPEE).desk, waits)  # another watcher, a bit later
        assert not stand.broker.orders
        with pytest.raises(NotFound):
            await cancel_forever(stand.desk, 12345)

    at_a_stand(story)


def test_what_is_changed_waits_for_the_new_price(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        (waits,) = await place_forever(at.desk, _wish(stand, 850 * RUPEE))
        wish = _wish(stand, 860 * RUPEE)
        order = replace(wish.order, quantity=20)
        changed = await change_forever(at.desk, waits.id, order, wish.trigger)
        assert not await watch(_at(stand, 855 * RUPEE).desk, changed)
        assert await watch(_at(stand, 860 * RUPEE).desk, changed)
        (placed,) = stand.broker.orders.values()
        assert placed.ticket.quantity == 20

    at_a_stand(story)


@pytest.mark.parametrize("refused_by", ["us", "the broker"])
def test_one_whose_order_is_refused_is_told_of(at_a_stand: Stage, refused_by: str) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        (waits,) = await place_forever(at.desk, _wish(stand, 850 * RUPEE))
        if refused_by == "us":
            whom = switching.Whom(scope=switching.Scope.ACCOUNT, account_id=stand.desk.account_id)
            none = Limits(open_orders=0)
            await switching.hold([stand.desk.store], ACTOR, (whom, none), stand.clock())
        else:
            stand.broker.next.append(REFUSED)
        assert await watch(_at(stand, 850 * RUPEE).desk, waits)
        assert await stand.alert(f"forever:{waits.id}")
        fired = await _known(stand, waits)
        assert fired.status is ForeverStatus.TRIGGERED
        assert fired.triggered_order_id is not None
        await stand.balanced()

    at_a_stand(story)


def test_a_trigger_that_makes_no_sense_is_refused(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        at = _at(stand, 800 * RUPEE)
        order = limit(stand.desk, Side.BUY, 10, price=Price(800 * RUPEE))
        for trigger, words in (
            (Trigger(kind=ABOVE), "trigger_above: a trigger of LTP_ABOVE needs one"),
            (Trigger(kind=BELOW, below=Price(1), above=Price(2)), "trigger_above: .* has none"),
            (
                Trigger(kind=RANGE, above=Price(700 * RUPEE), below=Price(900 * RUPEE)),
                "700.00 is not above trigger_below, 900.00",
            ),
        ):
            with pytest.raises(Invalid, match=words):
                await place_forever(at.desk, PlaceForever(order=order, trigger=trigger))
        with pytest.raises(Conflict, match="fires it at once"):
            await place_forever(at.desk, _wish(stand, 790 * RUPEE))

    at_a_stand(story)
