"""The witness: every seal, written down in a file beside the databases.

A trail that is cut off at its end has no gap to show; its seals in this file have. Each line bears
a digest by our key, so that nobody else writes one. A file that grows past its bound keeps its
newer half, which is far more than is ever sealed between two verifications.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bahi.audit.model import Finding, Seal
from bahi.kernel.crypto import Vault

PURPOSE: Final = "audit.witness"
LARGEST_BYTES: Final = 4 << 20
PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Seen:
    """A line of the witness; `seal_no` is None where it is none of ours."""

    seal_no: int | None
    digest: str


class Witness:
    """What a folder has seen of one store's seals."""

    def __init__(self, folder: Path, store: str, vault: Vault) -> None:
        self.path = folder / "seals" / store
        self._store, self._vault = store, vault

    def keep(self, seal: Seal) -> None:
        """Write a seal down, for good; several processes may at once."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        said = f"{seal.seal_no} {seal.digest} {seal.sealed_at}"
        line = f"{said} {self._mark(said)}\n".encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        try:
            os.write(handle, line)
            os.fsync(handle)
            large = os.fstat(handle).st_size > LARGEST_BYTES
        finally:
            os.close(handle)
        if large:
            self._keep_newer_half()

    def _mark(self, said: str) -> str:
        return self._vault.digest(f"{self._store} {said}", PURPOSE)

    def _keep_newer_half(self) -> None:
        lines = self.path.read_bytes().splitlines(keepends=True)
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(handle, "wb") as file:
            file.writelines(lines[len(lines) // 2 :])
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)

    def seen(self) -> Iterator[Seen]:
        """Yield every seal that was written down; nothing where there is no file."""
        try:
            lines = self.path.read_text("utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            said, _, mark = line.rpartition(" ")
            number, _, rest = said.partition(" ")
            if mark != self._mark(said) or not number.isdecimal():
                yield Seen(None, "")
            else:
                yield Seen(int(number), rest.partition(" ")[0])

    def newest(self) -> Seen | None:
        """Return the seal that was written down last, for who keeps a copy elsewhere."""
        ours = [it for it in self.seen() if it.seal_no is not None]
        return ours[-1] if ours else None

    def notes(self, chain: Sequence[Seal]) -> list[str]:
        """Say from when on the file can tell anything."""
        first = next((it.seal_no for it in self.seen() if it.seal_no is not None), None)
        if first is None or not chain or chain[0].seal_no == first:
            return []
        note = (
            f"The file {self.path.name} in the folder seals begins with seal {first}; an end that "
            "was cut off before that cannot be told."
        )
        return [note]

    def findings(self, chain: Sequence[Seal]) -> list[Finding]:
        """Compare what was seen with what is there now."""
        lines = list(self.seen())
        if not lines:
            return [self._missing()] if chain else []
        return [*self._forged(lines), *self._gone(lines, chain)]

    def _missing(self) -> Finding:
        sentence = (
            f"The file {self.path.name} in the folder seals, in which every seal is written down, "
            "is not there; without it an end that was cut off cannot be told."
        )
        return Finding("witness missing", None, None, sentence)

    def _forged(self, lines: Iterable[Seen]) -> Iterator[Finding]:
        forged = sum(it.seal_no is None for it in lines)
        if forged:
            sentence = (
                f"{forged} lines of the file {self.path.name} in the folder seals are not ours: it "
                "was changed."
            )
            yield Finding("witness forged", None, None, sentence)

    def _gone(self, lines: Iterable[Seen], chain: Sequence[Seal]) -> Iterator[Finding]:
        there = {(seal.seal_no, seal.digest) for seal in chain}
        gone = [it for it in lines if it.seal_no and (it.seal_no, it.digest) not in there]
        if gone:
            more = f" and {len(gone) - 1} after it" if len(gone) > 1 else ""
            sentence = (
                f"Seal {gone[0].seal_no}{more}, written down in the file {self.path.name} in the "
                "folder seals, is not in the trail: its end was cut off or replaced."
            )
            yield Finding("tail cut", gone[0].seal_no, None, sentence)
