"""What a backup says of itself, in a small file beside it: `<backup>.facts`.

One line of JSON and, below it, that line's own digest. Whatever bit turns over in the backup or in
its facts, one of the two digests no longer fits.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bahi.kernel.errors import BahiError

LARGEST_FACTS_BYTES: Final = 1 << 20
CHUNK: Final = 1 << 20


class Damaged(BahiError):
    """The backup is not what was written."""

    code = "backup_damaged"


@dataclass(frozen=True)
class Facts:
    """What was true of a store when it was copied, and of the copy."""

    store: str
    kind: str
    version: int
    made_at: int
    rows: dict[str, int]
    size: int
    digest: str

    def text(self) -> str:
        """Return the file's content."""
        line = json.dumps(asdict(self), sort_keys=True)
        return f"{line}\n{_digest_of_line(line)}\n"

    @classmethod
    def read(cls, file: Path) -> Facts:
        """Read the file; what does not fit its own digest, to the byte, is damaged."""
        try:
            with file.open("rb") as source:
                content = source.read(LARGEST_FACTS_BYTES)
        except FileNotFoundError:
            raise Damaged(f"{file.name} is missing, so nobody can say what was saved.") from None
        line, _, _ = content.partition(b"\n")
        sealed = line + b"\n" + _digest_of_line(line.decode(errors="replace")).encode() + b"\n"
        if content != sealed:
            raise Damaged(f"{file.name} is damaged: its checksum does not fit.")
        return cls(**json.loads(line))


def _digest_of_line(line: str) -> str:
    return blake2b(line.encode(), digest_size=32, person=b"bahi facts").hexdigest()


def digest_of(file: Path, also: Callable[[bytes], object] = lambda _: None) -> str:
    """Digest a file's content; `also` sees each chunk as it passes (to copy it)."""
    digest = blake2b(digest_size=32)
    with file.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            also(chunk)
    return digest.hexdigest()


def count_rows(core: sa.Connection) -> dict[str, int]:
    """Count the rows of every table of the store that the connection is in."""
    quote = core.dialect.identifier_preparer.quote
    return {
        table: core.exec_driver_sql(f"SELECT count(*) FROM {quote(table)}").scalar_one()  # noqa: S608 - a table's own name
        for table in sorted(sa.inspect(core).get_table_names())
    }


def version_of(core: sa.Connection, tables: dict[str, int]) -> int:
    """Return the version that the store is at; 0 where it has no history."""
    if "schema_migrations" not in tables:
        return 0
    newest = core.exec_driver_sql("SELECT max(version) FROM schema_migrations").scalar_one()
    return newest or 0
