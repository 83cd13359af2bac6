"""What FreeBSD does otherwise than Linux, setting by setting; the RFCs permit both, or once did."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from tests.rfc9293 import reach
from tests.rfc9293.cases import Case, case, check
from tests.rfc9293.notation import MS, SECOND, End
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import (
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
)
from tulpen.tcp.trace import Reason
from tulpen.wire.options import NO_OPTIONS, Options

ACK = [". seq=+0 ack=+0"]


@pytest.mark.parametrize(
    "row",
    [
        case("a RST at RCV.NXT resets", "R", [], CLOSED),
        case("a RST further in the window too", "R seq=+1", [], CLOSED),
        case("and the last octet of it", "R seq=+65534", [], CLOSED),
        case("left of it it is dropped", "R seq=-1", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
        case("right of it too", "R seq=+65535", [], ESTABLISHED, Reason.RST_OUT_OF_WINDOW),
    ],
)
def test_insecure_rst(row: Case) -> None:
    check(reach.established(tcp_insecure_rst=True), row)


@pytest.mark.parametrize(
    "row",
    [
        case("a SYN in the window resets", "S seq=+1000", ["R. seq=+0 ack=+0"], CLOSED, Reason.SYN_IN_WINDOW),
        case("out of it it is challenged", "S seq=-1000", ACK, ESTABLISHED, Reason.OUT_OF_WINDOW),
    ],
)
def test_insecure_syn(row: Case) -> None:
    check(reach.established(tcp_insecure_syn=True), row)


def test_the_user_hears_of_an_insecure_syn() -> None:
    end = reach.established(tcp_insecure_syn=True)
    end.arrives("S")
    assert end.tcp.error == errno.ECONNRESET


@pytest.mark.parametrize(
    ("drop", "where", "sent", "then"),
    [
        (0, reach.listen, ["S. seq=+0 ack=+0"], SYN_RECEIVED),
        (1, reach.listen, [], LISTEN),
        (2, reach.listen, [], LISTEN),
        (1, reach.syn_sent, ["S. seq=+0 ack=+0"], SYN_RECEIVED),
        (2, reach.syn_sent, [], SYN_SENT),
        (1, reach.established, ACK, ESTABLISHED),
        (2, reach.established, [], ESTABLISHED),
    ],
)
def test_drop_synfin(drop: int, where: Callable[..., End], sent: list[str], then: object) -> None:
    end = where(tcp_drop_synfin=drop)
    assert end.arrives("SF seq=300 mss=1460") == sent
    assert end.state is then


@pytest.mark.parametrize("resets", [True, False])
def test_a_syn_ack_in_listen(resets: bool) -> None:
    end = reach.listen(tcp_listen_resets_syn_ack=resets)
    assert bool(end.arrives("S. seq=300 ack=7")) is resets
    assert end.arrives(". seq=300 ack=7") != []
    assert end.state is LISTEN


def _with_timestamps(**sysctls: object) -> End:
    end = reach.syn_sent(tcp_timestamps=2, **sysctls)
    end.arrives("S. seq=300 mss=1460 ts=50/0")
    assert end.state is ESTABLISHED
    return end


def test_a_segment_without_timestamps_is_tolerated() -> None:
    end = _with_timestamps(tcp_tolerate_missing_ts=True)
    end.arrives("P. data=abc")
    assert end.tcp.readable == 3


def test_or_dropped() -> None:
    end = _with_timestamps(tcp_tolerate_missing_ts=False)
    assert end.arrives("P. data=abc") == []
    assert end.tcp.readable == 0
    assert end.reasons() == [Reason.NO_TIMESTAMP]
    end.arrives("R")
    assert end.state is CLOSED


@pytest.mark.parametrize(("epipe", "error"), [(True, errno.EPIPE), (False, errno.ECONNRESET)])
def test_the_errno_of_a_reset_in_close_wait(epipe: bool, error: int) -> None:
    end = reach.close_wait(tcp_reset_epipe=epipe)
    end.arrives("R")
    assert end.tcp.error == error


def test_an_ack_carries_the_fin_again() -> None:
    end = reach.fin_wait_1(tcp_fin_again=True)
    assert end.arrives("F. ack=-1") == ["F. seq=+0 ack=+0"]
    assert end.state is CLOSING
    assert end.arrives("R seq=+1") == ACK  # a challenge is bare


def test_but_not_once_it_is_acknowledged() -> None:
    end = reach.fin_wait_2(tcp_fin_again=True)
    assert end.arrives("F.") == ACK


def test_the_ack_of_a_duplicate_counts() -> None:
    end = reach.closing(tcp_acks_in_duplicates=True)
    assert end.arrives("F. seq=-1") == ACK
    assert end.state is TIME_WAIT


def test_elsewhere_it_does_not() -> None:
    end = reach.closing()
    assert end.arrives("F. seq=-1") == ACK
    assert end.state is CLOSING


def test_the_text_of_a_duplicate_does_not() -> None:
    end = reach.established(tcp_acks_in_duplicates=True)
    assert end.arrives("P. seq=-3 data=abc") == ACK
    assert end.tcp.readable == 0
    assert end.state is ESTABLISHED


@pytest.mark.parametrize(("tells", "wnd"), [(True, 65535), (False, 0)])
def test_the_window_of_a_reset(tells: bool, wnd: int) -> None:
    end = reach.established(tcp_reset_tells_window=tells)
    end.tcp.abort(end.now)
    assert [segment.wnd for segment in end.tcp.segments_to_send(end.now)] == [wnd]


@pytest.mark.parametrize(
    "row",
    [
        case("a RST changes nothing", "R", [], TIME_WAIT, Reason.RST_IN_TIME_WAIT),
        case("without an ACK nothing counts", "F", [], TIME_WAIT, Reason.NO_ACK),
        case("the same ACK again is not answered", ".", [], TIME_WAIT),
        case("the FIN again is acknowledged", "F. seq=-1", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("what lies in the window too", ". seq=+1", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("what lies nowhere too", "P. seq=+99999 data=abc", ACK, TIME_WAIT, Reason.OUT_OF_WINDOW),
        case("a SYN at RCV.NXT does not reopen", "S", [], TIME_WAIT, Reason.NO_ACK),
        case("a SYN beyond it does", "S seq=+1", [], CLOSED),
        case("with a FIN too", "SF seq=+1", [], CLOSED),
    ],
)
def test_time_wait_by_ack(row: Case) -> None:
    check(reach.time_wait(tcp_tw_by_ack=True), row)


def test_a_fin_again_restarts_time_wait() -> None:
    end = reach.time_wait(tcp_tw_by_ack=True)
    end.wait(50 * SECOND)
    end.arrives("F. seq=-1")
    end.wait(50 * SECOND)
    assert end.state is TIME_WAIT
    end.wait(10 * SECOND)
    assert end.state is CLOSED


# the window


def test_the_buffer_is_rounded_up_to_whole_segments() -> None:
    end = reach.established(tcp_rcvbuf_whole_segments=True, tcp_rmem=(4096, 65_536, 65_536))
    assert end.tcp.tcb.rcv.buff == 45 * 1460
    end = reach.established(tcp_rmem=(4096, 65_536, 65_536))
    assert end.tcp.tcb.rcv.buff == 65_536


def _window_after(octets: int, **sysctls: object) -> list[int]:
    end = reach.established(tcp_rmem=(4096, 65_535, 65_535), **sysctls)
    end.tcp.segment_arrives(end.arriving(f"P. len={octets}"), end.now)
    end.tcp.receive(octets // 2)
    end.tcp.segment_arrives(end.arriving("P. seq=+1 data=x"), end.now)  # what asks for an ACK at once
    return [segment.wnd for segment in end.tcp.segments_to_send(end.now)]


def test_the_window_rises_in_steps() -> None:
    assert _window_after(1000)[-1] == 65_535 - 1000


def test_or_tells_all_the_room() -> None:
    assert _window_after(1000, tcp_window_steps=False)[-1] == 65_535 - 500


def test_all_the_room_is_acceptable() -> None:
    end = reach.established(
        tcp_window_steps=False, tcp_rcvbuf_whole_segments=True, tcp_rmem=(4096, 65_536, 65_536)
    )  # fmt: skip
    end.arrives(f"P. seq=+{45 * 1460 - 1} data=x")
    assert Reason.OUT_OF_WINDOW not in end.reasons()
    end.arrives(f"P. seq=+{45 * 1460} data=x")
    assert end.reasons() == [Reason.OUT_OF_WINDOW]


def _filled(**sysctls: object) -> End:
    end = reach.established(
        tcp_window_steps=False, tcp_window_update_share=4, tcp_rmem=(4096, 65_535, 65_535), **sysctls
    )  # fmt: skip
    for _ in range(44):
        end.arrives("P. len=1460")
    end.wait(SECOND)
    return end


@pytest.mark.parametrize(("read", "updates"), [(15 * 1460, True), (10 * 1460, False), (2 * 1460, False)])
def test_an_update_is_worth_a_quarter_of_the_buffer(read: int, updates: bool) -> None:
    end = _filled()
    for _ in range(4):
        end.tcp.receive(1460)  # out of the corner where little is much
        end.sent()
    end.tcp.receive(read)
    assert bool(end.sent()) is updates


def test_an_update_of_a_nearly_closed_window_is_worth_two_segments() -> None:
    end = _filled()
    end.tcp.receive(1460)
    assert end.sent() == []
    end.tcp.receive(1460)
    assert end.sent() != []


def test_every_second_segment_is_acknowledged_whatever_its_size() -> None:
    end = reach.established(tcp_delack_any=True)
    assert [end.arrives("P. data=a") for _ in range(4)] == [[], ACK, [], ACK]


def test_the_delay_of_an_ack_is_a_setting() -> None:
    end = reach.established(tcp_delack_ms=100)
    end.arrives("P. data=a")
    assert end.next_timeout() == (100 * MS, ACK)


# opening


def test_keepinit_ends_an_attempt() -> None:
    end = reach.syn_sent(tcp_keepinit=5)
    assert len(end.wait(5 * SECOND)) == 2
    assert end.state is CLOSED
    assert end.tcp.error == errno.ETIMEDOUT


def test_the_socket_can_ask_for_less() -> None:
    end = reach.syn_sent(tcp_keepinit=5, options=SocketOptions(tcp_keepinit=2))
    end.wait(2 * SECOND)
    assert end.state is CLOSED


def test_keepinit_does_not_touch_an_open_connection() -> None:
    end = reach.established(tcp_keepinit=5)
    end.send(b"abc")
    end.wait(20 * SECOND)
    assert end.state is ESTABLISHED


def test_slop_is_added_to_what_is_backed_off() -> None:
    end = reach.syn_sent(tcp_rto_slop_ms=200)
    assert [end.next_timeout()[0] // MS for _ in range(3)] == [1000, 2200, 4200]


def test_the_third_syn_sent_again_goes_without_options() -> None:
    end = reach.syn_sent(tcp_plain_syn_after=2, tcp_sack=True)
    seen: list[Options] = []
    for _ in range(4):
        deadline = end.tcp.next_deadline()
        assert deadline is not None
        end.tcp.timeout(deadline)
        seen += [segment.options for segment in end.tcp.segments_to_send(deadline)]
    assert [options.sack_permitted for options in seen] == [True, True, False, False]
    assert {options.mss for options in seen} == {1460}


def test_no_options_either_way() -> None:
    options = SocketOptions(tcp_noopt=True)
    end = End(plain=False, options=options)
    end.tcp.open_active(end.now)
    assert [segment.options for segment in end.tcp.segments_to_send(end.now)] == [NO_OPTIONS]
    end.arrives("S. seq=300 mss=1000 ts=1/0 sackok=1")
    assert end.state is ESTABLISHED
    assert end.tcp.status().snd_mss == 536


def test_nor_from_a_passive_open() -> None:
    end = End(plain=False, options=SocketOptions(tcp_noopt=True))
    end.tcp.open_passive(end.now)
    end.tcp.segment_arrives(end.arriving("S seq=300 mss=1000 ts=1/0"), end.now)
    assert [segment.options for segment in end.tcp.segments_to_send(end.now)] == [NO_OPTIONS]


def test_text_on_a_crossing_syn_waits_for_established() -> None:
    end = reach.syn_sent(tcp_queue_syn_text=True)
    assert end.arrives("S seq=300 mss=1460 data=abc") == ["S. seq=+0 ack=+0"]
    assert end.tcp.readable == 0
    end.signals()
    end.arrives(". seq=+3")
    assert end.state is ESTABLISHED
    assert Signal.READABLE in end.signals()
    assert end.tcp.receive(10) == b"abc"
    assert end.shutdown() == ["F. seq=+0 ack=+0"]
    assert end.state is FIN_WAIT_1


def test_it_may_come_again_with_the_ack() -> None:
    end = reach.syn_sent(tcp_queue_syn_text=True)
    end.arrives("S seq=300 mss=1460 data=abc")
    end.arrives("P. data=abcdef")
    assert end.tcp.receive(10) == b"abcdef"


def test_linux_drops_it() -> None:
    end = reach.syn_sent()
    end.arrives("S seq=300 mss=1460 data=abc")
    end.arrives(".")
    assert end.state is ESTABLISHED
    assert end.tcp.readable == 0
