from __future__ import annotations

import select

from tulpen.link.link import BATCH, Link
from tulpen.link.pipe import pipe
from tulpen.wire.ip import Offload


def _ready(link: Link) -> bool:
    return bool(select.select([link.fileno()], [], [], 0)[0])


def test_what_one_end_writes_the_other_reads() -> None:
    left, right = pipe()
    left.write(b"one")
    left.write(memoryview(b"two"), Offload(True, 1000))
    assert right.read() == [(b"one", None), (b"two", Offload(True, 1000))]
    assert right.read() == []
    right.write(b"three")
    assert left.read() == [(b"three", None)]


def test_the_descriptor_tells_whether_packets_wait() -> None:
    left, right = pipe()
    left.write(b"before anybody asked")
    assert _ready(right)
    assert not _ready(left)
    right.read()
    assert not _ready(right)
    for _ in range(BATCH + 1):
        left.write(b"x")
    assert len(right.read()) == BATCH
    assert _ready(right)
    assert len(right.read()) == 1
    assert not _ready(right)
    left.close()
    right.close()


def test_a_packet_is_lost_when_it_is_too_large_or_the_other_end_is_full_or_gone() -> None:
    left, right = pipe(mtu=100, limit=2)
    left.write(bytes(101))
    assert right.read() == []
    for _ in range(3):
        left.write(b"x")
    assert len(right.read()) == 2
    right.close()
    left.write(b"x")
    assert left.lost == 3
    left.close()
    left.close()
