"""What Linux does, followed by the engine; and what nobody may do, refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.link.rights import needs_network
from tulpen.compare.follower import Follower
from tulpen.compare.live import Cable, accepted
from tulpen.tcp.state import State
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN, Segment

ISS, PEER = 5_000, 900
MSS = Options(mss=1460)


def established() -> Follower:
    follower = Follower()
    assert follower.packet(Segment(ISS, 0, SYN, 1000, options=MSS), 1, sent=True)
    assert follower.packet(Segment(PEER, ISS + 1, SYN | ACK, 1000, options=MSS), 2, sent=False)
    assert follower.packet(Segment(ISS + 1, PEER + 1, ACK, 1000), 3, sent=True, kernel=State.ESTABLISHED)
    return follower


def test_a_whole_connection() -> None:
    follower = established()
    assert follower.packet(Segment(ISS + 1, PEER + 1, ACK | PSH, 1000, b"abc"), 4, sent=True)
    assert follower.packet(Segment(PEER + 1, ISS + 4, FIN | ACK, 1000), 5, sent=False, kernel=State.CLOSE_WAIT)
    assert follower.packet(Segment(ISS + 4, PEER + 2, FIN | ACK, 1000), 6, sent=True, kernel=State.LAST_ACK)
    assert follower.packet(Segment(PEER + 2, ISS + 5, ACK, 1000), 7, sent=False, kernel=State.CLOSED)
    assert (follower.packets, follower.refusals, follower.state) == (7, [], State.CLOSED)


def test_a_passive_open_takes_its_numbers_from_the_syn_ack() -> None:
    follower = Follower()
    assert follower.packet(Segment(PEER, 0, SYN, 1000, options=MSS), 1, sent=False)
    assert follower.packet(Segment(ISS, PEER + 1, SYN | ACK, 1000, options=MSS), 2, sent=True)
    assert follower.packet(Segment(PEER + 1, ISS + 1, ACK, 1000), 3, sent=False, kernel=State.ESTABLISHED)


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        (Segment(ISS + 1, PEER + 9, ACK, 1000), "acknowledges 8 more than tulpen has taken"),
        (Segment(ISS + 1, PEER + 1, ACK | PSH, 1000, bytes(1200)), "200 beyond what the window permits"),
        (Segment(ISS + 1, PEER, ACK, 1000), "acknowledges 1 less than before"),
        (Segment(ISS, 0, SYN, 1000), "a SYN in ESTABLISHED"),
        (Segment(ISS + 1, 0, PSH, 1000), "no ACK bit"),
    ],
)
def test_what_tulpen_would_not_send(segment: Segment, why: str) -> None:
    follower = established()
    assert not follower.packet(segment, 4, sent=True)
    assert [refusal.why for refusal in follower.refusals] == [why]


def test_nothing_follows_a_fin() -> None:
    follower = established()
    assert follower.packet(Segment(ISS + 1, PEER + 1, FIN | ACK, 1000), 4, sent=True, kernel=State.FIN_WAIT_1)
    assert not follower.packet(Segment(ISS + 2, PEER + 1, ACK | PSH, 1000, b"more"), 5, sent=True)
    assert follower.refusals[0].why == "new text in FIN-WAIT-1"


def test_nothing_follows_the_end() -> None:
    follower = established()
    follower.packet(Segment(PEER + 1, 0, RST), 4, sent=False, kernel=State.CLOSED)
    assert not follower.packet(Segment(ISS + 1, PEER + 1, ACK, 1000), 5, sent=True)


def test_a_state_that_is_not_tulpens() -> None:
    follower = established()
    assert not follower.packet(Segment(PEER + 1, ISS + 1, FIN | ACK, 1000), 4, sent=False, kernel=State.ESTABLISHED)
    assert follower.refusals[0].why == "the kernel says ESTABLISHED, tulpen CLOSE-WAIT"


def test_a_fin_that_crosses_one_still_under_way() -> None:
    follower = established()
    assert follower.packet(Segment(PEER + 1, ISS + 1, FIN | ACK, 1000), 4, sent=False, kernel=State.CLOSING)
    assert follower.packet(Segment(ISS + 1, PEER + 1, FIN | ACK, 1000), 5, sent=True, kernel=State.CLOSING)
    assert follower.packet(Segment(ISS + 2, PEER + 2, ACK, 1000), 6, sent=True, kernel=State.CLOSING)
    assert follower.packet(Segment(PEER + 2, ISS + 2, ACK, 1000), 7, sent=False, kernel=State.TIME_WAIT)


def half_open() -> Follower:
    follower = Follower()
    assert follower.packet(Segment(PEER, 0, SYN, 1000, options=MSS), 1, sent=False)
    assert follower.packet(Segment(ISS, PEER + 1, SYN | ACK, 1000, options=MSS), 2, sent=True)
    return follower


def test_what_a_full_accept_queue_does_not_take_is_as_if_lost() -> None:
    follower, ack = half_open(), Segment(PEER + 1, ISS + 1, ACK, 1000)
    assert follower.packet(ack, 3, sent=False, kernel=State.SYN_RECEIVED)
    assert follower.packet(Segment(ISS, PEER + 1, SYN | ACK, 1000, options=MSS), 4, sent=True)
    assert (follower.dropped, follower.state) == (1, State.SYN_RECEIVED)
    assert follower.packet(ack, 5, sent=False, kernel=State.ESTABLISHED)
    assert follower.state is State.ESTABLISHED


def test_a_cookie_is_forgotten_where_a_second_answer_has_another_number() -> None:
    follower = half_open()
    assert follower.packet(Segment(ISS + 700, PEER + 1, SYN | ACK, 1000, options=MSS), 3, sent=True)
    assert follower.packet(Segment(ISS + 1, 0, RST), 4, sent=True)  # to an ACK of the first
    assert follower.packet(Segment(PEER + 1, ISS + 701, ACK, 1000), 5, sent=False, kernel=State.ESTABLISHED)


def test_a_connection_whose_beginning_is_missing_is_not_judged() -> None:
    follower = Follower()
    assert follower.packet(Segment(ISS, PEER, ACK, 1000), 1, sent=True, kernel=State.ESTABLISHED)
    assert follower.skipped


@pytest.mark.root
@pytest.mark.kernel
@needs_network
def test_real_programs_on_two_linuxes(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(1_000_000))
    fetch = "import urllib.request as r; r.urlopen('http://192.0.2.1:8000/{}').read()"
    leave = (
        "import socket; s = socket.create_connection(('192.0.2.1', 8000));"
        "s.sendall(b'GET /big HTTP/1.0\\r\\n\\r\\n'); s.recv(1000); s.close()"
    )
    refused = "import socket; socket.socket().connect_ex(('192.0.2.1', 81))"
    programs = [fetch.format("big"), fetch.format(""), leave, refused, fetch.format("big")]
    cable = Cable()
    try:
        followed = cable.run(
            [sys.executable, "-m", "http.server", "8000", "--directory", str(tmp_path)],
            [[sys.executable, "-c", program] for program in programs],
            seconds=120,
        )
    finally:
        cable.close()
    assert len(followed) == 2 * len(programs)
    packets = sum(follower.packets for _, follower in followed)
    refused_packets = [(name, each) for name, follower in followed for each in follower.refusals]
    assert packets > 60
    assert len(refused_packets) <= packets // 100, refused_packets
    assert len(list(accepted(followed))) >= len(followed) - 1
