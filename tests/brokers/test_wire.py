"""The HTTP of all adapters: three ways to end, exact bytes, bounds, and nobody in between."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bahi.brokers.wire import Reply, Request, Wires
from bahi.brokers.wire.record import MAX_RECORDED_CHARS
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Invalid, NotSent, Silent
from bahi.kernel.words import BrokerSlug
from tests.brokers.desks import NOW, Calls
from tests.brokers.simulators import Answer, Behaviour, OpenAlgoSimulator
from tests.ports import release_port, reserve_port

ASK = Request(operation="ask", method="POST", path="/ask")
NO_WHOLE_ANSWER = (
    Behaviour.RESET,
    Behaviour.DROP_READ,
    Behaviour.DROP_DONE,
    Behaviour.TRUNCATED,
    Behaviour.HUGE,
    Behaviour.HANG,
    Behaviour.LATE,
)


class Line:
    """A wire to a simulator, and what was told of its calls."""

    def __init__(self) -> None:
        self.calls = Calls()

    def wires(self, **changed: Any) -> Wires:
        """Return wires of this line."""
        given: dict[str, Any] = {
            "broker": BrokerSlug.OPENALGO,
            "recorder": self.calls,
            "clock": StoppedClock(NOW),
            "account_id": 7,
        }
        return Wires(**given | changed)

    def ask(self, url: str, request: Request = ASK, **changed: Any) -> Reply:
        """Send one request."""
        return asyncio.run(self.wires(**changed).to(url).send(request))


@pytest.fixture
def line() -> Line:
    """Hand out a line of the test's own."""
    return Line()


@pytest.fixture
def host() -> Iterator[OpenAlgoSimulator]:
    """Run a host that says yes to everything."""
    with OpenAlgoSimulator([]) as simulator:
        yield simulator


def yes(host: OpenAlgoSimulator, **answer: Any) -> None:
    """Have the host give this answer."""
    host.answer(Answer(**{"body": {"status": "success"}} | answer))


def test_a_host_that_does_not_listen_was_never_reached(line: Line) -> None:
    port = reserve_port()
    try:
        with pytest.raises(NotSent, match="nothing was sent"):
            line.ask(f"http://127.0.0.1:{port}")
    finally:
        release_port(port)
    (call,) = line.calls.all
    assert call.failure.startswith("not_sent: ")
    assert call.http_status is None


def test_a_call_leaves_from_the_accounts_own_address(line: Line, host: OpenAlgoSimulator) -> None:
    yes(host)
    line.ask(host.url, egress="127.0.0.3")
    line.ask(host.url)
    assert [asked.peer for asked in host.requests] == ["127.0.0.3", "127.0.0.1"]


def test_an_address_that_this_machine_has_not_is_named(line: Line, host: OpenAlgoSimulator) -> None:
    with pytest.raises(NotSent, match=r"203\.0\.113\.9"):
        line.ask(host.url, egress="203.0.113.9")
    assert host.requests == []


@pytest.mark.parametrize("how", NO_WHOLE_ANSWER)
def test_what_was_sent_and_not_answered_whole_is_silence(
    how: Behaviour, line: Line, host: OpenAlgoSimulator
) -> None:
    host.behave(how)
    waits: dict[str, Any] = {"whole_s": 1.0} if how in (Behaviour.HANG, Behaviour.LATE) else {}
    with pytest.raises(Silent):
        line.ask(host.url, **waits)
    assert len(host.requests) == 1
    (call,) = line.calls.all
    assert call.failure.startswith("silent: ")


def test_an_answer_that_is_late_and_in_time_is_an_answer(
    line: Line, host: OpenAlgoSimulator
) -> None:
    host.behave(Behaviour.LATE)

    async def story() -> Reply:
        asked = asyncio.create_task(line.wires().to(host.url).send(ASK))
        await asyncio.to_thread(host.wait_for_requests, 1)
        host.release()
        return await asked

    assert asyncio.run(story()).status == 404


def test_a_caller_who_leaves_is_recorded(line: Line, host: OpenAlgoSimulator) -> None:
    host.behave(Behaviour.HANG)

    async def story() -> None:
        asked = asyncio.create_task(line.wires().to(host.url).send(ASK))
        await asyncio.to_thread(host.wait_for_requests, 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    asyncio.run(story())
    assert [call.failure for call in line.calls.all] == ["cancelled"]


def test_the_bytes_are_ours(line: Line, host: OpenAlgoSimulator) -> None:
    yes(host)
    asked = Request(
        operation="ask",
        method="GET",
        path="/a%7Cb",
        query=(("from", "1 2"), ("from", "é&=")),
        headers={"X-Key": "k"},
    )
    line.ask(host.url, asked.with_json({"a": 1, "b": [1, 2]}, compact=True))
    line.ask(host.url, asked.with_json({"a": 1, "b": [1, 2]}))
    first, second = host.requests
    assert first.path == "/a%7Cb"
    assert first.query == (("from", "1 2"), ("from", "é&="))
    assert (first.body, second.body) == (b'{"a":1,"b":[1,2]}', b'{"a": 1, "b": [1, 2]}')
    assert first.header("X-Key") == "k"
    assert not first.header("Accept-Encoding")


def test_a_header_cannot_be_forged(line: Line, host: OpenAlgoSimulator) -> None:
    forged = Request(operation="ask", method="GET", path="/", headers={"X-Key": "k\r\nX-Other: 1"})
    with pytest.raises(NotSent):
        line.ask(host.url, forged)
    assert host.requests == []


def test_a_redirect_is_an_answer_and_is_not_followed(line: Line, host: OpenAlgoSimulator) -> None:
    host.behave(Behaviour.REDIRECT)
    assert line.ask(host.url).status == 302
    assert len(host.requests) == 1


def test_cookies_are_not_kept(line: Line, host: OpenAlgoSimulator) -> None:
    yes(host, headers={"Set-Cookie": "session=1; Path=/"})
    wire = line.wires().to(host.url)

    async def twice() -> None:
        await wire.send(ASK)
        await wire.send(ASK)

    asyncio.run(twice())
    assert [asked.header("Cookie") for asked in host.requests] == ["", ""]


def test_the_environment_puts_nobody_in_between(
    line: Line, host: OpenAlgoSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    yes(host)
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert line.ask(host.url).status == 200
    assert not host.requests[0].header("Authorization")


def test_what_was_not_asked_to_be_packed_is_not_unpacked(
    line: Line, host: OpenAlgoSimulator
) -> None:
    packed = gzip.compress(b'{"status": "success"}' + b" " * 100_000)
    yes(host, body=packed, headers={"Content-Encoding": "gzip"})
    assert not line.ask(host.url).is_json


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ('{"a": 1.10}', True),
        ('{"a": NaN}', False),
        ("[" * 100_000, False),
        ('"text"', True),
        (b"\xff\xfe", False),
    ],
)
def test_only_json_is_json(body: Any, read: bool, line: Line, host: OpenAlgoSimulator) -> None:
    yes(host, body=body)
    assert line.ask(host.url).is_json is read
    assert len(line.calls.all) == 1


def test_a_price_is_read_as_it_was_written(line: Line, host: OpenAlgoSimulator) -> None:
    yes(host, body='{"price": 110.05000000000001}')
    assert str(line.ask(host.url).json["price"]) == "110.05000000000001"
    assert line.calls.all[0].response == {"price": "110.05000000000001"}


def test_of_a_long_answer_the_size_is_kept(line: Line, host: OpenAlgoSimulator) -> None:
    yes(host, body={"status": "success", "data": "x" * MAX_RECORDED_CHARS})
    line.ask(host.url)
    assert list(line.calls.all[0].response) == ["characters"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "api.kite.trade",
        "http://api.kite.trade",
        "http://169.254.169.254",
        "ftp://127.0.0.1",
        "https://a:b@host.example",
        "https://host.example/?a=b",
        "http://8.8.8.8:5000",
    ],
)
def test_a_secret_is_not_sent_in_the_clear_or_to_nowhere(address: str, line: Line) -> None:
    with pytest.raises(Invalid):
        line.wires().to(address)


@pytest.mark.parametrize(
    "address",
    ["https://h.example/x/", "http://localhost:5000", "http://192.168.1.5", "http://[::1]"],
)
def test_within_the_house_plain_http_will_do(address: str, line: Line) -> None:
    assert repr(line.wires().to(address)) == "Wire(openalgo of account 7)"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1 that nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=10))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(pem)
    )
    return file


def test_a_certificate_that_nobody_signed_hears_nothing(line: Line, certificate: Path) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async def story() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(NotSent):
                await line.wires().to(f"https://127.0.0.1:{port}").send(ASK)

    asyncio.run(story())
    assert heard in ([], [b""])


def test_neither_a_wire_nor_a_request_shows_its_secrets(line: Line) -> None:
    secret: Mapping[str, str] = {"Authorization": "canary"}
    asked = Request(
        operation="o", method="GET", path="/", query=(("pin", "canary"),), headers=secret
    ).with_form({"secret": "canary"})
    assert "canary" not in f"{asked!r}{line.wires().to('https://h.example')!r}"
