"""connect() and listen(): what is refused at once, and what a connection begins with."""

from __future__ import annotations

from errno import EADDRINUSE, EADDRNOTAVAIL, ECONNREFUSED, EINVAL, ENETUNREACH, ENOENT, ETIMEDOUT

import pytest

from tests.host.exchange import (
    CLIENT,
    CLIENT_6,
    SERVER,
    SERVER_6,
    STRANGER,
    Peer,
    client,
    exchange,
    run,
    seconds,
    server,
    signals,
)
from tulpen.host.host import Host
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.errors import TcpError
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, ESTABLISHED, SYN_SENT
from tulpen.wire.address import address
from tulpen.wire.segment import SYN, Segment


@pytest.mark.requirement("MUST-46")
@pytest.mark.parametrize("remote", ["255.255.255.255", "224.0.0.1", "0.0.0.0", "ff02::1", "::"])
def test_an_open_to_an_invalid_address_is_an_error(remote: str) -> None:
    host = client()
    with pytest.raises(TcpError) as refusal:
        host.connect(remote, 80, 0)
    assert refusal.value.errno == ENETUNREACH
    assert host.packets_to_send(0) == []


@pytest.mark.parametrize(
    ("call", "errno"),
    [
        ({"remote": SERVER, "port": 0}, EINVAL),
        ({"remote": SERVER, "port": 65_536}, EINVAL),
        ({"remote": SERVER, "port": 80, "local_port": -1}, EINVAL),
        ({"remote": SERVER, "port": 80, "local": STRANGER}, EADDRNOTAVAIL),
        ({"remote": SERVER, "port": 80, "local": CLIENT_6}, EADDRNOTAVAIL),
    ],
)
def test_a_connect_that_cannot_be(call: dict[str, object], errno: int) -> None:
    with pytest.raises(TcpError) as refusal:
        client().connect(now=0, **call)  # type: ignore[arg-type]
    assert refusal.value.errno == errno


@pytest.mark.parametrize("given", [{"tcp_congestion": "no such"}, {}])
def test_an_unknown_congestion_control_is_refused_at_the_open(given: dict[str, str]) -> None:
    host = client() if given else client(tcp_congestion_control="no such")
    for call in (host.connect, host.listen):
        with pytest.raises(TcpError) as refusal:
            call(CLIENT, 80, 0, options=SocketOptions(**given))  # type: ignore[arg-type]
        assert refusal.value.errno == ENOENT
    assert host.status() == []


def test_a_family_the_host_has_no_address_of() -> None:
    with pytest.raises(TcpError) as refusal:
        Host([CLIENT]).connect(SERVER_6, 80, 0)
    assert refusal.value.errno == ENETUNREACH


@pytest.mark.requirement("MUST-43")
@pytest.mark.requirement("MUST-45")
def test_the_local_address_may_be_given_and_is_used() -> None:
    host = Host([CLIENT, "10.0.0.22"])
    host.connect(SERVER, 80, 0, local="10.0.0.22")
    host.connect(SERVER, 80, 0, local="0.0.0.0")
    assert [packet.src for packet in host.packets_to_send(0)] == [address("10.0.0.22"), address(CLIENT)]


@pytest.mark.requirement("MUST-44")
def test_otherwise_it_is_one_of_the_remote_one_s_family() -> None:
    host = Host([CLIENT_6, CLIENT])
    assert host.connect(SERVER, 80, 0).name.local == address(CLIENT)
    assert host.connect(SERVER_6, 80, 0).name.local == address(CLIENT_6)


def test_connected() -> None:
    here, there = client(), server()
    there.listen(None, 80, 0)
    socket = here.connect(SERVER, 80, 0)
    assert socket.state is SYN_SENT
    exchange(0, here, there)
    assert socket.state is ESTABLISHED
    assert signals(here, socket) == [Signal.CONNECTED, Signal.WRITABLE]
    assert here.stack.counters["ActiveOpens"] == 1
    assert there.stack.counters["PassiveOpens"] == 1


def test_refused() -> None:
    here, there = client(), server()
    socket = here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    assert (socket.state, socket.error) == (CLOSED, ECONNREFUSED)
    assert signals(here, socket) == [Signal.CLOSED]
    assert (list(here.sockets()), here.next_deadline()) == ([], None)
    assert here.stack.counters["AttemptFails"] == 1


@pytest.mark.requirement("MUST-23")
def test_never_answered() -> None:
    here = client()
    socket = here.connect(SERVER, 80, 0)
    here.packets_to_send(0)
    now = 0
    while (deadline := here.next_deadline()) is not None:
        now = deadline
        here.timeout(now)
        here.packets_to_send(now)
    assert now >= seconds(180)
    assert (socket.state, socket.error) == (CLOSED, ETIMEDOUT)
    assert here.status() == []


def test_ephemeral_ports_are_shared_between_destinations_and_run_out_for_each() -> None:
    here = client(ip_local_port_range=(40_000, 40_009))
    for destination in (SERVER, STRANGER, SERVER_6):
        names = {here.connect(destination, 80, 0).name for _ in range(10)}
        assert {name.local_port for name in names} == set(range(40_000, 40_010))
        with pytest.raises(TcpError) as refusal:
            here.connect(destination, 80, 0)
        assert refusal.value.errno == EADDRNOTAVAIL
    assert len({here.connect(SERVER, 81, 0).name for _ in range(10)}) == 10


def test_a_port_comes_back_when_its_connection_is_over() -> None:
    here, there = client(ip_local_port_range=(40_000, 40_000)), server()
    for _ in range(3):
        assert here.connect(SERVER, 80, 0).name.local_port == 40_000
        exchange(0, here, there)  # refused


def test_a_given_local_port() -> None:
    here = client()
    one = here.connect(SERVER, 80, 0, local_port=1234)
    assert one.name.local_port == 1234
    with pytest.raises(TcpError) as refusal:
        here.connect(SERVER, 81, 0, local_port=1234)
    assert refusal.value.errno == EADDRINUSE
    one.abort(1)
    options = SocketOptions(so_reuseaddr=True)
    here.connect(SERVER, 80, 1, local_port=1234, options=options)
    here.connect(SERVER, 81, 1, local_port=1234, options=options)
    with pytest.raises(TcpError) as refusal:
        here.connect(SERVER, 81, 1, local_port=1234, options=options)
    assert refusal.value.errno == EADDRNOTAVAIL  # the very same connection


@pytest.mark.parametrize(
    ("where", "port", "errno"), [(STRANGER, 80, EADDRNOTAVAIL), (None, 65_536, EINVAL), (None, -1, EINVAL)]
)
def test_a_listen_that_cannot_be(where: str | None, port: int, errno: int) -> None:
    with pytest.raises(TcpError) as refusal:
        server().listen(where, port, 0)
    assert refusal.value.errno == errno


def test_a_port_is_listened_on_once() -> None:
    host = server()
    first = host.listen(None, 80, 0, options=SocketOptions(so_reuseaddr=True))
    for options in (None, SocketOptions(so_reuseaddr=True)):
        with pytest.raises(TcpError) as refusal:
            host.listen(None, 80, 0, options=options)
        assert refusal.value.errno == EADDRINUSE
    first.close(1)
    host.listen(None, 80, 1)


def test_port_0_is_any_that_is_free() -> None:
    host = server(ip_local_port_range=(40_000, 40_002))
    ports = {host.listen(None, 0, now).port for now in range(3)}
    assert ports == {40_000, 40_001, 40_002}
    with pytest.raises(TcpError):
        host.listen(None, 0, 9)


def test_options_are_copied_at_the_open() -> None:
    here, there = client(), server()
    options = SocketOptions(ip_tos=8)
    listener = there.listen(None, 80, 0, options=options)
    options.ip_tos = 4
    here.connect(SERVER, 80, 0)
    exchange(0, here, there)
    accepted = listener.accept()
    assert accepted is not None
    assert accepted.options.ip_tos == 8
    accepted.options.ip_tos = 16
    assert listener.options.ip_tos == 8


@pytest.mark.requirement("MUST-10")
def test_simultaneous_open() -> None:
    here, there = client(), server()
    one = here.connect(SERVER, 2000, 0, local_port=1000)
    other = there.connect(CLIENT, 1000, 0, local_port=2000)
    exchange(0, here, there)
    assert (one.state, other.state) == (ESTABLISHED, ESTABLISHED)
    one.send(b"we both began", 1)
    exchange(1, here, there)
    assert other.receive(100, 1) == b"we both began"


def test_numbers_differ_between_hosts_and_connections() -> None:
    seen: set[int] = set()
    for secret in (b"one", b"two"):
        host = Host([CLIENT], secret=secret)
        for _ in range(10):
            host.connect(SERVER, 80, 0)
        seen |= {packet.payload.seq for packet in host.packets_to_send(0) if isinstance(packet.payload, Segment)}
    assert len(seen) == 20


def test_the_mss_follows_the_mtu() -> None:
    host = Host([SERVER, SERVER_6], mtu=9000)
    host.listen(None, 80, 0)
    four = Peer(host).say("S", 0)[0]
    six = Peer(host, src=CLIENT_6, dst=SERVER_6).say("S", 0)[0]
    assert (four.options.mss, six.options.mss) == (8960, 8940)


def test_timestamps_begin_where_the_setting_says() -> None:
    for mode, expected in ((0, None), (2, 5)):
        host = Host([CLIENT], settings=Settings(tcp_timestamps=mode), secret=b"x")
        host.connect(SERVER, 80, 5_000_000)
        (packet,) = host.packets_to_send(5_000_000)
        assert isinstance(packet.payload, Segment)
        assert packet.payload.flags == SYN
        assert packet.payload.options.tsval == expected


def test_many_connections_at_once() -> None:
    here, there = client(), server()
    listener = there.listen(None, 80, 0, backlog=4096)
    sockets = [here.connect(SERVER, 80, 0) for _ in range(1000)]
    exchange(0, here, there)
    assert all(socket.state is ESTABLISHED for socket in sockets)
    assert listener.recv_q == 1000
    accepted = []
    while (socket := listener.accept()) is not None:
        accepted.append(socket)
        socket.close(1)
    for socket in sockets:
        socket.close(1)
    run(seconds(130), 1, here, there)
    assert here.status() == []
    assert len(there.status()) == 1
