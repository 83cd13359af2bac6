"""RFC 5927 §7: a forged "packet too big" must not make segments small."""

from __future__ import annotations

from tests.host.exchange import SERVER, connected, exchange, run, seconds
from tulpen.host.host import Host
from tulpen.host.socket import Socket
from tulpen.wire.address import address
from tulpen.wire.icmp import IcmpKind
from tulpen.wire.icmp_error import icmp_error
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.segment import Segment

ROUTER = address("10.0.0.254")


def patient(patience: int = 2) -> tuple[Host, Host, Socket]:
    """Two hosts between which segments of 1448 octets have got through."""
    here, there, socket, accepted = connected(tcp_pmtu_patience=patience, tcp_early_retrans=0)
    socket.send(bytes(5000), 0)
    exchange(0, here, there)
    run(seconds(1), 0, here, there)
    accepted.receive(10_000, seconds(1))
    exchange(seconds(1), here, there)
    assert socket.unacknowledged == 0
    return here, there, socket


def reported(here: Host, socket: Socket, mtu: int, now: int) -> Packet:
    """Send a segment, and have a router say that it was too big."""
    socket.send(bytes(1448), now)
    (packet,) = here.packets_to_send(now)
    error = icmp_error(packet, IcmpKind.PACKET_TOO_BIG, ROUTER, mtu=mtu)
    assert error is not None
    here.bytes_arrive(build_packet(error), now)
    return packet


def test_what_has_got_through_is_not_too_big_at_once() -> None:
    here, _, socket = patient()
    reported(here, socket, 1000, seconds(1))
    assert here.packets_to_send(seconds(1)) == []
    assert socket.status().snd_mss == 1448


def test_and_not_at_all_if_it_is_acknowledged() -> None:
    here, there, socket = patient()
    packet = reported(here, socket, 1000, seconds(1))
    there.packet_arrives(packet, seconds(1))
    run(seconds(9), seconds(1), here, there)
    assert (socket.unacknowledged, socket.status().snd_mss) == (0, 1448)


def test_if_it_is_not_the_router_was_right() -> None:
    here, there, socket = patient()
    reported(here, socket, 1000, seconds(1))
    lost = run(seconds(9), seconds(1), here, there, lost=lambda packet: _text(packet) > 948)
    assert [size for packet in lost if (size := _text(packet))][:3] == [1448, 948, 500]
    assert (socket.unacknowledged, socket.status().snd_mss) == (0, 948)
    other = here.connect(SERVER, 80, seconds(9))
    exchange(seconds(9), here, there)
    assert other.status().snd_mss == 948


def test_a_first_report_is_believed_at_once() -> None:
    """Nothing so large has been acknowledged: that is how a path's MTU is discovered."""
    here, _, socket, _ = connected(tcp_pmtu_patience=2)
    reported(here, socket, 1000, 0)
    assert len(here.packets_to_send(0)) == 2
    assert socket.status().snd_mss == 948


def test_without_patience_any_report_about_what_is_in_flight_is_believed() -> None:
    here, _, socket = patient(0)
    reported(here, socket, 1000, seconds(1))
    assert socket.status().snd_mss == 948


def test_a_router_that_names_no_size_waits_too() -> None:
    here, _, socket = patient()
    reported(here, socket, 0, seconds(1))
    assert socket.status().snd_mss == 1448


def _text(packet: Packet) -> int:
    return len(packet.payload.data) if isinstance(packet.payload, Segment) else 0
