"""Every fault in virtual time: what it does on the wire, and what a client without a timeout sees of it."""

from __future__ import annotations

import pytest

from tests.faults.staging import GET_AND_CLOSE, PAGE, SECOND, play
from tulpen.faults.catalogue import FAULTS
from tulpen.faults.http import Page, numbered_lines
from tulpen.tcp.trace import Dropped, Reason
from tulpen.wire.segment import FIN, RST, SYN

LENGTH = len(PAGE.body)
# What a client sees that asks as often as the fault wants, on one connection, and never loses patience.
SEEN = {
    "healthy": "ok",
    "syn-unanswered": "hang",
    "refused": "ECONNREFUSED",
    "syn-ack-late": "ok",
    "never-accepted": "hang",
    "no-options": "ok",
    "half-open-after-handshake": "hang",
    "half-open-after-request": "hang",
    "half-open-mid-response": "hang",
    "idle-gone-silent": "hang",
    "idle-gone-rst": "ECONNRESET",
    "rst-on-request": "ECONNRESET",
    "rst-at-byte": "ECONNRESET",
    "rst-after-response": "ok",
    "rst-wrong-seq": "ok",
    "fin-at-byte": "short",
    "fin-never": "hang",
    "close-race": "short",
    "zero-window-forever": "hang",
    "zero-window-a-while": "ok",
    "byte-at-a-time": "ok",
    "loss": "ok",
    "reordering": "ok",
    "duplication": "ok",
    "delay": "ok",
    "corrupted-checksums": "ok",
    "mtu-black-hole": "hang",
}
ELSEWHERE = {"half-close", "ports-exhausted"}  # below; the victim's own host


def test_every_fault_is_tried() -> None:
    assert set(SEEN) | ELSEWHERE == {fault.name for fault in FAULTS}


@pytest.mark.parametrize("name", SEEN)
def test_what_the_client_sees(name: str) -> None:
    fault = next(each for each in FAULTS if each.name == name)
    shown = play(name, questions=fault.requests)
    assert shown.outcome == SEEN[name]
    assert shown.stage.tally.met or name == "healthy"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["loss", "reordering", "duplication", "corrupted-checksums"])
def test_the_octets_survive_a_bad_path(name: str, seed: int) -> None:
    control = play("healthy", question=GET_AND_CLOSE)
    shown = play(name, question=GET_AND_CLOSE, seconds=200, seed=seed)
    assert shown.outcome == "ok"
    assert shown.client.asked[0].digest == control.client.asked[0].digest


@pytest.mark.parametrize("octets", [0, 1, 100, 5000])
@pytest.mark.parametrize(("name", "ends"), [("rst-at-byte", RST), ("fin-at-byte", FIN)])
def test_exactly_so_many_octets_arrive(name: str, ends: int, octets: int) -> None:
    shown = play(f"{name}:bytes={octets}")
    assert shown.client.asked[0].octets == octets
    assert any(seg.flags & ends for seg in shown.at("client"))


def test_a_fault_can_happen_to_the_first_connections_alone() -> None:
    shown = play("rst-at-byte:times=1", questions=2)
    first, second = shown.client.asked
    assert first.error
    assert second.whole


@pytest.mark.parametrize("n", [1, 2, 3])
def test_syn_ack_late_loses_the_first_syns(n: int) -> None:
    shown = play(f"syn-ack-late:n={n}")
    assert shown.client.asked[0].latency >= (2**n - 1) * SECOND
    assert sum(bool(seg.flags & SYN) for seg in shown.at("server")) == 1


def test_no_options_leaves_the_mss_alone() -> None:
    shown = play("no-options")
    answer = next(seg.options for seg in shown.at("client") if seg.flags & SYN)
    assert answer.mss is not None
    assert (answer.wscale, answer.sack_permitted, answer.tsval) == (None, False, None)
    assert shown.hosts["server"].counters()["SyncookiesSent"] == 1


def test_forged_resets_are_challenged() -> None:
    shown = play("rst-wrong-seq")
    reasons = {record.reason for _, record in shown.records("client") if isinstance(record, Dropped)}
    assert {Reason.RST_OUT_OF_WINDOW, Reason.RST_NOT_NEXT} <= reasons


def test_byte_at_a_time_is_one_octet_a_segment() -> None:
    shown = play("byte-at-a-time:bytes=50,seconds=0.01")
    assert shown.client.asked[0].pieces[:50] == [1] * 50
    assert shown.client.asked[0].latency >= 49 * SECOND // 100


def test_half_close_hears_and_says_nothing() -> None:
    shown = play("half-close")
    assert shown.outcome == "ok"
    assert any(seg.flags & FIN for seg in shown.at("client"))
    assert not any(seg.flags & RST for seg in shown.at("client"))


def test_the_close_race_is_a_fin_that_crosses_the_request() -> None:
    shown = play("close-race", questions=2)
    first, second = shown.client.asked
    assert first.whole
    assert not second.whole
    assert second.octets == 0
    fin = next(i for i, seg in enumerate(shown.at("client")) if seg.flags & FIN)
    assert any(seg.flags & RST for seg in shown.at("client")[fin:])


def test_the_window_is_zero_for_a_while() -> None:
    shown = play("zero-window-a-while:seconds=2")
    windows = [(now, seg.wnd) for now, who, seg in shown.arrived if who == "client"]
    assert all(window == 0 for now, window in windows if now < 2 * SECOND)
    assert shown.client.asked[0].latency >= 2 * SECOND


def test_a_black_hole_lets_small_packets_through() -> None:
    shown = play("mtu-black-hole:mtu=1000")
    assert max(len(seg.data) for seg in shown.at("client")) < 1000


def test_a_run_is_replayed_exactly() -> None:
    def run() -> list[tuple[int, str, str]]:
        return [(now, who, repr(seg)) for now, who, seg in play("loss", seed=7).arrived]

    assert run() == run()


@pytest.mark.parametrize("name", ["healthy", "loss", "rst-at-byte:bytes=700000", "fin-at-byte:bytes=700000"])
def test_a_page_larger_than_the_send_buffer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.staging.PAGE", Page(numbered_lines(1_000_000)))
    shown = play(name, question=GET_AND_CLOSE, seconds=300)
    assert shown.outcome == {"rst-at-byte": "ECONNRESET", "fin-at-byte": "short"}.get(name.partition(":")[0], "ok")
    assert shown.client.asked[0].octets >= 1_000_000 or shown.client.asked[0].octets == 700_000
