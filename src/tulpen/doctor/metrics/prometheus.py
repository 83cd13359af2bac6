"""Serves the numbers to Prometheus, through its own client library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tulpen.doctor.metrics.measure import PREFIX, Kind, Measure
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from tulpen.doctor.metrics.gauges import Gauges

EXTRA = "pip install 'tulpen[metrics]'"


class Collector:
    """What the client library asks at every scrape."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        for measure in self._gauges.read():
            yield _family(measure)


def serve(gauges: Gauges, address: str, port: int) -> tuple[int, Callable[[], None]]:
    """Serve at ``http://address:port/metrics`` from a thread; return the port, and what ends it.

    Raises TulpenError without the library, or where the port cannot be had.
    """
    try:
        import prometheus_client.core  # noqa: F401 (not by two scrapes at once)
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError:
        raise TulpenError("--metrics needs prometheus-client", EXTRA) from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(gauges))
    try:
        server, thread = start_http_server(port, address or "0.0.0.0", registry)
    except OSError as error:
        raise TulpenError(f"metrics cannot be served on {address}:{port}: {error.strerror}", "another port?") from None

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return int(server.server_address[1]), end


def _family(measure: Measure) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if measure.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(PREFIX + measure.name, measure.help, labels=measure.labels)
    for labels, value in measure.points:
        family.add_metric(labels, value)
    return family
