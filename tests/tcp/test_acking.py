"""ACKs at once when text begins to come, later ones with the pace of the text and the answers to it."""

from __future__ import annotations

from tests.rfc9293.notation import MS, SECOND, End
from tests.rfc9293.reach import established

ACK = ". seq=+0 ack=+0"


def quick(**sysctls: object) -> End:
    return established(tcp_quick_acks=16, **sysctls)


def test_the_first_segments_are_acknowledged_at_once() -> None:
    end = quick()
    for _ in range(16):
        assert end.arrives(". len=1000") == [ACK]
        end.tcp.receive(1000)
    assert end.arrives(". len=1000") == []
    assert end.arrives(". len=1000") == [ACK]


def test_off_it_is_every_second_full_segment() -> None:
    end = established(tcp_quick_acks=0)
    assert end.arrives(". len=1460") == []
    assert end.arrives(". len=1460") == [ACK]


def test_an_application_that_answers_takes_the_ack_along() -> None:
    end = quick()
    assert end.arrives("P. len=100") == [ACK]
    assert end.send(b"answer") == ["P. seq=+0 ack=+0 len=6"]
    assert end.arrives("P. len=100") == []
    assert end.wait(39 * MS) == []
    assert end.wait(2 * MS) == [ACK]


def test_an_answer_that_does_not_come_ends_the_waiting_for_it() -> None:
    end = quick()
    end.arrives("P. len=100")
    end.send(b"answer")
    assert end.arrives("P. len=100 ack=+0") == []
    assert end.wait(41 * MS) == [ACK]
    assert end.arrives("P. len=100") == [ACK]


def test_after_a_pause_it_is_quick_again() -> None:
    end = quick()
    for _ in range(17):
        end.arrives(". len=500")
        end.tcp.receive(500)
    assert end.wait(SECOND) == [ACK]
    assert end.wait(SECOND) == []
    assert end.arrives(". len=500") == [ACK]


def test_something_missing_makes_it_quick_again() -> None:
    """RFC 5681 §4.2."""
    end = quick()
    for _ in range(17):
        end.arrives(". len=1000")
        end.tcp.receive(1000)
    end.arrives(". len=1000")
    assert end.arrives(". seq=+1000 len=1000") == [ACK]
    assert end.arrives(". len=1000") == [ACK]
    assert end.arrives(". len=1000") == [ACK]


def test_a_socket_can_ask_for_all_at_once() -> None:
    end = established(tcp_quick_acks=0)
    end.tcp.tcb.options.tcp_quickack = True
    assert end.arrives(". len=10") == [ACK]


def test_the_size_of_a_full_segment_is_learnt() -> None:
    end = quick()
    assert end.tcp.status().rcv_mss == 536
    end.arrives(". len=1200")
    assert end.tcp.status().rcv_mss == 1200
    assert end.tcp.status().advmss == 1460


def test_the_window_that_opened_is_told_when_it_doubles() -> None:
    end = established(tcp_rmem=(4096, 65_535, 65_535))
    for _ in range(40):
        end.arrives(". len=1460")
    end.wait(SECOND)
    left = end.tcp.status().rcv_wnd
    assert end.tcp.receive(left // 2)
    assert end.sent() == []
    assert end.tcp.receive(left)
    assert end.sent() == [ACK]


def test_the_ack_of_a_fin_waits_for_ours() -> None:
    end = quick()
    assert end.arrives("P. len=100") == [ACK]
    assert end.arrives("F.") == []
    assert end.wait(39 * MS) == []
    assert end.wait(2 * MS) == [ACK]


def test_so_does_that_of_text_with_a_fin() -> None:
    end = quick()
    assert end.arrives("FP. len=100") == []
    assert end.wait(41 * MS) == [ACK]


def test_where_nothing_set_a_pace_a_fin_is_acknowledged_at_once() -> None:
    assert quick().arrives("F.") == [ACK]


def test_off_a_fin_is_acknowledged_at_once() -> None:
    end = established(tcp_quick_acks=0)
    assert end.arrives("P. len=100") == []
    assert end.arrives("F.") == [ACK]
