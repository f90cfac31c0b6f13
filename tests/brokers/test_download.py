"""A file is fetched whole or not at all, from a real server, and its secrets are told to nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from bahi.brokers.wire import download
from bahi.kernel.errors import BahiError, Invalid, Unavailable

CANARY = "canary-c0ffee-of-a-key"
CONTENT = b"line\n" * 10_000


@contextmanager
def publisher(status: int = 200, sent: bytes = CONTENT, said: int | None = None) -> Iterator[str]:
    """Serve one file on loopback; `said` is the length that it claims."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent) if said is None else said))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/master.csv"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_file_comes_whole_with_its_digest_and_its_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with publisher() as address:
        digest = asyncio.run(
            download(address, tmp_path / "it", tell=lambda came, of: told.append((came, of)))
        )
    assert (tmp_path / "it").read_bytes() == CONTENT
    assert digest == sha256(CONTENT).hexdigest()
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    with publisher(said=len(CONTENT) + 1) as address, pytest.raises(Unavailable, match="no whole"):
        asyncio.run(download(address, tmp_path / "it"))


def test_an_error_page_is_no_file(tmp_path: Path) -> None:
    with publisher(status=503) as address, pytest.raises(Unavailable, match="status 503"):
        asyncio.run(download(address, tmp_path / "it"))


@pytest.mark.parametrize("address", ["ftp://host/x", "host/x", "https://", "https://me:pw@host/x"])
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="https://host/path"):
        asyncio.run(download(address, tmp_path / "it"))


def test_a_key_in_the_query_is_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with publisher(status=403) as address, pytest.raises(BahiError) as refused:
        asyncio.run(download(address, tmp_path / "it", query={"apikey": CANARY}))
    assert CANARY not in caplog.text
    chain: BaseException | None = refused.value
    while chain is not None:
        assert CANARY not in repr(chain)
        chain = chain.__cause__ or chain.__context__


def test_a_key_is_not_sent_in_the_clear_beyond_the_house(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="in the clear"):
        asyncio.run(download("http://host.example/x", tmp_path / "it", query={"apikey": CANARY}))
