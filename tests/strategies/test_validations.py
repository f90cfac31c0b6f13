"""Validation runs of models: recorded, brought forward, listed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.bootstrap import House
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.strategies.model.validations import NewValidation, Progress, score, stored_score
from bahi.strategies.service.validations import (
    NoValidation,
    get_validation,
    list_validations,
    record_validation,
    update_validation,
)
from tests.living import MORNING, live_in

WHO = the_house("test")


def test_a_run_is_recorded_brought_forward_and_listed(home: dict[str, str]) -> None:
    wish = NewValidation(
        validation_id="v1",
        model_type="lstm",
        signal_type="buy",
        date_range_start=date(2026, 1, 1),
        date_range_end=date(2026, 6, 30),
    )

    async def story(house: House) -> None:
        main = house.stores["main"]
        new = await main.write(record_validation, WHO, wish, MORNING)
        assert (new.status, new.date_range_end) == ("pending", date(2026, 6, 30))
        with pytest.raises(Conflict):
            await main.write(record_validation, WHO, wish, MORNING)
        other = NewValidation(validation_id="v2", model_type="tree")
        await main.write(record_validation, WHO, other, MORNING)
        await main.write(update_validation, WHO, "v1", Progress(status="running"), MORNING)
        done = Progress(
            status="completed",
            scores={"accuracy": Decimal("61.25"), "f1_score": Decimal("0.1234")},
            output={"matrix": [[1, 2], [3, 4]], "api_key": "x"},
        )
        run = await main.write(update_validation, WHO, "v1", done, MORNING)
        assert (run.accuracy, run.f1_score, run.recall_score) == (
            Decimal("61.25"),
            Decimal("0.1234"),
            None,
        )
        assert run.output == {"matrix": [[1, 2], [3, 4]], "api_key": "***"}
        assert run.started_at == run.completed_at == MORNING
        with pytest.raises(Conflict):
            await main.write(update_validation, WHO, "v1", Progress(status="failed"), MORNING)
        both = await list_validations(main)
        assert [it.validation_id for it in both] == ["v2", "v1"]
        assert await list_validations(main, before=both[0].id) == [run]
        assert await list_validations(main, model_type="lstm", status="completed") == [run]
        with pytest.raises(NoValidation):
            await main.read(get_validation, "v3", fresh=True)
        with pytest.raises(Forbidden):
            await main.write(record_validation, Actor(name="viewer"), wish, MORNING)

    live_in(home, story)


def test_what_nobody_could_read_is_refused() -> None:
    with pytest.raises(Invalid):
        NewValidation(validation_id=" ").check()
    first, last = date(2026, 2, 1), date(2026, 1, 1)
    backwards = NewValidation(validation_id="v", date_range_start=first, date_range_end=last)
    with pytest.raises(Invalid, match="before"):
        backwards.check()
    with pytest.raises(Invalid, match="no score"):
        Progress(status="running", scores={"luck": Decimal(1)}).check()
    with pytest.raises(Invalid, match="not one of"):
        Progress(status="perhaps").check()
    for wrong in ("100.1", "-1", "0.00001", "NaN"):
        with pytest.raises(Invalid):
            stored_score("accuracy", wrong)


@given(st.decimals(0, 100, places=4))
def test_a_score_comes_back_exactly(percent: Decimal) -> None:
    assert score(stored_score("accuracy", percent)) == percent
