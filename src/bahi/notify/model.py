"""An alert: what somebody must look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bahi.kernel.errors import Invalid
from bahi.kernel.redaction import redact, redact_text

MESSAGE_AT_MOST: Final = 1_000
NAME_AT_MOST: Final = 200


class Severity(StrEnum):
    """How urgent an alert is, the least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why an alert is raised. Of one topic one alert is open; without a topic each is its own."""

    severity: Severity
    source: str
    message: str
    topic: str | None = None
    user_id: int | None = None
    account_id: int | None = None
    details: Mapping[str, Any] | None = None

    def checked(self) -> Cause:
        """Return the cause as it is kept: bounded, without secrets; the account in the details."""
        if not self.message.strip() or not self.source.strip():
            raise Invalid("An alert says where it comes from and what is the matter.")
        details = dict(redact(self.details or {}))
        if self.account_id is not None:
            details["account_id"] = str(self.account_id)  # as ids are written in JSON
        return Cause(
            severity=Severity(self.severity),
            source=redact_text(self.source)[:NAME_AT_MOST],
            message=redact_text(self.message)[:MESSAGE_AT_MOST],
            topic=self.topic[:NAME_AT_MOST] if self.topic else None,
            user_id=self.user_id,
            account_id=self.account_id,
            details=details or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it stands."""

    id: int
    severity: Severity
    source: str
    message: str
    details: Any
    account_id: int | None
    user_id: int | None
    topic: str | None
    times: int
    raised_at: datetime
    last_raised_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    @property
    def is_open(self) -> bool:
        """Whether nobody has taken it on yet."""
        return self.acknowledged_at is None
