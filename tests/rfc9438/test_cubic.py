"""CUBIC (RFC 9438), with the delay rule of HyStart (RFC 9406)."""

from __future__ import annotations

import pytest

from tests.rfc9293.notation import End
from tests.rfc9293.reach import established
from tulpen.tcp.config import MS, SECOND, Settings
from tulpen.tcp.congestion import ALGORITHMS, CongestionControl

MSS = 1000
RTT = 100 * MS


def lose(cc: CongestionControl) -> None:
    cc.ssthresh = cc.cwnd = cc.after_loss(cc.cwnd)


def after_loss(window: int) -> CongestionControl:
    cubic = ALGORITHMS["cubic"](MSS, window * MSS)
    lose(cubic)
    return cubic


def rounds(cc: CongestionControl, seconds: int, start: int = 0) -> list[int]:
    """Acknowledge every window once a round trip; return the window, in segments, after each."""
    windows = []
    for now in range(start, start + seconds * SECOND, RTT):
        left = cc.cwnd
        while left > 0:
            cc.acknowledged(min(left, 2 * MSS), now, RTT)
            left -= 2 * MSS
        windows.append(cc.cwnd // MSS)
    return windows


def test_it_is_the_default_as_on_linux() -> None:
    assert Settings().tcp_congestion_control == "cubic"


def test_a_loss_leaves_seven_tenths() -> None:
    cubic = after_loss(100)
    assert cubic.cwnd == cubic.ssthresh == 70 * MSS


@pytest.mark.requirement("MAY-18")
def test_the_window_levels_off_where_the_loss_was_and_then_probes() -> None:
    """§4.2: K = cbrt((100 - 70) / 0.4), 4.2 seconds."""
    windows = rounds(after_loss(100), 9)
    assert windows == sorted(windows)
    gained = [windows[at + 9] - windows[at] for at in (0, 36, 75)]
    assert gained[0] > gained[1] < gained[2]
    assert abs(windows[42] - 100) <= 2


def test_a_second_loss_below_the_first_plateau_gives_way() -> None:
    """§4.7: fast convergence; the plateau is 0.85 of where the second loss was."""
    cubic = after_loss(100)
    rounds(cubic, 1)
    second = cubic.cwnd // MSS
    assert second < 100
    lose(cubic)
    windows = rounds(cubic, 6, start=SECOND)
    assert max(windows[:30]) < second * 0.9


def test_a_small_window_grows_as_reno_would() -> None:
    """§4.3: the Reno-friendly region; 3 * 0.3 / 1.7 of a segment each round trip."""
    windows = rounds(after_loss(10), 2)
    assert 7 + 8 <= windows[-1] <= 7 + 12


def test_a_timeout_forgets_the_path() -> None:
    cubic = after_loss(100)
    assert cubic.after_loss(70 * MSS) == 49 * MSS
    cubic.timed_out()
    cubic.cwnd = cubic.ssthresh = 10 * MSS
    assert rounds(cubic, 1)[0] <= 11


def test_slow_start_ends_when_the_delay_of_a_round_has_grown() -> None:
    """RFC 9406 §4.2."""
    cubic = ALGORITHMS["cubic"](MSS, 20 * MSS)
    for una, rtt in ((1, RTT), (2, RTT + 30 * MS)):
        for _ in range(10):
            cubic.round_trip(rtt, una * 1_000_000, una * 1_000_000 + 20 * MSS, una * SECOND)
    assert cubic.ssthresh == cubic.cwnd == 20 * MSS


def test_slow_start_goes_on_while_the_delay_stays() -> None:
    cubic = ALGORITHMS["cubic"](MSS, 20 * MSS)
    for una in (1, 2):
        for _ in range(10):
            cubic.round_trip(RTT + una * MS, una * 1_000_000, una * 1_000_000 + 20 * MSS, una * SECOND)
    assert cubic.ssthresh > 20 * MSS


def test_a_clone_grows_alike_and_alone() -> None:
    cubic = after_loss(50)
    rounds(cubic, 1)
    twin = cubic.clone()
    assert rounds(twin, 2, SECOND) == rounds(cubic, 2, SECOND)


def acknowledged(end: End) -> int:
    end.wait(50 * MS)
    before = end.tcp.status().snd_cwnd
    end.arrives(".")
    return end.tcp.status().snd_cwnd - before


def test_a_window_that_was_not_used_does_not_grow() -> None:
    """RFC 7661 §4.3."""
    end = established(tcp_congestion_control="cubic")
    end.send(b"x" * 1460)
    assert acknowledged(end) == 0
    end.send(b"x" * 14_600)
    assert acknowledged(end) == 14_600
