"""The next version of a frozen value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.altered import altered, made_of

pytestmark = pytest.mark.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something of the usual kind."""

    name: str
    size: int = 3
    parts: tuple[int, ...] = ()
    kept: dict[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> int:
        """What its parts come to."""
        return self.size + sum(self.parts)


CHANGES = st.fixed_dictionaries(
    {}, optional={"name": st.text(), "size": st.integers(), "parts": st.just((1, 2))}
)


@given(CHANGES)
def test_it_is_what_replace_would_have_made(changes: dict[str, object]) -> None:
    before = Thing(name="a", parts=(4,))
    after = altered(before, **changes)
    assert after == replace(before, **changes)  # type: ignore[arg-type] # as drawn
    assert type(after) is Thing
    assert before == Thing(name="a", parts=(4,))


def test_what_it_made_is_frozen_and_whole() -> None:
    after = altered(Thing(name="a"), size=7, parts=(1,))
    assert after.whole == 8
    with pytest.raises(FrozenInstanceError):
        after.size = 9  # type: ignore[misc] # which is what is tried


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="colour"):
        altered(Thing(name="a"), colour="red")


def test_a_value_is_made_of_its_fields_in_their_order() -> None:
    assert made_of(Thing, ("a", 5, (), {})) == Thing(name="a", size=5)


def test_what_checks_itself_when_it_is_made_is_not_for_it() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        size: int

        def __post_init__(self) -> None:
            assert self.size > 0

    with pytest.raises(TypeError, match="checks itself"):
        altered(Checked(1), size=-1)
