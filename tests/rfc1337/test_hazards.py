"""RFC 1337: the hazards of TIME-WAIT assassination, and the fix of ignoring resets."""

from __future__ import annotations

from tests.rfc9293 import reach
from tests.rfc9293.notation import SECOND
from tulpen.tcp.state import CLOSED, TIME_WAIT
from tulpen.tcp.trace import Reason


def test_assassination() -> None:
    """Figure 1: an old segment, our ACK of it, and the RST with which a peer long gone answers."""
    end = reach.time_wait()
    assert end.arrives("P. seq=-50 data=old") == [". seq=+0 ack=+0"]
    assert end.arrives("R") == []
    assert end.state is CLOSED


def test_fix_f1() -> None:
    """§3: with tcp_rfc1337 resets are ignored in TIME-WAIT."""
    end = reach.time_wait(tcp_rfc1337=True)
    end.arrives("P. seq=-50 data=old")
    for reset in ("R", "R.", "R seq=+5", "R seq=-5"):
        assert end.arrives(reset) == []
    assert end.state is TIME_WAIT
    assert end.reasons()[1:] == [Reason.RST_IN_TIME_WAIT] * 3 + [Reason.RST_OUT_OF_WINDOW]


def test_it_still_lasts_two_msl() -> None:
    end = reach.time_wait(tcp_rfc1337=True)
    end.arrives("R")
    end.wait(60 * SECOND)
    assert end.state is CLOSED


def test_resets_count_in_every_other_state() -> None:
    end = reach.fin_wait_2(tcp_rfc1337=True)
    end.arrives("R")
    assert end.state is CLOSED


def test_hazard_h1_old_text_is_not_taken_for_new() -> None:
    """Text that lies in the window of a connection in TIME-WAIT is of nobody, and acknowledged as such."""
    end = reach.time_wait()
    assert end.arrives("P. data=old") == [". seq=+0 ack=+0"]
    assert end.tcp.readable == 0
    assert end.reasons() == [Reason.NOT_RECEIVING]


def test_a_fin_again_is_acknowledged_and_starts_two_msl_anew() -> None:
    """RFC 9293 §3.10.7.4, also where the peer counts one more octet than it sent."""
    for fin in ("F. seq=-1", "F."):
        end = reach.time_wait()
        end.wait(50 * SECOND)
        assert end.arrives(fin) == [". seq=+0 ack=+0"]
        end.wait(50 * SECOND)
        assert end.state is TIME_WAIT
        end.wait(10 * SECOND)
        assert end.state is CLOSED
