"""The form of a body, before anything reads it: JSON in UTF-8, and not nested without end."""

from __future__ import annotations

import re
from typing import Final

from bahi.kernel.errors import Invalid

DEEPEST: Final = 50
OPENING: Final = (b"[", b"{")

TEXT_OR_EDGE: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""A text, whose brackets are letters, or a bracket; each byte is looked at once."""


def check_json(body: bytes) -> None:
    """Refuse a body that no reader should be given; whether it is JSON the reader says."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Invalid("body: this is no JSON in UTF-8.") from None
    if b"\0" in body:
        raise Invalid("body: this is no JSON in UTF-8.")
    if is_too_deep(body):
        raise Invalid(f"body: lists and objects may be nested {DEEPEST} deep, and no deeper.")


def is_too_deep(body: bytes) -> bool:
    """Say whether lists and objects are nested deeper than is read here."""
    if sum(map(body.count, OPENING)) <= DEEPEST:
        return False
    depth = 0
    for found in TEXT_OR_EDGE.finditer(body):
        edge = found[0]
        if edge in OPENING:
            depth += 1
            if depth > DEEPEST:
                return True
        elif not edge.startswith(b'"'):
            depth -= 1
    return False
