"""How well a model did on days that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from bahi.kernel.errors import Invalid

SCORES: Final = ("accuracy", "precision_score", "recall_score", "f1_score")
STATUSES: Final = ("pending", "running", "completed", "failed")
ENDED: Final = frozenset({"completed", "failed"})
TEXT_AT_MOST: Final = 2_000
PER_PERCENT: Final = 10_000
"""A stored score is 1/10000 of a percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """One validation run; scores are percentages."""

    id: int
    validation_id: str
    model_type: str | None
    signal_type: str | None
    date_range_start: date | None
    date_range_end: date | None
    status: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    accuracy: Decimal | None = None
    precision_score: Decimal | None = None
    recall_score: Decimal | None = None
    f1_score: Decimal | None = None
    output: Any = None
    error_message: str | None = None
    created_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValidation:
    """A run that is asked for."""

    validation_id: str
    model_type: str | None = None
    signal_type: str | None = None
    date_range_start: date | None = None
    date_range_end: date | None = None

    def check(self) -> None:
        """Refuse a run that has no name, or that ends before it begins."""
        if not 0 < len(self.validation_id.strip()) <= 100:
            raise Invalid("validation_id: a run has a name of 1 to 100 characters.")
        start, end = self.date_range_start, self.date_range_end
        if start and end and end < start:
            raise Invalid(f"date_range_end: {end} is before {start}, the first day.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of a run: where it stands, and when it is done how well the model did."""

    status: str
    scores: Mapping[str, Decimal] | None = None
    output: Any = None
    error_message: str | None = None

    def check(self) -> None:
        """Refuse a word or a score that nobody could read."""
        if self.status not in STATUSES:
            raise Invalid(f"status: {self.status[:40]!r} is not one of {', '.join(STATUSES)}.")
        for name in self.scores or {}:
            if name not in SCORES:
                raise Invalid(f"{name[:40]!r} is no score; the scores are {', '.join(SCORES)}.")


def stored_score(name: str, percent: Decimal | int | str) -> int:
    """Return a percentage as it is stored; what cannot be kept exactly is refused."""
    exact = Decimal(percent) * PER_PERCENT
    if not exact.is_finite() or exact != int(exact) or not 0 <= exact <= 100 * PER_PERCENT:
        raise Invalid(f"{name}: {percent} is no percentage of 0 to 100 with up to 4 decimals.")
    return int(exact)


def score(stored: int | None) -> Decimal | None:
    """Return a stored score as a percentage."""
    return None if stored is None else Decimal(stored) / PER_PERCENT
