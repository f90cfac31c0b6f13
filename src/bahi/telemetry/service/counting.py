"""What this process counted since it started, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from bahi.db.stores import Store
from bahi.telemetry.model import CallEntry

NAMES_AT_MOST: Final = 500
THE_REST: Final = "(others)"
SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Numbers:
    """What this process counted since it started, for /metrics; a registry of its own."""

    def __init__(self, stores: Iterable[Store] = ()) -> None:
        self._registry = prometheus.CollectorRegistry()
        self._calls = prometheus.Counter(
            "bahi_broker_calls",
            "Calls to brokers.",
            ("broker", "operation", "outcome"),
            registry=self._registry,
        )
        self._call_s = prometheus.Histogram(
            "bahi_broker_call_seconds",
            "How long calls to brokers took.",
            ("broker", "operation"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._requests = prometheus.Counter(
            "bahi_requests", "Requests to our doors.", ("route", "status"), registry=self._registry
        )
        self._request_s = prometheus.Histogram(
            "bahi_request_seconds",
            "How long our answers took.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Dropped(tuple(stores)))
        self._known: set[tuple[str, ...]] = set()

    def count_call(self, call: CallEntry) -> None:
        """Count a call to a broker."""
        broker, operation = self._bounded(call.broker or "", call.operation)
        outcome = "ok" if call.success else str(call.status_code or "no_answer")
        self._calls.labels(broker, operation, outcome).inc()
        self._call_s.labels(broker, operation).observe(call.duration_us / 1e6)

    def count_request(self, route: str, status: int, took_s: float) -> None:
        """Count a request; `route` is the template of its path, never the path itself."""
        (route,) = self._bounded(route)
        self._requests.labels(route, str(status)).inc()
        self._request_s.labels(route).observe(took_s)

    def text(self) -> tuple[bytes, str]:
        """Return what Prometheus reads, and its content type."""
        return prometheus.generate_latest(self._registry), prometheus.CONTENT_TYPE_LATEST

    def _bounded(self, *names: str) -> tuple[str, ...]:
        """Keep a stranger from making us remember without end."""
        if names not in self._known:
            if len(self._known) >= NAMES_AT_MOST:
                return (THE_REST,) * len(names)
            self._known.add(names)
        return names


class _Dropped(Collector):
    """Reads from the stores themselves how many rows were dropped."""

    def __init__(self, stores: tuple[Store, ...]) -> None:
        self._stores = stores

    def collect(self) -> Iterator[CounterMetricFamily]:
        rows = CounterMetricFamily("bahi_dropped", "Rows that were dropped.", labels=("store",))
        for store in self._stores:
            rows.add_metric((store.name,), store.dropped)
        yield rows
