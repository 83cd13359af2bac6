"""A program in packetdrill's place: it calls the interface of the shared object as packetdrill would.

Run as ``stand_in.py [--so_filename=...] ... ROLE.pkt``; the name of the script says which role it plays.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.options import Options
from tulpen.wire.segment import ACK, SYN, Segment

_FUNCTIONS = (
    "self", "free", "socket", "bind", "listen", "accept", "connect", "read", "readv", "recv", "recvfrom", "recvmsg",
    "write", "writev", "send", "sendto", "sendmsg", "fcntl", "ioctl", "close", "shutdown", "getsockopt", "setsockopt",
    "poll", "packet_in", "packet_out", "usleep", "gettimeofday", "epoll_create", "epoll_ctl", "epoll_wait", "pipe",
    "splice",
)  # fmt: skip
_REMOTE = socket.inet_aton("192.0.2.1")
_LOCAL = socket.inet_aton("192.168.0.1")
_RECVFROM = "207 " if platform.machine() == "aarch64" else "45 "  # the number of the system call
_WIDE = ("read", "recv", "write", "send")


class Tcp:
    """The interface."""

    def __init__(self, path: str) -> None:
        self.c = ctypes.CDLL(None, use_errno=True)
        shim = ctypes.CDLL(path, use_errno=True)
        self.c.calloc.restype = ctypes.c_void_p
        room = self.c.calloc(1, 8 * len(_FUNCTIONS) + 8)
        shim.packetdrill_interface_init(None, ctypes.c_void_p(room))
        self._table = (ctypes.c_void_p * len(_FUNCTIONS)).from_address(room)

    def __getattr__(self, name: str) -> Any:
        address = self._table[_FUNCTIONS.index(name)]
        kind = ctypes.CFUNCTYPE(ctypes.c_ssize_t if name in _WIDE else ctypes.c_int, use_errno=True)
        function = kind(address or 0)
        return lambda *arguments: function(None, *arguments)

    def now(self) -> int:
        """Microseconds."""
        moment = (ctypes.c_long * 2)()
        self.gettimeofday(moment, None)
        return moment[0] * 1_000_000 + moment[1]

    def inject(self, seg: Segment) -> None:
        """Let a segment in."""
        octets = build_packet(Packet(_REMOTE, _LOCAL, seg))
        assert self.packet_in(octets, ctypes.c_size_t(len(octets))) == 0

    def sniff(self) -> tuple[Segment, int]:
        """Take the next segment out, and when it was sent."""
        buffer = ctypes.create_string_buffer(70_000)
        length, when = ctypes.c_size_t(70_000), ctypes.c_longlong()
        assert self.packet_out(buffer, ctypes.byref(length), ctypes.byref(when)) == 0
        seg = parse_packet(buffer.raw[: length.value]).payload
        assert isinstance(seg, Segment)
        return seg, when.value

    def listener(self) -> int:
        """Open one on port 8080."""
        fd: int = self.socket(2, 1, 6)
        assert self.bind(fd, struct.pack("=H", 2) + struct.pack("!H4s8x", 8080, _LOCAL), 16) == 0
        assert self.listen(fd, 1) == 0
        return fd

    def peer_connects(self) -> Segment:
        """Shake hands as the peer."""
        self.inject(Segment(0, 0, SYN, 32_792, b"", Options(mss=1000), sport=40_000, dport=8080))
        answer, _ = self.sniff()
        assert answer.flags == SYN | ACK
        self.inject(Segment(1, answer.seq + 1, ACK, 32_792, b"", sport=40_000, dport=8080))
        return answer


def passes(tcp: Tcp) -> int:
    """A whole conversation, every kind of call once or more."""
    began = tcp.now()
    listener = tcp.listener()
    answer = tcp.peer_connects()
    peer, length = ctypes.create_string_buffer(28), ctypes.c_uint(28)
    fd = tcp.accept(listener, peer, ctypes.byref(length))
    assert fd != listener
    assert peer.raw[: length.value] == struct.pack("=H", 2) + struct.pack("!H4s8x", 40_000, _REMOTE)

    value, room = ctypes.c_int(), ctypes.c_uint(4)
    assert tcp.setsockopt(fd, 6, 1, ctypes.byref(ctypes.c_int(1)), 4) == 0
    assert tcp.getsockopt(fd, 6, 1, ctypes.byref(value), ctypes.byref(room)) == 0
    assert (value.value, room.value) == (1, 4)
    info, room = ctypes.create_string_buffer(280), ctypes.c_uint(280)
    assert tcp.c.getsockopt(fd, 6, 11, info, ctypes.byref(room)) == 0  # not through the interface
    assert info.raw[0] == 1  # ESTABLISHED
    assert struct.unpack_from("=I", info.raw, 16)[0] == 1000  # the segment size

    assert tcp.usleep(100_000 - 20) == 0  # packetdrill sleeps to 20 us before its next event
    assert tcp.now() == began + 100_000
    assert tcp.write(fd, b"\0" * 1500, ctypes.c_size_t(1500)) == 1500
    first, when = tcp.sniff()
    assert (len(first.data), when) == (1000, began + 100_000)
    assert len(tcp.sniff()[0].data) == 500
    assert tcp.ioctl(fd, ctypes.c_ulong(0x5411), ctypes.byref(value)) == 0  # SIOCOUTQ
    assert value.value == 1500
    tcp.inject(Segment(1, answer.seq + 1501, ACK, 32_792, bytes(10), sport=40_000, dport=8080))
    poll = struct.pack("=ihh", fd, 1, 0)
    files = ctypes.create_string_buffer(poll, 8)
    assert tcp.poll(files, ctypes.c_ulong(1), 0) == 1
    assert struct.unpack("=ihh", files.raw) == (fd, 1, 1)
    epoll = tcp.epoll_create(1)
    event = struct.pack("=IQ", 1, 77)
    assert tcp.epoll_ctl(epoll, 1, fd, event) == 0
    events = ctypes.create_string_buffer(24)
    assert tcp.epoll_wait(epoll, events, 2, 0) == 1
    assert events.raw[:12] == event
    assert tcp.read(fd, events, ctypes.c_size_t(24)) == 10
    assert tcp.fcntl(fd, 4, 0o4002) == 0
    assert tcp.fcntl(fd, 3) == 0o4002
    assert tcp.read(fd, events, ctypes.c_size_t(24)) == -1
    assert ctypes.get_errno() == errno.EAGAIN
    assert tcp.shutdown(fd, 1) == 0
    assert tcp.c.close(fd) == 0  # not through the interface
    assert tcp.read(fd, events, ctypes.c_size_t(24)) == -1
    assert ctypes.get_errno() == errno.EBADF
    return 0


def blocks(tcp: Tcp) -> int:
    """A call of another thread waits while the script goes on; it returned when it returned."""
    listener, found = tcp.listener(), []
    mutex, condition = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    known = threading.Event()

    def accept() -> None:
        tcp.now()  # the service knows this thread: what it waits for from here on is its accept()
        known.set()
        fd = tcp.accept(listener, None, None)
        time.sleep(0.01)  # the script must not go on before this is noted
        tcp.c.pthread_mutex_lock(mutex)
        found.append((fd, tcp.now()))
        while len(found) < 2:
            tcp.c.pthread_cond_wait(condition, mutex)
        tcp.c.pthread_mutex_unlock(mutex)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    known.wait()
    while not Path(f"/proc/self/task/{thread.native_id}/syscall").read_text().startswith(_RECVFROM):
        time.sleep(0.001)  # it has not asked yet
    tcp.usleep(1_000_000)
    tcp.peer_connects()
    returned = tcp.now()
    tcp.usleep(1_000_000)
    [(fd, when)] = found
    tcp.c.pthread_mutex_lock(mutex)
    found.append((-1, 0))
    tcp.c.pthread_cond_signal(condition)
    tcp.c.pthread_mutex_unlock(mutex)
    thread.join()
    assert fd > listener
    assert when == returned
    return 0


def waits(tcp: Tcp) -> int:
    """Nothing will ever be sent: what comes instead is no packet, and ends the program."""
    buffer = ctypes.create_string_buffer(70_000)
    length, when = ctypes.c_size_t(70_000), ctypes.c_longlong()
    assert tcp.packet_out(buffer, ctypes.byref(length), ctypes.byref(when)) == 0
    sys.stderr.write("waits.pkt:1: error handling packet: IP header overflows packet\n")
    return int(length.value < 20)


def fails(tcp: Tcp) -> int:
    """What packetdrill says when a packet differs."""
    tcp.listener()
    sys.stderr.write("fails.pkt:2: error handling packet: live packet field tcp_psh: expected: 0 vs actual: 1\n")
    sys.stderr.write("script packet:  0.1 . 1:1(0) ack 1\nactual packet:  0.1 P. 1:1(0) ack 1\n")
    return 1


def unknown(tcp: Tcp) -> int:
    """A constant that packetdrill has not."""
    sys.stderr.write("unknown.pkt:2: runtime error in setsockopt call: unknown symbol: 'TCP_NOOPT'\n")
    return 1


def commands(tcp: Tcp) -> int:
    """A command that is understood reaches the host; one that fails says so."""
    assert tcp.c.system(b"sysctl -q net.ipv4.tcp_timestamps=0") == 0
    assert tcp.c.system(b"nstat | grep TcpExtNoSuchThing") >> 8 == 1
    tcp.listener()
    tcp.inject(Segment(0, 0, SYN, 1000, b"", Options(mss=1000, tsval=1), sport=40_000, dport=8080))
    assert tcp.sniff()[0].options.tsval is None
    return 0


def dangers(tcp: Tcp) -> int:
    """A command that is not understood must not be run."""
    return int(tcp.c.system(f"touch {Path(sys.argv[-1]).with_suffix('.touched')}".encode()))


def writes(tcp: Tcp) -> int:
    """A script must not write files."""
    tcp.c.open(str(Path(sys.argv[-1]).with_suffix(".touched")).encode(), 0o101, 0o600)
    return 0


def asserts(tcp: Tcp) -> int:
    """The Python of a script, as packetdrill writes it to a file."""
    listener = tcp.listener()
    tcp.peer_connects()
    fd = tcp.accept(listener, None, None)
    info, room = ctypes.create_string_buffer(280), ctypes.c_uint(280)
    assert tcp.c.getsockopt(fd, 6, 11, info, ctypes.byref(room)) == 0
    path = Path(sys.argv[-1]).with_suffix(".py")
    code = "import sys\nTCP_ESTABLISHED = 1\ntcpi_state = 1\ntcpi_no_such = 0\n_file = 'x'\n_line = 7\n"
    path.write_text(code + Path(sys.argv[-1]).read_text().strip() + "\n")
    return int(bool(tcp.c.system(f"python3 {path}".encode())))


def main() -> int:
    """Play the role."""
    role = Path(sys.argv[-1]).stem
    if role == "misspelt":
        sys.stderr.write("misspelt.pkt:1: parse error at 'x': syntax error\n")
        return 1
    path = next(each.partition("=")[2] for each in sys.argv if each.startswith("--so_filename="))
    status: int = globals()[role](Tcp(path))
    return status


if __name__ == "__main__":
    sys.exit(main())
