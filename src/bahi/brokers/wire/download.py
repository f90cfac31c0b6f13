"""Fetching a file that a broker publishes: streamed to disk, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import httpx

from bahi.brokers.wire.http import CONNECT_S, USER_AGENT, safe_address
from bahi.kernel.errors import Invalid, TooMuch, Unavailable

READ_S: Final = 60.0  # until the next piece comes
MAX_BYTES: Final = 1 << 29
HTTP_OK: Final = 200
SAID_BYTES: Final = 4_096  # of an answer that is no file, for who knows what it means

Tell = Callable[[int, int | None], object]
"""Is told how many bytes came so far, and of how many if the server said."""


class NoFile(Unavailable):
    """The address answered, but with no file."""

    def __init__(self, sentence: str | None = None, *, status: int = 0, said: bytes = b"") -> None:
        super().__init__(*(() if sentence is None else (sentence,)))
        self.status, self.said = status, said


async def download(
    address: str,
    to: Path,
    *,
    query: Mapping[str, str] | None = None,
    tell: Tell = lambda _came, _of: None,
) -> str:
    """Fetch a file and return its SHA-256; `query` may hold secrets and is told to nobody."""
    url = _checked(safe_address(address) if query else address)
    where = url.netloc.decode()
    try:
        async with (
            httpx.AsyncClient(
                timeout=httpx.Timeout(READ_S, connect=CONNECT_S), trust_env=False
            ) as client,
            client.stream(
                "GET",
                url,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                extensions={"target": _target(url, query)},
            ) as answer,
        ):
            if answer.status_code != HTTP_OK:
                status = answer.status_code
                sentence = f"{where} answered with status {status}, no file."
                raise NoFile(sentence, status=status, said=await _begun(answer))
            return await _kept(answer, to, tell)
    except (httpx.HTTPError, httpx.StreamError, OSError) as lost:
        kind = type(lost).__name__
    raise Unavailable(f"{where} gave no whole file ({kind}); nothing was kept of it. Try again.")


async def _begun(answer: httpx.Response) -> bytes:
    said = b""
    async for piece in answer.aiter_raw():
        said += piece
        if len(said) >= SAID_BYTES:
            break
    return said[:SAID_BYTES]


async def _kept(answer: httpx.Response, to: Path, tell: Tell) -> str:
    said = answer.headers.get("content-length", "")
    of, came, digest = int(said) if said.isdecimal() else None, 0, sha256()
    with to.open("wb") as file:
        async for piece in answer.aiter_raw():
            came += len(piece)
            if came > MAX_BYTES:
                raise TooMuch(f"The file is larger than {MAX_BYTES >> 20} MB; no master is.")
            digest.update(piece)
            file.write(piece)
            tell(came, of)
    return digest.hexdigest()


def _target(url: httpx.URL, query: Mapping[str, str] | None) -> bytes:
    """Put the query beside the URL, which httpx writes into its log."""
    more = urlencode(query or {}).encode("ascii")
    if not more:
        return url.raw_path
    return url.raw_path + (b"&" if b"?" in url.raw_path else b"?") + more


def _checked(address: str) -> httpx.URL:
    parts = urlsplit(address.strip())
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username:
        raise Invalid("An address is written like https://host/path.")
    try:
        return httpx.URL(address.strip())
    except httpx.InvalidURL:
        raise Invalid("An address is written like https://host/path.") from None
