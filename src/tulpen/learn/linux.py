"""The TCP of the Linux that this runs on as a subject, in a private network.

A TUN device answers synchronously: when ``write`` has returned, the kernel has taken the
packet and sent its reply, so nothing is ever waited for.

What makes it the same every time: no options, SYN cookies or tail loss probes; no limit
on challenge ACKs nor on ACKs to what is out of the window; ACKs at once (``quickack`` on
the route); a TIME-WAIT table that does not fill; a new four-tuple for every query; and a
reset for whatever a query leaves behind.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import Final, final

from tulpen.kernel.sock_diag import SockDiag
from tulpen.learn.alphabet import LETTERS, Kind
from tulpen.learn.peer import Peer
from tulpen.learn.subject import REFUSED
from tulpen.link.namespace import NotPermitted, PrivateNetwork
from tulpen.tcp.state import CLOSED, LISTEN
from tulpen.tcp.trace import FourTuple
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.segment import Segment

LOCAL: Final = bytes((192, 0, 2, 1))
REMOTE: Final = bytes((192, 0, 2, 2))

_PORTS: Final = range(1024, 65_000)
_PEER_PORTS: Final = range(1024, 65_000)
_BACKLOG: Final = 64
_LINGER: Final = struct.pack("ii", 1, 0)

SYSCTLS: Final = {
    "net.ipv4.tcp_timestamps": 0,
    "net.ipv4.tcp_sack": 0,
    "net.ipv4.tcp_window_scaling": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.tcp_fastopen": 0,
    "net.ipv4.tcp_invalid_ratelimit": 0,
    "net.ipv4.tcp_challenge_ack_limit": 2_147_483_647,
    "net.ipv4.tcp_early_retrans": 0,
    "net.ipv4.tcp_max_tw_buckets": 1_000_000,
    "net.ipv4.tcp_no_metrics_save": 1,
    "net.ipv4.tcp_tw_reuse": 0,
}


@final
class Linux:
    """A private network with Linux inside; this process sits at the other end of its device."""

    def __init__(self) -> None:
        release = os.uname().release
        self.name = f"Linux {release.partition('-')[0]}"
        self._network = PrivateNetwork(
            addresses=["192.0.2.1/32"], routes=["192.0.2.0/24"], sysctls=SYSCTLS, device="tun", quick_acks=True
        )
        self._link = self._network.link
        self._diag = SockDiag(self._network.sock_diag())
        self._inside = contextlib.ExitStack()
        try:
            self._inside.enter_context(self._network.inside())
            self._entered = True
        except NotPermitted:
            self._entered = False  # every socket is asked for, which takes longer
        self._queries = 0
        self._socket: socket.socket | None = None
        self._listener: socket.socket | None = None
        self.begin()

    def begin(self) -> None:
        """Take a four-tuple that was not used before."""
        number = self._queries
        self._queries += 1
        self._port = _PORTS[number % len(_PORTS)]
        self._peer = Peer(_PEER_PORTS[(number + number // len(_PORTS)) % len(_PEER_PORTS)], self._port)
        self._opened = False

    def step(self, letter: str) -> str:
        """Give one input."""
        row = LETTERS[letter]
        refused = False
        if row.kind is Kind.SEGMENT:
            self._link.write(build_packet(Packet(REMOTE, LOCAL, self._peer.segment(row))))
        else:
            self._peer.called(row)
            refused = not self._call(letter)
        words = self._peer.words(self._answers())
        if self._listener is not None and row.kind is Kind.SEGMENT:
            self._accept(self._listener)
        return words + REFUSED if refused else words

    def state(self) -> str:
        """Return what sock_diag says of the connection, or of the listener behind it."""
        found = self._diag.state(FourTuple(LOCAL, self._port, REMOTE, self._peer.sport))
        return (LISTEN if found is CLOSED and self._listener is not None else found).title

    def end(self) -> None:
        """Reset what is left of the connection."""
        self._let_go("ABORT")
        if self._peer.seen:
            self._link.write(build_packet(Packet(REMOTE, LOCAL, self._peer.segment(LETTERS["RST"]))))
        while self._link.read():
            pass

    def close(self) -> None:
        """End the network."""
        self._let_go("ABORT")
        self._inside.close()
        self._diag.close()
        self._network.close()

    def _answers(self) -> list[Segment]:
        answers = []
        while arrivals := self._link.read():
            for buffer, _ in arrivals:
                segment = parse_packet(buffer).payload
                if isinstance(segment, Segment) and segment.sport == self._port and segment.dport == self._peer.sport:
                    answers.append(segment)
        return answers

    def _accept(self, listener: socket.socket) -> None:
        try:
            child, _ = listener.accept()
        except BlockingIOError:
            return
        child.setblocking(False)
        if self._socket is not None:
            _reset(self._socket)
        self._socket = child

    def _call(self, call: str) -> bool:
        """Do what the user does; say whether it was taken."""
        try:
            return self._open(call) if call in ("LISTEN", "CONNECT") else self._act(call)
        except OSError:
            return False

    def _open(self, call: str) -> bool:
        if self._opened:
            return False
        self._opened = True
        sock = (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            if self._entered
            else self._network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        )
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("192.0.2.1", self._port))
        if call == "LISTEN":
            sock.listen(_BACKLOG)
            self._listener = sock
        else:
            self._socket = sock
            with contextlib.suppress(BlockingIOError):
                sock.connect(("192.0.2.2", self._peer.sport))
        return True

    def _act(self, call: str) -> bool:
        sock = self._socket
        if call in ("CLOSE", "ABORT"):
            return self._let_go(call)
        if sock is None:
            return False
        if call == "SHUT":
            sock.shutdown(socket.SHUT_WR)
        elif call == "SEND":
            return sock.send(b"x") == 1
        else:
            sock.recv(1 << 16)
        return True

    def _let_go(self, call: str) -> bool:
        sock, listener = self._socket, self._listener
        self._socket = self._listener = None
        if sock is not None:
            (_reset if call == "ABORT" else socket.socket.close)(sock)
        if listener is not None:
            listener.close()
        return sock is not None or listener is not None


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    sock.close()
