"""Reading an instrument file in a process of its own: `python -m bahi.brokers.reading BROKER FILE`.

A quarter of a million lines are seconds of Python, and whatever else runs in the same process would
wait for them between any two steps: orders first of all. What is read goes to the parent in pieces,
as fast as it takes them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from bahi.brokers import masters
from bahi.kernel.errors import Unavailable
from bahi.kernel.listings import BadLine, Line, Lines, Listing, NotAMaster, Skipped
from bahi.kernel.words import BrokerSlug

PIECE: Final = 1_000
READ_AHEAD_BYTES: Final = 1 << 22  # some 16,000 lines: the file is read on while they are written
SIZE_BYTES: Final = 4


class Piece(msgspec.Struct, array_like=True):
    """Some lines of a file by their kind; `refusal` says why there are no more."""

    listings: list[Listing] = []
    skipped: list[Skipped] = []
    bad: list[BadLine] = []
    refusal: str | None = None


_decoder: Final = msgspec.msgpack.Decoder(Piece)


async def pieces_of(broker: BrokerSlug, file: Path) -> AsyncIterator[Sequence[Line]]:
    """Yield the lines of a file, in pieces, as another process reads them."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(broker), str(file)),
        stdout=asyncio.subprocess.PIPE,
        limit=READ_AHEAD_BYTES,
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        while (piece := await _next(process.stdout)) is not None:
            lines: list[Line] = [*piece.skipped, *piece.bad, *piece.listings]
            if lines:
                yield lines
            if piece.refusal is not None:
                raise NotAMaster(piece.refusal)
        if await process.wait():
            raise Unavailable("What reads the file ended in the middle; load it again.")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _next(stream: asyncio.StreamReader) -> Piece | None:
    try:
        size = int.from_bytes(await stream.readexactly(SIZE_BYTES))
        return _decoder.decode(await stream.readexactly(size))
    except asyncio.IncompleteReadError:
        return None


def main(broker: str, path: str, to: BinaryIO) -> None:
    """Read a file and write its pieces."""
    encoder = msgspec.msgpack.Encoder()
    with Path(path).open("rb") as file:
        for piece in _pieces(masters()[BrokerSlug(broker)].listings(file)):
            packed = encoder.encode(piece)
            to.write(len(packed).to_bytes(SIZE_BYTES) + packed)
    to.flush()


def _pieces(lines: Lines) -> Iterator[Piece]:
    while True:
        piece = Piece()
        try:
            for line in islice(lines, PIECE):
                _sorted_into(piece, line)
        except NotAMaster as refusal:
            piece.refusal = str(refusal)
        except Exception as fault:  # noqa: BLE001 - whatever a file makes us stumble over, it says so
            piece.refusal = f"The file holds what cannot be read ({type(fault).__name__})."
        if not (piece.listings or piece.skipped or piece.bad or piece.refusal):
            return
        yield piece


def _sorted_into(piece: Piece, line: Line) -> None:
    if isinstance(line, Listing):
        piece.listings.append(line)
    elif isinstance(line, Skipped):
        piece.skipped.append(line)
    else:
        piece.bad.append(line)


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # who asked has gone
        main(sys.argv[1], sys.argv[2], sys.stdout.buffer)
