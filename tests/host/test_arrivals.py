"""Whom a segment is for, and what is for nobody."""

from __future__ import annotations

import pytest

from tests.host.exchange import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    STRANGER,
    Peer,
    client,
    events,
    exchange,
    reasons,
    server,
)
from tulpen.host.host import Host
from tulpen.tcp.signals import Signal
from tulpen.tcp.trace import Reason
from tulpen.wire.segment import ACK, RST, SYN, letters


@pytest.mark.parametrize(
    ("says", "answer", "reason"),
    [
        ("S", "R.", Reason.NO_CONNECTION),
        (".", "R", Reason.NO_CONNECTION),
        ("F", "R.", Reason.NO_CONNECTION),
        ("F.", "R", Reason.NO_CONNECTION),
        ("P.", "R", Reason.NO_CONNECTION),
        ("-", "R.", Reason.NO_CONNECTION),
        ("SF", "R.", Reason.NO_CONNECTION),
        ("R", None, Reason.RST_TO_RST),
        ("R.", None, Reason.RST_TO_RST),
    ],
)
def test_a_closed_port(says: str, answer: str | None, reason: Reason) -> None:
    host = server()
    peer = Peer(host)
    peer.ack = 77
    answers = peer.say(says, 0, data=b"xyz")
    assert reasons(host) == [reason]
    if answer is None:
        assert answers == []
        return
    (reset,) = answers
    assert letters(reset.flags) == answer.replace("R.", "R.")
    if answer == "R":
        assert reset.seq == 77
    else:
        length = 3 + ("S" in says) + ("F" in says)
        assert (reset.seq, reset.ack) == (0, peer.seq + length)
    assert host.stack.counters["OutRsts"] == 1


@pytest.mark.parametrize(
    ("says", "answer", "reason"),
    [
        ("S", "S.", None),
        (".", "R", Reason.ACK_IN_LISTEN),
        ("S.", "R", Reason.ACK_IN_LISTEN),
        ("F.", "R", Reason.ACK_IN_LISTEN),
        ("R", None, Reason.RST_IN_LISTEN),
        ("R.", None, Reason.RST_IN_LISTEN),
        ("F", None, Reason.NO_SYN),
        ("-", None, Reason.NO_SYN),
        ("SF", None, Reason.SYN_FIN),
        ("SR", None, Reason.RST_IN_LISTEN),
    ],
)
def test_a_listener(says: str, answer: str | None, reason: Reason | None) -> None:
    host = server()
    host.listen(None, 80, 0)
    answers = Peer(host).say(says, 0)
    assert [letters(seg.flags) for seg in answers] == ([answer] if answer else [])
    assert reasons(host) == ([reason] if reason else [])


@pytest.mark.requirement("MUST-57")
@pytest.mark.parametrize("dst", ["255.255.255.255", "224.0.0.1", "0.0.0.0", "ff02::1", "::"])
def test_a_syn_to_many_is_for_nobody(dst: str) -> None:
    host = server()
    host.listen(None, 80, 0)
    src = CLIENT if "." in dst else CLIENT_6
    assert Peer(host, src=src, dst=dst).say("S", 0) == []
    assert reasons(host) == [Reason.BAD_ADDRESS]


@pytest.mark.requirement("MUST-63")
@pytest.mark.parametrize("src", ["255.255.255.255", "224.0.0.1", "239.1.2.3", "0.0.0.0", "ff02::1", "::"])
def test_a_syn_from_an_impossible_source(src: str) -> None:
    host = server()
    host.listen(None, 80, 0)
    dst = SERVER if "." in src else SERVER_6
    assert Peer(host, src=src, dst=dst).say("S", 0) == []
    assert Peer(host, src=src, dst=dst, dport=81).say("S", 0) == []
    assert reasons(host) == [Reason.BAD_ADDRESS, Reason.BAD_ADDRESS]


def test_no_address_of_ours() -> None:
    host = server()
    host.listen(None, 80, 0)
    assert Peer(host, dst=STRANGER).say("S", 0) == []
    assert reasons(host) == [Reason.NOT_OURS]
    assert host.stack.counters["InAddrErrors"] == 1


def test_land() -> None:
    host = server()
    host.listen(None, 80, 0)
    assert Peer(host, src=SERVER, sport=80).say("S", 0) == []
    assert reasons(host) == [Reason.LAND]


def test_a_storm_of_resets_is_counted_and_answered_by_silence() -> None:
    host = server()
    host.listen(None, 80, 0)
    for port in range(1000):
        peer = Peer(host, sport=port + 1, dport=80 + port % 2)
        assert peer.say("R" if port % 3 else "R.", 0) == []
    assert set(reasons(host)) == {Reason.RST_IN_LISTEN, Reason.RST_TO_RST}
    assert host.stack.counters["InSegs"] == 1000
    assert "OutSegs" not in host.stack.counters
    assert host.status()[1:] == []


@pytest.mark.requirement("MUST-3")
def test_a_wrong_checksum() -> None:
    host = server()
    host.listen(None, 80, 0)
    peer = Peer(host)
    assert peer.say("S", 0, damaged=True) == []
    assert (host.stack.counters["InCsumErrors"], host.stack.counters["InErrs"]) == (1, 1)
    assert peer.say("S", 0) != []


@pytest.mark.requirement("MUST-42")
def test_listeners_on_one_port_the_most_specific_takes_it() -> None:
    host = Host([SERVER, "10.0.0.9", SERVER_6])
    everywhere = host.listen(None, 80, 0)
    with pytest.raises(Exception, match="EADDRINUSE"):
        host.listen(SERVER, 80, 0)
    everywhere.close(0)
    family = host.listen("0.0.0.0", 81, 0)
    one, six = host.listen(SERVER, 80, 0), host.listen(SERVER_6, 80, 0)
    other = host.listen("10.0.0.9", 80, 0)
    for dst, dport, taken_by in [
        (SERVER, 80, one),
        ("10.0.0.9", 80, other),
        (SERVER_6, 80, six),
        (SERVER, 81, family),
        ("10.0.0.9", 81, family),
    ]:
        before = taken_by.recv_q
        Peer(host, src=CLIENT_6 if ":" in dst else CLIENT, dst=dst, dport=dport).open(0)
        assert taken_by.recv_q == before + 1
    assert (Peer(host, src=CLIENT_6, dst=SERVER_6, dport=81).say("S", 0)[0].flags) == RST | ACK


@pytest.mark.requirement("MUST-41")
def test_a_passive_open_leaves_others_alone() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    accepted = listener.accept()
    assert accepted is not None
    there.listen(None, 81, 1).close(2)
    there.listen(None, 82, 1)
    accepted.send(b"still here", 3)
    exchange(3, here, there)
    assert socket.receive(100, 3) == b"still here"


def test_a_connection_goes_before_a_listener_of_its_port() -> None:
    host = server()
    listener = host.listen(None, 80, 0)
    peer = Peer(host)
    peer.open(0)
    socket = listener.accept()
    assert socket is not None
    peer.say("P.", 0, data=b"for the connection")
    assert socket.receive(100, 0) == b"for the connection"
    assert listener.recv_q == 0


def test_both_families_at_once() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    sockets = [here.connect(SERVER, 80, 0), here.connect(SERVER_6, 80, 0)]
    exchange(0, here, there)
    assert listener.recv_q == 2
    assert [len(socket.name.local) for socket in sockets] == [4, 16]
    assert {signal for _, signal in events(there)} == {Signal.READABLE}
    assert sockets[1].status().advmss == 1440


def test_syn_and_ack_are_counted() -> None:
    host = server()
    host.listen(None, 80, 0)
    answer = Peer(host).syn(0)
    assert answer is not None
    assert answer.flags == SYN | ACK
    assert (host.stack.counters["InSegs"], host.stack.counters["OutSegs"]) == (1, 1)
