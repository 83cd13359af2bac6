"""All TCP sockets of a network namespace at once, column by column (sock_diag(7)).

A dump's answers stand one after another in memory, of different lengths.  Their fixed parts
are brought together first, 72 octets a socket, out of which a column is unpacked.
Where numpy is loaded and the dump is large it brings them together, otherwise a regular
expression does.  ``quicken`` loads numpy: that takes longer than it saves, except in a
program that reads large tables again and again.
"""

from __future__ import annotations

import importlib
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from socket import AF_INET
from typing import Any, Final, final

from tulpen.kernel.sock_diag import MAPPED, STATES, KernelSocket, parse_socket
from tulpen.tcp.state import State

RECORD: Final = 72  # octets of an inet_diag_msg
_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence number, port
_SOCKET_KINDS: Final = (18, 20)  # TCPDIAG_GETSOCK, SOCK_DIAG_BY_FAMILY
_INTERRUPTED: Final = 0x10  # NLM_F_DUMP_INTR
_AT_ONCE: Final = 1024  # records
_LARGE: Final = 1 << 16  # octets, from which on numpy is worth its calls


def quicken() -> bool:
    """Load numpy; False: it is not installed."""
    try:
        importlib.import_module("numpy")
    except ImportError:
        return False
    return True


@final
class Table:
    """What dumps brought; a column has one value a socket, in the kernel's order."""

    __slots__ = ("_messages", "interrupted", "records", "torn")

    def __init__(self, messages: memoryview | bytes = b"", records: bytes = b"") -> None:
        """Take a dump's messages, which all answer one request, or ready records (``inet_diag_msg``)."""
        self._messages = memoryview(messages)
        self.interrupted = False  # the kernel says that sockets may be missing or doubled
        self.torn = 0  # messages that are not as long as they say, or too short for a socket
        self.records = records or self._bring_together()

    @classmethod
    def of(cls, tables: Sequence[Table]) -> Table:
        """Return one table of several, without their attributes."""
        if len(tables) == 1:
            return tables[0]
        whole = cls(records=b"".join([table.records for table in tables]))
        whole.interrupted = any(table.interrupted for table in tables)
        whole.torn = sum(table.torn for table in tables)
        return whole

    def __len__(self) -> int:
        return len(self.records) // RECORD

    def families(self) -> bytes:
        """AF_INET or AF_INET6, an octet each; an IPv6 socket may have an IPv4 connection."""
        return self.records[0::RECORD]

    def states(self) -> bytes:
        """The states by the kernel's numbers, an octet each; ``STATES`` has them as RFC 9293's."""
        return self.records[1::RECORD]

    def timers(self) -> bytes:
        """Which timer runs, by the kernel's numbers, an octet each: see ``Timer``."""
        return self.records[2::RECORD]

    def retransmits(self) -> bytes:
        """Retransmissions without an answer, or probes, as the timer says; an octet each."""
        return self.records[3::RECORD]

    def local_ports(self) -> list[int]:
        """The ports at this end."""
        return self._column(4, "H", ">")

    def remote_ports(self) -> list[int]:
        """The ports at the other end; 0: none."""
        return self._column(6, "H", ">")

    def local_addresses(self) -> list[bytes]:
        """The addresses at this end: 4 octets or 16, of an IPv4 connection of an IPv6 socket 4."""
        return self._addresses(8)

    def remote_addresses(self) -> list[bytes]:
        """The addresses at the other end, likewise."""
        return self._addresses(24)

    def interfaces(self) -> list[int]:
        """The index of the interface that a socket is bound to; 0: any."""
        return self._column(40, "I")

    def cookies(self) -> list[bytes]:
        """What names a socket as long as it lives: 8 octets."""
        return self._column(44, "8s")

    def expiries(self) -> list[int]:
        """Milliseconds until the timer runs out."""
        return self._column(52, "I")

    def receive_queues(self) -> list[int]:
        """Octets that were not read yet; of a listener the connections to accept."""
        return self._column(56, "I")

    def send_queues(self) -> list[int]:
        """Octets that are not acknowledged yet; of a listener its backlog."""
        return self._column(60, "I")

    def uids(self) -> list[int]:
        """The users that made the sockets."""
        return self._column(64, "I")

    def inodes(self) -> list[int]:
        """The inodes; 0: no process holds it (any more, or yet)."""
        return self._column(68, "I")

    def by_state(self) -> dict[State, int]:
        """Return how many sockets are in each state, of those that occur."""
        numbers = self.states()
        counts: dict[State, int] = {}
        for number in sorted(set(numbers)):
            counts[state(number)] = counts.get(state(number), 0) + numbers.count(number)
        return counts

    def sockets(self) -> list[KernelSocket]:
        """Return everything that the dump says, socket by socket: slow, for what was asked of few."""
        if self._messages:
            return [parse_socket(self._messages[start:end]) for start, end in self._bodies()]
        return [parse_socket(memoryview(self.records)[at : at + RECORD]) for at in range(0, len(self.records), RECORD)]

    def _addresses(self, at: int) -> list[bytes]:
        families = self.families()
        if families.count(AF_INET) == len(families):
            return self._column(at, "4s")
        return [
            each[:4] if family == AF_INET else each[12:] if each.startswith(MAPPED) else each
            for each, family in zip(self._column(at, "16s"), families, strict=True)
        ]

    def _column(self, at: int, code: str, order: str = "=") -> list[Any]:
        """Unpack one field of every record: a thousand records at a time, which takes a third of the time."""
        records, column = self.records, list[Any]()
        many, one = (_unpacker(at, code, order, times) for times in (_AT_ONCE, 1))
        whole = len(records) // many.size * many.size
        for start in range(0, whole, many.size):
            column += many.unpack_from(records, start)
        for start in range(whole, len(records), RECORD):
            column += one.unpack_from(records, start)
        return column

    def _bring_together(self) -> bytes:
        """Return the fixed part of every message."""
        messages = self._messages
        if len(messages) >= _HEADER.size + RECORD:
            numpy = sys.modules.get("numpy") if len(messages) >= _LARGE else None
            records = _by_numpy(numpy, messages) if numpy else _by_pattern(bytes(messages))
            if records is not None:
                return records
        return b"".join([messages[start : start + RECORD] for start, _ in self._bodies()])

    def _bodies(self) -> Iterator[tuple[int, int]]:
        """Go from message to message; yield where what follows a header begins and ends."""
        messages, at, self.torn = self._messages, 0, 0
        while at < len(messages):
            if len(messages) - at < _HEADER.size:
                self.torn += 1
                return
            length, kind, flags, _, _ = _HEADER.unpack_from(messages, at)
            if not _HEADER.size <= length <= len(messages) - at:
                self.torn += 1
                return
            self.interrupted = self.interrupted or bool(flags & _INTERRUPTED)
            if kind in _SOCKET_KINDS:
                if length >= _HEADER.size + RECORD:
                    yield at + _HEADER.size, at + length
                else:
                    self.torn += 1
            at += (length + 3) & ~3


def state(number: int) -> State:
    """Return the state of a kernel's number; one that the kernel has since invented is told as CLOSED."""
    return STATES[number] if number < len(STATES) else State.CLOSED


@lru_cache
def _unpacker(at: int, code: str, order: str, times: int) -> struct.Struct:
    after = RECORD - at - struct.calcsize(order + code)
    return struct.Struct(order + f"{at}x{code}{after}x" * times)


def _by_pattern(messages: bytes) -> bytes | None:
    """Find the messages by what their headers have in common; None: they are not all alike.

    The sequence number is one that nobody else knows, and a record that was found is not
    searched again, so no address can be taken for a header.
    """
    common = messages[4:16]  # type, flags, sequence number, port
    if int.from_bytes(common[:2], sys.byteorder) not in _SOCKET_KINDS or not messages[8:12].strip(b"\0"):
        return None
    found = re.findall(re.escape(common) + b"(.{%d})" % RECORD, messages, re.DOTALL)
    last = messages.rfind(common[4:]) - 8
    whole = last >= 0 and last + (int.from_bytes(messages[last : last + 4], sys.byteorder) + 3 & ~3) == len(messages)
    interrupted = int.from_bytes(common[2:4], sys.byteorder) & _INTERRUPTED
    return b"".join(found) if whole and not interrupted and len(found) == messages.count(common[4:]) else None


def _by_numpy(numpy: Any, messages: memoryview) -> bytes | None:
    """Find the messages by their sequence number and see that each ends where the next begins; None: one does not."""
    if len(messages) % 4:
        return None
    words = numpy.frombuffer(messages, dtype=numpy.uint32)
    starts = numpy.flatnonzero(words == words[2]) - 2
    lengths = words[starts]
    ends = starts + ((lengths + 3) >> 2)
    chained = starts[0] == 0 and ends[-1] == len(words) and bool((ends[:-1] == starts[1:]).all())
    _, kind, flags, _, _ = _HEADER.unpack_from(messages)
    if not chained or kind not in _SOCKET_KINDS or flags & _INTERRUPTED or lengths.min() < _HEADER.size + RECORD:
        return None
    if bool((words[starts + 1] != words[1]).any()):
        return None
    # A record may begin at every word: seen so, they overlap, and those that do begin there are copied out.
    everywhere = numpy.ndarray((len(words) - RECORD // 4 + 1,), f"V{RECORD}", messages, strides=(4,))
    return bytes(everywhere[starts + _HEADER.size // 4].tobytes())
