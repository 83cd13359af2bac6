"""RFC 9768 §3.2: counters in three bits and in the option, as the receiver tells and the sender reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rfc9293.notation import MS, End


def server(**settings: Any) -> End:
    """A server that speaks AccECN with a peer whose options it has seen."""
    end = End(show="ecn acc sack", tcp_ecn=3, **settings)
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300 mss=1012" + " sackok" * bool(settings.get("tcp_sack")))
    end.arrives(".W ecn=ect0 acc=172:1,0,1")
    return end


# the Data Receiver


def test_segments_and_octets_are_counted_by_their_marks() -> None:
    end = server()
    assert end.arrives(".Ee len=1000 ecn=ce") == [".We seq=+0 ack=+0 ecn=ect0 acc=174:1,1000,1"]
    assert end.arrives(".Ee len=1000 ecn=ect0") == [".We seq=+0 ack=+0 ecn=ect0 acc=174:1,1000,1001"]
    assert end.arrives(".Ee len=1000 ecn=ect1") == [".We seq=+0 ack=+0 ecn=ect0 acc=174:1001,1000,1001"]
    assert end.arrives(".Ee len=1000 ecn=ce") == [".EWe seq=+0 ack=+0 ecn=ect0 acc=174:1001,2000,1001"]
    assert end.arrives(".Ee len=1000 ecn=ect0") == [".EWe seq=+0 ack=+0 ecn=ect0 acc=174:1001,2000,2001"]
    status = end.tcp.status()
    assert (status.received_ce, status.received_marked) == (2, (1000, 2000, 2000))


def test_the_field_wraps() -> None:
    end = server()
    fields = [end.arrives(".Ee len=1000 ecn=ce")[0].split()[0] for _ in range(1)]
    for _ in range(3):
        end.now += 500 * MS
        fields += [line.split()[0] for line in (end.arrives(".Ee len=1000 ecn=ce") or end.wait(500 * MS))]
    assert fields == [".We", ".EWe", ".", ".E"]


def test_a_mark_on_a_pure_ack_counts_as_a_segment_and_calls_for_no_answer() -> None:
    end = server()
    assert end.arrives(".Ee ecn=ce") == []
    assert end.send(b"text") == ["P.We seq=+0 ack=+0 len=4 ecn=ect0 acc=174:1,0,1"]


def test_a_change_of_mark_is_told_at_once() -> None:
    end = server()
    assert len(end.arrives(".Ee len=100 ecn=ect0")) == 1  # as the last ACK of the handshake, but not the SYN
    assert end.arrives(".Ee len=100 ecn=ect0") == []
    assert len(end.arrives(".Ee len=100 ecn=ect1")) == 1
    assert end.arrives(".Ee len=100 ecn=ect1") == []


def test_a_duplicate_counts_too() -> None:
    end = server()
    end.arrives(".Ee len=1000 ecn=ce")
    assert end.arrives(".Ee seq=-1000 len=1000 ecn=ce") == [".EWe seq=+0 ack=+0 ecn=ect0 acc=174:1,2000,1"]


def test_what_lies_out_of_the_window_does_not() -> None:
    end = server()
    end.arrives(".Ee seq=+200000 len=1000 ecn=ce")
    assert end.tcp.status().received_ce == 0


def test_no_option_goes_before_one_was_seen() -> None:
    end = End(show="acc", tcp_ecn=3)
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300")
    end.arrives(".W ecn=ect0")
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4"]
    end.arrives(".Ee acc=172:5,0,1")
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 acc=174:1,0,1"]
    assert end.tcp.status().accecn_opt_seen == 2


def test_the_option_leaves_less_room_for_text() -> None:
    end = server()
    assert [line.split()[3] for line in end.send(bytes(2500))] == ["len=1000", "len=1000", "len=500"]


def test_the_option_can_be_kept_to_news() -> None:
    end = server(tcp_ecn_option=1, tcp_ecn_option_beacon=0)
    for _ in range(2):  # the mark has changed since the SYN
        assert "acc" in end.send(b"text")[0]
        end.arrives(".Ee ecn=ect0")
    assert "acc" not in end.send(b"text")[0]
    assert "acc=174:1,100,1" in end.arrives(".Ee len=100 ecn=ce")[0]


def test_none_goes_where_it_is_not_wanted() -> None:
    end = server(tcp_ecn_option=0)
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]


def test_an_option_that_is_lost_with_its_acks_goes_no_more() -> None:
    end = server(tcp_sack=True, tcp_quick_acks=16)
    assert "acc" in end.arrives(".Ee len=1000 ecn=ect0")[0]
    assert end.arrives(".Ee seq=-1000 len=1000 ecn=ect0") == [
        ".Ee seq=+0 ack=+0 ecn=ect0 acc=174:1,0,2001 sack=-1000:0"
    ]
    assert end.arrives(".Ee seq=-1000 len=1000 ecn=ect0") == [".Ee seq=+0 ack=+0 ecn=ect0 sack=-1000:0"]
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]
    assert end.tcp.status().accecn_fail_mode == 4


def test_the_counters_that_changed_go_before_a_third_sack_block() -> None:
    end = End(show="acc sack", tcp_ecn=3, tcp_sack=True, tcp_timestamps=1)
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300 sackok ts=1/0")
    stamp = end.tcp.tcb.ts_offset + end.now // MS
    end.arrives(f".W ecn=ect0 acc=172:1,0,1 ts=1/{stamp}")

    def held(seq: int, mark: str) -> str:
        return end.arrives(f".Ee seq=+{seq} len=1000 ecn={mark} ts=1/{stamp}")[0].split(" ", 3)[3]

    assert held(1000, "ect1") == "acc=174:1001,0,1 sack=1000:2000"
    assert held(3000, "ect1") == "acc=174:2001,0 sack=3000:4000,1000:2000"
    assert held(5000, "ce") == "acc=174:2001,1000 sack=5000:6000,3000:4000"
    assert held(7000, "ect0") == "sack=7000:8000,5000:6000,3000:4000"  # three counters leave no room for two blocks


# the Data Sender


def flying(octets: int, **settings: Any) -> End:
    end = server(tcp_ecn_option=0, **settings)
    end.send(bytes(octets))
    return end


def test_the_difference_of_the_field_counts() -> None:
    end = flying(6000)
    end.arrives(".We ack=-4000")
    assert end.tcp.status().delivered_ce == 1
    end.arrives(".We ack=-2000")
    assert end.tcp.status().delivered_ce == 1
    end.arrives(".")
    assert end.tcp.status().delivered_ce == 3


def test_an_ack_that_may_be_an_old_one_says_nothing() -> None:
    end = flying(1000)
    end.arrives(".We ack=-1000")
    assert end.tcp.status().delivered_ce == 0


def test_a_later_timestamp_makes_it_a_new_one() -> None:
    end = End(tcp_ecn=3, tcp_timestamps=1)
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300 ts=1/0")
    end.arrives(".W ts=1/1000000")
    end.send(bytes(1000))
    end.arrives(".We ack=-1000 ts=2/1000000")
    assert end.tcp.status().delivered_ce == 1


def test_octets_are_counted_by_their_marks() -> None:
    end = flying(6072)
    end.arrives(".We ack=-4048 acc=172:1013,1012,1")
    end.arrives(".We ack=-2024 acc=174:2025,1012,1013")
    end.arrives(".We acc=172:2025")
    assert end.tcp.status().delivered_marked == (2024, 2024, 1012)


@pytest.mark.parametrize(("field", "expected"), [("Ee", 0), ("We", 1), ("e", 7)])
def test_a_first_ack_for_many_segments_is_taken_for_a_thinned_one(field: str, expected: int) -> None:
    end = flying(10 * 1012)
    end.arrives(f".{field}")
    assert end.tcp.status().delivered_ce == expected


def test_an_ack_for_more_than_usual_may_have_wrapped() -> None:
    end = flying(10 * 1012)
    end.arrives(f".Ee ack=-{9 * 1012}")
    end.arrives(".Ee")
    assert end.tcp.status().delivered_ce == 8


def test_the_octets_tell_that_it_has_not() -> None:
    end = flying(10 * 1012)
    end.arrives(f".Ee ack=-{9 * 1012} acc=172:1013,0,1")
    end.arrives(f".Ee acc=172:{1 + 10 * 1012},0,1")
    assert end.tcp.status().delivered_ce == 0


def test_the_octets_tell_that_it_has() -> None:
    end = flying(10 * 1012)
    end.arrives(f".We ack=-{9 * 1012} acc=172:1,1012,1")
    end.arrives(f".We acc=172:1,{10 * 1012},1")
    assert end.tcp.status().delivered_ce == 9


def test_the_window_shrinks_once_for_a_window_of_text() -> None:
    end = flying(10 * 1012)
    end.arrives(f".We ack=-{8 * 1012}")
    reduced = end.tcp.status().snd_ssthresh
    end.arrives(f".EWe ack=-{6 * 1012}")
    assert end.tcp.status().snd_ssthresh == reduced


def test_a_first_option_that_was_zeroed_is_not_believed() -> None:
    end = End(show="acc", tcp_ecn=3)
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300")
    end.arrives(".W acc=172:0,0,0")
    status = end.tcp.status()
    assert (status.accecn_opt_seen, status.accecn_fail_mode) == (3, 8)


def test_a_first_feedback_that_may_have_wrapped_to_zero_is_believed() -> None:
    end = flying(3 * 1012)
    end.arrives(".")
    assert end.tcp.status().delivered_ce == 3
    assert end.send(b"text") == ["P.Ee seq=+0 ack=+0 len=4 ecn=ect0"]


def test_the_option_fits_beside_all_others() -> None:
    end = End(show="acc uto", tcp_ecn=3, tcp_timestamps=1, tcp_user_timeout_option=True, tcp_sack=True)
    end.tcp.tcb.options.tcp_user_timeout = 30_000
    end.tcp.open_passive(end.now)
    end.arrives("SEWe seq=300 sackok mss=1012 ts=1/0")
    stamp = end.tcp.tcb.ts_offset + end.now // MS
    end.arrives(f".W acc=172:1,0,1 ts=1/{stamp}")
    assert [line.split()[3] for line in end.send(bytes(2000))] == ["len=984", "len=988", "len=28"]
