"""Linux's TCP sockets through NETLINK_SOCK_DIAG: all of them, or one by its name (sock_diag(7)).

Every layout of the protocol stands in this file.  The states come as those of RFC 9293;
requests in the SYN queue and TIME-WAIT are seen like any other socket.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Iterator
from enum import IntEnum
from errno import ENOENT
from itertools import accumulate
from typing import Final, NamedTuple, final

from tulpen.kernel.attributes import Kind, SocketMemory, attributes, name, number, socket_memory
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple

NETLINK_SOCK_DIAG: Final = 4

_TCP: Final = 6
_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY
_ERROR: Final = 2  # NLMSG_ERROR
_DONE: Final = 3  # NLMSG_DONE
_REQUEST: Final = 0x001  # NLM_F_REQUEST
_DUMP: Final = 0x300  # NLM_F_ROOT | NLM_F_MATCH
_ANY_STATE: Final = 0xFFFF_FFFF
_ANY_COOKIE: Final = b"\xff" * 8

_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence number, port
# inet_diag_req_v2: family, protocol, extensions, states; then inet_diag_sockid
_QUERY: Final = struct.Struct("=BBBxI2s2s16s16sI8s")
# inet_diag_msg: family, state, timer, retransmits; inet_diag_sockid; expires, rqueue, wqueue, uid, inode
_ANSWER: Final = struct.Struct("=4B2s2s16s16sI8s5I")
_TCP_INFO: Final = struct.Struct("=8B24I4Q6I4Q2I2Q6I2HI")
_ENDS: Final = tuple(
    accumulate(
        struct.calcsize(f"={kind}")
        for count, kind in re.findall(r"(\d*)([BHIQ])", _TCP_INFO.format)
        for _ in range(int(count or 1))
    )
)  # where each field of it ends
MAPPED: Final = bytes(10) + b"\xff\xff"  # RFC 4291 §2.5.5.2

# By the number in net/tcp_states.h; 12 is a request in the SYN queue, 13 bound and nothing more.
STATES: Final = (
    State.CLOSED,
    State.ESTABLISHED,
    State.SYN_SENT,
    State.SYN_RECEIVED,
    State.FIN_WAIT_1,
    State.FIN_WAIT_2,
    State.TIME_WAIT,
    State.CLOSED,
    State.CLOSE_WAIT,
    State.LAST_ACK,
    State.LISTEN,
    State.CLOSING,
    State.SYN_RECEIVED,
    State.CLOSED,
)


class Timer(IntEnum):
    """Which timer of a socket runs."""

    OFF = 0
    RETRANSMIT = 1  # or a tail loss probe
    KEEPALIVE = 2  # or an orphan's FIN-WAIT-2, or the SYN,ACK's
    TIME_WAIT = 3
    PERSIST = 4


_TIMERS: Final = frozenset(Timer)


class TcpInfo(NamedTuple):
    """The kernel's ``struct tcp_info``; what an older kernel does not give is 0.

    Times are in microseconds, those of ``last_...`` and ``total_rto_time`` in milliseconds.
    """

    state: int
    ca_state: int
    retransmits: int
    probes: int
    backoff: int
    options: int
    wscale: int  # ours to send in the low four bits, ours to receive in the high
    app_limited: int
    rto: int
    ato: int
    snd_mss: int
    rcv_mss: int
    unacked: int
    sacked: int
    lost: int
    retrans: int
    fackets: int
    last_data_sent: int
    last_ack_sent: int
    last_data_recv: int
    last_ack_recv: int
    pmtu: int
    rcv_ssthresh: int
    rtt: int
    rttvar: int
    snd_ssthresh: int
    snd_cwnd: int
    advmss: int
    reordering: int
    rcv_rtt: int
    rcv_space: int
    total_retrans: int
    pacing_rate: int
    max_pacing_rate: int
    bytes_acked: int
    bytes_received: int
    segs_out: int
    segs_in: int
    notsent_bytes: int
    min_rtt: int
    data_segs_in: int
    data_segs_out: int
    delivery_rate: int
    busy_time: int
    rwnd_limited: int
    sndbuf_limited: int
    delivered: int
    delivered_ce: int
    bytes_sent: int
    bytes_retrans: int
    dsack_dups: int
    reord_seen: int
    rcv_ooopack: int
    snd_wnd: int
    rcv_wnd: int
    rehash: int
    total_rto: int
    total_rto_recoveries: int
    total_rto_time: int


class KernelSocket(NamedTuple):
    """One TCP socket of the kernel."""

    name: FourTuple  # an IPv4 connection of an IPv6 socket bears its IPv4 addresses
    state: State
    family: int  # of the socket: AF_INET or AF_INET6
    timer: Timer
    expires: int  # milliseconds
    retransmits: int  # or probes, as the timer says
    recv_q: int  # a listener's: connections to accept
    send_q: int  # a listener's: its backlog
    uid: int
    inode: int  # 0: it belongs to no process (any more)
    interface: int  # 0: any
    cookie: bytes
    info: TcpInfo | None
    memory: SocketMemory | None = None
    congestion: str = ""  # the name of its congestion control, where it was asked for
    both_families: bool = False  # an IPv6 listener that takes IPv4 connections too
    info_octets: int = 0  # how long the kernel's tcp_info is


@final
class SockDiag:
    """Reads the sockets of the network namespace that its netlink socket was opened in; for one thread."""

    __slots__ = ("_sequence", "_socket")

    def __init__(self, sock: socket.socket | None = None) -> None:
        if sock is None:
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._socket = sock
        self._sequence = 0

    def sockets(self, *, info: bool = True) -> list[KernelSocket]:
        """Return every TCP socket, of IPv4 and of IPv6."""
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            query = _query(family, FourTuple(b"", 0, b"", 0), info=info)
            self._send(query, _DUMP)
            found += [parse_socket(body) for body in self._dumped()]
        return found

    def find(self, name: FourTuple, *, info: bool = True) -> KernelSocket | None:
        """Return the socket of exactly this name, seen from its own end; None: there is none."""
        body = self._one(name, info=info)
        if body is None:
            return None
        found = parse_socket(body)
        return found if found.name == name else None  # the kernel falls back to a listener

    def state(self, name: FourTuple) -> State:
        """Return the state of the connection of this name; CLOSED: there is none.  Made to be asked at every packet."""
        body = self._one(name, info=False)
        if body is None:
            return State.CLOSED
        state = STATES[body[1]] if body[1] < len(STATES) else State.CLOSED
        if state is State.LISTEN and name.remote_port:
            return State.CLOSED
        return state

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _one(self, name: FourTuple, *, info: bool) -> memoryview | None:
        family = socket.AF_INET if len(name.local) == 4 else socket.AF_INET6
        self._send(_query(family, name, info=info), 0)
        for kind, body in self._messages():
            if kind == _BY_FAMILY:
                return body
            if kind == _ERROR:
                error = _errno(body)
                if error == ENOENT:
                    return None
                raise OSError(error, os.strerror(error))
        raise OSError("sock_diag gave no answer")

    def _dumped(self) -> Iterator[memoryview]:
        while True:
            for kind, body in self._messages():
                if kind == _BY_FAMILY:
                    yield body
                    continue
                error = _errno(body)
                if error == ENOENT:
                    raise OSError(ENOENT, "this kernel has no tcp_diag, or may not load it: sudo modprobe tcp_diag")
                if error:
                    raise OSError(error, os.strerror(error))
                return

    def _send(self, query: bytes, flags: int) -> None:
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(query), _BY_FAMILY, _REQUEST | flags, self._sequence, 0)
        self._socket.send(header + query)

    def _messages(self) -> Iterator[tuple[int, memoryview]]:
        """Receive once; give the messages that answer the last request."""
        view = memoryview(self._socket.recv(65_536))
        while len(view) >= _HEADER.size:
            length, kind, _, sequence, _ = _HEADER.unpack_from(view)
            if not _HEADER.size <= length <= len(view):
                raise OSError("sock_diag gave a message that is cut off")
            if sequence == self._sequence:
                yield kind, view[_HEADER.size : length]
            view = view[(length + 3) & ~3 :]


def _query(family: int, name: FourTuple, *, info: bool) -> bytes:
    return _QUERY.pack(
        family,
        _TCP,
        Kind.INFO.bit if info else 0,
        _ANY_STATE,
        name.local_port.to_bytes(2, "big"),
        name.remote_port.to_bytes(2, "big"),
        name.local,
        name.remote,
        0,
        _ANY_COOKIE,
    )


def parse_socket(body: memoryview) -> KernelSocket:
    """Return the socket that an ``inet_diag_msg`` and its attributes tell of.

    A state or timer that the kernel has since invented is told as CLOSED or OFF; struct.error: it is too short.
    """
    fields = _ANSWER.unpack_from(body)
    family, state, timer, retransmits, sport, dport, source, destination, interface, cookie = fields[:10]
    expires, recv_q, send_q, uid, inode = fields[10:]
    more = attributes(body[_ANSWER.size :])
    info = more.get(Kind.INFO)
    return KernelSocket(
        FourTuple(
            _address(family, source), int.from_bytes(sport, "big"),
            _address(family, destination), int.from_bytes(dport, "big"),
        ),
        STATES[state] if state < len(STATES) else State.CLOSED,
        family,
        Timer(timer) if timer in _TIMERS else Timer.OFF,
        expires,
        retransmits,
        recv_q,
        send_q,
        uid,
        inode,
        interface,
        cookie,
        None if info is None else read_tcp_info(bytes(info)),
        socket_memory(more.get(Kind.MEMORY)),
        name(more.get(Kind.CONGESTION)),
        number(more.get(Kind.V6ONLY)) == 0,
        0 if info is None else len(info),
    )  # fmt: skip


def _address(family: int, raw: bytes) -> bytes:
    if family == socket.AF_INET:
        return raw[:4]
    return raw[12:] if raw.startswith(MAPPED) else raw


def read_tcp_info(octets: bytes) -> TcpInfo:
    """Return a ``struct tcp_info``, as getsockopt(TCP_INFO) gives it too."""
    return TcpInfo(*_TCP_INFO.unpack(octets[: _TCP_INFO.size].ljust(_TCP_INFO.size, b"\0")))


def given(info: TcpInfo, octets: int) -> dict[str, int]:
    """Return the fields that a kernel gives whose ``struct tcp_info`` is so long."""
    return {key: value for key, value, end in zip(info._fields, info, _ENDS, strict=True) if end <= octets}


def build_tcp_info(info: TcpInfo) -> bytes:
    """Return the octets of a ``struct tcp_info``; a number that is too large is cut to its field, as in C."""
    kinds = "".join(kind * int(count or 1) for count, kind in re.findall(r"(\d*)([BHIQ])", _TCP_INFO.format))
    return _TCP_INFO.pack(
        *(value % (1 << 8 * struct.calcsize(f"={kind}")) for value, kind in zip(info, kinds, strict=True))
    )


def _errno(body: memoryview) -> int:
    return -int(struct.unpack_from("=i", body)[0])
