"""iperf3 over the kernel's loopback: what the kernel's TCP does where no Python takes part."""

from __future__ import annotations

import json
import shutil
import subprocess

from benchmarks.amount import amount
from benchmarks.case import Reading, Unavailable
from benchmarks.services import congestion_control

OCTETS = 4_000_000_000
PORT = "8201"


def measure(program: str) -> Reading:
    """Move octets from the client to the server ("into") or back; the processor time is the server's."""
    if shutil.which("iperf3") is None:
        raise Unavailable("not there: apt install iperf3")
    octets = amount(OCTETS)
    server = subprocess.Popen(
        ["iperf3", "--server", "--one-off", "--bind", "127.0.0.1", "--port", PORT, "--forceflush"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        while "listening" not in (line := server.stdout.readline()):
            if not line:
                raise Unavailable("iperf3 does not listen here")
        argv = ["iperf3", "--client", "127.0.0.1", "--port", PORT, "--bytes", str(octets), "--json", "--congestion"]
        reverse = ["--reverse"] if program == "out" else []
        done = subprocess.run(
            [*argv, congestion_control(), *reverse], capture_output=True, text=True, timeout=120, check=False
        )
        end = json.loads(done.stdout)["end"]
    finally:
        server.kill()
        server.wait()
    received, percent = end["sum_received"], end["cpu_utilization_percent"]["remote_total"]
    cpu = percent / 100 * received["seconds"] / received["bytes"] * 1e9
    return Reading(received["bits_per_second"] / 8e6, cpu)
