"""What a peer can make a connection keep: bounded by the buffers, whatever it sends."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.rfc9293 import reach
from tests.rfc9293.notation import End
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, RST, SYN, URG, Segment
from tulpen.wire.seq import wrap

BUFFER = 20_000


@contextmanager
def at_most(octets: int) -> Iterator[None]:
    """Whatever is allocated within and kept takes no more."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        gc.collect()  # and what Python keeps of freed tuples
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < octets


def established(**sysctls: object) -> End:
    end = reach.established("mss=1460 sackok", tcp_sack=True, tcp_rmem=(4096, BUFFER, BUFFER), **sysctls)
    end.tcp.tcb.trace = None
    end.stack.records = None
    return end


def arrive(end: End, seq: int, flags: int, data: bytes = b"", options: Options | None = None) -> None:
    ack = end.tcp.tcb.snd.una
    segment = Segment(wrap(seq), wrap(ack), flags, 65_535, memoryview(bytearray(data)), options or Options())
    end.tcp.segment_arrives(segment, end.now)


def test_an_octet_at_a_time_that_nobody_reads() -> None:
    end = established()
    with at_most(4 * BUFFER):
        for place in range(BUFFER):
            arrive(end, 301 + place, ACK, b"x")
            end.tcp.segments_to_send(end.now)
    assert end.tcp.readable == BUFFER


def test_every_second_octet() -> None:
    end = established()
    with at_most(12 * BUFFER):
        for place in range(1, BUFFER, 2):
            arrive(end, 301 + place, ACK, b"x")
            end.tcp.segments_to_send(end.now)
    assert end.tcp.readable == 0


def test_small_pieces_of_large_packets() -> None:
    """A piece must not keep the packet that it came in."""
    end = established()
    with at_most(40 * BUFFER):
        for place in range(1, 20_000, 100):
            packet = memoryview(bytearray(60_000))
            end.tcp.segment_arrives(Segment(301 + place, 101, ACK, 65_535, packet[:10]), end.now)
            end.tcp.segments_to_send(end.now)


def test_sack_blocks_that_end_everywhere() -> None:
    chance = Random(0)
    end = established(tcp_initial_cwnd=45)
    end.tcp.send(bytes(65_000), end.now)
    end.tcp.segments_to_send(end.now)
    with at_most(4 * BUFFER):
        for _ in range(1500):
            edges = [101 + chance.randrange(60_000) for _ in range(4)]
            blocks = Options(sack=tuple((edge, edge + 1) for edge in edges))
            arrive(end, 301, ACK, options=blocks)
            end.tcp.segments_to_send(end.now)


def test_a_flood_that_nobody_sends_answers_to() -> None:
    for end in (reach.syn_sent(), reach.established(), reach.closed(), reach.listen()):
        end.tcp.tcb.trace = None
        with at_most(4 * BUFFER):
            for number in range(5000):
                end.tcp.segment_arrives(Segment(302 + number % 9, number, ACK, 9, b"x"), end.now)
        assert len(end.tcp.segments_to_send(end.now)) <= 300


def test_controls_of_every_kind() -> None:
    chance = Random(1)
    end = established()
    with at_most(BUFFER):
        for _ in range(5000):
            flags = chance.choice((ACK, SYN, SYN | ACK, RST, FIN, ACK | URG, 0))
            arrive(end, 302 + chance.randrange(-5, 70_000), flags)
            if chance.random() < 0.1:
                end.tcp.segments_to_send(end.now)
