"""The doctor names an incident rightly while it lasts, on the kernel."""

from __future__ import annotations

import threading

import pytest

from tests.link.rights import needs_network
from tulpen.doctor.examine import examine
from tulpen.doctor.finding import Finding
from tulpen.doctor.limits import Limits
from tulpen.doctor.places import of_process
from tulpen.lab.bench import Meanwhile
from tulpen.lab.ground import Backend, Ground
from tulpen.lab.linux import LinuxMachine
from tulpen.lab.machine import Machine
from tulpen.lab.run import run

SECONDS = 1.5  # between the doctor's looks
LIMITS = Limits(close_wait=1.0)  # nobody waits for a leak to be older


@needs_network
@pytest.mark.kernel
@pytest.mark.root
@pytest.mark.parametrize(
    ("incident", "check"),
    [
        ("close-wait", "close-wait"),
        ("zero-window", "zero-window"),
        ("port-exhaustion", "ephemeral-ports"),
        ("accept-queue", "accept-queue"),
        ("syn-flood", "syn-flood"),
    ],
)
def test_it_is_named(incident: str, check: str) -> None:
    found: dict[str, Finding] = {}

    def doctor(machine: Machine, ground: Ground, meanwhile: Meanwhile) -> None:
        assert isinstance(machine, LinuxMachine)
        if check in found:
            return
        place = of_process(machine.network.pid)

        def look() -> None:
            for each in examine([place], seconds=SECONDS, limits=LIMITS).findings:
                found[each.check] = each

        looking = threading.Thread(target=look)
        looking.start()
        while looking.is_alive():
            meanwhile()
            ground.run(0.02)

    run(incident, Backend.KERNEL, doctor=doctor)
    assert check in found
    assert found[check].lab == incident
