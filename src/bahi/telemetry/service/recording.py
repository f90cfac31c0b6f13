"""Every call to a broker and every request to us, written down."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from bahi.db.stores import Store
from bahi.kernel.ports import Call
from bahi.telemetry import repository
from bahi.telemetry.model import CallEntry, call_by_a_program, call_to_a_broker
from bahi.telemetry.service.chain import Losses
from bahi.telemetry.service.counting import Numbers

log = logging.getLogger("bahi.telemetry")


class CallRecorder:
    """Writes down every call to a broker and every request to us (kernel.ports.Recorder)."""

    def __init__(self, store: Store, numbers: Numbers | None = None) -> None:
        self._store, self._numbers = store, numbers or Numbers((store,))
        self._losses = Losses("calls")

    def record(self, call: Call) -> None:
        """Keep a call to a broker, without waiting and without ever failing the caller."""
        try:
            entry = call_to_a_broker(call, structlog.contextvars.get_contextvars())
            self._numbers.count_call(entry)
            self._keep(entry)
        except Exception:
            log.exception("a call to %s could not be written down", call.broker)

    def record_request(
        self,
        operation: str,
        *,
        started_at: datetime,
        took_us: int,
        status: int,
        user_id: int | None = None,
        request_id: str | None = None,
        account_id: int | None = None,
        request: Mapping[str, Any] | None = None,
        response: Any = None,
        failure: str = "",
    ) -> None:
        """Keep a request to one of our doors; `operation` is its method and route."""
        try:
            entry = call_by_a_program(
                operation,
                started_at=started_at,
                took_us=took_us,
                status=status,
                user_id=user_id,
                request_id=request_id,
                account_id=account_id,
                request=request,
                response=response,
                failure=failure,
            )
            self._numbers.count_request(operation, status, took_us / 1e6)
            self._keep(entry)
        except Exception:
            log.exception("a request could not be written down")

    def _keep(self, entry: CallEntry) -> None:
        if self._store.offer(repository.add_call, entry) and (
            lost := self._losses.to_tell(self._store, entry.started_at)
        ):
            log.warning("%s", lost)
