"""RFC 1191 and RFC 8201 on a whole host: DF, what routers say, what a route says, and what a socket asks for."""

from __future__ import annotations

import pytest

from tests.host.exchange import CLIENT, SERVER, client, connected, exchange, seconds, server
from tulpen.host.host import Host
from tulpen.host.pmtu import DO, DONT, INTERFACE, OMIT, PROBE, WANT
from tulpen.host.socket import Socket
from tulpen.tcp.config import MS, SocketOptions
from tulpen.tcp.route import Route
from tulpen.wire.address import address
from tulpen.wire.icmp import IcmpKind
from tulpen.wire.icmp_error import icmp_error
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.segment import Segment

ROUTER = address("10.0.0.254")


def too_big(host: Host, about: Packet, mtu: int, now: int) -> None:
    error = icmp_error(about, IcmpKind.PACKET_TOO_BIG, ROUTER, mtu=mtu)
    assert error is not None
    host.bytes_arrive(build_packet(error), now)


def opened(discover: int | None, **settings: object) -> tuple[Host, Socket]:
    """Return a host and its end of a connection with IP_MTU_DISCOVER set."""
    here, there = client(**settings), server()
    there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0, options=SocketOptions(ip_mtu_discover=discover))
    exchange(0, here, there)
    return here, socket


def text(host: Host, socket: Socket, octets: int, now: int) -> list[tuple[int, bool]]:
    """Send text; return length and DF of what goes out."""
    socket.send(bytes(octets), now)
    return sizes(host.packets_to_send(now))


def sizes(packets: list[Packet]) -> list[tuple[int, bool]]:
    return [(len(packet.payload.data), packet.df) for packet in packets if isinstance(packet.payload, Segment)]


@pytest.mark.parametrize(
    ("discover", "df"),
    [(None, True), (WANT, True), (DO, True), (PROBE, True), (DONT, False), (INTERFACE, False), (OMIT, False)],
)
def test_who_may_fragment(discover: int | None, df: bool) -> None:
    here, socket = opened(discover)
    assert text(here, socket, 100, 0) == [(100, df)]


def test_ip_no_pmtu_disc_speaks_for_sockets_that_do_not() -> None:
    here, socket = opened(None, ip_no_pmtu_disc=True)
    assert text(here, socket, 100, 0) == [(100, False)]
    here, socket = opened(WANT, ip_no_pmtu_disc=True)
    assert text(here, socket, 100, 0) == [(100, True)]


@pytest.mark.parametrize(
    ("discover", "at_once", "later"),
    [(WANT, [(948, True), (500, True)], 948), (DO, [(948, True), (500, True)], 948), (DONT, [], 948),
     (PROBE, [], 1448), (INTERFACE, [], 1448), (OMIT, [], 1448)],
)  # fmt: skip
def test_who_is_believed(discover: int, at_once: list[tuple[int, bool]], later: int) -> None:
    here, socket = opened(discover)
    socket.send(bytes(1448), 0)
    (packet,) = here.packets_to_send(0)
    too_big(here, packet, 1000, 1)
    assert sizes(here.packets_to_send(1)) == at_once
    assert socket.status().snd_mss == later


def test_less_than_any_path_needs_is_raised_and_may_be_fragmented() -> None:
    here, socket = opened(None)
    socket.send(bytes(1448), 0)
    (packet,) = here.packets_to_send(0)
    too_big(here, packet, 68, 1)
    assert sizes(here.packets_to_send(1))[0] == (500, False)
    assert socket.status().snd_mss == 500


def test_an_open_connection_hears_when_what_a_router_said_is_forgotten() -> None:
    here, there, socket, accepted = connected(mtu_expires=10)
    socket.send(bytes(1448), 0)
    too_big(here, here.packets_to_send(0)[0], 1000, 0)
    exchange(0, here, there)
    accepted.receive(9999, 0)
    assert socket.status().snd_mss == 948
    socket.send(b"x", seconds(11))
    exchange(seconds(11), here, there)
    assert socket.status().snd_mss == 1448


def test_a_route_that_takes_more_from_now_on() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0)
    there.set_route(CLIENT, 32, Route(mtu=640, advmss=600, initcwnd=3))
    opened = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    accepted = listener.accept()
    assert accepted is not None
    assert opened.status().snd_mss == 600 - 12
    assert accepted.status().snd_mss == 600 - 12
    assert accepted.status().snd_cwnd == 3 * 588
    there.set_route(CLIENT, 32, Route(mtu=1400))
    accepted.send(b"x", 0)
    exchange(0, here, there)
    assert accepted.status().snd_mss == 1360 - 12
    assert opened.status().snd_mss == 600 - 12  # the MSS was told once


def test_what_else_a_route_says() -> None:
    here, there = client(tcp_timestamps=0), server()
    here.set_route("10.0.0.0", 8, Route(rto_min=5 * MS, hoplimit=9, initcwnd=2, quickack=True))
    there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0)
    (syn,) = exchange(0, here)
    there.packet_arrives(syn, 0)
    (syn_ack,) = there.packets_to_send(2 * MS)
    here.packet_arrives(syn_ack, 2 * MS)
    assert syn.ttl == 9
    status = socket.status()
    assert (status.snd_cwnd, status.rto) == (2 * 1460, 2 * MS + 5 * MS)
    here.set_route("10.0.0.0", 8, None)
    assert socket.status().snd_cwnd == 2 * 1460


def test_a_route_of_one_family_is_none_of_the_other() -> None:
    here = client()
    here.set_route("::", 0, Route(mtu=1280))
    socket = here.connect(SERVER, 80, 0)
    (syn,) = here.packets_to_send(0)
    assert isinstance(syn.payload, Segment)
    assert syn.payload.options.mss == 1460
    assert socket.status().advmss == 1460
