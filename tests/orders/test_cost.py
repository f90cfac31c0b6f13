"""What the hot path costs: in statements, and in journeys to PostgreSQL and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.db.lanes import Unit
from bahi.db.line import Line
from bahi.db.running import Watch
from bahi.db.tx import Tx
from bahi.kernel.words import OrderStatus, Side
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.placing import place_order
from tests.living import live_in, stopped
from tests.orders.desks import NOON, OPEN, away, crossing, limit, paper_desk
from tests.orders.stand import Stand, Story


@pytest.mark.parametrize(("name", "most"), [(None, 9), ("mine", 11)])
def test_an_intent_and_its_outcome_cost_few_statements(
    at_a_stand: Callable[[Story], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    most: int,
) -> None:
    counts: list[int] = []
    run, end = Tx._guarded, Tx.end

    def counted(tx: Tx, *args: Any) -> Any:
        counts[-1] += 1
        return run(tx, *args)

    def ended(tx: Tx) -> Any:
        counts.append(0)
        return end(tx)

    async def story(stand: Stand) -> None:
        await place_order(stand.desk, limit(stand.desk, price=away(stand.desk, Side.BUY)))
        monkeypatch.setattr(Tx, "_guarded", counted)
        monkeypatch.setattr(Tx, "end", ended)
        counts.append(0)
        wish = limit(stand.desk, price=away(stand.desk, Side.BUY), name=name)
        order = await place_order(stand.desk, wish)
        intent, outcome = (it for it in counts if it)
        assert intent <= most
        assert outcome <= 6
        counts[:] = [0]
        await cancel_order(stand.desk, order.id)
        asked, answered = (it for it in counts if it)
        assert asked <= 6
        assert answered <= 9
        monkeypatch.undo()

    at_a_stand(story)


def test_a_paper_order_that_fills_costs_this_much(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: dict[str, int] = {}
    journeys: dict[str, int] = {}
    of = [""]

    def counting(counts: dict[str, int], real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(it: Any, *args: Any) -> Any:
            counts[of[0]] = counts.get(of[0], 0) + 1
            return real(it, *args)

        return counted

    def run(watch: Watch, unit: Unit, tx: Tx) -> None:
        of[0] = unit.name
        ran(watch, unit, tx)

    ran = Watch.run

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        await place_order(desk, limit(desk, Side.BUY, price=crossing(desk, Side.BUY)))
        with monkeypatch.context() as patch:
            patch.setattr(Watch, "run", run)
            patch.setattr(Tx, "_guarded", counting(statements, Tx._guarded))
            patch.setattr(Line, "_sent", counting(journeys, Line._sent))
            wish = limit(desk, Side.BUY, price=crossing(desk, Side.BUY))
            order = await place_order(desk, wish)
        assert order.status is OrderStatus.EXECUTED
        whole = ("record_intent", "accept", "ingest")
        assert [statements[it] for it in whole] == [9, 5, 12]
        if "SANDBOX_DATABASE_URL" in home:
            assert [journeys[it] for it in whole] == [4, 4, 5]

    live_in(home | OPEN, story, stopped(NOON))
