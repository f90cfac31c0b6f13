"""Where a request comes from when proxies of ours stand before the house.

Each proxy writes who called it at the right end of `X-Forwarded-For`; what stands further left is
what that caller said of itself. So the header is read from the right, only as far as each that
speaks is trusted, and not at all where the peer is not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from bahi.config.kinds import IPNetwork

FORWARDED_FOR: Final = "X-Forwarded-For"
HOPS_AT_MOST: Final = 32
"""Longer chains of proxies are not followed: whoever they end at is taken for the caller."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(peer: str | None, said: Sequence[str], trusted: Sequence[IPNetwork]) -> str | None:
    """Return who calls: the peer, or whom the trusted proxies before it name."""
    here = address_in(peer or "")
    if here is None or not _is_among(here, trusted):
        return peer
    for hop in reversed(",".join(said).rsplit(",", HOPS_AT_MOST)[-HOPS_AT_MOST:]):
        found = address_in(hop)
        if found is None:
            break  # a proxy that could not say who called it speaks for itself
        here = found
        if not _is_among(here, trusted):
            break
    return str(here)


def address_in(hop: str) -> IPAddress | None:
    """Read the address of one hop: bare or in brackets, its port and its zone left away."""
    said = hop.strip().partition("%")[0]
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        found = ipaddress.ip_address(said)
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found


def _is_among(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    return any(address in network for network in networks)
