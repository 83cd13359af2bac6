"""One end of a connection as an automaton, unfolded as far as it is asked.

A node is a real engine with what its user has done so far; an input is a user's call, a
deadline or a segment.  The engine runs once for each node and input: what it answered
is remembered, so that a pair of ends can be explored at the cost of table look-ups.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tulpen.prove.key import key, order
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, LISTEN, MAY_QUEUE, MAY_SEND, SYN_SENT, State
from tulpen.tcp.trace import FourTuple, Moved, Record
from tulpen.wire.segment import RST, Segment, letters
from tulpen.wire.seq import MASK

OPEN_PASSIVE: Final = "OPEN passive"
OPEN_ACTIVE: Final = "OPEN active"
SEND: Final = "SEND"
RECEIVE: Final = "RECEIVE"
CLOSE: Final = "CLOSE"
LET_GO: Final = "close(2)"
ABORT: Final = "ABORT"
TIMEOUT: Final = "timeout"
PUT_OFF: Final = 4  # times that a timer may be put off

Input = str | int  # a call or a deadline; the number of a segment


class Objection(Exception):
    """The end did what no end may do."""


@dataclass(frozen=True)
class Program:
    """What the user of one end may do, each in any order and at any time that the RFC permits."""

    opens: tuple[str, ...] = (OPEN_ACTIVE,)  # the calls tried, each at most once
    sends: tuple[int, ...] = ()  # octets of each SEND
    closes: str = CLOSE  # or LET_GO
    patient: bool = False  # closes only after the peer has
    aborts: bool = False
    reads: bool = False  # RECEIVE is a step of its own, of one octet; else everything is read at once


@dataclass(frozen=True)
class End:
    """One end: its name, its first sequence number, its user, its settings."""

    name: str
    iss: int
    program: Program
    settings: Settings = field(hash=False, compare=False, default_factory=Settings)
    options: SocketOptions = field(hash=False, compare=False, default_factory=SocketOptions)
    mss: int = 1


class Facts(NamedTuple):
    """What can be said of a node without its engine."""

    state: State
    written: int  # octets the user has sent
    read: int  # octets the user has received
    eof: bool  # the user was told that there are no more
    closed: bool  # the user has closed
    aborted: bool  # by ABORT, by a CLOSE before there was a connection, or by close(2), which may be either
    opened: int  # how many of the program's opens were tried
    error: int  # errno
    refused: bool  # it has answered with a RST before it was opened
    objected: bool  # it has answered with a RST while open
    timer: str  # the next to run out; "" for none
    unread: bool


_NOTHING_YET: Final = Facts(
    CLOSED, written=0, read=0, eof=False, closed=False, aborted=False, opened=0, error=0,
    refused=False, objected=False, timer="", unread=False,
)  # fmt: skip


class Reaction(NamedTuple):
    """What an input leads to."""

    node: int
    sent: tuple[int, ...]  # numbers of segments


class Segments:
    """Every segment that either end ever sent, once."""

    def __init__(self) -> None:
        self.all: list[Segment] = []
        self._numbers: dict[Segment, int] = {}

    def number(self, segment: Segment) -> int:
        """Return the number of a segment, a new one if it is new."""
        number = self._numbers.setdefault(segment, len(self.all))
        if number == len(self.all):
            self.all.append(segment)
        return number


class _Node:
    __slots__ = ("connection", "facts", "inputs", "now", "reactions")

    def __init__(self, connection: Connection, now: int, facts: Facts, inputs: tuple[str, ...]) -> None:
        self.connection = connection
        self.now = now
        self.facts = facts
        self.inputs = inputs
        self.reactions: dict[Input, Reaction] = {}


class Automaton:
    """The nodes of one end."""

    def __init__(self, end: End, peer: End, segments: Segments) -> None:
        self.end = end
        self.segments = segments
        self.moves: set[tuple[int, int]] = set()  # rows of the table taken: (state, event)
        self.runs = 0  # of the engine
        self._expected = text_of(peer)
        self._text = text_of(end)
        self._nodes: list[_Node] = []
        self._numbers: dict[Hashable, int] = {}
        connection = Connection(Stack(end.settings), iss=end.iss, mss=end.mss, options=end.options.clone())
        self.start = self._number(connection, 0, _NOTHING_YET)

    def __len__(self) -> int:
        return len(self._nodes)

    def facts(self, node: int) -> Facts:
        """Return what is known of a node."""
        return self._nodes[node].facts

    def inputs(self, node: int) -> tuple[str, ...]:
        """Return the calls that the program has left, and the deadline if there is one."""
        return self._nodes[node].inputs

    def react(self, node: int, given: Input) -> Reaction:
        """Return what ``given`` leads to; Objection if the engine does what it must not."""
        reactions = self._nodes[node].reactions
        reaction = reactions.get(given)
        if reaction is None:
            reaction = reactions[given] = self._run(self._nodes[node], given)
        return reaction

    def _run(self, node: _Node, given: Input) -> Reaction:
        self.runs += 1
        records: deque[tuple[FourTuple | None, Record]] = deque()
        stack = Stack(self.end.settings, records)
        stack.orphans = node.connection.tcb.orphan
        connection = node.connection.clone(stack)
        facts = node.facts
        try:
            now = self._wait(connection, node.now) if given == TIMEOUT else node.now
            facts = self._hear(connection, self._apply(connection, given, facts, now))
            sent = connection.segments_to_send(now)
            facts = self._hear(connection, facts)
        except Objection:
            raise
        except Exception as error:
            raise Objection(f"{self.end.name}: {type(error).__name__}: {error}") from error
        for _, record in records:
            if isinstance(record, Moved):
                self.moves.add((record.before, record.event))
        if not facts.aborted and any(segment.flags & RST for segment in sent):
            refused, objected = not facts.opened, node.facts.state is not CLOSED
            facts = facts._replace(refused=facts.refused or refused, objected=facts.objected or objected)
        return Reaction(self._number(connection, now, facts), tuple(map(self.segments.number, sent)))

    def _wait(self, connection: Connection, now: int) -> int:
        """Let the next timer run out; one that was only put off runs out again."""
        before = key(connection)
        for _ in range(PUT_OFF):
            now = max(now, connection.next_deadline() or 0)
            connection.timeout(now)
            if key(connection) != before:
                break
        return now

    def _apply(self, connection: Connection, given: Input, facts: Facts, now: int) -> Facts:
        if isinstance(given, int):
            connection.segment_arrives(self.segments.all[given], now)
        elif given == TIMEOUT:
            pass  # it has run out already
        elif given == OPEN_PASSIVE:
            connection.open_passive(now)
            return facts._replace(opened=facts.opened + 1)
        elif given == OPEN_ACTIVE:
            connection.open_active(now)
            return facts._replace(opened=facts.opened + 1)
        elif given == SEND:
            return self._send(connection, facts, now)
        elif given == RECEIVE:
            return self._read(connection, facts, 1)
        elif given == ABORT:
            connection.abort(now)
            return facts._replace(aborted=True)
        else:
            (connection.close if given == LET_GO else connection.shutdown)(now)
            return facts._replace(closed=True, aborted=given == LET_GO or facts.state in (LISTEN, SYN_SENT))
        return facts

    def _send(self, connection: Connection, facts: Facts, now: int) -> Facts:
        size = _next_send(self.end.program, facts.written)
        taken = connection.send(self._text[facts.written : facts.written + size], now)
        if taken != size:
            raise Objection(f"{self.end.name}: SEND took {taken} of {size} octets")
        return facts._replace(written=facts.written + size)

    def _read(self, connection: Connection, facts: Facts, limit: int) -> Facts:
        if not connection.readable:
            return facts
        octets = bytes(connection.receive(limit))
        read = facts.read + len(octets)
        if octets != self._expected[facts.read : read]:
            raise Objection(f"{self.end.name} received {octets!r} at {facts.read}, not what was sent there")
        return facts._replace(read=read)

    def _hear(self, connection: Connection, facts: Facts) -> Facts:
        """Take the signals; read where reading is not a step of its own."""
        while connection.next_signal() is not None:
            pass
        if facts.aborted:
            return facts  # the user hears no more
        if not self.end.program.reads:
            facts = self._read(connection, facts, 1 << 20)
        return facts._replace(eof=facts.eof or connection.eof)

    def _number(self, connection: Connection, now: int, facts: Facts) -> int:
        running = order(connection.tcb.timers)
        facts = facts._replace(
            state=connection.state,
            error=connection.error,
            timer=running[0] if running else "",
            unread=connection.readable > 0,
        )
        name = (key(connection), facts)
        number = self._numbers.setdefault(name, len(self._nodes))
        if number == len(self._nodes):
            self._nodes.append(_Node(connection, now, facts, self._inputs(facts)))
        return number

    def _inputs(self, facts: Facts) -> tuple[str, ...]:
        program, state = self.end.program, facts.state
        inputs = []
        if facts.opened < len(program.opens) and _may_open(program.opens[facts.opened], facts):
            inputs.append(program.opens[facts.opened])
        if not facts.closed and (MAY_SEND[state] or MAY_QUEUE[state]) and _next_send(program, facts.written):
            inputs.append(SEND)
        if facts.unread and program.reads and not facts.aborted:
            inputs.append(RECEIVE)
        if state is not CLOSED and not facts.closed and (facts.eof or state is LISTEN or not program.patient):
            inputs.append(program.closes)
        if program.aborts and state is not CLOSED:
            inputs.append(ABORT)
        if facts.timer:
            inputs.append(TIMEOUT)
        return tuple(inputs)

    def words(self, given: Input, peer: End) -> str:
        """Return an input as a reader of a path wants it."""
        if isinstance(given, int):
            return describe(self.segments.all[given], peer, self.end)
        return given


def _may_open(call: str, facts: Facts) -> bool:
    if facts.opened:
        return facts.state is LISTEN and call == OPEN_ACTIVE
    return facts.state is CLOSED


def _next_send(program: Program, written: int) -> int:
    total = 0
    for size in program.sends:
        if total == written:
            return size
        total += size
    return 0


def text_of(end: End) -> bytes:
    """Return all that the user of an end may send: no octet of it twice."""
    first = 0x61 if end.name < "B" else 0x41
    return bytes((first + i) & 0xFF for i in range(sum(end.program.sends)))


def describe(segment: Segment, sender: End, receiver: End) -> str:
    """Return a segment in a few words, its numbers relative: ``S. seq=0 ack=1``."""
    words = [letters(segment.flags), f"seq={(segment.seq - sender.iss) & MASK}"]
    if segment.flags & 0x10:
        words.append(f"ack={(segment.ack - receiver.iss) & MASK}")
    if segment.data:
        words.append(repr(bytes(segment.data).decode("ascii", "replace")))
    for left, right in segment.options.sack:
        words.append(f"sack={(left - receiver.iss) & MASK}:{(right - receiver.iss) & MASK}")
    words.append(f"wnd={segment.wnd}")
    return " ".join(words)
