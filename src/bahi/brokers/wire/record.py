"""What is kept of a call: everything but its secrets, and the long part of a long answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from bahi.kernel.redaction import redact, redact_text

MAX_RECORDED_CHARS: Final = 16_384
MAX_RECORDED_TEXT_CHARS: Final = 500
HIDDEN: Final = "***"


def spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return every way these secrets may be written, the longest first."""
    forms = {form for s in secrets if s for form in (s, quote(s, safe=""), quote_plus(s))}
    return tuple(sorted(forms, key=len, reverse=True))


def hide(value: Any, hidden: tuple[str, ...]) -> Any:
    """Return a JSON-like value with these spellings taken out of all its texts."""
    if isinstance(value, str):
        for secret in hidden:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, Mapping):
        return {hide(key, hidden): hide(item, hidden) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide(item, hidden) for item in value]
    return value


def kept_of_request(parts: Mapping[str, Any], hidden: tuple[str, ...]) -> Mapping[str, Any]:
    """Return what is kept of a request's parts; those that are empty are left out."""
    return dict(redact(hide({name: part for name, part in parts.items() if part}, hidden)))


def kept_of_answer(text: str, hidden: tuple[str, ...], *, is_json: bool) -> Mapping[str, Any]:
    """Return what is kept of an answer: all of a short one, the size of a long one."""
    if len(text) > MAX_RECORDED_CHARS:
        return {"characters": len(text)}
    if not is_json:
        return {"text": redact_text(hide(text, hidden)[:MAX_RECORDED_TEXT_CHARS])}
    said = hide(json.loads(text, parse_float=str), hidden)
    return dict(redact(said if isinstance(said, dict) else {"answer": said}))
