"""What can be set while the house runs: how a setting reads, and which values are right."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from bahi.kernel.errors import Invalid
from bahi.kernel.redaction import HIDDEN, names_a_secret
from bahi.settings.model.declared import KNOWN, Rule

DATA_TYPES: Final = ("string", "integer", "boolean", "json")
VALUE_AT_MOST: Final = 20_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WHOLE: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_YES: Final = frozenset({"true", "yes", "on", "1"})
_NO: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A setting as it stands; the value of a sensitive one is `***`."""

    category: str
    key: str
    value: Any
    data_type: str
    description: str | None
    is_sensitive: bool
    is_active: bool
    version: int
    created_at: datetime | None
    updated_at: datetime
    updated_by: str | None

    @property
    def name(self) -> str:
        """Category and key, as people name it."""
        return f"{self.category}.{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants a setting to be; `data_type` and `description` may stay as they are."""

    category: str
    key: str
    value: Any = field(repr=False)
    data_type: str | None = None
    description: str | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as it is counted: of an account, or of a user where there is none."""

    api_name: str
    endpoint: str
    account_id: int | None = None
    user_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in a window of so many seconds."""

    requests: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What a request was in its window."""

    allowed: bool
    left: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class RateUse:
    """How much one API was used in a while."""

    api_name: str
    requests: int
    windows: int
    exceeded: int


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How much of one kind is remembered, and how often it was asked for."""

    cache_type: str
    entries: int
    accesses: int


def check_name(category: str, key: str) -> None:
    """Refuse a name that could not be asked for again."""
    for what, name in (("category", category), ("key", key)):
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"{what}: {name[:40]!r} is no name; take a to z, 0 to 9 and _, a letter first."
            )


def type_of(wish: Wish, before: str | None) -> str:
    """Say how a value reads: as declared, as asked for, as before, or as it looks."""
    wanted, declared = wish.data_type, KNOWN.get((wish.category, wish.key))
    if wanted is not None and wanted not in DATA_TYPES:
        raise Invalid(f"data_type: {wanted[:40]!r} is not one of {', '.join(DATA_TYPES)}.")
    if declared is not None and wanted not in {None, declared.data_type}:
        raise Invalid(f"{wish.category}.{wish.key} is of type {declared.data_type}, not {wanted}.")
    looks = {bool: "boolean", int: "integer", str: "string"}.get(type(wish.value), "json")
    return wanted or (declared.data_type if declared else before or looks)


def checked(category: str, key: str, data_type: str, given: Any) -> str:
    """Return a value as it is stored, or say what would be right; never quote a secret."""
    try:
        value = _READS[data_type](given)
        declared = KNOWN.get((category, key))
        value = declared.rule(value) if declared else value
    except Invalid as why:
        said = f"That is no {data_type}." if is_sensitive(category, key) else str(why)
        raise Invalid(f"{category}.{key}: {said}") from None
    text = value if isinstance(value, str) and data_type == "string" else json.dumps(value)
    if len(text) > VALUE_AT_MOST or not all(map(_is_kept_alike, _texts(value))):
        raise Invalid(
            f"{category}.{key}: a value has up to {VALUE_AT_MOST} characters, none of them NUL or "
            "half of one."
        )
    return text


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a document, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_kept_alike(text: str) -> bool:
    """Say whether both databases keep a text as it is."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def decoded(data_type: str, stored: str) -> Any:
    """Return a stored value as what it reads as."""
    return stored if data_type == "string" else json.loads(stored)


def is_sensitive(category: str, key: str) -> bool:
    """Say whether a setting of this name is never kept in plain text; of ours we know it."""
    return (category, key) not in KNOWN and names_a_secret(key)


def usable(it: Config) -> Any:
    """Return a setting's value; a declared one that cannot be used counts as its default."""
    declared = KNOWN.get((it.category, it.key))
    if declared is None:
        return it.value
    try:
        text = checked(it.category, it.key, declared.data_type, it.value)
    except Invalid:
        return declared.default
    return decoded(declared.data_type, text)


def window_id(asked: Asked, limit: Limit, begins: int) -> int:
    """Return the id of a window: made of its name, so that all who count in it meet there."""
    name = json.dumps([*dataclasses.astuple(asked), limit.window_s, begins]).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big") >> 1 or 1


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise Invalid(f"{_shown(given)} is no text; write it in quotes.")
    return given


def _whole(given: Any) -> int:
    if isinstance(given, str) and _WHOLE.fullmatch(given.strip()):
        return int(given)
    if type(given) is not int or abs(given) >= 1 << 62:
        raise Invalid(f"{_shown(given)} is no whole number of up to 18 digits; write digits: 75.")
    return given


def _yes_or_no(given: Any) -> bool:
    said = str(given).strip().lower()
    if said not in _YES | _NO:
        raise Invalid(f"{_shown(given)} is neither true nor false.")
    return said in _YES


def _document(given: Any) -> Any:
    try:
        value = json.loads(given) if isinstance(given, str) else given
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Invalid(f"{_shown(given)} is no JSON.") from None
    return value


def _shown(given: Any) -> str:
    return repr(given)[:60] if given != HIDDEN else HIDDEN


_READS: Final[Mapping[str, Rule]] = {
    "string": _text,
    "integer": _whole,
    "boolean": _yes_or_no,
    "json": _document,
}
