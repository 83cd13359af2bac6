"""A machine with Linux's TCP: a private network whose packets pass through the ground."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import termios
from collections import Counter
from collections.abc import Callable, Mapping
from errno import EADDRNOTAVAIL, EAGAIN, EINPROGRESS
from typing import TYPE_CHECKING, Final, final

from tulpen.errors import TulpenError
from tulpen.host.status import Row
from tulpen.kernel.counters import read_mib
from tulpen.kernel.sock_diag import SockDiag
from tulpen.link.namespace import NotPermitted, PrivateNetwork
from tulpen.show.ladder_trace import Witness
from tulpen.tcp.state import CLOSED, LISTEN, State
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import address as octets_of
from tulpen.wire.address import text
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.lab.machine import Value

Stamp = Callable[[int], int]  # makes times of one instant follow each other

_SIOCOUTQ: Final = termios.TIOCOUTQ
_CORE: Final = frozenset({"somaxconn", "rmem_max", "wmem_max", "default_qdisc"})
_OPTION_SACK: Final = 2  # TCPI_OPT_SACK
_CONSTANTS: Final[dict[str, str]] = {
    "tcp_timewait_len": "60",
    "tcp_delack_ms": "40",
    "tcp_initial_cwnd": "10",
}


@final
class LinuxLine:
    """A connection of a Linux machine; its socket lives in the private network."""

    def __init__(self, machine: LinuxMachine, sock: socket.socket, name: FourTuple, left: bytes = b"") -> None:
        self.left = left  # what the SYN did not take along
        self._machine = machine
        self._socket: socket.socket | None = sock
        self._error = 0
        self._ended = False
        self._name = name
        self._network = machine.network

    @property
    def name(self) -> FourTuple:
        """Both sockets, the own one first."""
        return self._name

    @property
    def state(self) -> State:
        """Where it stands, as sock_diag says; CLOSED once it is gone."""
        if self._network is not self._machine.network:
            return CLOSED
        return self._machine.diag.state(self._name)

    @property
    def error(self) -> int:
        """The errno it ended with, 0 for none."""
        if self._socket is not None and self._socket.fileno() >= 0 and not self._error:
            self._error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return self._error

    @property
    def readable(self) -> int:
        """Octets that wait to be received."""
        return 0 if self._socket is None else _ioctl(self._socket, termios.FIONREAD)

    @property
    def unsent(self) -> int:
        """Octets sent or queued that the peer has not acknowledged."""
        return 0 if self._socket is None else _ioctl(self._socket, _SIOCOUTQ)

    @property
    def eof(self) -> bool:
        """Their FIN has come, and all before it has been received."""
        if self._socket is None or self._ended:
            return self._ended
        try:
            self._ended = self._socket.recv(1, socket.MSG_PEEK) == b""
        except OSError as error:
            self._met(error)
        return self._ended

    def send(self, data: bytes) -> int:
        """Send; return how many octets were taken."""
        try:
            return self._open().send(data, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._met(error)
            raise

    def receive(self, limit: int = 65_536) -> bytes:
        """Receive what is there."""
        try:
            data = self._open().recv(limit)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._met(error)
            raise
        self._ended |= not data
        return data

    def shutdown(self) -> None:
        """Say that nothing more will be sent."""
        self._open().shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._machine.forget(self._socket)
            self._socket = None

    def abort(self) -> None:
        """Reset it."""
        if self._socket is not None:
            self.set(so_linger=0)
            self.close()

    def set(self, **options: Value) -> None:
        """Set socket options."""
        sock = self._open()
        for name, value in options.items():
            _set_option(sock, name, value)

    def measure(self) -> Mapping[str, int]:
        """Return cwnd, mss, rtt and rto."""
        found = self._machine.diag.find(self._name)
        if found is None or found.info is None:
            return {}
        info = found.info
        return {
            "cwnd": info.snd_cwnd, "mss": info.snd_mss, "rtt": info.rtt, "rto": info.rto,
            "wscale": info.wscale & 15, "sack": int(bool(info.options & _OPTION_SACK)),
        }  # fmt: skip

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise ValueError("the line is closed")
        return self._socket

    def _met(self, error: OSError) -> None:
        if error.errno not in (EAGAIN, None) and not self._error:
            self._error = error.errno or 0


@final
class LinuxDoor:
    """A listening socket of a Linux machine."""

    def __init__(self, machine: LinuxMachine, sock: socket.socket, name: FourTuple) -> None:
        self._machine = machine
        self._socket = sock
        self._name = name

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._name.local_port

    @property
    def waiting(self) -> int:
        """Connections that wait to be accepted."""
        found = self._machine.diag.find(self._name, info=False)
        return 0 if found is None else found.recv_q

    def accept(self) -> LinuxLine | None:
        """Take the connection that waits longest."""
        try:
            sock, (remote, port) = self._socket.accept()
        except BlockingIOError:
            return None
        self._machine.keep(sock)
        local, local_port = sock.getsockname()
        name = FourTuple(socket.inet_aton(local), local_port, socket.inet_aton(remote), port)
        return LinuxLine(self._machine, sock, name)

    def close(self) -> None:
        """Listen no more."""
        self._machine.forget(self._socket)


@final
class LinuxMachine:
    """The kernel's TCP in a network of its own; an endpoint of the ground's world."""

    def __init__(self, name: str, address: str, *, mtu: int, stamp: Stamp | None) -> None:
        self.name = name
        self.address = address
        self.kind = f"{os.uname().sysname} {os.uname().release.split('-')[0]}"
        self._mtu = mtu
        self._stamp = stamp  # None: nobody wants to know the states
        self._doors: set[int] = set()
        self._sockets: set[socket.socket] = set()  # of its programs
        self._settings: dict[str, Value] = {}
        self._readings: dict[FourTuple, list[tuple[int, State]]] = {}
        self.network = self._make()
        self.diag = SockDiag(self.network.sock_diag())

    def fileno(self) -> int:
        """Return the descriptor by which packets come."""
        return self.network.link.fileno()

    # an endpoint of the world

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Hand a packet to the kernel."""
        self.network.link.write(build_packet(packet))
        seg = packet.payload
        if isinstance(seg, Segment):
            self.note(FourTuple(packet.dst, seg.dport, packet.src, seg.sport), now)

    def timeout(self, now: int) -> None:
        """Do nothing: the kernel has its own clock."""

    def next_deadline(self) -> int | None:
        """Never."""
        return None

    def packets_to_send(self, now: int) -> list[Packet]:
        """Return what the kernel has sent since."""
        packets = []
        for buffer, offload in self.network.link.read():
            try:
                packets.append(parse_packet(buffer, offload=offload))
            except Malformed:
                continue
            seg = packets[-1].payload
            if isinstance(seg, Segment):
                self.note(FourTuple(packets[-1].src, seg.sport, packets[-1].dst, seg.dport), now)
        return packets

    # a machine

    def listen(self, port: int, *, backlog: int = 128, **options: Value) -> LinuxDoor:
        """Open a passive socket."""
        sock = self._socket({"so_reuseaddr": True, **options})
        try:
            sock.bind((self.address, port))
            sock.listen(backlog)
        except OSError:
            self.forget(sock)
            raise
        self._doors.add(port)
        return LinuxDoor(self, sock, FourTuple(octets_of(self.address), port, bytes(4), 0))

    def connect(
        self, remote: str, port: int, *, local_port: int = 0, data: bytes | None = None, **options: Value
    ) -> LinuxLine:
        """Open an active socket."""
        sock = self._socket(options)
        try:
            if local_port:
                sock.bind((self.address, local_port))
            error = _connect(sock, (remote, port), data)
            if error not in (0, EINPROGRESS):
                raise OSError(error, os.strerror(error))
            local, own = sock.getsockname()
            if not own:
                raise OSError(EADDRNOTAVAIL, os.strerror(EADDRNOTAVAIL))
        except OSError:
            self.forget(sock)
            raise
        left = data if data is not None and error else b""
        return LinuxLine(self, sock, FourTuple(socket.inet_aton(local), own, octets_of(remote), port), left)

    def set(self, **settings: Value) -> None:
        """Set sysctls in the private network."""
        for name, value in settings.items():
            if name in _CONSTANTS:
                raise TulpenError(f"{name} is a constant in Linux", "leave it out, or use another backend.")
            self._settings[name] = value
            self._apply(name, value)

    def get(self, setting: str) -> str:
        """Return a sysctl's value."""
        return _CONSTANTS[setting] if setting in _CONSTANTS else self.network.sysctl(_path(setting))

    def rows(self) -> list[Row]:
        """Return every socket."""
        found = []
        for each in self.diag.sockets(info=False):
            local, port, remote, remote_port = each.name
            known = remote if each.state is not LISTEN else b""
            found.append(Row(each.state, each.recv_q, each.send_q, local, port, known, remote_port))
        return found

    def counters(self) -> Counter[str]:
        """Return the MIB, of /proc/net/snmp and /proc/net/netstat."""
        mib = read_mib(lambda path: self.network.read_file(f"/proc/{path}"))
        return Counter({name.removeprefix("TcpExt").removeprefix("Tcp"): number for name, number in mib.items()})

    def reboot(self) -> None:
        """Start another private network under the same address; the old one is gone without a word."""
        self.close()
        self.network = self._make()
        self.diag = SockDiag(self.network.sock_diag())
        for name, value in self._settings.items():
            self._apply(name, value)

    def witness(self, line: FourTuple) -> Witness:
        """Return the states of this end as they were read."""
        readings = self._readings.get(line, [])
        first = LISTEN if line.local_port in self._doors else CLOSED
        return Witness(
            f"{self.name} (Linux)", readings=readings, first=first, address=f"{text(line.local)}:{line.local_port}"
        )

    def note(self, line: FourTuple, now: int) -> None:
        """Read the state of a connection now."""
        if self._stamp is None:
            return
        readings = self._readings.setdefault(line, [])
        with contextlib.suppress(OSError):
            state = self.diag.state(line)
            if not readings or readings[-1][1] is not state:
                readings.append((self._stamp(now), state))

    def close(self) -> None:
        """End the private network, and every socket in it."""
        self.diag.close()
        self.network.close()  # first, so that no FIN of what is closed now gets out
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def keep(self, sock: socket.socket) -> None:
        """Take a new socket into the programs' hands."""
        sock.setblocking(False)
        self._sockets.add(sock)

    def forget(self, sock: socket.socket) -> None:
        """Close a socket."""
        self._sockets.discard(sock)
        sock.close()

    def _make(self) -> PrivateNetwork:
        try:
            return PrivateNetwork(addresses=(f"{self.address}/24",), routes=("0.0.0.0/0",), mtu=self._mtu)
        except NotPermitted as error:
            raise TulpenError(error.reason, error.remedy) from error

    def _apply(self, name: str, value: Value) -> None:
        words = (
            " ".join(map(str, value)) if isinstance(value, tuple) else int(value) if isinstance(value, bool) else value
        )
        try:
            self.network.set_sysctl(_path(name), words)
        except FileNotFoundError:
            raise TulpenError(f"this Linux has no sysctl {name}", "leave it out, or use another backend.") from None

    def _socket(self, options: Mapping[str, Value]) -> socket.socket:
        sock = self.network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        self.keep(sock)
        for name, value in options.items():
            _set_option(sock, name, value)
        return sock


def _connect(sock: socket.socket, remote: tuple[str, int], data: bytes | None) -> int:
    """Begin to connect; return the errno."""
    if data is None:
        return sock.connect_ex(remote)
    try:
        sock.sendto(data, socket.MSG_FASTOPEN, remote)
    except OSError as error:
        return error.errno or 0
    return 0


def _path(setting: str) -> str:
    return f"net.core.{setting}" if setting in _CORE else f"net.ipv4.{setting}"


def _set_option(sock: socket.socket, name: str, value: Value) -> None:
    level = socket.SOL_SOCKET if name.startswith("so_") else socket.IPPROTO_TCP
    number = getattr(socket, name.upper(), None)
    if name == "tcp_congestion":
        sock.setsockopt(level, socket.TCP_CONGESTION, str(value).encode())
    elif number is None:
        raise ValueError(f"no socket option {name}")
    elif name == "so_linger":
        sock.setsockopt(level, number, struct.pack("=ii", 1, int(value)) if isinstance(value, int) else b"")
    else:
        sock.setsockopt(level, number, int(value) if isinstance(value, (int, str)) else 0)


def _ioctl(sock: socket.socket, request: int) -> int:
    return int(struct.unpack("=i", fcntl.ioctl(sock, request, bytes(4)))[0])
