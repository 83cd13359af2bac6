"""The receive window with tcp_rcvbuf_overhead.  The numbers are those that Linux 6.18 gave for the same packets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rfc9293 import reach
from tests.rfc9293.notation import MS, End
from tests.tcp import invariants
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.receive_memory import keeping
from tulpen.tcp.trace import Reason

LINUX: dict[str, Any] = {
    "tcp_rcvbuf_overhead": True,
    "tcp_take_whole": True,
    "tcp_window_scaling": True,
    "tcp_sack": True,
    "tcp_quick_acks": 16,
}
LARGE = (4096, 540_000, 15_728_640)


def receiver(offer: str = "mss=1000 sackok ws=7", **given: Any) -> End:
    """ESTABLISHED from LISTEN, with a peer that sends."""
    end = reach.listen(**(LINUX | {"show": "wnd"} | given))
    end.arrives(f"S seq={reach.IRS} {offer}")
    end.arrives(".")
    end.tcp.adopt()
    return end


def window(end: End) -> int:
    """Octets that the next ACK offers."""
    end.tcp.tcb.ack_now = True
    return end.tcp.segments_to_send(end.now)[-1].wnd << end.tcp.status().rcv_wscale


def text(end: End, octets: int, at: int = 0) -> None:
    end.tcp.segment_arrives(end.arriving(f"P. seq=+{at} len={octets}"), end.now)


@pytest.mark.parametrize(
    ("octets", "memory", "threshold", "told"),
    [
        (1, 832, 268_540, 268_800),
        (200, 1280, 268_540, 268_544),
        (600, 1280, 253_125, 268_288),
        (700, 2304, 162_421, 268_032),
        (1000, 2304, 234_140, 267_776),
        (1200, 2304, 271_560, 271_616),
        (1460, 2304, 271_560, 271_616),
        (3000, 4352, 274_640, 274_688),
        (3600, 4352, 275_840, 275_968),
        (4000, 8448, 255_234, 264_704),
        (5000, 8448, 278_640, 278_784),
        (8000, 12_544, 284_640, 284_672),
        (10_000, 12_544, 288_640, 288_768),
        (20_000, 20_736, 308_640, 308_736),
        (60_000, 61_696, 388_640, 388_864),
    ],
)
def test_the_first_text_tells_how_much_fits(octets: int, memory: int, threshold: int, told: int) -> None:
    end = receiver(tcp_rmem=LARGE)
    text(end, octets)
    status = end.tcp.status()
    assert (status.receive_memory, status.rcv_ssthresh, status.rcv_space) == (memory, threshold, 14_600)
    assert window(end) == told


@pytest.mark.parametrize(
    ("given", "offer", "told", "shift"),
    [
        ({}, "mss=1000 ws=7", 64_240, 7),
        ({"tcp_timestamps": 1}, "mss=1000 ws=7 ts=1/0", 65_160, 7),
        ({"tcp_rmem": LARGE}, "mss=1000 ws=7", 65_535, 8),
        ({"options": SocketOptions(so_rcvbuf=10_000)}, "mss=1000 ws=7", 8760, 0),
        ({"options": SocketOptions(so_rcvbuf=20_000)}, "mss=1000 ws=7", 18_980, 0),
        ({"options": SocketOptions(so_rcvbuf=1_000_000)}, "mss=1000 ws=7", 65_535, 4),
        ({"options": SocketOptions(so_rcvbuf=1)}, "mss=1000 ws=7", 1152, 0),
        ({"options": SocketOptions(tcp_window_clamp=5000)}, "mss=1000 ws=7", 4380, 0),
    ],
)
def test_what_a_syn_ack_offers(given: dict[str, Any], offer: str, told: int, shift: int) -> None:
    end = reach.listen(**(LINUX | given))
    end.tcp.segment_arrives(end.arriving(f"S seq=300 {offer}"), end.now)
    (answer,) = end.tcp.segments_to_send(end.now)
    assert (answer.wnd, answer.options.wscale) == (told, shift)


def test_a_small_buffer_that_fills_and_is_read() -> None:
    end = receiver(options=SocketOptions(so_rcvbuf=10_000))
    told = []
    for _ in range(24):
        text(end, 500)
        told.append(window(end))
    assert told == [
        8260, 8260, 8040, 7540, 7040, 6540, 6040, 5540, 5040, 4540, 4040, 3540, 3040, 2540, 2040, 1540,
        3752, 3252, 2752, 2252, 1752, 1252, 752, 252,
    ]  # fmt: skip
    updates = {}
    for count in range(1, 19):
        end.tcp.receive(700)
        if sent := end.tcp.segments_to_send(end.now):
            updates[count] = sent[-1].wnd
    assert updates == {6: 1608, 11: 3752}


def test_the_buffer_grows_as_fast_as_the_application_takes_text() -> None:
    end = receiver(tcp_rmem=(4096, 131_072, 6_291_456))
    sizes = [end.tcp.status().receive_buffer]
    for _ in range(40):
        for _ in range(max(1, window(end) // 2 // 20_000)):
            text(end, 20_000)
            end.tcp.receive(1 << 20, end.now)
        end.now += 10 * MS
        sizes.append(end.tcp.status().receive_buffer)
    assert sizes == sorted(sizes)
    assert sizes[-1] > 8 * sizes[0]


@pytest.mark.parametrize("given", [{"tcp_moderate_rcvbuf": False}, {"options": SocketOptions(so_rcvbuf=65_536)}])
def test_unless_it_is_not_to(given: dict[str, Any]) -> None:
    end = receiver(**given)
    before = end.tcp.status().receive_buffer
    for _ in range(40):
        text(end, 20_000)
        end.tcp.receive(1 << 20, end.now)
        end.now += 10 * MS
    assert end.tcp.status().receive_buffer == before


def test_text_that_goes_beyond_the_window_is_taken_whole_or_not_at_all() -> None:
    end = receiver(options=SocketOptions(so_rcvbuf=20_000))
    text(end, 20_000)
    assert (end.tcp.readable, end.reasons()) == (20_000, [])
    assert window(end) == 17_520
    text(end, 40_000)
    assert (end.tcp.readable, end.reasons()) == (20_000, [Reason.BEYOND_WINDOW])
    end.tcp.receive(20_000)
    text(end, 40_000)
    assert end.tcp.readable == 40_000


def test_what_was_offered_counts_though_the_window_is_taken_back() -> None:
    """RFC 7323 §2.4."""
    end = receiver(tcp_shrink_window=True, tcp_rmem=(4096, 32_768, 33_554_432))
    text(end, 10_000)
    assert window(end) == 15 * 1024
    text(end, 1023)
    assert window(end) == 13 * 1024
    text(end, 14_338)
    assert end.reasons() == [Reason.BEYOND_WINDOW]
    text(end, 14_337)
    assert end.tcp.readable == 25_360
    assert window(end) == 0


def test_a_buffer_made_smaller_closes_the_window_at_once() -> None:
    end = receiver(options=SocketOptions(so_rcvbuf=1_000_000))
    for _ in range(16):
        text(end, 65_000)
        assert window(end)
    end.tcp.tcb.options.so_rcvbuf = 16_000
    end.tcp.receive_options_changed()
    text(end, 1000)
    assert end.reasons() == [Reason.NO_ROOM]
    assert window(end) == 0
    text(end, 1000)
    assert end.reasons()[1:] == [Reason.ZERO_WINDOW]
    assert end.arrives("F.") == [". seq=+0 ack=+0 wnd=0"]
    assert end.tcp.status().rcv_nxt == end.tcp.tcb.rcv.fin + 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.integers(0, 70_000), st.integers(1, 40_000)),
        st.tuples(st.just("read"), st.integers(1, 80_000), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 300), st.just(0)),
    ),
    max_size=60,
)


@given(
    STEPS,
    st.sampled_from([2304, 4096, 20_000, 131_072]),
    st.sampled_from(["mss=1000", "mss=1000 sackok", "mss=1000 sackok ws=7"]),
    st.booleans(),
)
def test_the_right_edge_never_goes_back_and_what_is_held_is_bounded(
    steps: list[tuple[str, int, int]], buffer: int, offer: str, shrinks: bool
) -> None:
    end = receiver(offer, tcp_rmem=(2304, buffer, max(buffer, 200_000)), tcp_shrink_window=shrinks)
    shift, edge = end.tcp.status().rcv_wscale, 0
    for step, one, two in steps:
        if step == "text":
            text(end, two, at=one)
        elif step == "read":
            end.tcp.receive(one, end.now)
        else:
            end.wait(one * MS)
        out = end.tcp.segments_to_send(end.now)
        invariants.hold(end.tcp)
        for sent in out:
            told = sent.ack + (sent.wnd << shift)
            assert told >= edge or shrinks
            edge = max(edge, told)
        rcv = end.tcp.tcb.rcv
        assert rcv.edge >= edge
        assert end.tcp.tcb.receive_queue.memory <= rcv.buff + keeping(65_535)[0]
