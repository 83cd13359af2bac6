"""RFC 2385: segments signed with MD5, in every state, and what is dropped because of them."""

from __future__ import annotations

from errno import EINVAL
from hashlib import md5

import pytest

from tests.host.exchange import CLIENT, FULL, SERVER, STRANGER, Peer, client, exchange, reasons, run, seconds, server
from tulpen.host.host import Host
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.keys import Md5Key
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_SENT, TIME_WAIT
from tulpen.tcp.trace import Reason
from tulpen.wire.address import address
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import RST, SYN, Segment
from tulpen.wire.signed import octets_of_md5


def keyed(peer: str = "10.0.0.0", key: bytes = b"secret", prefix: int | None = 24) -> SocketOptions:
    return SocketOptions(tcp_md5sig=(Md5Key(address(peer), key, prefix),))


def pair(
    ours: SocketOptions | None = None, theirs: SocketOptions | None = None, **settings: object
) -> tuple[Host, Host, Listener, Socket, list[Packet]]:
    here, there = client(**settings), server(**settings)
    listener = there.listen(None, 80, 0, options=theirs if theirs is not None else keyed())
    opened = here.connect(SERVER, 80, 0, options=ours if ours is not None else keyed())
    return here, there, listener, opened, exchange(0, here, there)


def segments(packets: list[Packet]) -> list[Segment]:
    return [packet.payload for packet in packets if isinstance(packet.payload, Segment)]


def test_a_whole_connection_is_signed() -> None:
    here, there, listener, opened, sent = pair()
    accepted = listener.accept()
    assert accepted is not None
    opened.send(bytes(5000), 0)
    sent += run(seconds(1), 0, here, there)
    assert accepted.receive(9000, 0) == bytes(5000)
    opened.close(seconds(1))
    accepted.close(seconds(1))
    sent += run(seconds(2), seconds(1), here, there)
    assert opened.state is TIME_WAIT
    assert all(seg.options.md5 is not None for seg in segments(sent))
    for packet in sent:
        seg = packet.payload
        assert isinstance(seg, Segment)
        good = md5(octets_of_md5(seg, packet.src, packet.dst) + b"secret").digest()
        assert seg.options.md5 == good
        again = parse_packet(build_packet(packet)).payload
        assert isinstance(again, Segment)
        assert again.options == seg.options
        assert md5(octets_of_md5(again, packet.src, packet.dst) + b"secret").digest() == good


def test_the_signature_takes_room() -> None:
    """20 octets of each segment's options; SACK stays, timestamps go (as in Linux)."""
    _, _, _, opened, sent = pair()
    syn, syn_ack, *_ = segments(sent)
    assert (syn.options.tsval, syn.options.sack_permitted, syn_ack.options.tsval) == (None, True, None)
    assert opened.status().snd_mss == 1440


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        (keyed(key=b"wrong"), Reason.MD5_FAILURE),
        (SocketOptions(), Reason.MD5_NOT_FOUND),
        (keyed(STRANGER, prefix=None), Reason.MD5_NOT_FOUND),
    ],
)
def test_a_server_with_a_key(ours: SocketOptions, reason: Reason) -> None:
    """§2.0: a segment with a wrong signature or none is dropped, and nothing goes back."""
    _, there, _, opened, sent = pair(ours)
    assert (opened.state, len(sent)) == (SYN_SENT, 1)
    assert reasons(there) == [reason]
    assert there.counters()[reason.counter] == 1


def test_a_server_without_a_key() -> None:
    _, there, _, opened, sent = pair(theirs=SocketOptions())
    assert (opened.state, len(sent)) == (SYN_SENT, 1)
    assert reasons(there) == [Reason.MD5_UNEXPECTED]


def test_a_closed_port_does_not_answer_a_signed_segment() -> None:
    here, there = client(), server()
    here.connect(SERVER, 80, 0, options=keyed())
    assert len(exchange(0, here, there)) == 1
    assert reasons(there) == [Reason.MD5_UNEXPECTED]


def test_a_forged_reset_does_nothing() -> None:
    """What the option is for."""
    here, _, _, opened, _ = pair()
    name, status = opened.name, opened.status()
    forged = Segment(status.rcv_nxt, 0, RST, sport=name.remote_port, dport=name.local_port)
    here.packet_arrives(Packet(name.remote, name.local, forged), 0)
    assert opened.state is ESTABLISHED
    assert reasons(here) == [Reason.MD5_NOT_FOUND]


def test_resets_are_signed() -> None:
    here, there, listener, opened, _ = pair()
    opened.abort(0)
    exchange(0, here, there)
    accepted = listener.accept()
    assert accepted is not None
    assert accepted.state is CLOSED


def test_the_syn_ack_is_signed_when_it_goes_again() -> None:
    here, there = client(), server()
    there.listen(None, 80, 0, options=keyed())
    here.connect(SERVER, 80, 0, options=keyed())
    lost: list[Packet] = []

    def loses(packet: Packet) -> bool:
        if packet.src == address(SERVER) and len(lost) < 2:
            lost.append(packet)
            return True
        return False

    run(seconds(20), 0, here, there, lost=loses)
    assert len(lost) == 2
    assert all(seg.flags & SYN and seg.options.md5 is not None for seg in segments(lost))
    assert [socket.state for socket in there.sockets()] == [ESTABLISHED]


def test_the_last_ack_is_signed_again_in_time_wait() -> None:
    here, there, listener, opened, _ = pair()
    accepted = listener.accept()
    assert accepted is not None
    opened.close(0)
    exchange(0, here, there)
    accepted.close(0)
    fin = segments(there.packets_to_send(0))
    name = opened.name
    for _ in range(2):
        here.packet_arrives(Packet(name.remote, name.local, fin[0]), seconds(1))
        (answer,) = segments(here.packets_to_send(seconds(1)))
        assert answer.options.md5 is not None
    assert opened.state is TIME_WAIT


def test_cookies() -> None:
    """A SYN that is forgotten: the ACK that brings the cookie back is verified, and its connection is signed."""
    here, there, listener, opened, sent = pair(tcp_syncookies=2)
    assert all(seg.options.md5 is not None for seg in segments(sent))
    accepted = listener.accept()
    assert accepted is not None
    accepted.send(b"hello", 0)
    exchange(0, here, there)
    assert opened.receive(9, 0) == b"hello"


def test_signatures_that_nobody_asked_for() -> None:
    """A signed ACK does not harm a handshake that was not signed."""
    there = server()
    listener = there.listen(None, 80, 0)
    peer = Peer(there)
    peer.syn(0)
    signature = Options(tsval=1000, md5=bytes(16))
    assert peer.say(".", 0, options=signature) == []
    assert reasons(there) == [Reason.MD5_UNEXPECTED]
    assert listener.accept() is None
    peer.say(".", 0)
    assert listener.accept() is not None


def test_the_longest_prefix_counts() -> None:
    both = (Md5Key(address("10.0.0.0"), b"net", 8), Md5Key(address(CLIENT), b"host"))
    _, there, _, opened, _ = pair(keyed(SERVER, b"host", None), SocketOptions(tcp_md5sig=both))
    assert opened.state is ESTABLISHED
    assert reasons(there) == []


def test_a_key_is_changed_on_a_live_connection() -> None:
    here, there, listener, opened, _ = pair()
    accepted = listener.accept()
    assert accepted is not None
    accepted.options.tcp_md5sig = opened.options.tcp_md5sig = (Md5Key(address("10.0.0.0"), b"new", 24),)
    opened.send(b"hello", 0)
    exchange(0, here, there)
    assert accepted.receive(9, 0) == b"hello"


@pytest.mark.parametrize("key", [Md5Key(address(SERVER), b""), Md5Key(address(SERVER), b"x", 33)])
def test_what_is_no_key(key: Md5Key) -> None:
    with pytest.raises(TcpError) as caught:
        client().connect(SERVER, 80, 0, options=SocketOptions(tcp_md5sig=(key,)))
    assert caught.value.errno == EINVAL


def test_unsigned_peers_connect_beside_signed_ones() -> None:
    there = server()
    there.listen(None, 80, 0, options=keyed(CLIENT, prefix=None))
    Peer(there, src=STRANGER).open(0, FULL)
    assert [socket.state for socket in there.sockets()] == [ESTABLISHED]
