"""Real programs on Linux's TCP under every fault."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

import pytest

from tests.breaker.running import broken, needs_kernel, outcomes, program, report_of
from tests.link.rights import every_device
from tests.second_try import first_try
from tulpen.breaker.report import Result
from tulpen.faults.catalogue import FAULTS
from tulpen.faults.http import Framing
from tulpen.show.ladder import Side
from tulpen.tcp.state import State

pytestmark = needs_kernel
EVERYTHING = [fault.name for fault in FAULTS if fault.name != "healthy"]
GONE = [
    "never-accepted",
    "half-open-after-handshake",
    "half-open-after-request",
    "half-open-mid-response",
    "fin-never",
    "zero-window-forever",
    "mtu-black-hole",
    "syn-unanswered",
]


FETCH = ("curl", "-sS", "-m", "8", "{url}")


@pytest.fixture(scope="module")
def together() -> dict[str, Result]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return broken(EVERYTHING, *FETCH, deadline=30)


@pytest.fixture
def curl(request: pytest.FixtureRequest, together: dict[str, Result]) -> Callable[[str], Result]:
    """What became of curl under a fault."""

    def become(name: str) -> Result:
        return together[name] if first_try(request) else broken([name], *FETCH, deadline=30)[name]

    return become


CURL = {
    "healthy": 0,
    "syn-unanswered": 28,
    "refused": 7,
    "syn-ack-late": 0,
    "never-accepted": 28,
    "no-options": 0,
    "ports-exhausted": 7,
    "half-open-after-handshake": 28,
    "half-open-after-request": 28,
    "half-open-mid-response": 28,
    "idle-gone-silent": 0,
    "idle-gone-rst": 0,
    "rst-on-request": 56,
    "rst-at-byte": 56,
    "rst-after-response": 0,
    "rst-wrong-seq": 0,
    "fin-at-byte": 18,
    "fin-never": 28,
    "half-close": 0,
    "close-race": 0,
    "zero-window-forever": 28,
    "zero-window-a-while": 0,
    "byte-at-a-time": 0,
    "loss": 0,
    "reordering": 0,
    "duplication": 0,
    "delay": 0,
    "corrupted-checksums": 0,
    "mtu-black-hole": 28,
}


@pytest.mark.parametrize("name", CURL)
def test_curl(curl: Callable[[str], Result], name: str) -> None:
    result = curl(name)
    assert result.status == CURL[name], result.last_words
    assert result.outcome.value == ("error" if CURL[name] else "ok")
    assert not result.found


@pytest.mark.parametrize(
    "name", [name for name in EVERYTHING if name not in ("idle-gone-silent", "idle-gone-rst", "close-race")]
)
def test_curl_has_met_the_fault(curl: Callable[[str], Result], name: str) -> None:
    assert curl(name).met


def test_the_kernels_states_are_the_kernels(curl: Callable[[str], Result]) -> None:
    ladder = curl("healthy").connections[0].ladder
    kernel = [standing.state for standing in ladder.path(Side.LEFT)]
    assert kernel[:3] == [State.CLOSED, State.SYN_SENT, State.ESTABLISHED]
    assert kernel[-1] is State.TIME_WAIT
    tulpen = [standing.state for standing in ladder.path(Side.RIGHT)]
    assert tulpen == [
        State.LISTEN,
        State.SYN_RECEIVED,
        State.ESTABLISHED,
        State.CLOSE_WAIT,
        State.LAST_ACK,
        State.CLOSED,
    ]


def test_who_closes_first_lingers() -> None:
    result = broken(["refused"], draw=True)["healthy"]  # urllib asks the server to close
    tulpen = [standing.state for standing in result.connections[0].ladder.path(Side.RIGHT)]
    assert tulpen[-2:] == [State.TIME_WAIT, State.CLOSED]


def test_pythons_own_client() -> None:
    seen = outcomes(
        broken([*GONE, "idle-gone-silent", "idle-gone-rst", "close-race", "half-close", "fin-at-byte"], deadline=8)
    )
    assert seen.pop("healthy") == "ok"
    assert {name for name, outcome in seen.items() if outcome == "hang"} == {*GONE, "idle-gone-silent"}
    assert {name for name, outcome in seen.items() if outcome == "error"} == {
        "idle-gone-rst",
        "close-race",
        "half-close",
        "fin-at-byte",
    }


def test_a_hang_is_seen_where_it_hangs() -> None:
    result = broken(["half-open-after-request"], deadline=5)["half-open-after-request"]
    path = [standing.state for standing in result.connections[0].ladder.path(Side.LEFT)]
    assert path == [State.CLOSED, State.SYN_SENT, State.ESTABLISHED]  # and not what its being killed led to
    assert result.status is None
    assert result.seconds >= 5


def test_silent_truncation_is_wrong() -> None:
    results = broken(["fin-at-byte", "rst-at-byte", "fin-at-byte:bytes=0"], *program("naive", "{host}", "{port}"))
    assert outcomes(results) == {
        "healthy": "ok",
        "fin-at-byte": "wrong",
        "rst-at-byte": "error",
        "fin-at-byte:bytes=0": "wrong",
    }
    assert "of 100000 bytes" in results["fin-at-byte"].last_words


@pytest.mark.parametrize(("framing", "outcome"), [(Framing.CHUNKED, "error"), (Framing.UNTIL_CLOSE, "wrong")])
def test_even_a_careful_client_needs_to_be_told_the_end(framing: Framing, outcome: str) -> None:
    script = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())"
    results = broken(["fin-at-byte"], sys.executable, "-I", "-c", script, "{url}", framing=framing)
    assert outcomes(results) == {"healthy": "ok", "fin-at-byte": outcome}


def test_what_is_written_to_a_file_counts() -> None:
    command = ("sh", "-c", " ".join(program("naive", "{host}", "{port}")) + " > {out}")
    assert outcomes(broken(["fin-at-byte"], *command))["fin-at-byte"] == "wrong"


def test_a_client_that_retries_comes_through() -> None:
    faults = [
        "idle-gone-rst",
        "idle-gone-silent",
        "close-race",
        "half-close",
        "rst-on-request:times=2",
        "rst-at-byte:times=1",
    ]
    results = broken(faults, *program("retrying", "{host}", "{port}", "2"), deadline=30)
    assert set(outcomes(results).values()) == {"ok"}
    assert all(result.met for name, result in results.items() if name != "healthy")


def test_a_program_that_never_says_the_same_is_not_called_wrong() -> None:
    naive = " ".join(program("naive", "{host}", "{port}"))
    report = report_of(["fin-at-byte"], "sh", "-c", f"{naive} | sha256sum; cat /proc/sys/kernel/random/uuid")
    assert outcomes({each.choice.spelling: each for each in report.results})["fin-at-byte"] == "ok"
    assert "something else each time" in report.notes[0]


def test_ipv6() -> None:
    results = broken(["rst-at-byte", "fin-at-byte", "no-options"], *program("naive", "{host}", "{port}"), family=6)
    assert outcomes(results) == {"healthy": "ok", "rst-at-byte": "error", "fin-at-byte": "wrong", "no-options": "ok"}


@every_device
def test_every_device(device: str) -> None:
    results = broken(
        ["rst-at-byte", "corrupted-checksums", "loss"], *program("naive", "{host}", "{port}"), device=device
    )
    assert outcomes(results) == {"healthy": "ok", "rst-at-byte": "error", "corrupted-checksums": "ok", "loss": "ok"}


def test_an_upload_meets_a_closed_window() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    command = ("sh", "-c", "head -c 300000 /dev/zero | curl -sS -m 8 --data-binary @- {url}")
    results = broken(["zero-window-a-while", "zero-window-forever", "mtu-black-hole", "loss"], *command, deadline=30)
    assert outcomes(results) == {
        "healthy": "ok",
        "zero-window-a-while": "ok",
        "zero-window-forever": "error",
        "mtu-black-hole": "error",
        "loss": "ok",
    }
    assert results["healthy"].stdout is not None
    assert results["healthy"].stdout.text.startswith("received 300000 octets")
