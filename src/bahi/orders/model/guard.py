"""What protects the position that an order opens."""

from __future__ import annotations

from dataclasses import dataclass

from bahi.kernel.money import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What protects the position that an order opens: a stop, and perhaps a target.

    `trailing` is the step by which the stop follows a price that moves the right way.
    """

    stop: Price
    target: Price | None = None
    trailing: Price | None = None
