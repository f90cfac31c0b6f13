"""A conversion on its way: wished, told to the broker, made in the book; or taken back again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bahi.kernel.words import Product
from bahi.portfolio.model.position import Key


class Stage(StrEnum):
    """How far a conversion is.

    TAKING_BACK: the broker made it and the book cannot, so the broker is asked to undo it.
    """

    ASKED = "ASKED"
    MADE = "MADE"
    TAKING_BACK = "TAKING_BACK"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """So much of a position that is to be held as another product; `moves` has its sign.

    `is_carried`: the broker has done it already, so that no want of money keeps the book from it.
    """

    account_id: int
    key: Key
    to: Product
    moves: int
    day: date
    tag: str = ""
    actor: str = ""
    id: int = 0
    stage: Stage = Stage.ASKED
    why: str | None = None
    asked_at: datetime | None = None

    @property
    def is_carried(self) -> bool:
        """Whether the broker decided it."""
        return self.tag.startswith(CARRIED)


CARRIED = "carry/"
"""How the marks of positions begin that a broker carried by itself."""
