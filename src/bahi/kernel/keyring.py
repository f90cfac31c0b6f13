"""The keyring: the keys that secrets are sealed and digested under, and the file they live in.

A sealing key is known by the fingerprint that every ciphertext carries. One is active; the older
ones only open. Rotation never touches the digest key, or no API key would match its digest again.
Nothing here prints a key, and no error holds one.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bahi.kernel.errors import Invalid, KeyMissing, Misconfigured, NotFound

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 4
_FORM: Final = 1  # of the file
_LARGEST_FILE_BYTES: Final = 1 << 20

_Stamp = tuple[int, int, int, int]  # what changes when another process replaces the file


class Keyring:
    """The keys in force: of a file, followed as other processes rotate it, or of a fixed text."""

    def __init__(self, keys: _Keys, path: Path | None, stamp: _Stamp | None) -> None:
        self._path = path
        self._read = (stamp, keys)

    def __repr__(self) -> str:
        return f"Keyring({str(self._path) if self._path else 'from a text'})"

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """Make the file with new keys unless it is there; of several at once, one's keys win."""
        if not path.parent.is_dir():
            raise Misconfigured(f"There is no folder {path.parent} for the keyring; make it first.")
        with _in_words(path):
            if not path.exists():
                with suppress(FileExistsError):
                    _publish(path, _Keys.fresh().text(), by=os.link)  # link never overwrites
            _sync_folder(path.parent)  # whoever won: nothing is sealed before the keys are durable
        return cls.load(path)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Read the keys from their file, which nobody else may be able to read."""
        stamp, keys = _load(path)
        return cls(keys, path, stamp)

    @classmethod
    def from_text(cls, text: str, source: str) -> Keyring:
        """Read the keys from what would be the file's text; `source` names it in errors."""
        return cls(_Keys.parse(text, source), None, None)

    @property
    def active(self) -> str:
        """The id of the key that seals."""
        return self._keys().active

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of all keys that open, the oldest first."""
        return tuple(self._keys().sealing)

    def add_key(self) -> str:
        """Add a new key and seal with it from now on; return its id. The old ones still open."""
        return self._change(_Keys.grown).active

    def retire(self, key_id: str) -> None:
        """Forget an old key for good; what is still sealed under it can never be opened again."""

        def without(keys: _Keys) -> _Keys:
            if key_id == keys.active:
                raise Invalid(f"Key {key_id} is the active one; add a new key before retiring it.")
            if key_id not in keys.sealing:
                raise NotFound(f"There is no key {key_id}; there are {', '.join(keys.sealing)}.")
            return keys.without(key_id)

        self._change(without)

    def sealing_cipher(self) -> tuple[str, AESGCM]:
        """Return the active key's id and cipher."""
        keys = self._keys()
        return keys.active, AESGCM(keys.sealing[keys.active])

    def opening_cipher(self, key_id: str) -> AESGCM:
        """Return the cipher of one key, by its id."""
        keys = self._keys()
        if key_id not in keys.sealing:
            raise KeyMissing(
                f"Key {key_id} is not in the keyring; restore a keyring file that still has it."
            )
        return AESGCM(keys.sealing[key_id])

    def digest_of(self, data: bytes, purpose: str) -> str:
        """Return the keyed digest of something for one purpose, unlike that for any other."""
        key = self._read[1].digest_key(purpose)  # no look at the file: rotation never touches it
        return hashlib.blake2b(data, key=key, digest_size=32).hexdigest()

    def _keys(self) -> _Keys:
        """Return the keys as they stand now: sealing under a retired one would lose a secret."""
        stamp, keys = self._read
        if self._path is None:
            return keys
        with _in_words(self._path):
            now = _stamp(self._path.stat())
        if now != stamp:
            self._read = _load(self._path)
        return self._read[1]

    def _change(self, change: Callable[[_Keys], _Keys]) -> _Keys:
        if self._path is None:
            raise Misconfigured(
                "The keys come from the environment; change them there, and start again."
            )
        with _in_words(self._path), _locked(self._path):
            keys = change(_load(self._path)[1])
            _publish(self._path, keys.text(), by=os.replace)
            _sync_folder(self._path.parent)
        return keys


@dataclass(frozen=True)
class _Keys:
    active: str
    sealing: Mapping[str, bytes] = field(repr=False)
    digest: bytes = field(repr=False)
    purposes: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def digest_key(self, purpose: str) -> bytes:
        key = self.purposes.get(purpose)
        if key is None:
            key = hashlib.blake2b(purpose.encode(), key=self.digest).digest()
            self.purposes[purpose] = key  # as many as the house has: each a constant of its code
        return key

    @classmethod
    def fresh(cls) -> _Keys:
        return cls("", {}, secrets.token_bytes(KEY_BYTES)).grown()

    def grown(self) -> _Keys:
        key = secrets.token_bytes(KEY_BYTES)
        return replace(
            self, active=_fingerprint(key), sealing={**self.sealing, _fingerprint(key): key}
        )

    def without(self, key_id: str) -> _Keys:
        return replace(self, sealing={i: k for i, k in self.sealing.items() if i != key_id})

    def text(self) -> str:
        sealing = {key_id: _to_text(key) for key_id, key in self.sealing.items()}
        form = {"form": _FORM, "active": self.active, "sealing": sealing}
        return json.dumps({**form, "digest": _to_text(self.digest)}, indent=2) + "\n"

    @classmethod
    def parse(cls, text: str, source: str) -> _Keys:
        keys = None
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            form = json.loads(text)
            sealing = {key_id: _from_text(key) for key_id, key in form["sealing"].items()}
            sound = all(_fingerprint(key) == key_id for key_id, key in sealing.items())
            if sound and form["form"] == _FORM and form["active"] in sealing:
                keys = cls(form["active"], sealing, _from_text(form["digest"]))
        # Raised out here, so that no parser's error, which holds the text, hangs on to ours.
        if keys is None:
            raise Misconfigured(
                f"{source} is not a keyring, or is damaged; restore it from a copy."
            )
        return keys


def _fingerprint(key: bytes) -> str:
    return hashlib.blake2b(key, digest_size=KEY_ID_BYTES, person=b"bahi key id").hexdigest()


def _to_text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _from_text(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key


def _load(path: Path) -> tuple[_Stamp, _Keys]:
    with _in_words(path), path.open("rb") as file:
        status = os.fstat(file.fileno())  # of what is read, whatever the name points to by now
        if status.st_mode & 0o077:
            raise Misconfigured(f"Others can read the keyring; close it with: chmod 600 {path}")
        text = file.read(_LARGEST_FILE_BYTES).decode(errors="replace")
    return _stamp(status), _Keys.parse(text, str(path))


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode


def _publish(path: Path, text: str, *, by: Callable[[Path, Path], None]) -> None:
    """Write a whole file of mode 600 under another name, then give it its own: all or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # O_EXCL, mode 600
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        by(new, path)
    finally:
        new.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one change at a time; on a file beside it, since the keyring's own is replaced."""
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # held for a read and a write; ends with its process
        yield
    finally:
        os.close(handle)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise Misconfigured(
            f"There is no keyring at {path}; put it back from a copy: without it, what is sealed"
            " stays sealed."
        ) from None
    except OSError as fault:
        raise Misconfigured(f"The keyring {path} cannot be used: {fault.strerror}.") from None
