"""What is said over the Unix socket between ``shim.c``, inside packetdrill, and us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final

VERSION: Final = 1
ARGUMENTS: Final = 6
MOST: Final = 1 << 20  # octets after a question: more is no question
NULL_BUFFER: Final = 1  # the buffer that was given is a null pointer

_QUESTION: Final = Struct(f"=II{ARGUMENTS}q")  # length of what follows, operation, arguments
_ANSWER: Final = Struct("=Iiqqq")  # length of what follows, errno, now, result, value


class Op(IntEnum):
    """What is asked for; the arguments stand in the order of the system call's."""

    HELLO = 1  # process, thread, version
    INIT = 2  # octets that packetdrill has room for
    GETTIMEOFDAY = 3
    USLEEP = 4  # microseconds
    PACKET_IN = 5
    PACKET_OUT = 6  # answered with the next packet, and in ``value`` when it was sent
    COMMAND = 7
    WAIT = 8  # nanoseconds to let pass, at most, until another thread's call returns
    REST = 9  # the thread has dealt with its last call
    SOCKET = 16
    BIND = 17
    LISTEN = 18
    ACCEPT = 19
    CONNECT = 20
    READ = 21  # descriptor, octets, NULL_BUFFER
    RECV = 22
    RECVMSG = 23  # descriptor, octets, flags, room for control messages
    WRITE = 24
    SEND = 25
    SENDTO = 26
    SENDMSG = 27  # descriptor, octets, flags, octets of control messages
    FCNTL = 28
    IOCTL = 29
    CLOSE = 30
    SHUTDOWN = 31
    GETSOCKOPT = 32  # descriptor, level, name, room
    SETSOCKOPT = 33
    POLL = 34
    EPOLL_CREATE = 35
    EPOLL_CTL = 36
    EPOLL_WAIT = 37
    OTHER = 38  # by name


class Garbled(Exception):
    """What came is no question."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question."""

    op: Op
    arguments: tuple[int, ...] = (0,) * ARGUMENTS
    data: bytes = b""

    def encode(self) -> bytes:
        """Return its octets."""
        padded = (*self.arguments, *(0,) * (ARGUMENTS - len(self.arguments)))
        return _QUESTION.pack(len(self.data), self.op, *padded) + self.data


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``now`` in microseconds."""

    now: int
    result: int = 0
    value: int = 0
    errno: int = 0
    data: bytes = b""

    def encode(self) -> bytes:
        """Return its octets."""
        return _ANSWER.pack(len(self.data), self.errno, self.now, self.result, self.value) + self.data


def take_question(buffer: bytearray) -> Question | None:
    """Take the first question off ``buffer``; None if it is not all there.  Raises nothing but ``Garbled``."""
    if len(buffer) < _QUESTION.size:
        return None
    length, op, *arguments = _QUESTION.unpack_from(buffer)
    if length > MOST:
        raise Garbled(f"a question with {length} octets")
    end = _QUESTION.size + length
    if len(buffer) < end:
        return None
    data = bytes(buffer[_QUESTION.size : end])
    del buffer[:end]
    try:
        return Question(Op(op), tuple(arguments), data)
    except ValueError:
        raise Garbled(f"the operation {op}") from None


def take_answer(buffer: bytearray) -> Answer | None:
    """Take the first answer off ``buffer``, as ``shim.c`` does; None if it is not all there."""
    if len(buffer) < _ANSWER.size:
        return None
    length, errno, now, result, value = _ANSWER.unpack_from(buffer)
    end = _ANSWER.size + length
    if len(buffer) < end:
        return None
    data = bytes(buffer[_ANSWER.size : end])
    del buffer[:end]
    return Answer(now, result, value, errno, data)
