"""What a connection costs in memory, by what tracemalloc counts between none and many of them."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.case import Case
from benchmarks.pair import CLIENT, MS, PORT, SERVER, Pair
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.host.isn import Numbers
from tulpen.host.packing import Packing
from tulpen.host.ports import Claim
from tulpen.host.time_wait import TimeWaitTable
from tulpen.host.tw_slot import Lingering
from tulpen.link.pipe import pipe
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import Settings
from tulpen.tcp.negotiate import Terms
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address
from tulpen.wire.ip import Packet
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN, Segment

COUNT = 2000
PAGESIZE = resource.getpagesize()
MILLION = 1_000_000
TERMS = Terms(mss=1460, scaling=True, snd_shift=7, rcv_shift=7, sack=True, timestamps=True)
ROOM = Settings(tcp_max_syn_backlog=1 << 20, somaxconn=1 << 20, tcp_syncookies=0, ip_local_port_range=(1024, 65_535))


def grown(build: Callable[[], Any]) -> int:
    """Return the octets that what ``build`` returns has taken."""
    build()  # what is made once, and stays
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = build()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return after - before


def connection() -> float:
    """Open and idle, with its entry in the host's tables; the mean of both ends."""

    def build() -> Any:
        pair = Pair(ROOM)
        return pair, [pair.connect() for _ in range(COUNT)]

    return grown(build) / (2 * COUNT)


def resting_connection() -> float:
    """The same, after some seconds without a segment."""

    def build() -> Any:
        pair = Pair(ROOM)
        sockets = [pair.connect() for _ in range(COUNT)]
        pair.wait(5000 * MS)
        while pair.client.rest(pair.now) + pair.server.rest(pair.now):
            pass
        assert all(socket.resting for both in sockets for socket in both)
        return pair, sockets

    return grown(build) / (2 * COUNT)


def syn_queue_entry() -> float:
    """A SYN with the options that Linux sends, and nothing after it."""
    packets = []
    options = Options(mss=1460, wscale=7, sack_permitted=True, tsval=1)
    for number in range(COUNT):
        syn = Segment(number, 0, SYN, 64_240, options=options, sport=1024 + number, dport=PORT)
        packets.append(Packet(address(CLIENT), address(SERVER), syn))

    def build() -> Any:
        host = Host([SERVER], settings=ROOM)
        listener = host.listen(None, PORT, 0, backlog=1 << 20)
        for packet in packets:
            host.packet_arrives(packet, 0)
            host.packets_to_send(0)
        assert listener.syn_queue == COUNT
        return host

    return grown(build) / COUNT


def time_wait_entry() -> float:
    """What stays of a connection that its application has closed, and the peer too; its port counted."""

    def build() -> Any:
        pair = Pair(ROOM)
        for _ in range(COUNT):
            sock, accepted = pair.connect()
            sock.close(pair.now)
            pair.exchange()
            accepted.close(pair.now)
            pair.exchange()
        pair.wait(MS)
        assert len(pair.client.time_wait) == COUNT, len(pair.client.time_wait)
        assert all(row.state in (State.TIME_WAIT, State.LISTEN) for row in pair.client.status())
        return pair

    return grown(build) / COUNT


def million_time_waits() -> float:
    """The table alone, in a process of its own: what others have freed is not counted."""
    found = subprocess.run(
        [sys.executable, "-c", "from benchmarks.memory import filled; print(filled())"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    return float(found.stdout)


def filled() -> float:
    """Return the MB that a table takes with the records of as many peers as there have to be."""
    here = address(SERVER)
    stack, packing = Stack(Settings(tcp_max_tw_buckets=MILLION)), Packing((here,), Numbers(b""))

    def build() -> Any:
        table = TimeWaitTable(stack, packing)
        for number in range(MILLION):
            name = FourTuple(here, PORT, (number // 60_000 + 1).to_bytes(4, "big"), number % 60_000 + 1)
            record = TimeWait(
                name, iss=0, irs=0, snd_nxt=number + 2, max_snd_wnd=65_535, rcv_nxt=number + 9, rcv_wnd=65_535,
                mss=1460, terms=TERMS, ts_offset=0, ts_recent=0, ts_recent_at=number, answered_at=-1,
                deadline=60_000 * MS + number,
            )  # fmt: skip
            table.put(Lingering(record, Claim(here, PORT)))
        assert len(table) == MILLION
        return table

    before = resident()
    kept = build()
    after = resident()
    del kept
    return (after - before) / 1e6


def resident() -> int:
    """Return the octets of memory that this process takes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGESIZE


def connection_with_streams() -> float:
    """Open and idle, with a StreamReader and a StreamWriter; the mean of both ends."""
    return with_streams(lambda: time.monotonic_ns() // 1000, at_rest=False)  # nobody is quiet for long


def resting_connection_with_streams() -> float:
    """The same, once they are at rest."""
    return with_streams(time.monotonic_ns, at_rest=True)


def with_streams(clock: Callable[[], int], *, at_rest: bool) -> float:
    async def main() -> float:
        left, right = pipe()
        left.limit = right.limit = 1 << 20
        one, other = Host([SERVER], settings=ROOM), Host([CLIENT], settings=ROOM)
        async with (
            Interface(one, left, linger=0.1, clock=clock) as server,
            Interface(other, right, linger=0.1, clock=clock) as client,
        ):
            kept: list[Any] = []

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                kept.append((reader, writer))

            listening = await server.start_server(serve, None, PORT, backlog=1 << 20)

            async def many() -> None:
                for _ in range(COUNT // 4):
                    kept.append(await client.open_connection(SERVER, PORT))
                for _ in range(COUNT):
                    if not at_rest or all(sock.resting for host in (one, other) for sock in host.sockets()):
                        return
                    await asyncio.sleep(0.1)
                raise RuntimeError("they do not come to rest")

            await many()
            gc.collect()
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            await many()
            await asyncio.sleep(0.01)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            listening.close()
            return (after - before) / (2 * (COUNT // 4))

    return asyncio.run(main())


GROUP = "memory"
MEMORY = [
    Case(GROUP, "connection, with table entry", "octets", connection, once=True, smaller=True),
    Case(GROUP, "connection, quiet for a second", "octets", resting_connection, once=True, smaller=True),
    Case(GROUP, "connection with streams", "octets", connection_with_streams, once=True, smaller=True),
    Case(GROUP, "connection with streams, quiet", "octets", resting_connection_with_streams, once=True, smaller=True),
    Case(GROUP, "SYN queue entry", "octets", syn_queue_entry, once=True, smaller=True),
    Case(GROUP, "TIME-WAIT entry", "octets", time_wait_entry, once=True, smaller=True),
    Case(GROUP, "a million in TIME-WAIT", "MB", million_time_waits, once=True, smaller=True),
]
