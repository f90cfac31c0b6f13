"""One-time codes (RFC 6238): six digits of every half minute, from a secret that two share.

By hand, since it is ten lines, and the usual library refuses the short secrets that brokers hand
out.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from typing import Final
from urllib.parse import quote

from bahi.kernel.errors import Invalid

STEP_S: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20


def new_secret() -> str:
    """Make a secret of 160 bits, as base32 text."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def step_at(now: datetime) -> int:
    """Return the number of a moment's half minute."""
    return int(now.timestamp()) // STEP_S


def code_of(secret: str, step: int) -> str:
    """Return the code of a half minute."""
    mac = hmac.digest(_key(secret), step.to_bytes(8, "big"), "sha1")
    begin = mac[-1] & 0x0F
    number = int.from_bytes(mac[begin : begin + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def uri_of(secret: str, name: str, issuer: str = "Bahi") -> str:
    """Write what an authenticator's app reads from a QR code."""
    label = f"{quote(issuer)}:{quote(name)}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}"


def _key(secret: str) -> bytes:
    text = "".join(secret.split()).upper().rstrip("=")
    try:
        key = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:  # binascii.Error is one, and so is text beyond ASCII
        key = b""
    if not key:
        raise Invalid("That is no secret of one-time codes; they are letters and digits 2 to 7.")
    return key
