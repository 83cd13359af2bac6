from __future__ import annotations

from tests.kernel.test_ring_buffer import LAYOUT, page
from tests.kernel.test_tcp_batch import TCP, A, destroyed, moved, retransmitted
from tulpen.kernel.tcp_batch import read_batch
from tulpen.watch.life import Life, Lives


def feed(lives: Lives, *events: bytes, start: int = 0, counted: dict[bytes, int] | None = None) -> list[Life]:
    octets = memoryview(page(start, *events) + bytes(128))[:4096]
    return lives.feed(read_batch(octets, LAYOUT, TCP, bulk=False), {} if counted is None else counted, 10)


def elsewhere(event: bytes) -> bytes:
    """The same of another port."""
    return event[:28] + b"\x01\x02" + event[30:]


def test_a_life_goes_on_from_batch_to_batch() -> None:
    lives = Lives(TCP)
    assert feed(lives, moved(1, A, 7, 2, pid=5), moved(1, A, 2, 1, flags=0x10)) == []
    assert feed(lives, retransmitted(1, A), start=100) == []
    [life] = feed(lives, moved(1, A, 1, 7, pid=6), start=200)
    assert life.word == bytes([0x72, 0x21, 4, 0x17])
    assert life.times == [1, 2, 101, 201]
    assert (life.pid, life.gone, len(lives)) == (5, False, 1)
    assert feed(lives, destroyed(1, A, cookie=77), start=300) == []
    assert (life.gone, life.cookie, len(lives)) == (True, 77, 0)


def test_an_opening_in_the_memory_of_another_ends_that() -> None:
    lives = Lives(TCP)
    feed(lives, moved(1, A, 7, 2))
    [lost] = feed(lives, moved(1, A, 10, 3))
    assert lost.word == b"\x72"


def test_another_name_in_the_memory_of_one_is_another_life_with_another_process() -> None:
    lives = Lives(TCP)
    feed(lives, moved(1, A, 7, 2, pid=5))
    [lost] = feed(lives, elsewhere(moved(1, A, 1, 8, flags=0x10)))
    assert (lost.word, lost.pid) == (b"\x72", 5)
    [life] = feed(lives, elsewhere(moved(1, A, 8, 7, flags=0x10)))
    assert (life.word, life.pid) == (b"\x18\x8d", 0)


def test_what_is_only_counted_is_not_kept() -> None:
    lives, counted = Lives(TCP), {b"\x72\x27\x01": 0}
    whole = [moved(1, A, 7, 2), moved(1, A, 2, 7), destroyed(1, A)]
    assert feed(lives, *whole, *whole, counted=counted) == []
    assert counted == {b"\x72\x27\x01": 2}
    slow = [moved(1, A, 7, 2), moved(99, A, 2, 7), destroyed(1, A)]
    assert len(feed(lives, *slow, counted=counted)) == 1


def test_the_end_of_one_that_was_told_is_nothing_new() -> None:
    lives = Lives(TCP)
    assert feed(lives, destroyed(1, A)) == []
    assert len(lives) == 0
