"""The bulk of a dump: whichever way it is read, the columns are the same, and what is torn harms nothing."""

from __future__ import annotations

import struct
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.messages import SEQUENCE, attribute, attribute_bytes, message, record, records
from tulpen.kernel import table as module
from tulpen.kernel.attributes import Kind
from tulpen.kernel.sock_diag import Timer
from tulpen.kernel.table import RECORD, Table, quicken, state
from tulpen.tcp.state import State

answers = st.lists(
    st.tuples(records, st.lists(attribute_bytes, max_size=3).map(b"".join), st.sampled_from([18, 20])), max_size=12
)


def _numpy() -> Any:
    return pytest.importorskip("numpy")


@given(answers)
def test_every_way_to_read_gives_the_same(given_answers: list[tuple[bytes, bytes, int]]) -> None:
    octets = b"".join(message(fixed + more, kind=kind) for fixed, more, kind in given_answers)
    expected = b"".join(fixed for fixed, _, _ in given_answers)
    assert Table(octets).records == expected
    if given_answers:
        for found in (module._by_pattern(octets), module._by_numpy(_numpy(), memoryview(octets))):
            assert found in (None, expected)
    if len({kind for _, _, kind in given_answers}) == 1:
        assert module._by_pattern(octets) == expected
        assert module._by_numpy(_numpy(), memoryview(octets)) == expected


@given(st.binary(max_size=400))
def test_octets_of_any_kind_are_read_or_left(octets: bytes) -> None:
    table = Table(octets)
    assert len(table) == len(table.sockets())


@given(answers, st.data())
def test_what_is_cut_off_is_counted(given_answers: list[tuple[bytes, bytes, int]], data: st.DataObject) -> None:
    octets = b"".join(message(fixed + more, kind=kind) for fixed, more, kind in given_answers)
    end = data.draw(st.integers(0, len(octets)))
    table = Table(octets[:end])
    whole, at = 0, 0
    for fixed, more, _ in given_answers:
        at += 16 + len(fixed + more)
        whole += at <= end
    assert len(table) == whole == len(table.sockets())
    assert table.torn == (end not in (0, *_boundaries(given_answers)))


def _boundaries(given_answers: list[tuple[bytes, bytes, int]]) -> list[int]:
    at, ends = 0, []
    for fixed, more, _ in given_answers:
        at += 16 + len(fixed + more)
        ends.append(at)
    return ends


@given(answers, st.binary(min_size=1, max_size=64), st.data())
def test_a_message_with_false_octets_harms_nothing(
    given_answers: list[tuple[bytes, bytes, int]], noise: bytes, data: st.DataObject
) -> None:
    octets = bytearray(b"".join(message(fixed + more, kind=kind) for fixed, more, kind in given_answers))
    at = data.draw(st.integers(0, len(octets)))
    octets[at : at + len(noise)] = noise
    table = Table(bytes(octets))
    table.by_state()
    table.sockets()
    for way in (module._by_pattern, lambda some: module._by_numpy(_numpy(), memoryview(some))):
        if len(octets) >= 16 + RECORD:
            found = way(bytes(octets))
            assert found is None or len(found) % RECORD == 0


def test_an_address_that_looks_like_a_header_is_an_address() -> None:
    trap = struct.pack("=IHHI", 88, 20, 2, SEQUENCE) + struct.pack("=I", 77)
    octets = b"".join(message(record(family=10, local=trap[:16], remote=trap[4:20])) for _ in range(5))
    assert len(Table(octets)) == 5


def test_a_short_answer_among_good_ones_is_told() -> None:
    octets = message(record()) + message(bytes(40)) + message(record(state=6))
    table = Table(octets)
    assert (len(table), table.torn) == (2, 1)
    assert table.by_state() == {State.ESTABLISHED: 1, State.TIME_WAIT: 1}


def test_an_interrupted_dump_is_told() -> None:
    table = Table(message(record(), flags=2 | 0x10) + message(record()))
    assert (len(table), table.interrupted) == (2, True)


def test_columns() -> None:
    table = Table(
        message(record(state=8, recv_q=5, send_q=6, uid=1000, inode=77, interface=3, cookie=1 << 40, expires=9))
        + message(record(family=10, state=10, local=bytes(15) + b"\1", local_port=443, remote=bytes(16), remote_port=0))
    )
    assert list(table.families()) == [2, 10]
    assert list(table.states()) == [8, 10]
    assert table.local_ports() == [80, 443]
    assert table.remote_ports() == [5000, 0]
    assert table.local_addresses() == [b"\x7f\0\0\1", bytes(15) + b"\1"]
    assert table.receive_queues() == [5, 0]
    assert table.send_queues() == [6, 0]
    assert table.uids() == [1000, 0]
    assert table.inodes() == [77, 0]
    assert table.interfaces() == [3, 0]
    assert table.expiries() == [9, 0]
    assert table.cookies() == [(1 << 40).to_bytes(8, sys.byteorder), (1).to_bytes(8, sys.byteorder)]


def test_a_large_table_read_by_numpy() -> None:
    _numpy()
    assert quicken()
    octets = b"".join(
        message(record(state=1 + i % 2 * 5, inode=i) + attribute(8, b"\3") * (i % 3)) for i in range(3000)
    )
    table = Table(octets)
    assert table.inodes() == list(range(3000))
    assert table.by_state() == {State.ESTABLISHED: 1500, State.TIME_WAIT: 1500}


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 2500])
def test_addresses_of_many(count: int) -> None:
    four = [i.to_bytes(4, "big") for i in range(count)]
    six = [i.to_bytes(16, "little") for i in range(count)]
    both = [each for pair in zip(four, six, strict=True) for each in pair]
    table = Table(records=b"".join(record(local=each, remote=each, cookie=i) for i, each in enumerate(four)))
    assert table.local_addresses() == table.remote_addresses() == four
    assert table.cookies() == [i.to_bytes(8, sys.byteorder) for i in range(count)]
    mixed = Table(records=b"".join(record(family=2 if len(each) == 4 else 10, local=each) for each in both))
    assert mixed.local_addresses() == both


def test_states_and_timers_of_a_kernel_to_come() -> None:
    (found,) = Table(message(record(state=99, timer=200))).sockets()
    assert (found.state, found.timer) == (State.CLOSED, Timer.OFF)
    assert state(99) is State.CLOSED


def test_attributes_of_a_socket() -> None:
    more = attribute(Kind.CONGESTION, b"bbr\0") + attribute(Kind.MEMORY, struct.pack("=9I", *range(9)))
    more += attribute(Kind.V6ONLY, b"\0") + attribute(Kind.INFO, bytes(range(104))) + attribute(250, b"new")
    (found,) = Table(message(record() + more)).sockets()
    assert found.congestion == "bbr"
    assert found.memory is not None
    assert found.memory.drops == 8
    assert found.both_families
    assert found.info is not None
    assert found.info_octets == 104
    assert (found.info.state, found.info.segs_out) == (0, 0)  # the second came with a later kernel


@given(records, st.binary(max_size=200))
def test_attributes_of_any_octets(fixed: bytes, more: bytes) -> None:
    (found,) = Table(message(fixed + more)).sockets()
    assert found.family == fixed[0]
