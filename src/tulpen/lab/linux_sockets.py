"""The sockets of a Linux machine: what its programs hold."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Mapping
from errno import EAGAIN
from typing import TYPE_CHECKING, Final, final

from tulpen.tcp.state import CLOSED
from tulpen.tcp.trace import FourTuple

if TYPE_CHECKING:
    from tulpen.lab.linux import LinuxMachine
    from tulpen.lab.machine import Value
    from tulpen.tcp.state import State

_SIOCOUTQ: Final = termios.TIOCOUTQ
_OPTION_SACK: Final = 2  # TCPI_OPT_SACK


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
            set_option(sock, name, value)

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


def set_option(sock: socket.socket, name: str, value: Value) -> None:
    """Set a socket option by Linux's name in small letters."""
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
