"""The inputs that words are made of, and the alphabets to choose from, as data.

A segment never holds an absolute number: its numbers are said by what the other end
expects (see ``peer.py``), so that one word means the same to every TCP and every ISS.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from tulpen.wire.segment import ACK, FIN, PSH, RST, SYN


class Kind(Enum):
    """Who acts."""

    CALL = "the user"
    SEGMENT = "the peer"
    CLOCK = "the clock"


class Seq(Enum):
    """Where a segment begins."""

    NEXT = "RCV.NXT"
    OLD = "one octet before RCV.NXT"
    WINDOW = "inside the window, beyond RCV.NXT"
    NEW = "beyond the window, as a new incarnation would begin"
    SYN = "where our last accepted SYN stood"


class Acks(Enum):
    """What a segment acknowledges."""

    NOTHING = "no ACK bit"
    ALL = "SND.NXT"
    LESS = "one less than SND.NXT: not the last SYN, octet or FIN"
    FUTURE = "more than SND.NXT"


class Letter(NamedTuple):
    """One input."""

    name: str
    kind: Kind
    meaning: str
    flags: int = 0
    seq: Seq = Seq.NEXT
    acks: Acks = Acks.NOTHING
    octets: int = 0


def _call(name: str, meaning: str) -> Letter:
    return Letter(name, Kind.CALL, meaning)


def _segment(
    name: str, meaning: str, flags: int, seq: Seq = Seq.NEXT, acks: Acks = Acks.NOTHING, octets: int = 0
) -> Letter:
    return Letter(name, Kind.SEGMENT, meaning, flags, seq, acks, octets)


LETTERS: Final[dict[str, Letter]] = {
    letter.name: letter
    for letter in (
        _call("LISTEN", "OPEN, passive; what comes is accepted at once"),
        _call("CONNECT", "OPEN, active"),
        _call("SEND", "SEND, one octet"),
        _call("RECV", "RECEIVE, all there is"),
        _call("SHUT", "CLOSE as shutdown(SHUT_WR): it goes on receiving"),
        _call("CLOSE", "close() of the connection, and of the listener"),
        _call("ABORT", "ABORT as close() with SO_LINGER 0, and close() of the listener"),
        Letter("TIMEOUT", Kind.CLOCK, "the next timer runs out"),
        _segment("SYN", "SYN", SYN),
        _segment("SYN_NEW", "SYN of a new incarnation", SYN, Seq.NEW),
        _segment("SYN+ACK", "SYN,ACK", SYN | ACK, Seq.NEXT, Acks.ALL),
        _segment("SYN+ACK_R", "SYN,ACK, repeated", SYN | ACK, Seq.SYN, Acks.ALL),
        _segment("ACK", "ACK of everything", ACK, Seq.NEXT, Acks.ALL),
        _segment("ACK_NA", "ACK that lacks the last number", ACK, Seq.NEXT, Acks.LESS),
        _segment("ACK_FUT", "ACK of what was never sent", ACK, Seq.NEXT, Acks.FUTURE),
        _segment("FIN+ACK", "FIN, with an ACK of everything", FIN | ACK, Seq.NEXT, Acks.ALL),
        _segment("FIN_NA", "FIN, with an ACK that lacks the last number", FIN | ACK, Seq.NEXT, Acks.LESS),
        _segment("FIN_OOO", "FIN beyond a gap", FIN | ACK, Seq.WINDOW, Acks.ALL),
        _segment("OLD_FIN", "FIN, repeated", FIN | ACK, Seq.OLD, Acks.ALL),
        _segment("OLD_FIN_NA", "FIN, repeated, with an ACK that lacks the last number", FIN | ACK, Seq.OLD, Acks.LESS),
        _segment("DATA", "an octet", PSH | ACK, Seq.NEXT, Acks.ALL, 1),
        _segment("OLD_DATA", "an octet, repeated", PSH | ACK, Seq.OLD, Acks.ALL, 1),
        _segment("RST", "RST", RST),
        _segment("RST+ACK", "RST,ACK", RST | ACK, Seq.NEXT, Acks.ALL),
        _segment("RST_WIN", "RST in the window, but not at RCV.NXT", RST, Seq.WINDOW),
        _segment("RST_OLD", "RST before the window", RST, Seq.OLD),
    )
}


class Alphabet(NamedTuple):
    """A set of letters to learn with."""

    name: str
    letters: tuple[str, ...]
    meaning: str

    @property
    def timed(self) -> bool:
        """Whether time is among the letters; then the subject's time must be virtual."""
        return any(LETTERS[name].kind is Kind.CLOCK for name in self.letters)


_LIFE: Final = ("LISTEN", "CONNECT", "SYN", "SYN+ACK", "ACK", "DATA", "FIN+ACK", "FIN_NA", "RST", "CLOSE")
_WIDE: Final = (
    "LISTEN", "CONNECT", "SYN", "SYN_NEW", "SYN+ACK", "SYN+ACK_R", "ACK", "ACK_NA", "ACK_FUT", "DATA", "FIN+ACK",
    "FIN_NA", "OLD_FIN", "RST", "RST+ACK", "RST_WIN", "SHUT", "CLOSE", "ABORT",
)  # fmt: skip

ALPHABETS: Final[dict[str, Alphabet]] = {
    alphabet.name: alphabet
    for alphabet in (
        Alphabet("life", _LIFE, "the life cycle: every state, by the shortest ways"),
        Alphabet("wide", _WIDE, "old, future and in-window numbers, SHUTDOWN and ABORT as well"),
        Alphabet(
            "time",
            (*(name for name in _LIFE if name != "DATA"), "TIMEOUT"),
            "the life cycle with retransmission, R2 and 2 MSL",
        ),
        Alphabet(
            "far",
            tuple(name for name in _WIDE if LETTERS[name].kind is Kind.SEGMENT),
            "segments alone, for a server whose program nobody here can command",
        ),
    )
}

#: What random words are made of: everything but time.
EVERYTHING: Final = tuple(name for name, letter in LETTERS.items() if letter.kind is not Kind.CLOCK)
