"""RFC 3168 §6.1.2 to §6.1.6: ECE until CWR, one reduction for a window of text, and what goes without ECT."""

from __future__ import annotations

from typing import Any

from tests.rfc9293.notation import SECOND, End


def granted(**settings: Any) -> End:
    """A server that has granted ECN."""
    end = End(show="ecn", **settings)
    end.tcp.open_passive(end.now)
    end.arrives("SEW seq=300 mss=1000")
    end.arrives(".")
    return end


def test_ece_is_said_from_a_mark_until_cwr() -> None:
    end = granted(tcp_quick_acks=16)
    assert end.arrives(". len=1000 ecn=ect0") == [". seq=+0 ack=+0"]
    assert end.arrives(". len=1000 ecn=ce") == [".E seq=+0 ack=+0"]
    assert end.arrives(". len=1000 ecn=ect0") == [".E seq=+0 ack=+0"]
    assert end.send(b"text") == ["P.E seq=+0 ack=+0 len=4 ecn=ect0"]
    assert end.arrives(".W len=1000 ecn=ect0") == [". seq=+0 ack=+0"]
    assert end.tcp.status().ecn_seen


def test_a_marked_segment_that_says_cwr_is_a_new_sign() -> None:
    end = granted()
    end.arrives(". len=1000 ecn=ce")
    assert end.arrives(".W len=1000 ecn=ce") == [".E seq=+0 ack=+0"]


def test_a_mark_on_what_lies_beyond_a_hole_counts() -> None:
    end = granted()
    assert end.arrives(". seq=+1000 len=1000 ecn=ce") == [".E seq=+0 ack=+0"]


def test_a_mark_on_a_pure_ack_is_not_echoed() -> None:
    end = granted()
    end.arrives(". ecn=ce")
    assert end.send(b"text") == ["P. seq=+0 ack=+0 len=4 ecn=ect0"]


def test_the_window_shrinks_once_for_a_window_of_text_and_cwr_tells_of_it() -> None:
    end = granted()
    assert len(end.send(bytes(30_000))) == 10
    cwnd = end.tcp.status().snd_cwnd
    first = end.arrives(".E ack=1101")
    reduced = end.tcp.status().snd_ssthresh
    assert reduced < cwnd
    out = first + end.arrives(".E ack=5101") + end.arrives(".E ack=8101")
    assert end.tcp.status().snd_ssthresh == reduced
    assert sum("W" in line.split()[0] for line in out) == 1  # CWR, on the first new text
    assert all("ecn=ect0" in line for line in out)
    while end.tcp.status().snd_una <= 10_101:
        end.arrives(".E")
    assert end.tcp.status().snd_ssthresh < reduced


def test_what_was_acknowledged_by_such_acks_is_counted() -> None:
    end = granted()
    end.send(bytes(5000))
    end.arrives(". ack=-3000")
    assert end.tcp.status().delivered_ce == 0
    end.arrives(".E")
    assert end.tcp.status().delivered_ce == 3
    assert end.stack.counters["TCPDeliveredCE"] == 3


def test_a_retransmission_says_no_ect() -> None:
    end = granted()
    end.send(b"text")
    _, out = end.next_timeout()
    assert out == ["P. seq=+0 ack=+0 len=4"]


def test_a_window_probe_says_no_ect() -> None:
    end = granted()
    end.arrives(". wnd=0")
    assert end.send(b"text") == []
    assert end.next_timeout()[1] == [". seq=-1 ack=+0"]


def test_a_fin_alone_says_no_ect() -> None:
    end = granted()
    assert end.shutdown() == ["F. seq=+0 ack=+0"]


def test_without_ecn_neither_marks_nor_flags_mean_anything() -> None:
    end = End(show="ecn", tcp_ecn=0)
    end.tcp.open_passive(end.now)
    end.arrives("S seq=300 mss=1000")
    end.arrives(".")
    assert end.arrives("P. len=1000 ecn=ce") + end.wait(SECOND) == [". seq=+0 ack=+0"]
    end.send(bytes(5000))
    cwnd = end.tcp.status().snd_cwnd
    end.arrives(".E ack=-4000")
    assert end.tcp.status().snd_cwnd >= cwnd


def test_a_reduction_after_a_timeout_is_told_by_cwr_too() -> None:
    end = granted()
    end.send(b"text")
    end.next_timeout()
    end.arrives(".")
    assert end.send(b"more") == ["P.W seq=+0 ack=+0 len=4 ecn=ect0"]
    assert end.arrives(".") + end.send(b"and more") == ["P. seq=+0 ack=+0 len=8 ecn=ect0"]


def test_a_reduction_by_fast_retransmit_is_told_by_cwr_too() -> None:
    end = granted(tcp_sack=False)
    assert len(end.send(bytes(20_000))) == 10
    out = [line for _ in range(9) for line in end.arrives(". ack=101")]
    fresh = [line for line in out if "ecn=ect0" in line]
    assert [line.split()[0] for line in out if "ecn=ect0" not in line] == ["."]  # what is sent again says no ECT
    out = fresh + end.arrives(". ack=10101")
    assert [("W" in line.split()[0]) for line in out if "ecn=ect0" in line].count(True) == 1


def test_marks_bring_the_window_down_to_ssthresh_by_and_by() -> None:
    end = granted(tcp_congestion_control="cubic")
    end.send(bytes(60_000))
    for acked in range(1101, 10_102, 1000):
        end.arrives(f".E ack={acked}")
    status = end.tcp.status()
    assert status.snd_ssthresh == 7000
    assert status.snd_cwnd <= 7000
    end.arrives(". ack=11101")
    assert end.tcp.status().snd_cwnd == 7000
