"""The stages of an order's way out, and how long each took."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bahi.kernel.spread import Spread


class Stage(StrEnum):
    """A part of an order's way, from one stamp to the next."""

    TO_THE_WIRE = "intent to wire"
    AT_THE_BROKER = "wire to acknowledgement"
    TO_THE_FIRST_FILL = "acknowledgement to first fill"
    WHOLE = "intent to first fill"


class StageSpread(NamedTuple):
    """How long a stage took."""

    stage: Stage
    spread: Spread
