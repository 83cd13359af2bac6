"""MSG_EOR: octets of two records never share a segment."""

from __future__ import annotations

from tests.rfc9293.reach import established


def test_what_follows_a_record_has_segments_of_its_own() -> None:
    end = established("mss=1000", tcp_initial_cwnd=1)
    end.send(bytes(1000))
    end.send(bytes(400), eor=True)
    end.send(bytes(400), eor=True)
    end.send(bytes(400))
    assert end.arrives(". ack=+0") == ["P. seq=+0 ack=+0 len=400", "P. seq=+400 ack=+0 len=400"]
    assert end.arrives(". ack=+0") == ["P. seq=+0 ack=+0 len=400"]


def test_the_end_of_a_record_waits_for_no_more() -> None:
    """Nothing can fill the segment, so Nagle has nothing to wait for; the last one may still be filled."""
    end = established("mss=1000")
    end.send(bytes(10))
    assert end.send(bytes(20), eor=True) == []
    assert end.send(bytes(30)) == ["P. seq=+10 ack=+0 len=20"]


def test_a_long_record_is_cut_as_any_text() -> None:
    end = established("mss=1000")
    assert end.send(bytes(2400), eor=True)[:2] == [". seq=+0 ack=+0 len=1000", ". seq=+1000 ack=+0 len=1000"]


def test_nor_when_sent_again() -> None:
    end = established("mss=1000")
    for _ in range(3):
        end.send(bytes(400), eor=True)
    assert end.next_timeout()[1] == ["P. seq=+0 ack=+0 len=400", "P. seq=+400 ack=+0 len=400"]


def test_the_fin_goes_with_the_last_record() -> None:
    end = established("mss=1000", tcp_initial_cwnd=1)
    end.send(bytes(1000))
    end.send(bytes(400), eor=True)
    end.send(bytes(300), eor=True)
    end.shutdown()
    assert end.arrives(". ack=+0") == ["P. seq=+0 ack=+0 len=400", "FP. seq=+400 ack=+0 len=300"]
