"""Real servers on Linux's TCP under bad clients."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.breaker.running import besieged, needs_kernel, program, tulpen_break
from tests.second_try import first_try
from tulpen.breaker.siege.report import SiegeResult
from tulpen.faults.clients.catalogue import CLIENTS

pytestmark = needs_kernel
EVERYTHING = [client.name for client in CLIENTS if client.name != "healthy"]


def siege(bad: list[str]) -> dict[str, SiegeResult]:
    return besieged(bad, *program("steady", "{port}"), seconds=1, patience=5, deadline=60, jobs=6)


@pytest.fixture(scope="module")
def together() -> dict[str, SiegeResult]:
    return siege(EVERYTHING)


@pytest.fixture
def steady(request: pytest.FixtureRequest, together: dict[str, SiegeResult]) -> Callable[[str], SiegeResult]:
    """What became of a server that closes what it has under bad clients."""

    def become(name: str) -> SiegeResult:
        return together[name] if first_try(request) else siege([name])[name]

    return become


@pytest.mark.parametrize("name", ["healthy", *EVERYTHING])
def test_a_server_that_closes_what_it_has(steady: Callable[[str], SiegeResult], name: str) -> None:
    result = steady(name)
    assert result.outcome.value == "ok", result.says
    assert not result.leaks
    assert not result.found
    assert result.before.answered == result.before.asked > 2
    assert result.after.answered == result.after.asked > 2
    assert (result.opened > 50) is (name != "healthy")


def test_sockets_left_behind_are_counted(steady: Callable[[str], SiegeResult]) -> None:
    assert steady("vanished").left["ESTABLISHED"] == 100  # nobody told the server
    assert steady("syn-flood").left["SYN-RECEIVED"] > 20
    assert "CLOSE-WAIT" not in steady("fin-and-never-close").left


def test_a_leak_is_named() -> None:
    results = besieged(
        ["fin-and-never-close:clients=7", "handshakes-no-data:clients=5"],
        *program("leaky", "{port}"),
        seconds=1,
        deadline=60,
    )
    (leak,) = results["fin-and-never-close:clients=7"].leaks
    assert leak.count == 7
    assert leak.owner.startswith("python")
    assert results["fin-and-never-close:clients=7"].left["CLOSE-WAIT"] == 7
    assert results["handshakes-no-data:clients=5"].leaks[0].count == 5
    assert not results["healthy"].found


def test_a_server_that_serves_one_at_a_time_hangs() -> None:
    result = besieged(["handshakes-no-data:clients=3"], *program("one_at_a_time", "{port}"), deadline=60)[
        "handshakes-no-data:clients=3"
    ]
    assert result.outcome.value == "hang"
    assert result.during.gave_up
    assert result.after.answered  # once they had gone


def test_ipv6() -> None:
    server = (sys.executable, "-m", "http.server", "8000", "-b", "::", "-d", str(Path(__file__).parent))
    result = besieged(["connect-and-rst"], *server, seconds=1, patience=5, deadline=60, family=6)["connect-and-rst"]
    assert result.outcome.value == "ok", result.says


def test_a_request_of_ones_own(tmp_path: Path) -> None:
    script = (
        "import socketserver as s\n"
        "class H(s.StreamRequestHandler):\n"
        "    def handle(self):\n"
        "        for line in self.rfile: self.wfile.write(line.upper())\n"
        "s.ThreadingTCPServer(('', 8000), H).serve_forever()\n"
    )
    (tmp_path / "request").write_bytes(b"hello\n")
    done = tulpen_break("--server", "8000", "--seconds", "1", "--json", "--fault", "never-reading:clients=10",
                        "--request", str(tmp_path / "request"), "--", sys.executable, "-c", script)  # fmt: skip
    (result,) = json.loads(done.stdout)["results"]
    assert result["during"]["answered"] == result["during"]["asked"] > 3


def test_what_is_written(tmp_path: Path) -> None:
    page, xml, test = tmp_path / "r.html", tmp_path / "r.xml", tmp_path / "test_pinned.py"
    done = tulpen_break("--server", "8000", "--seconds", "1", "--fault", "fin-and-never-close", "--html", str(page),
                        "--junit", str(xml), "--pin", str(test), "--", *program("leaky", "8000"))  # fmt: skip
    assert done.returncode == 1
    assert "100 sockets in CLOSE-WAIT, never closed by python" in done.stdout
    assert "CLOSE-WAIT" in page.read_text(encoding="utf-8")
    assert 'failures="1"' in xml.read_text(encoding="utf-8")
    assert '"fin-and-never-close": "ok, leaks"' in test.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("command", "deadline", "words"),
    [
        (("sleep", "30"), "1.5", "it listens nowhere"),
        ((sys.executable, "-m", "http.server", "8001"), "6", "it listens on port 8001"),
        ((sys.executable, "-m", "http.server", "8000", "-b", "127.0.0.1"), "6", "another address than 192.0.2.1"),
        (("false",), "60", "ended before it listened (exit 1)"),
    ],
)
def test_no_server_at_all(command: tuple[str, ...], deadline: str, words: str) -> None:
    done = tulpen_break("--server", "8000", "--deadline", deadline, "--fault", "syn-flood", "--", *command)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
