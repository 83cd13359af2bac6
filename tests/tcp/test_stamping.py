"""SO_TIMESTAMPING for what is sent: when the last octet of a write left, and was acknowledged."""

from __future__ import annotations

from tests.rfc9293.notation import MS, End
from tests.rfc9293.reach import established
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.stamping import OPT_ID, TX, TX_ACK, TX_SCHED, Kind


def asking(flags: int, **given: object) -> End:
    end = established("mss=1000", **given)
    end.tcp.set_timestamping(flags)
    return end


def told(end: End, begin: int) -> list[tuple[Kind, int, int]]:
    """What the error queue has: what happened, to which octet, how many milliseconds after ``begin``."""
    found = []
    while (stamp := end.tcp.next_stamp()) is not None:
        found.append((stamp.kind, stamp.octet, (stamp.at - begin) // MS))
    assert not end.tcp.has_stamps
    return found


def test_a_write_that_leaves_at_once() -> None:
    end = asking(TX | OPT_ID)
    begin = end.now
    end.send(bytes(500))
    assert end.tcp.has_stamps
    end.wait(20 * MS)
    end.arrives(". ack=+0")
    assert told(end, begin) == [(Kind.SCHEDULED, 499, 0), (Kind.SENT, 499, 0), (Kind.ACKNOWLEDGED, 499, 20)]


def test_octets_are_counted_from_where_that_was_asked_for() -> None:
    end = established("mss=1000")
    end.send(bytes(300))
    end.arrives(". ack=+0")
    end.tcp.set_timestamping(TX_SCHED | OPT_ID)
    end.send(bytes(10))
    assert told(end, end.now) == [(Kind.SCHEDULED, 9, 0)]


def test_without_numbers() -> None:
    end = asking(TX_SCHED)
    end.send(bytes(10))
    assert told(end, end.now) == [(Kind.SCHEDULED, 0, 0)]


def test_only_the_last_octet_of_a_write_counts() -> None:
    end = asking(TX | OPT_ID, tcp_initial_cwnd=2)
    begin = end.now
    end.send(bytes(3000))
    assert told(end, begin) == []
    end.wait(10 * MS)
    end.arrives(". ack=1101")
    end.wait(10 * MS)
    end.arrives(". ack=2101")
    assert [each[:2] for each in told(end, begin)] == [(Kind.SCHEDULED, 2999), (Kind.SENT, 2999)]
    end.arrives(". ack=3100")
    assert told(end, begin) == []
    end.arrives(". ack=3101")
    assert told(end, begin) == [(Kind.ACKNOWLEDGED, 2999, 20)]


def test_writes_that_leave_together_are_told_of_as_one() -> None:
    end = asking(TX_ACK | OPT_ID)
    end.send(bytes(100))
    end.send(bytes(100))
    end.send(bytes(100))
    end.arrives(". ack=201")
    end.arrives(". ack=401")
    assert [each[:2] for each in told(end, end.now)] == [(Kind.ACKNOWLEDGED, 99), (Kind.ACKNOWLEDGED, 299)]


def test_what_has_left_while_it_was_written() -> None:
    """The buffer takes one stretch, which is sent before the write returns."""
    end = asking(TX_ACK | OPT_ID, options=SocketOptions(so_sndbuf=5000), tcp_initial_cwnd=100)
    assert end.tcp.send(bytes(100_000), end.now) == 32_000
    end.sent()
    end.arrives(". ack=32101")
    assert [each[:2] for each in told(end, end.now)] == [(Kind.ACKNOWLEDGED, 31_999)]


def test_what_is_sent_again_is_told_again() -> None:
    end = asking(TX_SCHED | OPT_ID)
    begin = end.now
    end.send(bytes(100))
    end.next_timeout()
    assert [each[:2] for each in told(end, begin)] == [(Kind.SCHEDULED, 99)] * 2


def test_an_application_that_never_looks_loses_some() -> None:
    end = asking(TX_SCHED)
    for _ in range(2000):
        end.send(bytes(10))
        end.arrives(". ack=+0")
    assert len(told(end, end.now)) == 1024
