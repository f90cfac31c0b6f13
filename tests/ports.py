"""Ports for servers that tests start, stop, kill and start again under the same address."""

from __future__ import annotations

import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
BELOW_EPHEMERAL: Final = range(20_000, 30_000)
"""Not among the ports that the kernel gives to outgoing connections: a client that knocks at a
stopped server again and again would in time be given the server's own port and talk to itself."""

_claims: dict[int, socket.socket] = {}


def reserve_port() -> int:
    """Take a port of the loopback that no other test process takes until it is released."""
    for port in random.sample(BELOW_EPHEMERAL, len(BELOW_EPHEMERAL)):
        if _reserved(port):
            return port
    raise RuntimeError("every port from 20000 to 29999 is taken")


def release_port(port: int) -> None:
    """Give a port back; once more is no harm."""
    if claim := _claims.pop(port, None):
        claim.close()


def _reserved(port: int) -> bool:
    """Claim the port by an abstract socket of its name: no file is left if we are killed."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0bahi-test-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True
