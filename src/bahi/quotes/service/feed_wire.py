"""What the feed's processes say to each other: short messages, each behind its length."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec

from bahi.kernel.errors import BahiError
from bahi.quotes.model.quote import Quote

HEAD: Final = 4
LARGEST: Final = 4 << 20
"""Bytes of one message; five hundred prices with their books are a tenth of it."""
GREETING: Final = 1 << 10
"""Bytes that one may send who has not said who it is."""
ADDRESS: Final = "feed.json"


class FeedLost(BahiError):
    """The process that has the prices does not answer."""

    code = "feed_lost"


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Who connects knows the token of the data folder."""

    token: str


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Exactly these are followed from now on."""

    instruments: list[int]


class News(msgspec.Struct, frozen=True, tag="news"):
    """Newest prices, and how many were replaced by newer ones before they could be sent."""

    quotes: list[Quote]
    missed: int


class Bye(msgspec.Struct, frozen=True, tag="bye"):
    """The connection ends, and why."""

    reason: str


Said = Hello | Watch
Told = News | Bye

_ENCODER: Final = msgspec.msgpack.Encoder()
_SAID: Final[msgspec.msgpack.Decoder[Said]] = msgspec.msgpack.Decoder(Said)
_TOLD: Final[msgspec.msgpack.Decoder[Told]] = msgspec.msgpack.Decoder(Told)


def framed(message: Said | Told) -> bytes:
    """Write a message for the wire."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(HEAD) + body


async def hear_said(reader: asyncio.StreamReader, at_most: int = LARGEST) -> Said:
    """Read what a follower says; before it said who it is, that is short."""
    body = await _body(reader, at_most)
    try:
        return _SAID.decode(body)
    except msgspec.MsgspecError as fault:
        raise FeedLost(f"A follower says what cannot be read: {fault}.") from None


async def hear_told(reader: asyncio.StreamReader) -> Told:
    """Read what the feed tells."""
    body = await _body(reader)
    try:
        return _TOLD.decode(body)
    except msgspec.MsgspecError as fault:
        raise FeedLost(f"The feed says what cannot be read: {fault}.") from None


async def _body(reader: asyncio.StreamReader, at_most: int = LARGEST) -> bytes:
    try:
        length = int.from_bytes(await reader.readexactly(HEAD))
        if length > at_most:
            raise FeedLost(f"A message of {length:,} bytes is announced.")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError):
        raise FeedLost("The connection to the feed ended.") from None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the feed listens on this machine, and what one has to know to be let in."""

    port: int
    token: str

    def write(self, home: Path) -> None:
        """Put it where the processes of this data folder look, and nobody else can."""
        beside = home / f"{ADDRESS}.{os.getpid()}"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        beside.replace(home / ADDRESS)

    @classmethod
    def read(cls, home: Path) -> Address:
        """Find the feed."""
        try:
            told = json.loads((home / ADDRESS).read_text("utf-8"))
            return cls(int(told["port"]), str(told["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise FeedLost("No process has written down where the feed listens.") from None
