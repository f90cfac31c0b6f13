"""The next version of a frozen value: what `dataclasses.replace` does, in a loop not of Python's.

Setting up a frozen dataclass takes ten times as long as setting up one that is not, and looking its
fields up anew each time takes as long again; an order's life is made of a dozen versions. So a
value begins as a draft, which is not frozen and has the very slots of one, and then becomes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, make_dataclass
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")


class _Form(NamedTuple):
    """How values of a class are taken apart and made."""

    place: dict[str, int]
    values_of: Callable[[Any], tuple[Any, ...]]
    draft: Callable[..., Any]


_forms: Final[dict[type[Any], _Form]] = {}


def _form(kind: type[Any]) -> _Form:
    known = _forms.get(kind)
    if known is None:
        known = _forms[kind] = _learnt(kind)
    return known


def _learnt(kind: type[Any]) -> _Form:
    if hasattr(kind, "__post_init__"):
        raise TypeError(f"{kind.__name__} checks itself when it is made; use dataclasses.replace.")
    names = [it.name for it in fields(kind)]
    draft = make_dataclass("_Draft", [(name, Any) for name in names], slots=True)
    return _Form({name: n for n, name in enumerate(names)}, attrgetter(*names), draft)


def altered(it: T, **changes: Any) -> T:
    """Return a value with some of its fields changed; for frozen dataclasses that have slots."""
    kind = type(it)
    place, values_of, draft = _form(kind)
    values = list(values_of(it))
    for name, value in changes.items():
        values[place[name]] = value
    made = draft(*values)
    made.__class__ = kind
    return made  # type: ignore[no-any-return] # the draft has become one


def made_of(kind: type[T], values: Iterable[Any]) -> T:
    """Return the value of a class that has these fields, in the order in which it names them."""
    made = _form(kind).draft(*values)
    made.__class__ = kind
    return made  # type: ignore[no-any-return] # the draft has become one
