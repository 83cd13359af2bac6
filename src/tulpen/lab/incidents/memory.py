"""memory: what one entry costs in each state."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.lab.forge import Memory, segment
from tulpen.lab.ground import Backend
from tulpen.lab.incident import Incident
from tulpen.lab.rows import count
from tulpen.tcp.state import CLOSE_WAIT, ESTABLISHED, SYN_RECEIVED, TIME_WAIT
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, SYN, Segment

if TYPE_CHECKING:
    from tulpen.lab.bench import Lab
    from tulpen.lab.ground import Ground
    from tulpen.lab.machine import Door, Line, Machine
    from tulpen.tcp.state import State
    from tulpen.wire.ip import Packet

SOME, MANY = 200, 50_000  # entries
SLAB: Final = Path("/sys/kernel/slab")
SLABS: Final = {SYN_RECEIVED: "request_sock_TCP", TIME_WAIT: "tw_sock_TCP"}  # all others: TCP
ADDRESS: Final = "192.0.2.1"


def _run(lab: Lab) -> None:
    tracemalloc.start()
    try:
        _compare(lab)
    finally:
        tracemalloc.stop()


def _compare(lab: Lab) -> None:
    entries = MANY if lab.full else SOME
    rows, cost = [], {}
    for state in (SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, TIME_WAIT):
        octets, made = _cost(lab, state, entries)
        lab.claim(f"all entries stand in {state.title}", made == entries, f"{made:,}")
        rows.append((state.title, made, "unknown: slab figures are root's" if octets is None else octets,
                     "" if octets is None else round(octets * 1_000_000 / 1e6)))  # fmt: skip
        cost[state] = octets
    lab.measured("What one entry costs at the server", ("state", "entries", "octets each", "a million, MB"), rows)
    big, small = cost[ESTABLISHED], cost[TIME_WAIT]
    if big is not None and small is not None:
        lab.claim("an entry in TIME-WAIT costs a small part of a connection", 2 * small < big, f"{small:,} and {big:,}")
        lab.fact("TIME-WAIT costs less than half a connection", 2 * small < big)


def _cost(lab: Lab, state: State, entries: int) -> tuple[int | None, int]:
    """Return the octets of one entry, and how many there were."""
    with lab.ground(watch=False) as ground:
        seen = _Answers()
        server = ground.machine(
            "server", ADDRESS, out=seen, tcp_syncookies=0, tcp_max_syn_backlog=2 * entries, somaxconn=2 * entries
        )
        door = server.listen(80, backlog=2 * entries)
        lab.say(f"{entries:,} entries in {state.title}, made by segments from nowhere.")
        ground.run(0.01)
        before = _held()
        if lab.spoiled:
            entries //= 2
        lines = _fill(lab, ground, server, door, seen, state, entries)
        after = _held()
        made = count(server, state)
        lab.look(server, state)
        octets = _slab(state) if lab.backend is Backend.KERNEL else (after - before) // max(made, 1)
        for line in lines:
            line.abort()
    return octets, made


class _Answers(Memory):
    """Keeps the server's last SYN,ACK, and swallows all: nobody is there to take it."""

    def __call__(self, packet: Packet, now: int) -> list[tuple[int, Packet]]:
        if isinstance(packet.payload, Segment) and packet.payload.flags & SYN:
            self.packets = [packet]
        return []


def _fill(
    lab: Lab, ground: Ground, server: Machine, door: Door, seen: _Answers, state: State, entries: int
) -> list[Line]:
    lines = []
    for number in range(entries):
        name = FourTuple(bytes((198, 18, *divmod(number // 60_000 + 257, 256))), 1024 + number % 60_000,
                         address(server.address), 80)  # fmt: skip
        ground.inject(segment(name, SYN, 1, options=Options(mss=1460)))
        if state is SYN_RECEIVED:
            if number % 50 == 49:
                ground.run(0.001)
            continue
        seen.packets.clear()
        ground.until(lambda: bool(seen.packets), 3)
        theirs = seen.segments[-1].seq + 1
        ground.inject(segment(name, ACK, 2, theirs))
        ground.until(lambda: door.waiting > 0, 3)
        line = lab.accept(ground, door)
        _lead(ground, line, name, theirs, state)
        if state is not TIME_WAIT:
            lines.append(line)
        lab.progress(state.title, number + 1, entries)
    ground.run(0.05)
    seen.packets.clear()
    return lines


def _lead(ground: Ground, line: Line, name: FourTuple, theirs: int, state: State) -> None:
    if state is CLOSE_WAIT:
        ground.inject(segment(name, FIN | ACK, 2, theirs))
        ground.until(lambda: line.state is CLOSE_WAIT, 3)
    elif state is TIME_WAIT:
        line.close()
        ground.run(0.0005)
        ground.inject(segment(name, FIN | ACK, 2, theirs + 1))
        ground.until(lambda: line.state is TIME_WAIT, 3)


def _held() -> int:
    """Return the octets that this program has allocated since tracemalloc runs."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _slab(state: State) -> int | None:
    """Return the size of Linux's object for a state, with what the allocator adds."""
    name = SLABS.get(state, "TCP")
    with contextlib.suppress(OSError):
        return int((SLAB / name / "slab_size").read_text())
    return None


INCIDENT = Incident(
    name="memory",
    summary="What one entry costs in each state: SYN-RECEIVED, ESTABLISHED, CLOSE-WAIT, TIME-WAIT.",
    theory=(
        "The states differ in what must be remembered. A request in the SYN queue is a dozen numbers; a connection "
        "has buffers, timers and a history; TIME-WAIT again only needs both sockets, where the numbers stood, and "
        "when it ends (RFC 9293 §3.6.1). So 28,000 entries in TIME-WAIT cost Linux seven megabytes, and as many "
        "CLOSE-WAIT ten times that and a descriptor each.\n\n"
        "tulpen's figures are measured by Python's tracemalloc over all entries; Linux's are the sizes of its slab "
        "objects (only root may read them), without the file and inode that a program's socket has beside."
    ),
    run=_run,
    spoiled="only half of the entries are made",
    inexact="octets are measured",
)
