"""The HTTP of all adapters: bytes as given, everything bounded, every call told to the recorder.

A call ends in one of three ways: a Reply; NotSent (not a byte of the request left us); Silent
(something left, and no whole answer came). A secret may stand in a request's query, headers or
body, and in no log, record or exception: the query travels beside the URL that httpx knows.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from bahi.brokers.wire.record import hide, kept_of_answer, kept_of_request, spellings
from bahi.kernel.clock import Clock
from bahi.kernel.errors import Invalid, NotSent, Silent
from bahi.kernel.ports import Application, Call, Recorder
from bahi.kernel.words import BrokerSlug

CONNECT_S: Final = 5.0
WHOLE_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 1_048_576
USER_AGENT: Final = f"bahi/{version('bahi')}"

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

# At DEBUG httpcore writes down an answer's headers, and with them whatever cookie they set.
logging.getLogger("httpcore.http11").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, exactly as it is to be sent.

    `fields` are what the body says, for the record; `secrets` are the values in this request that
    nobody may see, wherever they stand in it and wherever the answer repeats them.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return f"Request({self.operation}: {self.method} {self.path})"

    def with_form(self, fields: Mapping[str, str]) -> Request:
        """Return the request with this form as its body."""
        return self._with(urlencode(fields).encode("ascii"), fields, FORM)

    def with_json(self, fields: Mapping[str, Any], *, compact: bool = False) -> Request:
        """Return the request with this object as its body, spaced as the broker's own SDK does."""
        separators = (",", ":") if compact else (", ", ": ")
        return self._with(json.dumps(fields, separators=separators).encode("ascii"), fields, JSON)

    def _with(self, body: bytes, fields: Mapping[str, Any], content_type: str) -> Request:
        return Request(
            operation=self.operation,
            method=self.method,
            path=self.path,
            query=self.query,
            headers={**self.headers, "Content-Type": content_type},
            body=body,
            fields=fields,
            secrets=self.secrets,
        )


def secrets_of(application: Application, *others: str) -> tuple[str, ...]:
    """Return what nobody may see of a login: all that was registered, and what it carries."""
    return (application.secret, application.pin, application.totp, *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a broker answered: its status, its text, and the text as JSON where it is JSON."""

    status: int
    text: str = field(repr=False)
    is_json: bool
    json: Any = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """What the calls of one account at one broker have in common, wherever they go."""

    broker: BrokerSlug
    recorder: Recorder
    clock: Clock
    account_id: int | None = None
    egress: str | None = None
    connect_s: float = CONNECT_S
    whole_s: float = WHOLE_S
    max_answer_bytes: int = MAX_ANSWER_BYTES

    def to(self, base_url: str) -> Wire:
        """Return the wire to one of the broker's addresses."""
        return Wire(self, safe_address(base_url))


class Wire:
    """Calls of one account to one address, leaving from the account's own egress address.

    Each call has a connection of its own: logins are rare, nothing is left open, and no connection
    that died while idle makes a call ambiguous.
    """

    def __init__(self, wires: Wires, base_url: str) -> None:
        self._wires = wires
        self._base_url = base_url

    def __repr__(self) -> str:
        return f"Wire({self._wires.broker} of account {self._wires.account_id})"

    async def send(self, request: Request) -> Reply:
        """Send the request once and return the answer; record it however it ends."""
        began, started_at = time.perf_counter_ns(), self._wires.clock()
        reply, failure = None, "failed inside"
        try:
            reply = await self._exchange(request)
            failure = ""
        except (NotSent, Silent) as lost:
            failure = f"{lost.code}: {lost}"
            raise
        except asyncio.CancelledError:
            failure = "cancelled"
            raise
        finally:
            took_us = (time.perf_counter_ns() - began) // 1_000
            self._wires.recorder.record(self._call(request, reply, failure, started_at, took_us))
        return reply

    async def _exchange(self, request: Request) -> Reply:
        progress = _Progress()
        try:
            sent = self._build(request, progress)
            async with asyncio.timeout(self._wires.whole_s), self._client() as client:
                answer = await client.send(sent, stream=True)
                try:
                    text = await self._read(answer)
                finally:
                    await answer.aclose()
            is_json, parsed = _parsed(text)
            return Reply(status=answer.status_code, text=text, is_json=is_json, json=parsed)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            lost = self._lost(progress, type(error).__name__)
        # Raised out here, so that httpx's error is no context of it: that holds the request.
        raise lost

    def _build(self, request: Request, progress: _Progress) -> httpx.Request:
        url = httpx.URL(self._base_url + request.path)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **request.headers}
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise ValueError(name)  # a line break here would forge a header
        target = url.raw_path + (b"?" + _query(request) if request.query else b"")
        return httpx.Request(
            request.method,
            url,
            headers=headers,
            content=request.body,
            extensions={"target": target, "trace": progress.note},
        )

    def _client(self) -> httpx.AsyncClient:
        wires = self._wires
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                verify=_trust(), trust_env=False, local_address=wires.egress, retries=0
            ),
            timeout=httpx.Timeout(wires.whole_s, connect=wires.connect_s),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def _read(self, answer: httpx.Response) -> str:
        body = bytearray()
        # Raw: nobody was asked to compress, and what is not unpacked cannot grow.
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > self._wires.max_answer_bytes:
                raise Silent(
                    f"{self._wires.broker} answered with more than"
                    f" {self._wires.max_answer_bytes} bytes; the rest was not read."
                )
        return body.decode("utf-8", "replace")

    def _lost(self, progress: _Progress, how: str) -> NotSent | Silent:
        broker, egress = self._wires.broker, self._wires.egress
        if progress.sent:
            return Silent(
                f"{broker} gave no whole answer ({how}) within {self._wires.whole_s:g} s;"
                " it may or may not have happened."
            )
        leaving = f", and that this machine has the egress address {egress}" if egress else ""
        return NotSent(
            f"{broker} was never reached ({how}); nothing was sent. Check the network{leaving}."
        )

    def _call(
        self,
        request: Request,
        reply: Reply | None,
        failure: str,
        started_at: datetime,
        took_us: int,
    ) -> Call:
        hidden = spellings(request.secrets)
        asked = {
            "query": dict(request.query),
            "headers": dict(request.headers),
            "body": dict(request.fields),
        }
        return Call(
            broker=self._wires.broker,
            operation=request.operation,
            method=request.method,
            path=hide(request.path, hidden),
            started_at=started_at,
            took_us=took_us,
            http_status=reply.status if reply else None,
            failure=failure,
            account_id=self._wires.account_id,
            request=kept_of_request(asked, hidden),
            response=kept_of_answer(reply.text, hidden, is_json=reply.is_json) if reply else {},
        )


class _Progress:
    """Knows whether a byte of the request left."""

    def __init__(self) -> None:
        self.sent = False

    async def note(self, event: str, _info: Mapping[str, Any]) -> None:
        self.sent = self.sent or event.endswith("send_request_headers.started")


@cache
def _trust() -> ssl.SSLContext:
    """Make the one TLS context: certificates and names are always verified."""
    return httpx.create_ssl_context(trust_env=False)


def safe_address(base_url: str) -> str:
    """Return an address that a secret may be sent to."""
    parts = urlsplit(base_url.strip())
    host = parts.hostname or ""
    plain = parts.scheme == "http" and _is_near(host)
    if not host or parts.username or parts.query or parts.fragment:
        raise Invalid("A broker's address is written like https://host or http://127.0.0.1:5000.")
    if parts.scheme != "https" and not plain:
        raise Invalid(f"{host}: a secret is sent in the clear only within the house; use https.")
    return base_url.strip().rstrip("/")


def _is_near(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.is_loopback or (address.is_private and not address.is_link_local)


def _query(request: Request) -> bytes:
    return urlencode(request.query).encode("ascii")


def _parsed(text: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False, None


def _refuse(word: str) -> Any:
    raise ValueError(word)
