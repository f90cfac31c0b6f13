"""Secrets: sealed if they are read back, digested if they are only compared, hashed if a person
chose them.

    sealed secret = form (1 byte), key id (4), nonce (12), AES-256-GCM ciphertext with its tag (16)

A seal holds for one place alone, (table, column, id): a ciphertext that is moved does not open.
"""

from __future__ import annotations

import hmac
import json
import os
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from cryptography.exceptions import InvalidTag

from bahi.kernel.errors import Invalid, SealBroken
from bahi.kernel.keyring import KEY_ID_BYTES, Keyring

_FORM: Final = b"\x01"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_KEY_ID: Final = slice(1, 1 + KEY_ID_BYTES)
_HEADER: Final = slice(0, 1 + KEY_ID_BYTES)
_NONCE: Final = slice(_HEADER.stop, _HEADER.stop + _NONCE_BYTES)
_BODY: Final = slice(_NONCE.stop, None)


class Vault:
    """Seals and opens what is stored, and digests what is only compared."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def __repr__(self) -> str:
        return f"Vault({self._keyring!r})"

    def seal(self, secret: bytes | str, *, table: str, column: str, row_id: int | str) -> bytes:
        """Encrypt a secret for one place, under the active key."""
        key_id, cipher = self._keyring.sealing_cipher()
        header = _FORM + bytes.fromhex(key_id)
        nonce = os.urandom(_NONCE_BYTES)
        place = _place(header, table, column, row_id)
        return header + nonce + cipher.encrypt(nonce, _bytes(secret), place)

    def open(self, sealed: bytes, *, table: str, column: str, row_id: int | str) -> bytes:
        """Decrypt a secret that was sealed for this place."""
        cipher = self._keyring.opening_cipher(key_id_of(sealed))
        place = _place(sealed[_HEADER], table, column, row_id)
        try:
            return cipher.decrypt(sealed[_NONCE], sealed[_BODY], place)
        except InvalidTag:
            raise SealBroken(
                f"The secret in {table}.{column} of row {row_id} does not open: it was changed, or"
                " moved here from another place; enter it anew."
            ) from None

    def digest(self, secret: bytes | str, purpose: str) -> str:
        """Return what is stored of a secret that is only compared: 64 hex digits, keyed.

        Digests of one secret for two purposes have nothing in common.
        """
        return self._keyring.digest_of(_bytes(secret), purpose)

    def matches(self, secret: bytes | str, digest: str, purpose: str) -> bool:
        """Say whether a digest is that of this secret, in constant time."""
        return hmac.compare_digest(self.digest(secret, purpose).encode(), digest.encode())


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key that a secret is sealed under; rotation looks for the old ones."""
    if sealed[:1] != _FORM or len(sealed) < _BODY.start + _TAG_BYTES:
        raise SealBroken("This is not a sealed secret: its first byte or its length is wrong.")
    return sealed[_KEY_ID].hex()


@dataclass(frozen=True)
class PasswordCost:
    """What one argon2id hash costs whoever makes it."""

    passes: int
    memory_kib: int
    lanes: int


PASSWORD_COST: Final = PasswordCost(passes=3, memory_kib=64 * 1024, lanes=4)  # RFC 9106, second
LONGEST_PASSWORD: Final = 1024  # bytes; a bound on what a stranger can make us hash


class Passwords:
    """Hashes what people chose and can remember: argon2id, slow on purpose."""

    def __init__(self, cost: PasswordCost = PASSWORD_COST) -> None:
        self._argon2id = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )

    def hash(self, password: str) -> str:
        """Return what is stored of a password: salt, cost and hash in one text."""
        given = _bytes(password)
        if not 0 < len(given) <= LONGEST_PASSWORD:
            raise Invalid(f"A password has 1 to {LONGEST_PASSWORD} bytes; choose another.")
        return self._argon2id.hash(given)

    def verify(self, stored: str, password: str) -> bool:
        """Say whether this is the password that was hashed."""
        given = _bytes(password)
        if len(given) > LONGEST_PASSWORD:
            return False
        try:
            return self._argon2id.verify(stored, given)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError) as fault:
            raise SealBroken(f"The stored password hash cannot be checked: {fault}.") from None

    def needs_rehash(self, stored: str) -> bool:
        """Say whether a hash was made at another cost than today's, and should be made anew."""
        return self._argon2id.check_needs_rehash(stored)


def _bytes(secret: bytes | str) -> bytes:
    # surrogatepass: JSON can carry half a character, and the error for it would carry the secret
    return secret.encode(errors="surrogatepass") if isinstance(secret, str) else secret


def _place(header: bytes, table: str, column: str, row_id: int | str) -> bytes:
    return header + json.dumps([table, column, row_id]).encode()  # no two places write alike
