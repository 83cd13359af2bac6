"""Verdicts and findings, each from the fewest segments that show it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from tests.capture.files import CLIENT, MS, SERVER, Talk, orderly, pcap
from tulpen.capture.kinds import FINDING
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.reading import Reading, read
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN, Segment

TS = Options(mss=1460, sack_permitted=True, wscale=7, tsval=1000, tsecr=0)


def stamped(value: int, echo: int = 0) -> Options:
    return Options(tsval=value, tsecr=echo)


def simultaneous() -> Talk:
    talk = Talk().client("S").server("S", after=1)
    return talk.client("S.", 0, 1).server("S.", 0, 1).client(".", 1, 1).server(".", 1, 1)


def split() -> Talk:
    return Talk().client("S").server("S").client("S.", 0, 1).server(".", 1, 1).client("P.", 1, 1, 10)


OPENINGS: dict[str, Callable[[], Talk]] = {
    "normal": lambda: Talk().opened(),
    "simultaneous": simultaneous,
    "split": split,
    "fast-open": lambda: Talk().client("S", size=50).server("S.", 0, 51).client(".", 51, 1),
    "unfinished": lambda: Talk().client("S").server("S.", 0, 1).server("S.", 0, 1, after=1000),
    "unanswered": lambda: Talk().client("S").client("S", after=1000),
    "refused": lambda: Talk().client("S").server("R.", 0, 1),
    "partial": lambda: Talk().server("S.", 0, 1).client(".", 1, 1),
    "one-sided": lambda: Talk().client("S").client(".", 1, 1).client("P.", 1, 1, 100),
    "midstream": lambda: Talk().client("P.", 1, 1, 10).server(".", 1, 11),
}


@pytest.mark.parametrize("word", OPENINGS)
def test_openings(word: str) -> None:
    (row,) = OPENINGS[word]().read()
    assert row.opened == word
    assert row.client_port == 40_000


def test_a_simultaneous_open_goes_through_syn_received() -> None:
    (row,) = simultaneous().read()
    assert row.client_path == row.server_path == "SYN-SENT > SYN-RECEIVED > ESTABLISHED"


def test_an_icmp_error_answers_the_syn() -> None:
    talk = Talk().client("S")
    syn = Segment(1000, 0, SYN, sport=40_000, dport=80)
    quoted = build_packet(Packet(CLIENT, SERVER, syn))[:28]
    error = bytes((3, 10, 0, 0)) + bytes(4) + quoted
    talk.packets.append((20 * MS, build_packet(Packet(bytes((10, 0, 0, 254)), CLIENT, error, protocol=1))))
    (row,) = talk.read()
    assert (row.opened, row.ended) == ("unreachable", "unreachable")
    assert "host administratively prohibited" in row.why


def closed_by(side: int) -> Talk:
    talk = Talk().opened()
    talk.send(side, "F.", 1, 1).send(1 - side, "F.", 1, 2)
    return talk.send(side, ".", 2, 2)


def idle_then(flags: str) -> Talk:
    talk = Talk().opened().client("P.", 1, 1, 100).server(".", 1, 101).server("P.", 1, 101, 200).client(".", 101, 201)
    return talk.client("P.", 101, 201, 50, after=75_000).server(flags, 201, 151)


def retried() -> Talk:
    talk = Talk().opened().client("P.", 1, 1, 100)
    for wait in (300, 600, 1200, 2400, 4800):
        talk.client("P.", 1, 1, 100, after=wait)
    return talk


ENDINGS: dict[str, tuple[Callable[[], Talk], tuple[str, str, str, str]]] = {
    "the client": (lambda: closed_by(0), ("closed", "client", "", "client")),
    "the server": (lambda: closed_by(1), ("closed", "server", "", "server")),
    "together": (
        lambda: Talk().opened().client("F.", 1, 1).server("F.", 1, 1, after=1).client(".", 2, 2).server(".", 2, 2),
        ("closed-together", "both", "", "both"),
    ),
    "half-closed": (
        lambda: Talk().opened().client("F.", 1, 1).server(".", 1, 2).server("P.", 1, 2, 100).client(".", 2, 101),
        ("half-closed", "client", "", ""),
    ),
    "open": (lambda: Talk().opened(), ("open", "", "", "")),
    "closed port": (lambda: Talk().client("S").server("R.", 0, 1), ("refused", "server", "closed-port", "")),
    "unread": (
        lambda: Talk().opened().client("P.", 1, 1, 100).server("R.", 1, 101),
        ("reset", "server", "unread-data", ""),
    ),
    "linger 0": (
        lambda: orderly_half().client("R.", 101, 501),
        ("reset", "client", "abort", ""),
    ),
    "text after close": (
        lambda: Talk().opened().server("F.", 1, 1).client(".", 1, 2).client("P.", 1, 2, 10).server("R", 2, 0),
        ("reset", "server", "data-after-close", ""),
    ),
    "forgotten": (lambda: idle_then("R"), ("reset", "server", "forgotten", "")),
    "gave up": (lambda: retried().client("R.", 101, 1, after=5000), ("reset", "client", "gave-up", "")),
    "silent": (retried, ("silent", "server", "", "")),
    "half-open": (
        lambda: Talk().client("S").server(".", 300, 0, raw_ack=77).client("R", 77 - 1000),
        ("reset", "client", "bad-ack", ""),
    ),
    "a SYN of nobody's": (
        lambda: Talk().client("S").server("S.", 0, 1).client("R", 1),
        ("reset", "client", "no-connection", ""),
    ),
}  # fmt: skip


def orderly_half() -> Talk:
    talk = Talk().opened()
    return talk.client("P.", 1, 1, 100).server(".", 1, 101).server("P.", 1, 101, 500).client(".", 101, 501)


@pytest.mark.parametrize("name", ENDINGS)
def test_endings(name: str) -> None:
    make, expected = ENDINGS[name]
    (row,) = make().read()
    assert (row.ended, row.by, row.cause, row.time_wait) == expected, row.why


def test_the_idle_time_before_the_end() -> None:
    (row,) = idle_then("R").read()
    assert row.idle == pytest.approx(0.01)
    (row,) = Talk().opened().client("F.", 1, 1, after=75_000).read()
    assert row.idle == pytest.approx(75)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_forged_reset(goes_on: bool) -> None:
    talk = orderly_half().server("R.", 501, 101, ttl=240, ident=40_000)
    if goes_on:
        talk.server("P.", 501, 101, 100, after=300).client("R", 101)
    (row,) = talk.read()
    assert (row.ended, row.by, row.cause) == ("reset", "middle", "injected")
    assert "another TTL" in row.why


def test_a_reset_beside_the_window_ends_nothing() -> None:
    talk = orderly_half().server("R", 90_000)
    talk.client("P.", 101, 501, 10).server(".", 501, 111)
    (row,) = talk.read()
    assert (row.ended, row.client_state, row.server_state) == ("open", "ESTABLISHED", "ESTABLISHED")


def test_the_four_tuple_used_again() -> None:
    talk = closed_by(0)
    talk.isn = (9_000_000, 7_000_000)
    talk.opened()
    first, second = talk.read()
    assert (first.ended, first.client_path.split(" > ")[-1]) == ("closed", "CLOSED?")
    assert (second.opened, second.ended, second.findings) == ("normal", "open", "reused")


def test_a_syn_inside_is_challenged_and_the_connection_goes_on() -> None:
    talk = orderly_half()
    old, talk.isn = talk.isn, (77_000_000, 5000)
    talk.client("S")
    talk.isn = old
    talk.server(".", 501, 101).client("P.", 101, 501, 20).server(".", 501, 121)
    first, second = talk.read()
    assert (first.ended, first.client_bytes) == ("open", 120)
    assert "challenged" in first.findings
    assert second.opened == "unanswered"


def found(talk: Talk, policy: Policy | None = None) -> dict[str, int]:
    reading = talk.read(policy)
    for finding in reading.findings:
        assert finding.clause == FINDING[finding.kind].clause
    counts: dict[str, int] = {}
    for finding in reading.findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + finding.count
    return counts


def burst(talk: Talk, *numbers: int, after: float = 0.1) -> Talk:
    for number in numbers:
        talk.client("P.", 1 + 1000 * number, 1, 1000, after=after)
    return talk


def test_a_retransmission_timeout() -> None:
    talk = burst(Talk().opened(), 0)
    assert found(talk.client("P.", 1, 1, 1000, after=300).server(".", 1, 1001)) == {"retransmissions": 1, "timeouts": 1}


def test_a_fast_retransmit() -> None:
    talk = burst(Talk().opened(), 0, 1, 2, 3, 4)
    for _ in range(4):
        talk.server(".", 1, 1001, after=5)
    counts = found(talk.client("P.", 1001, 1, 1000).server(".", 1, 5001))
    assert counts == {"retransmissions": 1, "fast-retransmits": 1}


def test_a_spurious_retransmission_and_the_dsack_that_tells() -> None:
    talk = burst(Talk().opened(), 0).server(".", 1, 1001)
    talk.client("P.", 1, 1, 1000, after=300)
    talk.server(".", 1, 1001, options=Options(sack=((1001, 2001),)))
    assert found(talk) == {"retransmissions": 1, "spurious": 1, "dsack": 1}


def test_segments_that_overtook_each_other() -> None:
    talk = burst(Talk().opened(), 0)
    talk.client("P.", 2001, 1, 1000, ident=203).client("P.", 1001, 1, 1000, ident=202, after=1).server(".", 1, 3001)
    assert found(talk) == {"reordered": 1}


def test_a_lost_original_is_a_retransmission_and_no_reordering() -> None:
    talk = burst(Talk().opened(), 0, 2, 3, 4, 5)
    for _ in range(5):
        talk.server(".", 1, 1001, after=5)
    counts = found(talk.client("P.", 1001, 1, 1000, after=30, ident=999))
    assert counts == {"retransmissions": 1, "fast-retransmits": 1}


def test_the_same_packet_twice() -> None:
    talk = burst(Talk().opened(), 0)
    talk.packets.append((talk.now + 1000, talk.packets[-1][1]))
    assert found(talk.server(".", 1, 1001)) == {"duplicated": 1}


def test_what_the_capture_missed_is_no_loss() -> None:
    talk = burst(Talk().opened(), 0).server(".", 1, 5001).client("P.", 5001, 1, 10)
    reading = talk.read()
    assert reading.connections[0].not_captured == 4000
    assert reading.connections[0].retransmissions == 0


def test_zero_window_probes_and_who_did_not_read() -> None:
    talk = Talk().opened().client("P.", 1, 1, 1000).server(".", 1, 1001, wnd=0)
    talk.client(".", 1000, 1, after=300).server(".", 1, 1001, wnd=0).client(".", 1000, 1, after=600)
    talk.server(".", 1, 1001, wnd=5000, after=100)
    reading = talk.read()
    (row,) = reading
    assert row.zero_windows == 2
    assert row.zero_window_time == pytest.approx(1.02, abs=0.05)
    zero = next(finding for finding in reading.findings if finding.kind == "zero-window")
    assert (zero.end, zero.frames[0]) == ("server", 5)
    assert "window-probes" in row.findings


def test_a_full_window() -> None:
    talk = Talk().client("S").server("S.", 0, 1, wnd=2000).client(".", 1, 1)
    assert found(burst(talk, 0, 1))["window-full"] == 1


def test_keep_alives_and_their_answers() -> None:
    talk = orderly_half()
    for _ in range(3):
        talk.client(".", 100, 501, after=60_000).server(".", 501, 101)
    assert found(talk) == {"keep-alives": 3}


def test_keep_alives_without_an_answer() -> None:
    talk = orderly_half()
    for _ in range(4):
        talk.client(".", 100, 501, after=60_000)
    (row,) = talk.client("R.", 101, 501, after=60_000).read()
    assert (row.ended, row.by, row.cause) == ("reset", "client", "keep-alive")


def test_a_delayed_ack_that_nagle_waits_for() -> None:
    talk = Talk().opened()
    talk.client("P.", 1, 1, 500, after=1).server(".", 1, 501, after=1)
    for n in range(1, 4):
        talk.client("P.", 1 + 500 * n, 1, 500, after=0.1).server(".", 1, 501 + 500 * n, after=40)
    assert found(talk.client("P.", 2001, 1, 500, after=0.1))["delayed-ack-stall"] == 3


def test_a_path_mtu_hole() -> None:
    talk = Talk().opened().client("P.", 1, 1, 200).server(".", 1, 201)
    for wait in (1, 300, 600, 1200):
        talk.client(".", 201, 1, 1460, after=wait)
    talk.server("P.", 1, 201, 50)
    assert "path-mtu-hole" in found(talk)


def test_a_timestamp_that_goes_back() -> None:
    talk = Talk().opened(TS, TS)
    talk.client("P.", 1, 1, 100, options=stamped(5000)).server(".", 1, 101, options=stamped(1010, 5000))
    assert found(talk.client("P.", 101, 1, 100, options=stamped(400)))["paws"] == 1


def test_hosts_behind_one_nat_at_a_server_that_compares_timestamps() -> None:
    talk = Talk(sport=40_000)
    talk.opened(Options(tsval=90_000, tsecr=0), Options(tsval=1, tsecr=90_000))
    other = Talk(sport=40_001, isn=(777, 888))
    other.now = talk.now
    for _ in range(2):
        other.client("S", options=Options(tsval=5_000, tsecr=0), after=1000)
    both = read(io.BytesIO(pcap(talk.packets + other.packets)))
    assert both.connections[1].opened == "unanswered"
    assert "timestamps-behind" in both.connections[1].findings
    assert "timestamps-behind" not in both.connections[0].findings


def steady() -> Talk:
    talk = Talk().opened().client("P.", 1, 1, 100)
    for _ in range(8):
        talk.client("P.", 1, 1, 100, after=500)
    return talk


ILLEGAL: dict[str, Callable[[], Talk]] = {
    "illegal-flags": lambda: Talk().opened().client("SF", 1),
    "no-ack": lambda: Talk().opened().client("P", 1, 0, 10),
    "after-fin": lambda: Talk().opened().client("F.", 1, 1).client("P.", 2, 1, 10),
    "moved-fin": lambda: Talk().opened().client("F.", 1, 1).client("F.", 50, 1),
    "beyond-window": lambda: Talk().client("S").server("S.", 0, 1, wnd=1000).client("P.", 9001, 1, 1000),
    "shrunk-window": lambda: Talk().opened().server(".", 1, 1, wnd=50_000).server(".", 1, 1, wnd=100),
    "option-late": lambda: Talk().opened().client("P.", 1, 1, 10, options=Options(mss=1460)),
    "scale-too-large": lambda: Talk().client("S", options=Options(wscale=15)),
    "no-timestamp": lambda: Talk().opened(TS, TS).client("P.", 1, 1, 10),
    "bad-handshake": lambda: Talk().client("S").server("S.", 0, 900),
    "second-syn-ack": lambda: Talk().client("S").server("S.", 0, 1).server("S.", 5, 1),
    "last-fin": lambda: Talk().opened().client("F.", 1, 1).server("F.", 1, 2),
    "syn-retries": lambda: Talk().client("S").client("S", after=1000).server("S.", 0, 1).client(".", 1, 1),
    "syn-ack-retries": lambda: Talk().client("S").server("S.", 0, 1).server("S.", 0, 1, after=1000).client(".", 1, 1),
    "after-reset": lambda: Talk().opened().client("R.", 1, 1).server("P.", 1, 1, 10),
    "reset-after-close": lambda: closed_by(0).client("R", 2),
    "no-backoff": steady,
}  # fmt: skip


@pytest.mark.parametrize("kind", ILLEGAL)
def test_findings(kind: str) -> None:
    assert kind in found(ILLEGAL[kind]())


def test_a_healthy_connection_has_no_finding() -> None:
    assert found(orderly()) == {}


def test_a_wrong_checksum_counts_for_nothing_once_its_sender_writes_right_ones() -> None:
    talk = Talk().opened().client("P.", 1, 1, 100, damaged=True).client("P.", 1, 1, 50)
    (row,) = talk.read()
    assert row.client_bytes == 50
    assert row.findings == "bad-checksum"


def test_checksums_by_policy() -> None:
    talk = Talk().client("S", damaged=True)
    assert talk.read().connections[0].client_path == "SYN-SENT"
    assert talk.read(Policy(checksums=Checksums.STRICT)).connections[0].client_path == ""
    talk = Talk().opened().client("P.", 1, 1, 100, damaged=True)
    assert talk.read(Policy(checksums=Checksums.IGNORE)).connections[0].client_bytes == 100


def test_silence_divides_only_where_it_is_asked_to() -> None:
    talk = orderly_half().client("P.", 101, 501, 10, after=7_200_000)
    assert len(talk.read()) == 1
    assert len(talk.read(Policy(idle=3600))) == 2


def test_how_each_move_is_known() -> None:
    reading = orderly().read()
    moves = [(m.end, m.target, m.known, m.frame, m.proof) for m in reading.moves_of(1)]
    assert moves == [
        ("client", "SYN-SENT", "seen", 1, 1),
        ("server", "LISTEN", "inferred", 1, 0),
        ("client", "ESTABLISHED", "seen", 2, 3),
        ("server", "SYN-RECEIVED", "seen", 2, 2),
        ("server", "ESTABLISHED", "seen", 3, 5),
        ("client", "FIN-WAIT-1", "seen", 8, 8),
        ("server", "CLOSE-WAIT", "seen", 8, 9),
        ("client", "FIN-WAIT-2", "inferred", 9, 0),
        ("client", "TIME-WAIT", "seen", 10, 11),
        ("server", "LAST-ACK", "seen", 10, 10),
        ("server", "CLOSED", "inferred", 11, 0),
    ]


def test_midstream_is_not_to_be_known() -> None:
    reading = Talk().client("P.", 1, 1, 10).read()
    assert [(m.source, m.target, m.known) for m in reading.moves] == [("unknown", "ESTABLISHED", "cannot be known")]
    assert reading.connections[0].server_state == "unknown"


def test_round_trips_from_the_place_of_the_capture() -> None:
    talk = Talk().client("S").server("S.", 0, 1, after=30).client(".", 1, 1, after=2)
    talk.client("P.", 1, 1, 10).server("P.", 1, 11, 10, after=31).client(".", 11, 11, after=3)
    (row,) = talk.read()
    assert (row.server_rtt, row.client_rtt) == (pytest.approx(0.03), pytest.approx(0.002))
    assert row.rtt == pytest.approx(0.032)


def test_the_worst_is_named() -> None:
    rows: list[Reading] = [orderly().read(), Talk().client("S").read()]
    assert [each.connections[0].worst for each in rows] == ["", "bad"]


def test_every_word_has_a_meaning_and_a_clause() -> None:
    from tulpen.capture import kinds

    for words in (kinds.OPENINGS, kinds.ENDINGS, kinds.CAUSES, kinds.FINDINGS):
        assert len({word.name for word in words}) == len(words)
        assert all(word.meaning for word in words)


@pytest.mark.parametrize(
    ("ttls", "waits", "place"),
    [
        ((64, 57), (30, 1), "client"),
        ((50, 128), (1, 30), "server"),
        ((60, 58), (10, 10), "between"),
        ((64, 64), (40, 0.1), "client"),
        ((64, 64), (0.1, 40), "server"),
        ((64, 64), (5, 4), ""),
    ],
)
def test_where_the_capture_was_taken(ttls: tuple[int, int], waits: tuple[float, float], place: str) -> None:
    talk = Talk().client("S", ttl=ttls[0]).server("S.", 0, 1, ttl=ttls[1], after=waits[0])
    talk.client(".", 1, 1, ttl=ttls[0], after=waits[1]).client("P.", 1, 1, 10, ttl=ttls[0], after=0)
    talk.server("P.", 1, 11, 10, ttl=ttls[1], after=waits[0]).client(".", 11, 11, ttl=ttls[0], after=waits[1])
    (row,) = talk.read()
    assert row.taken_at == place


def test_what_cannot_be_known_from_one_end_is_said() -> None:
    talk = Talk().client("S").server("S.", 0, 1, ttl=50).client(".", 1, 1)
    for wait in (10, 300, 600, 1200, 2400):
        talk.client("P.", 1, 1, 100, after=wait)
    (row,) = talk.read()
    assert row.ended == "silent"
    assert "whether what it sent arrived cannot be known" in row.why


def test_of_two_syn_acks_the_one_that_is_acknowledged_counts() -> None:
    talk = Talk().client("S").server("S.", 0, 1)
    talk.isn = (1000, 900_000_000)
    talk.server("S.", 0, 1).client(".", 1, 1).server("P.", 1, 1, 300).client(".", 1, 301)
    (row,) = talk.read()
    assert (row.server_bytes, row.not_captured, row.server_state) == (300, 0, "ESTABLISHED")
    assert "second-syn-ack" in row.findings


def test_a_reset_and_nothing_else() -> None:
    (row,) = Talk().client("R.", 1, 1).read()
    assert (row.opened, row.ended, row.by, row.cause) == ("midstream", "reset", "client", "")
    assert "nothing else was captured" in row.why


def test_where_there_are_too_many_those_that_are_over_are_told_first() -> None:
    talks = [Talk(sport=port) for port in range(40_000, 40_020)]
    packets = [packet for talk in talks[:10] for packet in talk.opened().client("F.", 1, 1).server("F.", 1, 2).packets]
    packets += [packet for talk in talks[10:] for packet in talk.client("S").packets]
    octets = io.BytesIO(pcap(packets))
    rows = read(octets, policy=Policy(most=8)).connections
    assert [row.number for row in rows] == list(range(1, 21))
    assert [row.ended for row in rows] == ["closed"] * 10 + ["unanswered"] * 10


def test_an_end_that_was_never_heard() -> None:
    talk = Talk().client("P.", 1, 1, 10)
    for wait in (300, 600, 1200, 2400):
        talk.client("P.", 1, 1, 10, after=wait)
    talk.packets = [(when + 10**18, packet) for when, packet in talk.packets]
    (row,) = talk.read()
    assert (row.ended, row.by, row.ended_frame) == ("silent", "server", 0)
    assert row.idle == pytest.approx(4.5)
    assert "was never heard; for 4.5 s" in row.why
