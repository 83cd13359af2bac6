"""Records of TIME-WAIT as octets: what answers depend on comes back as it was."""

from __future__ import annotations

from random import Random

import pytest

from tests.tcp import chaos
from tests.tcp.test_compact import NAME, lingering
from tulpen.host.isn import Numbers
from tulpen.host.packing import Packing
from tulpen.host.ports import ANY, Claim
from tulpen.host.time_wait import TimeWaitTable
from tulpen.host.tw_slot import Lingering, packed, unpacked
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED
from tulpen.tcp.trace import FourTuple

NUMBERS = Numbers(b"secret")
PACKING = Packing((NAME.local,), NUMBERS)
CLAIM = Claim(NAME.local, NAME.local_port)


def _again(connection: Connection, now: int) -> Connection:
    """Return what a connection becomes by way of its octets."""
    entry = Lingering(TimeWait.of(connection), CLAIM)
    key, value = PACKING.key(NAME), packed(PACKING, entry)
    assert key is not None
    assert value is not None
    back = unpacked(PACKING, key, value)
    assert back.claim == CLAIM
    return back.record.connection(connection.tcb.stack, now)


@pytest.mark.parametrize("timestamps", [0, 1])
def test_what_comes_back_behaves_as_the_connection_did(timestamps: int) -> None:
    chance = Random(timestamps)
    now = 1000 * 10**9
    for _ in range(200):
        one = lingering(timestamps)
        other = one.clone()
        for step in range(6):
            drawn = chaos.segment(chance, one)
            other = _again(other, now)
            for connection in (one, other):
                connection.segment_arrives(drawn, now + step)
            assert one.segments_to_send(now + step) == other.segments_to_send(now + step)
            assert one.state is other.state
            assert one.next_deadline() == other.next_deadline()
            if one.state is CLOSED:
                break


V6 = FourTuple(bytes(15) + b"\1", 80, bytes(15) + b"\2", 1025)


@pytest.mark.parametrize(
    ("name", "claim", "offset", "fits"),
    [
        (NAME, CLAIM, 0, True),
        (NAME, CLAIM._replace(chosen=True, shared=True, reuse=True), 0, True),
        (V6, Claim(V6.local, 80), 0, True),
        (NAME, CLAIM, NUMBERS.ts_offset(NAME.local, NAME.remote), True),
        (NAME, CLAIM, 5, False),
        (NAME, Claim(ANY, NAME.local_port), 0, False),
        (NAME._replace(remote_port=0), CLAIM, 0, False),
        (NAME._replace(local=bytes(4)), Claim(bytes(4), NAME.local_port), 0, False),
    ],
)
def test_what_fits_no_slot_is_kept_all_the_same(name: FourTuple, claim: Claim, offset: int, fits: bool) -> None:
    table = TimeWaitTable(Stack(), Packing((NAME.local, V6.local), NUMBERS))
    record = TimeWait.of(lingering(1))
    record.name, record.ts_offset = name, offset
    entry = Lingering(record, claim)
    packing = Packing((NAME.local, V6.local), NUMBERS)
    assert (packing.key(name) is not None and packed(packing, entry) is not None) is fits
    table.put(entry)
    (kept,) = table
    assert (kept.name, kept.ts_offset, kept.deadline) == (name, offset, record.deadline)
    assert table.earliest() == record.deadline
    assert table.expired(record.deadline - 1) is None
    gone = table.expired(record.deadline)
    assert gone is not None
    assert (gone.record.name, gone.claim, len(table)) == (name, claim, 0)
