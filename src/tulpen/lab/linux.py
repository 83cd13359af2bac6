"""A machine with Linux's TCP: a private network whose packets pass through the ground."""

from __future__ import annotations

import contextlib
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from errno import EADDRNOTAVAIL, EINPROGRESS
from typing import TYPE_CHECKING, Final, final

from tulpen.errors import TulpenError
from tulpen.host.status import Row
from tulpen.kernel.counters import read_mib
from tulpen.kernel.sock_diag import SockDiag
from tulpen.lab.linux_sockets import LinuxDoor, LinuxLine, set_option
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

_CORE: Final = frozenset({"somaxconn", "rmem_max", "wmem_max", "default_qdisc"})
_CONSTANTS: Final[dict[str, str]] = {
    "tcp_timewait_len": "60",
    "tcp_delack_ms": "40",
    "tcp_initial_cwnd": "10",
}


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
            set_option(sock, name, value)
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
