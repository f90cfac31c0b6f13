"""Who holds a socket: recognised by their key in its first frame, and again every few seconds."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.websockets import WebSocket

from bahi.api.callers import AGENT_AT_MOST, home_of
from bahi.api.proxies import FORWARDED_FOR, address_of
from bahi.bootstrap import House
from bahi.identity.model import Holder, actor_of
from bahi.kernel.actor import Actor

NO_PORT: Final = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}


class Visitor:
    """Where a socket comes from."""

    def __init__(self, house: House, socket: WebSocket) -> None:
        self._house = house
        peer = None if socket.client is None else socket.client.host
        said = socket.headers.getlist(FORWARDED_FOR)
        self.address = address_of(peer, said, house.settings.trusted_proxies)
        self.home = home_of(self.address)
        self._visitor = Actor(
            name="a visitor",
            address=self.address,
            agent=(socket.headers.get("user-agent") or "")[:AGENT_AT_MOST] or None,
            request_id=str(uuid4()),
        )
        self.may_come = _is_ours(house, socket)

    async def holder(self, key: str) -> Holder:
        """Return whose key this is; refuse one that is nobody's."""
        found = await self._house.keys.holder(key, self.home)
        self._house.keys.used(found)
        return found

    def actor(self, holder: Holder) -> Actor:
        """Return the holder of a key as who asks here."""
        return actor_of(holder, self._visitor)


def _is_ours(house: House, socket: WebSocket) -> bool:
    """Say whether a page that opens a socket is of this house; programs name no page.

    No cookie opens anything here, so a strange page could do nothing that its owner could not do
    without a browser. It is refused all the same: none has a reason to knock.
    """
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    try:
        page = urlsplit(origin)
        public = urlsplit(house.settings.address)
    except ValueError:
        return False
    host = socket.headers.get("host", "")
    port = NO_PORT.get(page.scheme, "")
    return page.netloc != "" and (
        page.netloc.removesuffix(port) in {host.removesuffix(port), public.netloc}
    )
