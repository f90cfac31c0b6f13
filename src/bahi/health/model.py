"""How the parts of the house are, and how the house is when they are so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bahi.kernel.words import Health


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `details` is for who runs the house, never for strangers."""

    status: Health
    details: str = ""
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A question to one part of the house. Without a vital part the house is unhealthy."""

    name: str
    ask: Callable[[], Awaitable[Finding]]
    vital: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How one part was when it was asked."""

    component: str
    status: Health
    details: str
    response_time_ms: int
    vital: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How all of them were, and so the house."""

    parts: tuple[Looked, ...]

    @property
    def status(self) -> Health:
        """The house: unhealthy with a vital part, degraded where anything is not well."""
        return overall((it.status, it.vital) for it in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One look in the history of a part; `error_count` is how often since it was last well."""

    id: int
    component: str
    status: Health
    checked_at: datetime
    response_time_ms: int | None
    error_count: int
    details: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A part that is not as it was when it was asked before; `before` None: asked first."""

    component: str
    before: Health | None
    after: Health
    details: str

    @property
    def is_bad(self) -> bool:
        """Whether somebody should be told that it became unhealthy."""
        return self.after is Health.UNHEALTHY


def overall(parts: Iterable[tuple[Health, bool]]) -> Health:
    """Say how the house is, from each part's status and whether the house needs it."""
    worst = Health.HEALTHY
    for status, vital in parts:
        if status is Health.UNHEALTHY and vital:
            return Health.UNHEALTHY
        if status is not Health.HEALTHY:
            worst = Health.DEGRADED
    return worst


def graded(value: float, degraded_from: float, unhealthy_from: float) -> Health:
    """Grade a measure of which more is worse."""
    if value >= unhealthy_from:
        return Health.UNHEALTHY
    return Health.DEGRADED if value >= degraded_from else Health.HEALTHY
