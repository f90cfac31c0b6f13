"""What may be written down of what was said: secrets taken out, wherever they stand.

Two ways lead to a secret: the name it stands under (`pin`, `access_token`, `Authorization`), and
its own look (a bearer header, a JWT, a long run of random characters). Where the two leave a doubt
the value goes: a log that says too little can be asked again, one that says too much cannot.

Both functions are total (no value makes them fail), bounded, and idempotent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from bahi.kernel import words as vocabularies
from bahi.kernel.errors import BahiError

HIDDEN: Final = "***"
CUT: Final = "[cut]"
TEXT_AT_MOST: Final = 8_000
KEY_AT_MOST: Final = 100
ITEMS_AT_MOST: Final = 200
VALUES_AT_MOST: Final = 5_000
DEPTH_AT_MOST: Final = 12

# Names are compared by their words: `accessToken`, `ACCESS-TOKEN` and `access_token` are one.
_TELLING: Final = (
    *("token", "secret", "passw", "passphrase", "passcode", "credential", "authoriz", "cookie"),
    *("checksum", "apikey", "appkey", "secretkey", "privatekey", "accesskey", "keyring", "bearer"),
    *("apisession", "sessionid", "sessionkey", "signature", "authcode", "otpcode", "logincode"),
    *("verificationcode", "onetimecode", "bankaccount", "aadhaar", "aadhar", "mobile", "jwt"),
)
_WHOLE_WORDS: Final = frozenset(
    {"pin", "tpin", "mpin", "userpin", "pincode", "totp", "otp", "twofa", "2fa", "pwd", "auth"}
    | {"pan", "pans", "phone", "cvv", "session", "sid", "seed", "csrf", "xsrf", "cred", "creds"}
)
_OF_THE_MARKET: Final = frozenset({"instrument", "exchange", "symbol", "broker", "feed", "tick"})
_INSTRUMENTS: Final = frozenset({"symboltoken", "instrumenttoken", "exchangetoken"})
_ABOUT_IT: Final = frozenset(
    {"type", "status", "state", "count", "at", "in", "days", "hours", "minutes", "seconds", "s"}
    | {"ms", "us", "expiry", "expires", "validity", "valid", "index", "limit", "length", "kind"}
    | {"mode", "run", "runs", "required", "enabled", "present", "changed", "times", "version"}
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+[a-z]*")

_NAMED: Final = re.compile(
    r"""(?P<name>(?<![\w%.\-\[])[\w%.\-\[]+)
    (?P<between>[\\"'\])]{0,4}[ \t]{0,8}(?:=>|=|:)[ \t]{0,8})
    (?P<value>\\?b?\\?"(?:\\[^"]|[^"\\])*\\?"?|\\?b?\\?'(?:\\[^']|[^'\\])*\\?'?
      |\[[^\]]*\]?|\{[^}]*\}?|[^\s&;,"'<>\])}]+)""",
    re.VERBOSE,
)
_PAIR_OF_TEXTS: Final = re.compile(
    r"""(?P<between>[\[(]\s{0,8}b?\\?(?P<mark>["'])(?P<name>[\w\-]{1,100})\\?(?P=mark)\s{0,8},\s{0,8}
    b?\\?(?P<quote>["']))(?P<value>(?:\\[^"']|(?!(?P=quote))[^\\])*)(?P<after>\\?(?P=quote))""",
    re.VERBOSE,
)
_HEADER_LINE: Final = re.compile(
    r"(?i)(\b(?:proxy-)?authorization|\b(?:set-)?cookie)([ \t]*[:=][ \t]*+)"
    r"(?![\"'*\\])([^\r\n\"']+)"
)
_BEARER: Final = re.compile(
    r"(?i)\b(bearer)([ \t]+)(?!(?:tokens?|auth\w*|schemes?|headers?|of|is|in|or|and|not|was|for)\b)"
    r"([^\s\"',;*][^\s\"',;]*)"
)
_BASIC: Final = re.compile(
    r"\b((?i:basic|digest|negotiate))([ \t]+)(?=\S*(?:\d|=|[a-z][A-Z]))([A-Za-z0-9+/]{6,}={0,2})"
)
_PAIR: Final = re.compile(r"(?i)\b(token)([ \t]+)([\w\-.]+:[\w\-.]+)")
_JWT: Final = re.compile(r"\beyJ[\w\-]{6,}(?:\.[\w\-]+){1,4}\.?")
_USERINFO: Final = re.compile(r"(\w://[^\s/:@?#]*:)([^\s/@]+)(?=@)")
_PAN: Final = re.compile(r"\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+/_\-]{32,}={0,2}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,}")
_TURNS: Final = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])|(?<=\d)(?=[A-Za-z])")
_RANDOM_FROM: Final = 0.2  # turns from one kind of character to another, per character
_UNWRITABLE: Final = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes none of them
_RUN_OF: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-.%"
_AFTER_A_CUT: Final = f"\n{CUT}"
_TRIES: Final = 5
_SINGLE: Final = frozenset({str, int, bool, float, type(None)})
"""What is plainly no list and no mapping."""
CLEAN_AT_MOST: Final = 40
CLEAN_TEXTS: Final = 4096


def redact(value: Any) -> Any:
    """Return what can be kept of a JSON-like value: the same shape, its secrets as `***`.

    What comes back is JSON: text, numbers, lists and mappings, whatever went in.
    """
    return _Redaction().of(value, 0)


_seen_clean: Final[dict[str, None]] = {}
"""Short texts in which nothing was found: the same few words come again with every order."""


def redact_text(text: str) -> str:
    """Return a text with every secret that can be recognised in it as `***`."""
    if text in _seen_clean:
        return text
    shown = _redacted(text)
    if shown == text and len(text) <= CLEAN_AT_MOST:
        if len(_seen_clean) >= CLEAN_TEXTS:
            _seen_clean.clear()
        _seen_clean[text] = None
    return shown


def _redacted(text: str) -> str:
    text, after = _shortened(_UNWRITABLE.sub("\ufffd", text))
    for _ in range(_TRIES):
        once_more = _redact_once(text)
        if once_more == text:
            return text + after
        text = once_more
    return HIDDEN


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Say whether what stands under this name is to be hidden, whatever it looks like."""
    parts = _words_of(name)
    if not parts or (len(parts) > 1 and parts[-1] in _ABOUT_IT):
        return False
    if parts[-1] in {"token", "tokens"} and parts[0] in _OF_THE_MARKET - {"feed"}:
        return False
    if parts[-1] == "session" and parts[0] in {"trading", "market"}:
        return False
    joined = "".join(parts)
    if joined.removesuffix("s") in _INSTRUMENTS:
        return False
    return (
        any(telling in joined for telling in _TELLING)
        or not _WHOLE_WORDS.isdisjoint(parts)
        or joined in _WHOLE_WORDS
    )


class _Redaction:
    """One walk through a value, which ends after so many values."""

    def __init__(self) -> None:
        self._left = VALUES_AT_MOST

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            return CUT
        if type(value) in _SINGLE:
            return _plain(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, Sequence | AbstractSet) and not isinstance(
            value, str | bytes | bytearray
        ):
            return self._items(value, depth, name=None)
        return _plain(value)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Any:
        if depth >= DEPTH_AT_MOST:
            return CUT
        kept: dict[str, Any] = {}
        hidden = next((value[it] for it in ("name", "key", "header") if it in value), None)
        if isinstance(hidden, str) and "value" in value and names_a_secret(hidden):
            value = {**value, "value": HIDDEN}  # {"name": "Cookie", "value": ...}
        for many, (key, under) in enumerate(value.items()):
            if many == ITEMS_AT_MOST - 1 and len(value) > ITEMS_AT_MOST:
                kept[CUT] = f"{len(value) - many} more"
                break
            name = key if isinstance(key, str) else str(_plain(key))
            kept[_short_name(name)] = self._under(name, under, depth + 1)
        return kept

    def _items(self, value: Sequence[Any] | AbstractSet[Any], depth: int, name: str | None) -> Any:
        if depth >= DEPTH_AT_MOST:
            return CUT
        if name is None and isinstance(value, Sequence) and (first := _first_of_a_pair(value)):
            return [_plain(first), self._under(first, value[1], depth + 1)]
        kept: list[Any] = []
        for many, item in enumerate(value):
            if many == ITEMS_AT_MOST - 1 and len(value) > ITEMS_AT_MOST:
                kept.append(f"{CUT} {len(value) - many} more")
                break
            kept.append(
                self.of(item, depth + 1) if name is None else self._under(name, item, depth + 1)
            )
        return kept

    def _under(self, name: str, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool) or value == "":
            return value
        if names_a_secret(name):
            return HIDDEN
        if _is_ambiguous(name) and not isinstance(value, Mapping):
            if isinstance(value, list | tuple | set | frozenset):
                return self._items(value, depth, name)
            return _plain(value) if _is_a_known_word(name, str(value)) else HIDDEN
        if _words_of(name) == ("fingerprint",) and isinstance(value, str) and _HEX.fullmatch(value):
            return value  # how the trail names a token without showing it
        return self.of(value, depth)


def _first_of_a_pair(value: Sequence[Any]) -> str | None:
    """Return the name in `["pin", 1234]`, as headers and queries are often kept."""
    if len(value) != 2:
        return None
    first = value[0]
    name = first.decode("latin-1") if isinstance(first, bytes) else first
    known = isinstance(name, str) and (names_a_secret(name) or _is_ambiguous(name))
    return name if known else None


@lru_cache(maxsize=4096)
def _words_of(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name[: 4 * KEY_AT_MOST]))


@lru_cache(maxsize=4096)
def _is_ambiguous(name: str) -> bool:
    """`code` and `state` are secrets of a login, and words of everything else."""
    return _words_of(name) in {("code",), ("state",), ("oauth", "state"), ("grant", "code")}


def _is_a_known_word(name: str, value: str) -> bool:
    if _words_of(name)[-1] == "code":
        return (value.isascii() and value.isdigit() and len(value) <= 3) or value in _codes()
    return value.upper() in _STATES


def _codes() -> set[str]:
    """Return the codes of every failure that is defined by now."""
    found, left = set(), [BahiError]
    while left:
        failure = left.pop()
        found.add(failure.code)
        left += failure.__subclasses__()
    return found


_STATES: Final = frozenset(
    str(word).upper()
    for vocabulary in vars(vocabularies).values()
    if isinstance(vocabulary, type) and issubclass(vocabulary, StrEnum)
    for word in vocabulary
) | {HIDDEN, "OK", "ERROR", "SUCCESS", "CLOSED", "STARTED", "STOPPED", "DONE", "READY", "QUEUED"}


def _plain(value: Any) -> Any:
    """Return a single value as JSON can say it."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, datetime | date | time | timedelta | Decimal | UUID | PurePath):
        return redact_text(str(value))
    return f"[{type(value).__name__}]"  # its own words may say anything


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool) or abs(value) < 1 << 64:
        return value
    return HIDDEN  # nothing of ours is so large


def _short_name(name: str) -> str:
    shown = redact_text(name)
    return shown if len(shown) <= KEY_AT_MOST else HIDDEN


def _shortened(text: str) -> tuple[str, str]:
    """Cut a text that is too long, never through the middle of a secret."""
    if text.endswith(_AFTER_A_CUT) and len(text) <= 2 * TEXT_AT_MOST:
        return text[: -len(_AFTER_A_CUT)], _AFTER_A_CUT
    if len(text) <= TEXT_AT_MOST:
        return text, ""
    return text[:TEXT_AT_MOST].rstrip(_RUN_OF), _AFTER_A_CUT


def _redact_once(text: str) -> str:
    text = _HEADER_LINE.sub(rf"\1\2{HIDDEN}", text)
    text = _BEARER.sub(rf"\1\2{HIDDEN}", text)
    text = _BASIC.sub(rf"\1\2{HIDDEN}", text)
    text = _PAIR.sub(rf"\1\2{HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    text = _USERINFO.sub(rf"\1{HIDDEN}", text)
    text = _hide_named(text)
    text = _PAIR_OF_TEXTS.sub(_hide_second, text)
    text = _PAN.sub(HIDDEN, text)
    return _LONG_RUN.sub(_hide_random, text)


def _hide_named(text: str) -> str:
    """Hide what stands under a name; a value that is kept may hold names of its own."""
    kept: list[str] = []
    done = 0
    while found := _NAMED.search(text, done):
        shown = _shown_of(found)
        end = found.start("value") if shown is None else found.end()
        kept.append(text[done:end] if shown is None else text[done : found.start("value")] + shown)
        done = end
    return "".join(kept) + text[done:]


def _shown_of(found: re.Match[str]) -> str | None:
    """Return what is shown in a value's place, None where it may stay."""
    name, value = unquote(found["name"]), found["value"]
    bare = (value[1:] if value[:2] in {"b'", 'b"'} else value).strip("\\\"'")
    if bare in {"", HIDDEN, "None", "null", "True", "False", "true", "false"}:
        return None
    if not (names_a_secret(name) or (_is_ambiguous(name) and not _is_a_known_word(name, bare))):
        return None
    quote = next((mark for mark in "\"'" if value.endswith(mark)), "")
    before = value[: value.index(quote) + 1] if quote else ""
    after = value[len(value.rstrip("\\\"'")) :] if quote else ""
    return before + HIDDEN + after


def _hide_second(found: re.Match[str]) -> str:
    """Hide the value of a pair, as headers and queries are often written."""
    name, value = found["name"], found["value"]
    if names_a_secret(name) or (_is_ambiguous(name) and not _is_a_known_word(name, value)):
        return found["between"] + HIDDEN + found["after"]
    return found[0]


def _hide_random(found: re.Match[str]) -> str:
    run = found[0]
    if _UUID.fullmatch(run):
        return run
    if _HEX.search(run) or len(_TURNS.findall(run)) >= _RANDOM_FROM * len(run):
        return HIDDEN
    return run
