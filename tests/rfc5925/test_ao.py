"""RFC 5925 between two hosts: keys by their identifiers, key changes, sequence numbers that wrap."""

from __future__ import annotations

from errno import EINVAL

import pytest

from tests.host.exchange import SERVER, client, exchange, reasons, run, seconds, server
from tulpen.host.host import Host
from tulpen.host.isn import TICK
from tulpen.host.listener import Listener
from tulpen.host.socket import Socket
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.keys import ALGORITHMS, HMAC_SHA1, HMAC_SHA256, AoKey, Md5Key
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_SENT, TIME_WAIT
from tulpen.tcp.trace import FourTuple, Reason
from tulpen.wire.address import address
from tulpen.wire.icmp import Icmp, IcmpKind, Quoted
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.options import Authentication, Options
from tulpen.wire.segment import ACK, Segment

NET = address("10.0.0.0")


def key(send: int, receive: int, secret: bytes = b"secret", algorithm: str = HMAC_SHA1, **other: object) -> AoKey:
    return AoKey(NET, secret, send, receive, 24, algorithm, **other)  # type: ignore[arg-type]


def keyed(*keys: AoKey) -> SocketOptions:
    return SocketOptions(tcp_ao=keys)


def pair(
    ours: SocketOptions | None = None, theirs: SocketOptions | None = None, **settings: object
) -> tuple[Host, Host, Listener, Socket, list[Packet]]:
    here, there = client(**settings), server(**settings)
    listener = there.listen(None, 80, 0, options=theirs if theirs is not None else keyed(key(84, 61)))
    opened = here.connect(SERVER, 80, 0, options=ours if ours is not None else keyed(key(61, 84)))
    return here, there, listener, opened, exchange(0, here, there)


def signatures(packets: list[Packet]) -> list[Authentication]:
    found = []
    for packet in packets:
        assert isinstance(packet.payload, Segment)
        assert packet.payload.options.authentication is not None
        found.append(packet.payload.options.authentication)
    return found


@pytest.mark.parametrize("covers", [True, False], ids=["options", "no-options"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_whole_connection(algorithm: str, covers: bool) -> None:
    ours, theirs = (key(*ids, algorithm=algorithm, covers_options=covers) for ids in ((61, 84), (84, 61)))
    here, there, listener, opened, sent = pair(keyed(ours), keyed(theirs))
    accepted = listener.accept()
    assert accepted is not None
    opened.send(bytes(5000), 0)
    sent += run(seconds(1), 0, here, there)
    assert accepted.receive(9000, 0) == bytes(5000)
    opened.close(seconds(1))
    accepted.close(seconds(1))
    sent += run(seconds(2), seconds(1), here, there)
    assert opened.state is TIME_WAIT
    assert reasons(here) == reasons(there) == []
    assert there.counters()["TCPAOGood"] > 3
    for packet, found in zip(sent, signatures(sent), strict=True):
        again = parse_packet(build_packet(packet)).payload
        assert isinstance(again, Segment)
        assert again.options.authentication == found
        assert (found.key_id, found.next_id) == ((61, 84) if packet.dst == address(SERVER) else (84, 61))


def test_room_for_timestamps_and_sack() -> None:
    _, _, _, opened, sent = pair()
    syn = sent[0].payload
    assert isinstance(syn, Segment)
    assert syn.options.tsval is not None
    assert opened.status().snd_mss == 1460 - 12 - 16


@pytest.mark.parametrize(
    ("ours", "reason"),
    [
        (keyed(key(61, 84, b"wrong")), Reason.AO_BAD),
        (keyed(key(61, 84, algorithm=HMAC_SHA256)), Reason.AO_BAD),
        (keyed(key(62, 84)), Reason.AO_KEY_NOT_FOUND),
        (SocketOptions(), Reason.AO_REQUIRED),
        (SocketOptions(tcp_md5sig=(Md5Key(NET, b"secret", 24),)), Reason.AO_REQUIRED),
    ],
)
def test_what_a_server_with_keys_drops(ours: SocketOptions, reason: Reason) -> None:
    """§7.5: silently."""
    _, there, _, opened, sent = pair(ours)
    assert (opened.state, len(sent)) == (SYN_SENT, 1)
    assert reasons(there) == [reason]


def test_a_server_without_keys() -> None:
    _, there, _, opened, sent = pair(theirs=SocketOptions())
    assert (opened.state, len(sent)) == (SYN_SENT, 1)
    assert reasons(there) == [Reason.AO_KEY_NOT_FOUND]


def test_both_kinds_of_signature() -> None:
    """§2.2: a segment with MD5 and TCP-AO is dropped."""
    here, _, _, opened, _ = pair()
    name, status = opened.name, opened.status()
    options = Options(md5=bytes(16), authentication=Authentication(84, 61, bytes(12)))
    seg = Segment(status.rcv_nxt, status.snd_nxt, ACK, 1, b"", options, sport=name.remote_port, dport=name.local_port)
    here.packet_arrives(Packet(name.remote, name.local, seg), 0)
    assert reasons(here) == [Reason.TWO_SIGNATURES]


def test_the_syn_says_which_keys() -> None:
    """§7.5.3: the server signs with the key that RNextKeyID asks for."""
    many = [key(number + 10, number, bytes((number,))) for number in range(1, 5)]
    ours = AoKey(NET, b"\3", 3, 13, 24)
    _, there, _, opened, sent = pair(keyed(ours), keyed(*many))
    assert opened.state is ESTABLISHED
    assert reasons(there) == []
    assert [found.key_id for found in signatures(sent)] == [3, 13, 3]


def test_a_key_change_without_a_break() -> None:
    """§6.1: both add a key; one asks for it, and the other signs with it from then on."""
    here, there, listener, opened, _ = pair()
    accepted = listener.accept()
    assert accepted is not None
    assert opened.signing is not None
    opened.options.tcp_ao += (key(1, 2, b"new"),)
    accepted.options.tcp_ao += (key(2, 1, b"new"),)
    accepted.send(b"before", 0)
    sent = run(seconds(1), 0, here, there)
    opened.signing.ask_for(2)
    opened.send(b"ask", seconds(1))
    sent += run(seconds(2), seconds(1), here, there)
    accepted.send(b"after", seconds(2))
    sent += run(seconds(3), seconds(2), here, there)
    from_server = signatures([packet for packet in sent if packet.src == address(SERVER)])
    assert [found.key_id for found in from_server] == [84, 2, 2]
    opened.signing.sign_with(1)
    opened.options.tcp_ao = opened.options.tcp_ao[1:]
    accepted.options.tcp_ao = accepted.options.tcp_ao[1:]
    opened.send(b"again", seconds(3))
    sent = run(seconds(4), seconds(3), here, there)
    assert [(found.key_id, found.next_id) for found in signatures(sent)] == [(1, 2), (2, 1)]
    assert accepted.receive(100, seconds(4)) == b"askagain"
    assert reasons(here) == reasons(there) == []


def test_the_sequence_number_wraps() -> None:
    """§6.2: its extension goes up by one on both sides; the traffic keys stay."""
    here, there = client(), server()
    name = FourTuple(here.addresses[0], 50_000, address(SERVER), 80)
    start = ((1 << 32) - 5000 - here.core.numbers.isn(name, 0)) % (1 << 32) * TICK  # when the ISN is shortly before it
    listener = there.listen(None, 80, start, options=keyed(key(84, 61)))
    opened = here.connect(SERVER, 80, start, local_port=50_000, options=keyed(key(61, 84)))
    exchange(start, here, there)
    accepted = listener.accept()
    assert accepted is not None
    opened.send(bytes(20_000), start)
    run(start + seconds(1), start, here, there)
    assert len(accepted.receive(30_000, start)) == 20_000
    assert opened.status().snd_nxt > 1 << 32
    assert reasons(here) == reasons(there) == []
    opened.abort(start + seconds(1))
    exchange(start + seconds(1), here, there)
    assert accepted.state is CLOSED


def test_cookies() -> None:
    _, there, listener, opened, sent = pair(tcp_syncookies=2)
    signatures(sent)
    assert opened.state is ESTABLISHED
    assert listener.accept() is not None
    assert reasons(there) == []


def test_icmp_is_not_believed() -> None:
    """§7.8: nobody signs ICMP, and a hard error would end the connection."""
    here, _, _, opened, _ = pair()
    name = opened.name
    opened.send(b"x", 0)
    here.packets_to_send(0)
    about = Quoted(name.local, name.remote, name.local_port, name.remote_port, opened.status().snd_una)
    for kind in (IcmpKind.UNREACHABLE_PORT, IcmpKind.PACKET_TOO_BIG):
        here.packet_arrives(Packet(name.remote, name.local, Icmp(kind, 3, 3, embedded=about, mtu=600)), 0)
    assert here.counters()["TCPAODroppedIcmps"] == 2
    assert opened.status().snd_mss > 1000


@pytest.mark.parametrize(
    "keys",
    [
        (key(1, 2, b""),),
        (key(1, 2, algorithm="rot13"),),
        (key(256, 2),),
        (key(1, 2, mac_length=20),),
        (key(1, 2), key(3, 2)),
        (key(1, 2), key(1, 3)),
        (AoKey(NET, b"x", 1, 1, 33),),
    ],
)
def test_what_is_no_key(keys: tuple[AoKey, ...]) -> None:
    with pytest.raises(TcpError) as caught:
        client().connect(SERVER, 80, 0, options=keyed(*keys))
    assert caught.value.errno == EINVAL
