"""Counters for Prometheus."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one server.

    Attributes:
        requests: by method, route and status.
        seconds: that requests took, by route.
        batch: pictures that were run together.
    """

    def __init__(self, service: Any) -> None:
        """Count from zero.

        Args:
            service: the `Service` whose queue and jobs are plan at when somebody asks.
        """
        self._service = service
        self._registry = CollectorRegistry(auto_describe=True)
        labels = ["method", "route", "status"]
        self.requests = Counter("srez_requests", "Requests answered", labels, registry=self._registry)
        self.seconds = Histogram(
            "srez_request_seconds", "Time of a request", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self.batch = Histogram(
            "srez_batch_pictures", "Pictures run together", buckets=_BATCHES, registry=self._registry
        )
        self._registry.register(self)  # type: ignore[arg-type]

    def collect(self) -> Iterator[Metric]:
        """What is plan up only when asked, for the registry."""
        yield GaugeMetricFamily("srez_queue", "Pictures waiting", value=len(self._service.queue))
        jobs = GaugeMetricFamily("srez_jobs", "Jobs by state", labels=["state"])
        for state, count in self._service.store.counts().items():
            jobs.add_metric([state], count)
        yield jobs

    def describe(self) -> list[Metric]:
        """Nothing before it is asked, for the registry."""
        return []

    def text(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self._registry)
