from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from tests.doctor.far import Far, wait_for
from tests.doctor.room import SOON, Room
from tests.link.rights import needs_network
from tulpen.doctor.metrics.gauges import Gauges
from tulpen.doctor.metrics.measure import Kind, Measure
from tulpen.doctor.metrics.movements import Movements
from tulpen.errors import TulpenError
from tulpen.tcp.state import State

pytest.importorskip("prometheus_client", reason="needs prometheus-client")
pytestmark = [pytest.mark.root, pytest.mark.kernel, needs_network]

SERVER = """
import socket, time
server = socket.socket()
server.bind(("192.0.2.1", 8080))
server.listen(5)
kept = [server.accept()[0] for _ in range(2)]
time.sleep(600)
"""


def _busy(room: Room, far: Far) -> None:
    """A listener with two connections in CLOSE-WAIT and three to accept, five ports out of ten in use."""
    room.python(SERVER)
    room.listening(8080)
    first = far.connect(8080, 2)
    far.established(first)
    wait_for(lambda: sum(sock.inode > 0 for sock in room.sockets()) == 3, "they are accepted")
    far.each(first, lambda each, now: each.close(now))
    room.wait_for(State.CLOSE_WAIT, 2)
    far.established(far.connect(8080, 3))
    wait_for(lambda: any(sock.recv_q == 3 for sock in room.sockets()), "three wait")
    room.network.set_sysctl("net.ipv4.ip_local_port_range", "40000 40009")
    room.python(
        "import socket, time; s = [socket.create_connection(('192.0.2.2', 80)) for _ in range(5)]; time.sleep(600)"
    )
    room.wait_for(State.ESTABLISHED, 8)


def _value(measures: list[Measure], name: str, *labels: str) -> float:
    return next(dict(each.points)[labels] for each in measures if each.name == name)


def test_what_is_measured(room: Room, far: Far) -> None:
    _busy(room, far)
    measures = Gauges(lambda: [room], SOON).read()
    assert _value(measures, "sockets", "room", "CLOSE-WAIT") == 2
    assert _value(measures, "sockets", "room", "TIME-WAIT") == 0
    assert _value(measures, "listener_sockets", "room", "192.0.2.1:8080", "CLOSE-WAIT") == 2
    assert _value(measures, "accept_queue", "room", "192.0.2.1:8080") == 3
    assert _value(measures, "accept_queue_limit", "room", "192.0.2.1:8080") == 5
    assert _value(measures, "port_use_ratio", "room") == 0.5
    assert _value(measures, "close_wait_oldest_seconds", "room") > 0
    assert _value(measures, "listen_overflows", "room") == 0
    assert _value(measures, "syn_cookies", "room", "sent") == 0
    assert _value(measures, "opens_active", "room") == 5
    assert not [
        point for each in measures for labels, _ in each.points if "192.0.2.2" in str(labels) for point in labels
    ]
    assert all(set(each.labels) <= {"namespace", "listener", "state", "what", "reason", "check", "severity"}
               for each in measures)  # fmt: skip


def test_what_is_found_is_measured_too(room: Room) -> None:
    room.network.set_sysctl("net.ipv4.tcp_syncookies", 0)
    gauges = Gauges(lambda: [room], SOON)
    assert not next(each for each in gauges.read() if each.name == "findings").points
    found = ("room", "sysctls", "warning")
    wait_for(
        lambda: dict(next(each for each in gauges.read() if each.name == "findings").points).get(found), "a finding"
    )


def test_prometheus_scrapes_it(room: Room, far: Far) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    from tulpen.doctor.metrics.prometheus import serve

    _busy(room, far)
    port, end = serve(Gauges(lambda: [room], SOON), "127.0.0.1", 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
    finally:
        end()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    queue = families["tulpen_tcp_accept_queue"].samples[0]
    assert (queue.labels, queue.value) == ({"namespace": "room", "listener": "192.0.2.1:8080"}, 3.0)
    assert families["tulpen_tcp_listen_overflows"].type == "counter"
    assert families["tulpen_tcp_listen_overflows"].samples[0].name == "tulpen_tcp_listen_overflows_total"


def test_a_port_that_is_taken() -> None:
    from tulpen.doctor.metrics.prometheus import serve

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(TulpenError, match="cannot be served"):
        serve(Gauges(list, SOON), "127.0.0.1", taken.getsockname()[1])


def test_opentelemetry_reads_it(room: Room, far: Far) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from tulpen.doctor.metrics.otlp import observe

    _busy(room, far)
    reader = InMemoryMetricReader()
    end = observe(Gauges(lambda: [room], SOON), reader)
    data = json.loads(reader.get_metrics_data().to_json())  # type: ignore[union-attr]
    end()
    found = {each["name"]: each for each in data["resource_metrics"][0]["scope_metrics"][0]["metrics"]}
    [point] = found["tulpen.tcp.accept_queue"]["data"]["data_points"]
    assert (point["attributes"], point["value"]) == ({"namespace": "room", "listener": "192.0.2.1:8080"}, 3.0)
    assert found["tulpen.tcp.listen_overflows"]["data"]["is_monotonic"]


class _Collector(BaseHTTPRequestHandler):
    """An OTLP collector that keeps what it gets."""

    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        assert self.path == "/v1/metrics"
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_opentelemetry_sends_it(room: Room) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs OpenTelemetry's OTLP exporter")
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    from tulpen.doctor.metrics.otlp import send

    _Collector.bodies.clear()
    with HTTPServer(("127.0.0.1", 0), _Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        end = send(Gauges(lambda: [room], SOON), f"http://127.0.0.1:{server.server_port}", 0.5)
        wait_for(lambda: _Collector.bodies, "it sends")
        end()
        server.shutdown()
        thread.join()
    import gzip

    body = _Collector.bodies[0]
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    sent = ExportMetricsServiceRequest.FromString(body)
    names = {metric.name for metric in sent.resource_metrics[0].scope_metrics[0].metrics}
    assert {"tulpen.tcp.sockets", "tulpen.tcp.listen_overflows", "tulpen.tcp.port_use_ratio"} <= names


def test_a_collector_that_never_answers_is_not_waited_for(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs OpenTelemetry's OTLP exporter")
    from tulpen.doctor.metrics.otlp import send

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "600")
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = send(Gauges(lambda: [room], SOON), f"http://127.0.0.1:{server.getsockname()[1]}", 0.2)
        asked, _ = server.accept()
        with asked:
            ending = threading.Thread(target=end, daemon=True)
            ending.start()
            ending.join(25)  # the SDK would wait for 30 s
            assert not ending.is_alive()


def test_the_command_serves_until_it_is_interrupted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = subprocess.Popen(
        [sys.executable, "-m", "tulpen", "doctor", "--metrics", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_COLOR": "1"},
    )  # fmt: skip
    try:

        def text() -> str:
            assert command.poll() is None, command.stderr.read() if command.stderr else ""
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        wait_for(text, "it serves", 120)
        assert f'tulpen_tcp_listener_sockets{{listener="127.0.0.1:{port}",namespace="",state="ESTABLISHED"}}' in text()
        command.send_signal(signal.SIGINT)
        _, errors = command.communicate(timeout=60)
    finally:
        command.kill()
        command.communicate()
    assert command.returncode == 0, errors
    assert "Traceback" not in errors


def test_transitions_and_resets_are_counted_by_the_kernel_s_reason(room: Room, far: Far) -> None:
    with closing(Movements()) as movements:
        if movements.why_not:
            pytest.skip(f"no tracepoints here: {movements.why_not}")
        far.do(lambda now: [far.host.connect("192.0.2.1", 4000 + port, now) for port in range(10)])
        room.python("import socket; socket.create_connection(('192.0.2.2', 80)).close()")

        def counted() -> bool:
            points = {each.name: dict(each.points) for each in movements.measures()}
            refused = sum(points["resets_sent_by_reason"].values())
            return refused >= 10 and points["transitions"].get(("SYN-SENT", "ESTABLISHED"), 0) >= 1

        wait_for(counted, "they are counted")
        names = {each.name: each for each in movements.measures()}
    assert dict(names["trace_events_lost"].points).keys() == {()}
    assert names["transitions"].labels == ("from", "to")
    assert {each.kind for each in names.values()} == {Kind.COUNTER}
