"""How Hypothesis draws: the same examples every time, so that a change is what makes a test fail.

``make fuzz`` draws new ones (TULPEN_HYPOTHESIS=fuzz), and more where a test does not say how many.

A shell that runs the tests in the background has them ignore interrupts, and what they
start would too: programs under test are interrupted as a terminal does it.

Where tests run on several processors, those that look at the machine (its kernel's TCP, its namespaces, its
tracepoints, its clock) run on one of them, one after the other; of the others a file stays together.

Two programs and a kernel on a busy machine may do in another order what a test expects in one: such a test, and
one that runs other programs, is run once more if it fails, and the summary tells of it (RERUN), so that its cause is
found.  No other test is.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("TULPEN_HYPOTHESIS", "same"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Folders whose tests have the machine to themselves, as far as tests go.
MACHINE = frozenset(
    {"aio", "benchmarks", "breaker", "cli", "compare", "doctor", "kernel", "lab", "learn", "link", "peers", "watch"}
)
#: What else runs other programs, beside whatever runs already.
PROGRAMS = frozenset(
    {
        "capture/test_archive.py",
        "capture/test_tshark.py",
        "docs",
        "drill/genuine",  # its stand-in is Python, whose threads wait for each other by the means that it replaces
        "show/test_browser.py",
        "tools",
    }
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests stay together (``--dist loadgroup``), and which of them have a second try."""
    here = Path(__file__).parent
    again = config.pluginmanager.hasplugin("rerunfailures") and not config.option.usepdb
    for item in items:
        path = item.path.relative_to(here)
        machine = path.parts[0] in MACHINE or item.get_closest_marker("kernel") is not None
        item.add_marker(pytest.mark.xdist_group("machine" if machine else str(path)))
        programs = {str(path), str(path.parent)} & PROGRAMS
        if again and (machine or programs):
            item.add_marker(pytest.mark.flaky(reruns=1))
