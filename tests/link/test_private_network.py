from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.link.echo import serve
from tests.link.rights import every_device, needs_network
from tulpen.link.namespace import Device, PrivateNetwork
from tulpen.wire.checksum import internet_checksum

pytestmark = [pytest.mark.root, needs_network]

PATIENCE = 60  # seconds


def _udp(payload: bytes, *, damage: int = 0) -> bytes:
    """A datagram from 192.0.2.2 to port 9 of 192.0.2.1."""
    source, destination = socket.inet_aton("192.0.2.2"), socket.inet_aton("192.0.2.1")
    length = 8 + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, 0, 0, 64, 17, 0, source, destination)
    ip = ip[:10] + internet_checksum(ip).to_bytes(2, "big") + ip[12:]
    udp = struct.pack("!HHHH", 9, 9, length, 0)
    pseudo = source + destination + struct.pack("!HH", 17, length)
    checksum = internet_checksum(pseudo, udp, payload) ^ damage
    return ip + udp[:6] + checksum.to_bytes(2, "big") + payload


def _wait_for_packet(network: PrivateNetwork) -> bytes:
    assert select.select([network.link], [], [], PATIENCE)[0]
    return bytes(network.link.read()[0][0])


@every_device
@pytest.mark.parametrize("target", ["192.0.2.2", "2001:db8::2"])
def test_ping_is_answered_over_the_link(device: Device, target: str) -> None:
    with PrivateNetwork(device=device) as network:
        assert network.device == device
        command = network.start(["ping", "-c", "2", "-i", "0.05", target], deadline=PATIENCE)
        finished = serve(network.link, command)
    assert finished.status == 0, finished.stderr.text
    assert "2 received" in finished.stdout.text


@every_device
def test_packets_leave_with_whole_checksums(device: Device) -> None:
    with PrivateNetwork(device=device) as network, network.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"odd", ("192.0.2.2", 9))
        packet = _wait_for_packet(network)
        assert len(packet) == 31
        assert internet_checksum(packet[:20]) == 0
        assert internet_checksum(packet[12:20], struct.pack("!HH", 17, 11), packet[20:]) == 0
        with network.open_socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.setblocking(False)
            tcp.connect_ex(("192.0.2.2", 80))
            syn = _wait_for_packet(network)
        assert internet_checksum(syn[12:20], struct.pack("!HH", 6, len(syn) - 20), syn[20:]) == 0


@every_device
def test_the_kernel_verifies_what_the_link_writes(device: Device) -> None:
    with PrivateNetwork(device=device) as network, network.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("192.0.2.1", 9))
        udp.settimeout(PATIENCE)
        network.link.write(_udp(b"damaged", damage=0x0101))
        network.link.write(_udp(b"whole"))
        assert udp.recv(100) == b"whole"
        assert "InCsumErrors" in network.read_file("/proc/net/snmp")


@every_device
def test_nothing_is_sent_unasked(device: Device) -> None:
    with PrivateNetwork(device=device) as network:
        assert select.select([network.link], [], [], 0.5)[0] == []
        assert network.link.read() == []


@every_device
def test_what_the_link_cannot_carry_is_lost(device: Device) -> None:
    with PrivateNetwork(device=device) as network, network.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("192.0.2.1", 9))
        udp.settimeout(PATIENCE)
        network.link.write(b"\xffno IP packet at all")
        network.link.write(_udp(b"x" * 4000))
        network.set_link(False)
        network.link.write(_udp(b"into a pulled cable"))
        network.set_link(True)
        network.link.write(_udp(b"whole"))
        received = udp.recv(5000)
        while received == b"x" * 4000:  # TUN takes what is larger than its MTU
            received = udp.recv(5000)
        assert received == b"whole"


@every_device
def test_small_mtu_leaves_ipv4_alone(device: Device) -> None:
    with PrivateNetwork(device=device, mtu=576) as network:
        assert network.addresses == ["192.0.2.1"]
        assert network.link.mtu == 576
        with network.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(bytes(1000), ("192.0.2.2", 9))
            assert len(_wait_for_packet(network)) <= 576


def test_addresses_and_routes_are_those_asked_for() -> None:
    with PrivateNetwork(addresses=["10.9.8.7/30", "fd00::7/64"], routes=["0.0.0.0/0", "2000::/3"]) as network:
        assert network.addresses == ["10.9.8.7", "fd00::7"]
        for family, target in ((socket.AF_INET, "203.0.113.5"), (socket.AF_INET6, "2600::5")):
            with network.open_socket(family, socket.SOCK_DGRAM) as udp:
                udp.sendto(b"x", (target, 9))
                assert socket.inet_pton(family, target) in _wait_for_packet(network)


@every_device
def test_what_is_written_at_once_is_taken_in(device: Device) -> None:
    for _ in range(20):
        with (
            PrivateNetwork(device=device) as network,
            network.open_socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender,
            network.open_socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver,
        ):
            receiver.bind(("::", 9))
            receiver.settimeout(PATIENCE)
            sender.sendto(b"x", ("2001:db8::1", 9))
            assert receiver.recv(10) == b"x"


def test_loopback_works_inside() -> None:
    with (
        PrivateNetwork() as network,
        network.open_socket(socket.AF_INET6, socket.SOCK_STREAM) as listener,
        network.open_socket(socket.AF_INET6, socket.SOCK_STREAM) as client,
    ):
        listener.bind(("::1", 0))
        listener.listen()
        client.connect(listener.getsockname())


def test_the_program_stays_where_it_was() -> None:
    before = sorted(name for _, name in socket.if_nameindex())
    here = Path("/proc/self/ns/net").readlink()
    with PrivateNetwork() as network:
        assert Path("/proc/self/ns/net").readlink() == here
        assert sorted(name for _, name in socket.if_nameindex()) == before
        assert network.run(["readlink", "/proc/self/ns/net"]).stdout.text.strip() != str(here)


def test_a_command_is_the_user_it_was(tmp_path: Path) -> None:
    with PrivateNetwork() as network:
        assert network.run(["id", "-u"]).stdout.text.strip() == str(os.getuid())
        assert network.run(["id", "-g"]).stdout.text.strip() == str(os.getgid())
        assert network.run(["pwd"], cwd=tmp_path).stdout.text.strip() == str(tmp_path)
        assert (
            network.run(["sh", "-c", "echo $A$HOME"], env={"A": "b", "PATH": os.environ["PATH"]}).stdout.data == b"b\n"
        )
        assert network.run(["cat"]).stdout.data == b""
        assert (
            network.run([sys.executable, "-c", "import os; print(os.listdir('/proc/self/fd'))"]).stdout.text.count("'")
            <= 8
        )


def test_status_output_and_last_words_are_told() -> None:
    with PrivateNetwork() as network:
        finished = network.run(["sh", "-c", "echo out; echo first >&2; echo 'last words' >&2; exit 3"])
        assert (finished.status, finished.stdout.data, finished.timed_out) == (3, b"out\n", False)
        assert finished.last_words == "last words"
        assert network.run(["sh", "-c", "kill -TERM $$"]).status == -signal.SIGTERM


def test_large_output_is_counted_and_cut() -> None:
    with PrivateNetwork() as network:
        finished = network.run(["head", "-c", "20000000", "/dev/zero"])
        assert finished.stdout.size == 20_000_000
        assert len(finished.stdout.data) == 16 * 1024 * 1024
        assert finished.stdout.sha256 == subprocess.run(
            ["sh", "-c", "head -c 20000000 /dev/zero | sha256sum"], capture_output=True, text=True, check=True
        ).stdout.split()[0]  # fmt: skip


def test_a_command_that_is_not_there_is_an_oserror() -> None:
    with PrivateNetwork() as network:
        with pytest.raises(FileNotFoundError, match="no-such-command"):
            network.run(["no-such-command"], env={"PATH": os.defpath})
        with pytest.raises(PermissionError):
            network.run(["/etc/passwd"])
        with pytest.raises(NotADirectoryError, match="/etc/passwd"):
            network.run(["true"], cwd="/etc/passwd")
        assert network.run(["true"]).status == 0


def test_the_deadline_kills_the_whole_group() -> None:
    with PrivateNetwork() as network:
        began = time.monotonic()
        finished = network.run(["sh", "-c", "sleep 600 & sleep 600"], deadline=0.3)
        assert finished.timed_out
        assert finished.status == -signal.SIGKILL
        assert 0.3 <= time.monotonic() - began < 300  # the sleepers held the pipes
        finished = network.run(["sh", "-c", "echo here; sleep 600"], deadline=3)
        assert finished.stdout.data == b"here\n"


def test_what_a_command_leaves_in_its_group_ends_with_it() -> None:
    with PrivateNetwork() as network:
        began = time.monotonic()
        assert network.run(["sh", "-c", "sleep 600 & exit 0"]).status == 0
        assert time.monotonic() - began < 300  # the sleeper held the pipes


def test_a_command_can_be_selected_on_and_signalled() -> None:
    with PrivateNetwork() as network:
        command = network.start(["sleep", "60"])
        assert command.poll() is None
        assert select.select([command], [], [], 0.1)[0] == []
        command.kill(signal.SIGTERM)
        assert select.select([command], [], [], PATIENCE)[0] == [command]
        assert command.poll() == -signal.SIGTERM
        command.kill()  # too late, and no harm


def test_closing_ends_commands_that_run() -> None:
    with PrivateNetwork() as network:
        command = network.start(["sleep", "60"])
    assert command.wait().status == -signal.SIGKILL
    with pytest.raises(OSError, match="gone"):
        network.run(["true"])
    network.close()


def test_streams_can_be_given() -> None:
    read, write = os.pipe()
    with PrivateNetwork() as network:
        with network.open_socket(socket.AF_INET, socket.SOCK_DGRAM):
            command = network.start(["cat"], stdin=read, stdout=write)
        os.write(write, b"")
        assert command.poll() is None
        command.kill()
        assert command.wait().stdout.size == 0
    os.close(read)
    os.close(write)


def test_sysctls_are_set_inside_alone() -> None:
    outside = Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text()
    with PrivateNetwork(sysctls={"net.ipv4.tcp_fin_timeout": 7}) as network:
        assert network.sysctl("net.ipv4.tcp_fin_timeout") == "7"
        network.set_sysctl("net/ipv4/tcp_fin_timeout", 9)
        assert network.run(["cat", "/proc/sys/net/ipv4/tcp_fin_timeout"]).stdout.data == b"9\n"
        network.set_sysctl("net.ipv4.ip_local_port_range", "40000 40001")
        assert network.sysctl("net.ipv4.ip_local_port_range").split() == ["40000", "40001"]
        with pytest.raises(FileNotFoundError, match="tcp_nonsense"):
            network.set_sysctl("net.ipv4.tcp_nonsense", 1)
        for name in ("kernel.hostname", "net/../kernel/hostname"):
            with pytest.raises(ValueError, match="no sysctl of a network"):
                network.sysctl(name)
    assert Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text() == outside


def test_counters_can_be_read_from_both_sides() -> None:
    with PrivateNetwork() as network:
        assert "TcpExt" in network.read_file("/proc/net/netstat")
        assert "tulpen0" in Path(f"/proc/{network.pid}/net/dev").read_text()


def test_many_side_by_side() -> None:
    networks = [PrivateNetwork() for _ in range(30)]
    try:
        commands = [
            network.start(["ping", "-c", "1", "-W", "60", "192.0.2.2"], deadline=PATIENCE) for network in networks
        ]
        threads = [
            threading.Thread(target=serve, args=(network.link, command))
            for network, command in zip(networks, commands, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [command.status for command in commands] == [0] * 30
    finally:
        for network in networks:
            network.close()


def test_networks_are_made_by_threads_at_once() -> None:
    statuses: list[int] = []

    def run() -> None:
        with PrivateNetwork() as network:
            statuses.append(network.run(["true"]).status)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 10


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a thread cannot enter the network of a user namespace")
def test_a_thread_may_make_its_sockets_inside() -> None:
    with PrivateNetwork() as network:
        with network.inside():
            inside = socket.socket()
        with socket.socket() as outside, pytest.raises(OSError, match="assign requested address"):
            outside.bind(("192.0.2.1", 0))
        inside.bind(("192.0.2.1", 0))
        inside.close()


@pytest.mark.skipif(shutil.which("ip") is None, reason="needs ip(8) to look at the route")
def test_what_comes_over_a_route_may_be_acknowledged_at_once() -> None:
    with PrivateNetwork(addresses=["192.0.2.1/32"], routes=["192.0.2.0/24"], quick_acks=True) as network:
        assert "quickack 1" in network.run(["ip", "route"]).stdout.text


def test_no_descriptor_is_lost() -> None:
    PrivateNetwork().close()
    before = _descriptors()
    for _ in range(3):
        with PrivateNetwork() as network:
            network.run(["true"])
            network.open_socket(socket.AF_INET, socket.SOCK_STREAM).close()
            with pytest.raises(FileNotFoundError):
                network.run(["no-such-command"], env={"PATH": os.defpath})
    deadline = time.monotonic() + PATIENCE  # a capture's thread may still be closing its pipe
    while _descriptors() - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _descriptors() - before == set()


def _descriptors() -> set[tuple[str, str]]:
    """What is open here; what tests before this one left to be closed may go at any time."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the folder itself
            found.add((entry.name, str(entry.readlink())))
    return found


@pytest.mark.parametrize(("queue", "kept"), [(0, 500), (2000, 1500)])
def test_so_many_packets_wait_inside(queue: int, kept: int) -> None:
    with (
        PrivateNetwork(device="tun", queue=queue) as network,
        network.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        for _ in range(1500):
            udp.sendto(b"x", ("192.0.2.2", 9))
        seen = 0
        while arrivals := network.link.read():
            seen += len(arrivals)
        assert seen == kept
