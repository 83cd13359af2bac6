"""What is told equals what happened: hosts in virtual time, whose own traces are the truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.capture.made import Made, path
from tests.faults.staging import GET, GET_AND_CLOSE, play
from tests.sim.pair import MS, both, short
from tulpen.capture.reading import Reading, read
from tulpen.capture.record import Connection
from tulpen.faults.catalogue import FAULTS
from tulpen.sim.application import Conversation
from tulpen.sim.capture import Capture
from tulpen.sim.conversations import Echo, Requester, Responder, Sink, Source
from tulpen.sim.filters import Duplication, Loss, Reordering
from tulpen.sim.world import World


class Aborts(Responder):
    """Resets the connection on the first request."""

    def took(self, data: bytes | memoryview, now: int) -> None:
        super().took(data, now)
        self.socket.abort(now)
        self.closed = True


class Closes(Responder):
    """Closes for good on the first request, though more will come."""

    def took(self, data: bytes | memoryview, now: int) -> None:
        super().took(data, now)
        self.close(now)


TALKS: dict[str, tuple[Callable[[], Conversation], Callable[[], Conversation]]] = {
    "requests": (lambda: Requester(3), Responder),
    "upload": (lambda: Source(60_000), Sink),
    "echo": (lambda: Source(30_000), Echo),
    "download": (Sink, lambda: Source(50_000)),
    "abort": (lambda: Requester(2), Aborts),
    "close": (lambda: Requester(2), Closes),
}


def knowable(states: list[str]) -> list[str]:
    """A LISTEN is the listener's, and nobody sees 2 MSL pass."""
    states = [state for state in states if state != "LISTEN"]
    return states[:-1] if states[-2:] == ["TIME-WAIT", "CLOSED"] else states


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", TALKS)
def test_both_paths_on_a_bad_network_seen_from_either_end(name: str, seed: int, tmp_path: Path) -> None:
    loss = (0.0, 0.05, 0.15, 0.3)[seed % 4]
    bad = both(
        short, lambda c: Loss(c, loss), lambda c: Reordering(c, 0.1 * (seed // 4), 15 * MS),
        lambda c: Duplication(c, 0.1 * (seed // 4), 5 * MS),
    )  # fmt: skip
    client, server = TALKS[name]
    made = Made(tmp_path, client(), server, there=bad, back=bad, seed=seed).run()
    for where in ("client", "server"):
        rows = made.read(where).connections
        if not rows:
            continue  # every SYN was lost on its way there
        (row,) = rows
        told = {"client": path(row.client_path), "server": path(row.server_path)}
        for end, states in told.items():
            # What was lost on its way from the far end was not captured: there the last moves may be missing.
            if end == where or not loss:
                assert knowable(states) == knowable(made.truth(end)), where


def test_both_close_at_once(tmp_path: Path) -> None:
    made = Made(tmp_path, Source(2_000), lambda: Source(2_000)).run()
    for where in ("client", "server"):
        (row,) = made.read(where)
        assert knowable(made.truth("server")) == knowable(path(row.server_path))
        assert knowable(made.truth("client")) == knowable(path(row.client_path))
        together = "CLOSING" in (*made.truth("client"), *made.truth("server"))
        assert (row.ended == "closed-together") == together


def captured(folder: Path, fault: str, questions: int = 1, *, closing: bool = True) -> dict[str, Reading]:
    """What the captures of both ends tell of a fault."""
    captures: dict[str, Capture] = {}

    def before(world: World) -> None:
        for each in world.interfaces:
            captures[each.name] = Capture(each, folder / f"{each.name}.pcapng", epoch=10**18)
            world.taps.append(captures[each.name])

    question = GET_AND_CLOSE if closing else GET
    play(fault, question=question, questions=questions, seconds=400, before=before)
    for capture in captures.values():
        capture.close()
    return {name: read(folder / f"{name}.pcapng") for name in captures}


# opened, ended, by, cause, TIME-WAIT: as the client's capture shows them
VERDICTS = {
    "healthy": ("normal", "closed", "server", "", "server"),
    "syn-unanswered": ("unanswered", "unanswered", "", "", ""),
    "refused": ("refused", "refused", "server", "closed-port", ""),
    "syn-ack-late": ("normal", "closed", "server", "", "server"),
    "never-accepted": ("normal", "open", "", "", ""),
    "no-options": ("normal", "closed", "server", "", "server"),
    "half-open-after-handshake": ("normal", "silent", "server", "", ""),
    "half-open-after-request": ("normal", "open", "", "", ""),
    "half-open-mid-response": ("normal", "open", "", "", ""),
    "idle-gone-silent": ("normal", "silent", "server", "", ""),
    "idle-gone-rst": ("normal", "reset", "server", "forgotten", ""),
    "rst-on-request": ("normal", "reset", "server", "unread-data", ""),
    "rst-at-byte": ("normal", "reset", "server", "abort", ""),
    "rst-after-response": ("normal", "reset", "server", "abort", ""),
    "rst-wrong-seq": ("normal", "closed", "server", "", "server"),
    "fin-at-byte": ("normal", "closed", "server", "", "server"),
    "fin-never": ("normal", "open", "", "", ""),
    "zero-window-forever": ("normal", "open", "", "", ""),
    "zero-window-a-while": ("normal", "closed", "server", "", "server"),
    "byte-at-a-time": ("normal", "closed", "server", "", "server"),
    "loss": ("normal", "closed", "server", "", "server"),
    "reordering": ("normal", "closed", "server", "", "server"),
    "delay": ("normal", "closed", "server", "", "server"),
    "corrupted-checksums": ("normal", "closed", "server", "", "server"),
    "mtu-black-hole": ("normal", "open", "", "", ""),
}
KEPT_OPEN = {"idle-gone-rst": 2, "idle-gone-silent": 2}


@pytest.mark.parametrize("name", VERDICTS)
def test_faults(name: str, tmp_path: Path) -> None:
    rows = captured(tmp_path, name, KEPT_OPEN.get(name, 1), closing=name not in KEPT_OPEN)["client"].connections
    row: Connection = rows[0]
    assert (row.opened, row.ended, row.by, row.cause, row.time_wait) == VERDICTS[name]


def test_every_fault_is_one_of_these_or_needs_another_stage() -> None:
    others = {"close-race", "half-close", "ports-exhausted", "duplication"}
    assert {fault.name for fault in FAULTS} - set(VERDICTS) == others


def kinds(reading: Reading) -> set[str]:
    return {finding.kind for finding in reading.findings}


def test_what_the_faults_leave_behind(tmp_path: Path) -> None:
    assert "syn-retries" in kinds(captured(tmp_path, "syn-unanswered")["client"])
    assert "zero-window" in kinds(captured(tmp_path, "zero-window-forever")["client"])
    assert "bad-checksum" in kinds(captured(tmp_path, "corrupted-checksums")["client"])
    hole = captured(tmp_path, "mtu-black-hole")["server"]
    assert "path-mtu-hole" in kinds(hole)
    assert hole.connections[0].ended == "silent"


def test_keep_alives_that_nobody_answers(tmp_path: Path) -> None:
    from tulpen.sim.filters import Cut

    def cut(chance: object) -> Cut:
        return Cut(start=2_000 * MS)

    made = Made(
        tmp_path, Requester(2, pause=10**15), Responder, there=both(short, cut), back=both(short, cut),
        so_keepalive=True, tcp_keepalive_time=60, tcp_keepalive_intvl=5, tcp_keepalive_probes=4,
    ).run(10**12)  # fmt: skip
    (row,) = made.read("client")
    assert (row.ended, row.by, row.cause) == ("reset", "client", "keep-alive")
    assert row.keep_alives == 4
    assert "keep-alives-unanswered" in row.findings


def test_syn_cookies_show(tmp_path: Path) -> None:
    from tests.sim.pair import CLIENT, SERVER
    from tulpen.sim.application import Client, Server, Together
    from tulpen.tcp.config import Settings

    for cookies, expected in ((2, 6), (0, 0)):
        world = World(1)
        clients = Together(*(Client(SERVER, 80, Requester(1), when=n * 170 * MS) for n in range(6)))
        world.station("client", CLIENT, runs=clients)
        world.station("server", SERVER, runs=Server(80, Responder), settings=Settings(tcp_syncookies=cookies))
        capture = Capture(world.interfaces[0], tmp_path / "c.pcapng")
        world.taps.append(capture)
        world.run(5 * 10**9)
        capture.close()
        reading = read(tmp_path / "c.pcapng")
        assert sum("cookie" in row.findings for row in reading) == expected


def test_fast_open_taken_and_refused(tmp_path: Path) -> None:
    from tests.sim.pair import CLIENT, SERVER
    from tulpen.host.host import Host
    from tulpen.sim.application import Server
    from tulpen.sim.station import Station
    from tulpen.tcp.config import Settings, SocketOptions

    for bits, expected in ((0x602, "fast-open"), (1, "normal")):
        world = World(1)
        client = Host([CLIENT], settings=Settings(tcp_fastopen=5), secret=bytes(16))
        world.add("client", client, *client.addresses)
        server = Host([SERVER], settings=Settings(tcp_fastopen=bits), secret=bytes(16))
        listening = Server(80, Responder, options=SocketOptions(tcp_fastopen=8))
        world.add("server", Station(server, listening), *server.addresses)
        capture = Capture(world.interfaces[0], tmp_path / "f.pcapng")
        world.taps.append(capture)
        world.run(10 * MS)
        client.connect(SERVER, 80, world.now, data=bytes(100))
        world.poke()
        world.run(10**9)
        capture.close()
        (row,) = read(tmp_path / "f.pcapng")
        assert row.opened == expected
        assert ("fast-open-refused" in row.findings) == (expected == "normal")
