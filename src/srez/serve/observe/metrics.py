"""Counters for Prometheus."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60)
_BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The metrics of one server.

    Attributes:
        requests: by method, route and status.
        seconds: that requests took, by route.
        batch: pictures that ran together.
    """

    def __init__(self, waiting: Callable[[], int], jobs: Callable[[], Mapping[str, int]]) -> None:
        """Count from zero.

        Args:
            waiting: gives the number of pictures in the queue.
            jobs: gives the number of jobs in each state.
        """
        self._registry = CollectorRegistry(auto_describe=True)
        labels = ["method", "route", "status"]
        self.requests = Counter("srez_requests", "Requests answered", labels, registry=self._registry)
        self.seconds = Histogram(
            "srez_request_seconds", "Time of a request", ["route"], buckets=_SECONDS, registry=self._registry
        )
        self.batch = Histogram(
            "srez_batch_pictures", "Pictures that ran together", buckets=_BATCHES, registry=self._registry
        )
        self._registry.register(_Gauges(waiting, jobs))

    def text(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    """What is looked up only when somebody asks."""

    def __init__(self, waiting: Callable[[], int], jobs: Callable[[], Mapping[str, int]]) -> None:
        self._waiting, self._jobs = waiting, jobs

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("srez_queue", "Pictures waiting", value=self._waiting())
        jobs = GaugeMetricFamily("srez_jobs", "Jobs by state", labels=["state"])
        for state, count in self._jobs().items():
            jobs.add_metric([state], count)
        yield jobs

    def describe(self) -> list[Metric]:
        return []  # or registering would collect
