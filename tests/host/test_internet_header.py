"""What a socket says of the internet header of its packets."""

from __future__ import annotations

import pytest

from tests.host.exchange import CLIENT, CLIENT_6, SERVER, SERVER_6, Peer, client, connected, exchange, server
from tulpen.host.host import Host
from tulpen.tcp.config import SocketOptions
from tulpen.wire.ip import build_packet, parse_packet
from tulpen.wire.segment import Segment


@pytest.mark.requirement("MUST-49")
def test_time_to_live_by_the_host_and_by_the_socket() -> None:
    here = client(ip_default_ttl=99)
    here.connect(SERVER, 80, 0)
    here.connect(SERVER_6, 80, 0, options=SocketOptions(ip_ttl=3))
    assert [packet.ttl for packet in here.packets_to_send(0)] == [99, 3]


@pytest.mark.requirement("MUST-48")
@pytest.mark.requirement("SHLD-22")
@pytest.mark.parametrize("remote", [SERVER, SERVER_6])
def test_diffserv_field(remote: str) -> None:
    here = client()
    here.connect(remote, 80, 0, options=SocketOptions(ip_tos=0xB8))
    (packet,) = here.packets_to_send(0)
    assert parse_packet(build_packet(packet)).tos == 0xB8


@pytest.mark.requirement("SHLD-21")
def test_it_may_change_while_the_connection_lives() -> None:
    here, there, socket, _ = connected()
    socket.options.ip_tos = 0x20
    socket.options.ip_ttl = 7
    socket.send(b"x", 0)
    (packet,) = here.packets_to_send(0)
    assert (packet.tos, packet.ttl) == (0x20, 7)
    there.packet_arrives(packet, 0)
    assert all(answer.tos == 0 for answer in there.packets_to_send(10**9))


@pytest.mark.requirement("MAY-9")
def test_what_came_in_can_be_asked_for() -> None:
    here, there, socket, accepted = connected()
    socket.options.ip_tos = 0x48
    socket.send(b"x", 0)
    exchange(0, here, there)
    assert accepted.received_tos == 0x48


def test_a_device_that_cuts_segments_gets_long_ones() -> None:
    here, there = Host([CLIENT], gso_max=60_000), server()
    listener = there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    accepted = listener.accept()
    assert accepted is not None
    socket.send(b"x" * 14_480, 0)
    sent = exchange(0, here, there)
    assert isinstance(sent[0].payload, Segment)
    assert (len(sent[0].payload.data), sent[0].payload.gso_size) == (7240, 1448)  # half the congestion window
    assert len(accepted.receive(20_000, 0)) == 14_480
    assert there.stack.counters["InSegs"] == 2 + 10
    assert here.stack.counters["OutSegs"] == 2 + 10


def test_a_listener_s_options_are_in_the_syn_ack_already() -> None:
    host = server()
    host.listen(None, 80, 0, options=SocketOptions(ip_tos=0x10, ip_ttl=5))
    here = client()
    here.connect(SERVER, 80, 0)
    sent = exchange(0, here, host)
    assert [(packet.tos, packet.ttl) for packet in sent] == [(0, 64), (0x10, 5), (0, 64)]


@pytest.mark.parametrize("src", ["10.0.0.2", CLIENT_6])
def test_a_reset_for_a_closed_port_has_the_host_s(src: str) -> None:
    host = server(ip_default_ttl=77)
    Peer(host, src=src, dst=SERVER_6 if ":" in src else SERVER).say("S", 0)
    assert host.stack.counters["OutRsts"] == 1
