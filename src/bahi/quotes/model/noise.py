"""Chance that is the same for everybody: bytes drawn from words, and smooth noise made of them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, shake_128
from itertools import pairwise
from typing import Final

HALF: Final = 32_767.5


def drawn(length: int, *words: object) -> bytes:
    """Draw bytes; the same words draw the same ones, on every machine."""
    text = "\x1f".join(map(str, words)).encode()
    if length > blake2b.MAX_DIGEST_SIZE:
        return shake_128(text).digest(length)
    return blake2b(text, digest_size=length).digest()


def signed(two: bytes) -> float:
    """Read two bytes as a number from -1 to 1."""
    return int.from_bytes(two) / HALF - 1


@lru_cache(maxsize=16)
def eased(period: int) -> tuple[float, ...]:
    """Return the weights of the later of two points, on the way from one to the other."""
    return tuple((x := step / period) * x * (3 - 2 * x) for step in range(period))


def lattice(source: bytes) -> list[float]:
    """Read bytes as numbers from -1 to 1, two for each."""
    pairs = zip(source[::2], source[1::2], strict=True)
    return [(high * 256 + low) / HALF - 1 for high, low in pairs]


def smooth(source: bytes, period: int, places: range) -> list[float]:
    """Return the noise at places in a row: eased from each point to the next, one a `period`."""
    weights, begins = eased(period), places.start // period
    ends = (places.stop - 1) // period + 2
    found: list[float] = []
    for one, other in pairwise(lattice(source[2 * begins : 2 * ends])):
        step = other - one
        found += [one + step * weight for weight in weights]
    skipped = places.start - begins * period
    return found[skipped : skipped + len(places)]
