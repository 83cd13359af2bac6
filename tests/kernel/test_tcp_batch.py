from __future__ import annotations

import struct
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.test_ring_buffer import LAYOUT, page, word
from tests.kernel.test_tcp_layout import formats
from tulpen.kernel import tcp_codes as codes
from tulpen.kernel.tcp_batch import read_batch
from tulpen.kernel.tcp_layout import tcp_layout

TCP = tcp_layout(formats())
SOFTIRQ, IRQS_OFF = 0x10, 0x80
A, B = 0xFFFF_8882_0000_1000, 0xFFFF_8882_0000_2000


def record(delta: int, body: bytes) -> bytes:
    return word(len(body) // 4, delta) + body


def moved(delta: int, socket: int, old: int, new: int, *, flags: int = 0, pid: int = 7, protocol: int = 6) -> bytes:
    head = struct.pack("=HBBiQii4H", 1, flags, 0, pid, socket, old, new, 80, 5000, 2, protocol)
    return record(delta, head + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + bytes(32))


def reset(delta: int, socket: int, reason: int) -> bytes:
    return record(delta, struct.pack("=HBBiQQiI56x", 2, 0, 0, 7, 0, socket, 7, reason))


def received(delta: int, socket: int) -> bytes:
    return record(delta, struct.pack("=HBBiQ", 3, SOFTIRQ, 0, 7, socket))


def retransmitted(delta: int, socket: int) -> bytes:
    return record(delta, struct.pack("=HBBiQ", 4, SOFTIRQ, 0, 7, socket))


def destroyed(delta: int, socket: int, *, flags: int = 0, cookie: int = 0) -> bytes:
    return record(delta, struct.pack("=HBBiQ48xQ", 5, flags, 0, 9, socket, cookie))


class Told(NamedTuple):
    socket: int
    word: bytes
    times: list[int]
    named: int
    pid: int
    cookie: int


def read(*pages: bytes) -> list[Told]:
    """Read with both, which must agree; what both leave of a page behind the last event is nothing."""
    octets = memoryview(b"".join(pages) + bytes(128))[: len(pages) * 4096]
    batches = [read_batch(octets, LAYOUT, TCP, bulk=bulk) for bulk in (True, False)]
    runs = [sorted(Told(*run) for run in batch.runs) for batch in batches]
    assert runs[0] == runs[1]
    assert batches[0].events == batches[1].events
    assert batches[0].counts == batches[1].counts
    assert sorted(batches[0].resets) == sorted(batches[1].resets)
    return runs[0]


pytest.importorskip("numpy")


def test_a_life_in_two_pages_of_two_processors() -> None:
    one = page(100, moved(0, A, 7, 2), moved(10, A, 2, 1, flags=SOFTIRQ), moved(100, A, 1, 7), reset(1, A, 3))
    other = page(150, retransmitted(0, A), destroyed(300, A, flags=IRQS_OFF, cookie=5))
    [run] = read(one, other)
    assert run.word == bytes(
        [codes.ACTIVE_OPEN, 0x21, codes.RETRANSMITTED, 0x17, codes.RESET_SENT + 15, codes.RELEASED]
    )
    assert run.times == [100, 110, 150, 210, 211, 450]
    assert run.pid == 7
    assert run.cookie == 5
    assert bytes(one[run.named + 24 : run.named + 28]) == struct.pack("=HH", 80, 5000)


def test_who_was_interrupted_is_never_told() -> None:
    [run] = read(page(0, moved(0, A, 10, 3, flags=SOFTIRQ, pid=99), received(1, A), moved(1, A, 1, 7, flags=SOFTIRQ)))
    assert run.pid == 0
    assert run.word[-1] == 0x1D


def test_memory_that_is_given_out_again_is_another_life() -> None:
    life = [moved(1, A, 7, 2), moved(1, A, 2, 7), destroyed(1, A)]
    runs = read(page(0, *life, *life, moved(1, B, 10, 3)))
    assert sorted(run.word.hex() for run in runs) == ["722701", "722701", "a3"]


def test_the_destruction_of_the_next_in_its_place_is_not_its_own() -> None:
    """Of a socket with another port no more is seen, where the events are filtered by port."""
    life = [moved(1, A, 7, 2), moved(1, A, 2, 7), destroyed(1, A, cookie=5)]
    runs = read(page(0, *life, destroyed(9, A, flags=IRQS_OFF, cookie=6)))
    assert {(run.word, run.cookie) for run in runs} == {
        (bytes([codes.ACTIVE_OPEN, 0x27, codes.DESTROYED]), 5),
        (bytes([codes.RELEASED]), 6),
    }


def test_a_close_says_where_it_was_made() -> None:
    found = read(page(0, *(moved(1, A + 64 * n, 1, 7, flags=flags) for n, flags in enumerate((0, SOFTIRQ, IRQS_OFF)))))
    assert [run.word[0] for run in found] == [0x17, 0x1D, 0x1E]


def test_other_protocols_and_impossible_states_are_left_out() -> None:
    assert (
        read(page(0, moved(1, A, 7, 2, protocol=262), moved(1, A, 0, 2), moved(1, A, 7, 13), moved(1, 0, 7, 2))) == []
    )


sockets = st.sampled_from([0, A, B, B + 64])
events = st.one_of(
    st.builds(
        moved, st.integers(0, 9), sockets, st.integers(-1, 14), st.integers(-1, 14), flags=st.integers(0, 255),
        pid=st.integers(0, 4_000_000), protocol=st.sampled_from([6, 6, 6, 132, 262]),
    ),
    st.builds(reset, st.integers(0, 9), sockets, st.integers(0, 300)),
    st.builds(received, st.integers(0, 9), sockets),
    st.builds(retransmitted, st.integers(0, 9), sockets),
    st.builds(destroyed, st.integers(0, 9), sockets, flags=st.integers(0, 255), cookie=st.integers(0, 9)),
    st.builds(record, st.integers(0, 9), st.binary(min_size=8, max_size=8)),
)  # fmt: skip


@given(st.lists(st.lists(events, max_size=40), min_size=1, max_size=4))
def test_with_numpy_and_without_the_same_is_read(contents: list[list[bytes]]) -> None:
    start = 0
    pages = []
    for each in contents:  # one after another: at the same nanosecond the order is nobody's
        pages.append(page(start, *each))
        start += 1_000
    read(*pages)


@pytest.mark.parametrize("seed", range(20))
def test_noise_in_the_events_is_read_the_same(seed: int) -> None:
    chance = Random(seed)
    octets = bytearray(page(0, *(moved(1, A + 64 * n, 1, 4) for n in range(40))))
    for _ in range(30):
        octets[16 + chance.randrange(3000)] = chance.randrange(256)
    read(bytes(octets), bytes(octets))
