"""Sends the numbers by OpenTelemetry, through its own SDK and exporter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tulpen.doctor.metrics.measure import PREFIX, Kind, Measure
from tulpen.doctor.metrics.prometheus import EXTRA
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics.export import MetricReader

    from tulpen.doctor.metrics.gauges import Gauges

_PATIENCE: Final = 3000  # ms for what is still to be sent when it ends: a collector that is gone takes it never


def send(gauges: Gauges, url: str, interval: float) -> Callable[[], None]:
    """Send every ``interval`` seconds to an OTLP collector over HTTP; return what ends it.

    Raises TulpenError without the libraries.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    except ImportError:
        raise TulpenError("--otlp needs opentelemetry-sdk and its OTLP exporter", EXTRA) from None
    endpoint = url if url.rstrip("/").endswith("/v1/metrics") else url.rstrip("/") + "/v1/metrics"
    return observe(
        gauges,
        PeriodicExportingMetricReader(OTLPMetricExporter(endpoint), export_interval_millis=interval * 1000),
    )


def observe(gauges: Gauges, reader: MetricReader) -> Callable[[], None]:
    """Let a reader of the SDK see the numbers; return what ends it."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.resources import Resource

    provider = MeterProvider([reader], resource=Resource.create({"service.name": "tulpen"}), shutdown_on_exit=False)
    meter = provider.get_meter("tulpen.doctor")
    for measure in gauges.read():
        name = (PREFIX + measure.name).replace("_", ".", 2)
        make: Any = meter.create_observable_counter if measure.kind is Kind.COUNTER else meter.create_observable_gauge
        make(name, [_asked(gauges, measure.name)], description=measure.help)
    return partial(provider.shutdown, timeout_millis=_PATIENCE)


def _asked(gauges: Gauges, name: str) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def observations(options: CallbackOptions) -> Iterator[Observation]:
        from opentelemetry.metrics import Observation

        measure: Measure | None = next((each for each in gauges.read() if each.name == name), None)
        for labels, value in measure.points if measure is not None else ():
            yield Observation(value, dict(zip(measure.labels, labels, strict=True)) if measure else {})

    return observations
