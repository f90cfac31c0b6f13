"""What the hot path costs, in statements: each is a round trip on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bahi.db.tx import Tx
from bahi.kernel.words import Side
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.placing import place_order
from tests.orders.desks import away, limit
from tests.orders.stand import Stand, Story


@pytest.mark.parametrize(("name", "most"), [(None, 9), ("mine", 11)])
def test_an_intent_and_its_outcome_cost_few_statements(
    at_a_stand: Callable[[Story], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str | None,
    most: int,
) -> None:
    counts: list[int] = []
    run, end = Tx._run, Tx.end

    def counted(tx: Tx, *args: Any) -> Any:
        counts[-1] += 1
        return run(tx, *args)

    def ended(tx: Tx) -> Any:
        counts.append(0)
        return end(tx)

    async def story(stand: Stand) -> None:
        await place_order(stand.desk, limit(stand.desk, price=away(stand.desk, Side.BUY)))
        monkeypatch.setattr(Tx, "_run", counted)
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
