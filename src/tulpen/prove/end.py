"""One end of a connection as an automaton, unfolded as far as it is asked.

A node is a real engine with what its user has done so far; an input is a user's call, a
timer or a segment.  The engine runs once for each node and input: what it answered is
remembered, so that a pair of ends can be explored at the cost of table look-ups.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tulpen.prove.duties import neglected
from tulpen.prove.forge import forged
from tulpen.prove.key import TIMERS, key, running
from tulpen.prove.segments import Segments, describe
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    SYNCHRONIZED,
    TIME_WAIT,
    State,
)
from tulpen.tcp.timers import NEVER
from tulpen.tcp.trace import FourTuple, Moved, Record
from tulpen.wire.segment import ACK, RST, SYN, Segment
from tulpen.wire.seq import MASK, wrap

OPEN_PASSIVE: Final = "OPEN passive"
OPEN_ACTIVE: Final = "OPEN active"
SEND: Final = "SEND"
RECEIVE: Final = "RECEIVE"
CLOSE: Final = "CLOSE"
LET_GO: Final = "close(2)"
ABORT: Final = "ABORT"
#: What a timer's running out is called, and the timer.
TIMEOUTS: Final = {f"{name.replace('_', ' ')} timeout": name for name in TIMERS}
LINGERED: Final = "linger timeout"
#: SEND is taken in these states (RFC 9293 §3.10.2): said again here, so that a mistake in the engine's table is seen.
MAY_SAY: Final = tuple(state in (SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT) for state in State)
#: ABORT in these states sends a RST (RFC 9293 §3.10.5).
MUST_RESET: Final = tuple(state in (SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT) for state in State)
PUT_OFF: Final = 4  # times that a timer may be put off
TWINS: Final = 500  # connections kept beside those that they count as alike with

Input = str | int  # a call or a timeout; the number of a segment


class Objection(Exception):
    """The end did what no end may do."""


@dataclass(frozen=True)
class Program:
    """What the user of one end may do, each in any order and at any time that the RFC permits."""

    opens: tuple[str, ...] = (OPEN_ACTIVE,)  # the calls tried, each at most once
    sends: tuple[int, ...] = ()  # octets of each SEND
    closes: str = CLOSE  # or LET_GO
    patient: bool = False  # closes only after the peer has
    lets_go: bool = False  # calls close(2) after CLOSE
    aborts: bool = False  # not its last connection, if it has more than one
    reads: bool = False  # RECEIVE is a step of its own, of one octet; else everything is read at once
    ready: bool = False  # the first open was called before anything else happens, and is not taken back


@dataclass(frozen=True)
class End:
    """One end: its name, the first sequence number of each of its connections in turn, its user, its settings."""

    name: str
    isses: tuple[int, ...]
    program: Program
    settings: Settings = field(hash=False, compare=False, default_factory=Settings)
    options: SocketOptions = field(hash=False, compare=False, default_factory=SocketOptions)
    mss: int = 1

    def text(self, life: int) -> bytes:
        """Return all that its user may send on one of its connections: no octet of it twice."""
        first, size = 0x61 if self.name < "B" else 0x41, sum(self.program.sends)
        return bytes((first + life * size + i) & 0xFF for i in range(size))


class Facts(NamedTuple):
    """What can be said of a node without its engine."""

    state: State
    life: int  # which of the end's connections this is, from 0
    irs: int  # the peer's initial sequence number, -1: not known
    written: int  # octets the user has sent
    read: int  # octets the user has received
    eof: bool  # the user was told that there are no more
    closed: bool  # the user has closed
    aborted: bool  # by ABORT, by a CLOSE before there was a connection, or by close(2), which may be either
    opened: int  # how many of the program's opens were tried
    error: int  # errno
    refused: bool  # it has answered with a RST before it was opened
    objected: bool  # it has answered with a RST while open
    timers: tuple[str, ...]  # those that are running
    unread: bool
    waited: bool  # it has been in TIME-WAIT
    offered: int  # the right edge of the windows it has told, from the peer's initial sequence number
    reached: int  # the end of the text it has sent, from its own


_NOTHING_YET: Final = Facts(
    CLOSED, life=0, irs=-1, written=0, read=0, eof=False, closed=False, aborted=False, opened=0, error=0,
    refused=False, objected=False, timers=(), unread=False, waited=False, offered=0, reached=0,
)  # fmt: skip


class Reaction(NamedTuple):
    """What an input leads to."""

    node: int
    sent: int  # the segments, a bit each


class _Node:
    __slots__ = ("connection", "facts", "forged", "inputs", "now", "reactions")

    def __init__(self, connection: Connection, now: int, facts: Facts, inputs: tuple[str, ...]) -> None:
        self.connection = connection
        self.now = now
        self.facts = facts
        self.inputs = inputs
        self.reactions: dict[Input, Reaction] = {}
        self.forged: tuple[int, ...] | None = None


class Automaton:
    """The nodes of one end."""

    def __init__(self, end: End, peer: End, segments: Segments) -> None:
        self.end = end
        self.peer = peer
        self.segments = segments
        self.moves: set[tuple[int, int]] = set()  # rows of the table taken: (state, event)
        self.runs = 0  # of the engine
        self._expected = {wrap(iss): peer.text(life) for life, iss in enumerate(peer.isses)}
        self._nodes: list[_Node] = []
        self._numbers: dict[Hashable, int] = {}
        self._twins: list[tuple[int, _Node]] = []
        self.start = self._number(self._connection(0), 0, _NOTHING_YET)
        if end.program.ready:
            self.start = self.react(self.start, end.program.opens[0]).node

    def __len__(self) -> int:
        return len(self._nodes)

    def facts(self, node: int) -> Facts:
        """Return what is known of a node."""
        return self._nodes[node].facts

    def inputs(self, node: int) -> tuple[str, ...]:
        """Return the calls that the program has left, and the timers that run."""
        return self._nodes[node].inputs

    def forgeries(self, node: int, kinds: tuple[str, ...]) -> tuple[int, ...]:
        """Return the numbers of the segments that an attacker would try on this node."""
        found = self._nodes[node]
        if found.forged is None:
            made = forged(found.connection.tcb, kinds)
            found.forged = tuple(dict.fromkeys(self.segments.number(segment, self.end.name) for segment in made))
        return found.forged

    def react(self, node: int, given: Input) -> Reaction:
        """Return what ``given`` leads to; Objection if the engine does what it must not."""
        reactions = self._nodes[node].reactions
        reaction = reactions.get(given)
        if reaction is None:
            reaction = reactions[given] = self._run(self._nodes[node], given)
        return reaction

    def unlike(self) -> Iterator[str]:
        """Yield what connections that count as alike do otherwise: for the first ones that were met, nothing should."""
        for number, twin in self._twins:
            for given, reaction in tuple(self._nodes[number].reactions.items()):
                if self._run(twin, given) != reaction:
                    yield f"{self.end.name} in {twin.facts.state.title}, {self.words(given)}"

    def words(self, given: Input) -> str:
        """Return an input as a reader of a path wants it."""
        return describe(self.segments.all[given], self.peer.isses, self.end.isses) if isinstance(given, int) else given

    def _connection(self, life: int) -> Connection:
        end = self.end
        return Connection(Stack(end.settings), iss=end.isses[life], mss=end.mss, options=end.options.clone())

    def _run(self, node: _Node, given: Input) -> Reaction:
        self.runs += 1
        records: deque[tuple[FourTuple | None, Record]] = deque()
        stack = Stack(self.end.settings, records)
        stack.orphans = node.connection.tcb.orphan
        facts = node.facts
        connection = node.connection
        if given in self.end.program.opens and facts.opened and facts.state is CLOSED:
            facts = _NOTHING_YET._replace(life=facts.life + 1)
            connection = self._connection(facts.life)
        connection = connection.clone(stack)
        try:
            now = self._wait(connection, node.now, TIMEOUTS[str(given)]) if given in TIMEOUTS else node.now + 1
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
            if facts.life and not SYNCHRONIZED[node.facts.state]:
                objected = False  # so it ends what is left of the connection before (§3.5.1)
            facts = facts._replace(refused=facts.refused or refused, objected=facts.objected or objected)
        if isinstance(given, int) and (duty := neglected(node.connection, self.segments.all[given], connection, sent)):
            raise Objection(f"{self.end.name}: {duty}")
        if given == ABORT and MUST_RESET[node.facts.state] and not any(segment.flags & RST for segment in sent):
            raise Objection(f"{self.end.name} aborts, and says nothing")
        facts = self._measured(facts, connection, sent)
        bits = self.segments.bits(sent, self.peer.name)
        self.segments.sent |= bits
        return Reaction(self._number(connection, now, facts), bits)

    def _measured(self, facts: Facts, connection: Connection, sent: list[Segment]) -> Facts:
        """Note how far windows and text have come."""
        irs, iss = connection.tcb.rcv.irs, self.end.isses[facts.life]
        for segment in sent:
            if segment.flags & RST:
                continue
            start = (segment.ack - irs) & MASK if segment.flags & ACK else 1
            facts = facts._replace(offered=max(facts.offered, start + segment.wnd))
            if segment.data:
                end = ((segment.seq - iss) & MASK) + bool(segment.flags & SYN) + len(segment.data)
                facts = facts._replace(reached=max(facts.reached, end))
        return facts

    def _wait(self, connection: Connection, now: int, name: str) -> int:
        """Let one timer run out before the others; one that was only put off runs out again."""
        timers, before = connection.tcb.timers, key(connection)
        for _ in range(PUT_OFF):
            if getattr(timers, name) == NEVER:
                break
            now = max(now, getattr(timers, name))
            for other in TIMERS:
                if other != name and getattr(timers, other) <= now:
                    setattr(timers, other, now + 1)
            connection.timeout(now)
            if key(connection) != before:
                break
        return now

    def _apply(self, connection: Connection, given: Input, facts: Facts, now: int) -> Facts:
        if isinstance(given, int):
            connection.segment_arrives(self.segments.all[given], now)
        elif given in TIMEOUTS:
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
        taken = connection.send(self.end.text(facts.life)[facts.written : facts.written + size], now)
        if taken != size:
            raise Objection(f"{self.end.name}: SEND took {taken} of {size} octets")
        return facts._replace(written=facts.written + size)

    def _read(self, connection: Connection, facts: Facts, limit: int) -> Facts:
        if not connection.readable:
            return facts
        octets = bytes(connection.receive(limit))
        read = facts.read + len(octets)
        expected = self._expected.get(wrap(connection.tcb.rcv.irs), b"")
        if octets != expected[facts.read : read]:
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
        facts = facts._replace(
            state=connection.state,
            irs=wrap(connection.tcb.rcv.irs) if connection.tcb.rcv.nxt else facts.irs,
            error=connection.error,
            timers=running(connection.tcb.timers),
            unread=connection.readable > 0,
            waited=facts.waited or connection.state is TIME_WAIT,
        )
        name = (key(connection), facts)
        number = self._numbers.setdefault(name, len(self._nodes))
        node = _Node(connection, now, facts, self._inputs(facts))
        if number == len(self._nodes):
            self._nodes.append(node)
        elif len(self._twins) < TWINS:
            self._twins.append((number, node))
        return number

    def _inputs(self, facts: Facts) -> tuple[str, ...]:
        program, state = self.end.program, facts.state
        inputs = []
        if (call := self._next_open(facts)) is not None:
            inputs.append(call)
        if not facts.closed and MAY_SAY[state] and _next_send(program, facts.written):
            inputs.append(SEND)
        if facts.unread and program.reads and not facts.aborted:
            inputs.append(RECEIVE)
        if state is not CLOSED and not facts.closed and _may_close(program, facts):
            inputs.append(program.closes)
        if state is not CLOSED and program.lets_go and facts.closed and not facts.aborted:
            inputs.append(LET_GO)
        if program.aborts and state is not CLOSED and facts.life == max(0, len(self.end.isses) - 2):
            inputs.append(ABORT)
        return (*inputs, *(f"{name.replace('_', ' ')} timeout" for name in facts.timers))

    def _next_open(self, facts: Facts) -> str | None:
        """Return the OPEN that the program has yet to call: the first again, once a connection is over."""
        opens = self.end.program.opens
        if facts.state is CLOSED and facts.opened:
            return opens[0] if facts.life + 1 < len(self.end.isses) else None
        if facts.opened == len(opens):
            return None
        call = opens[facts.opened]
        return call if not facts.opened or (facts.state is LISTEN and call == OPEN_ACTIVE) else None


def _may_close(program: Program, facts: Facts) -> bool:
    if facts.state is LISTEN or facts.state is SYN_SENT:
        return not program.ready
    return facts.eof or not program.patient


def _next_send(program: Program, written: int) -> int:
    total = 0
    for size in program.sends:
        if total == written:
            return size
        total += size
    return 0
