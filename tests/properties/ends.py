"""Two connections and a network whose every misdeed is drawn beforehand, in virtual time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.signals import Signal
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, LISTEN, MAY_SEND, State
from tulpen.tcp.trace import FourTuple, Moved, Record
from tulpen.wire.segment import Segment

MS = 1_000_000
SECOND = 1_000_000_000
ONE_WAY = 10 * MS

#: What becomes of one segment: a copy arrives after each of these delays.  None at all: it is lost.
Fate = tuple[int, ...]
ON_TIME: Fate = (ONE_WAY,)


def patient(**changes: object) -> Settings:
    """Settings of a host that outlasts every network drawn here: nothing justifies an error."""
    settings = Settings(
        tcp_syn_retries=1000,
        tcp_synack_retries=1000,
        tcp_retries2=1000,
        tcp_orphan_retries=1000,
        tcp_rto_max_ms=4000,
        tcp_timewait_len=600,
    )
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


@dataclass
class User:
    """What the user of one end does."""

    text: bytes = b""
    writes: int = 1 << 20  # octets of each SEND
    reads: int = 1 << 20  # octets of each RECEIVE
    pause: int = 0  # between two RECEIVEs
    urgent: bool = False  # every SEND
    waits: bool = False  # closes only after the peer has
    lets_go: bool = False  # by close(2), once all is sent and the end was read
    aborts_at: int | None = None


@dataclass
class End:
    """One connection with its user."""

    name: str
    connection: Connection
    user: User
    written: int = 0
    received: bytearray = field(default_factory=bytearray)
    eof: bool = False
    shut: bool = False
    aborted: bool = False
    read_at: int | None = None

    @property
    def settings(self) -> Settings:
        """Of its host."""
        return self.connection.tcb.stack.settings

    def act(self, now: int) -> None:
        """Take the signals, then do what the user does."""
        connection = self.connection
        while (signal := connection.next_signal()) is not None:
            if signal in (Signal.READABLE, Signal.EOF) and self.read_at is None:
                self.read_at = now + self.user.pause
        if self.user.aborts_at is not None and now >= self.user.aborts_at:
            self.user.aborts_at = None
            if connection.state is not CLOSED:
                self.aborted = True
                connection.abort(now)
        if self.aborted:
            self.read_at = None
            return
        self._write(now)
        if self.read_at is not None and self.read_at <= now:
            self._read(now)

    def _write(self, now: int) -> None:
        connection, user = self.connection, self.user
        while MAY_SEND[connection.state] and not self.shut and self.written < len(user.text):
            taken = connection.send(user.text[self.written : self.written + user.writes], now, urgent=user.urgent)
            self.written += taken
            if not taken:
                return
        done = self.written == len(user.text) and (self.eof or not user.waits)
        if done and MAY_SEND[connection.state] and not self.shut:
            self.shut = True
            connection.shutdown(now)

    def _read(self, now: int) -> None:
        connection = self.connection
        octets = connection.receive(self.user.reads) if connection.readable else b""
        self.received += octets
        self.eof = self.eof or connection.eof
        self.read_at = now + self.user.pause if connection.readable else None
        if self.user.pause == 0 and connection.readable:
            self._read(now)
        if self.eof:
            self._write(now)
            if self.user.lets_go and self.shut and connection.state is not CLOSED:
                connection.close(now)

    def next_deadline(self) -> int | None:
        """When the connection or the user has something to do."""
        times = [self.connection.next_deadline(), self.read_at, self.user.aborts_at]
        return min((when for when in times if when is not None), default=None)


class TooLong(Exception):
    """The run does not end."""


class Run:
    """Both ends and what is under way between them."""

    def __init__(self, a: End, b: End, fates: list[Fate], marks: list[int | None] | None = None) -> None:
        """``marks``: what the path makes of the ECN field of each packet; None: nothing."""
        self.ends = (a, b)
        self.now = 0
        self.sent = 0
        self._fates = iter(fates)
        self._marks = iter(marks or [])
        self._heap: list[tuple[int, int, int, Segment]] = []

    def step(self) -> bool:
        """Do what is next; False if nothing is left."""
        times = [(when, side) for side, end in enumerate(self.ends) if (when := end.next_deadline()) is not None]
        if self._heap:
            times.append((self._heap[0][0], 2))
        if not times:
            return False
        when, what = min(times)
        self.now = max(self.now, when)
        if what == 2:
            _, _, what, segment = heappop(self._heap)
            self.ends[what].connection.segment_arrives(segment, self.now)
        elif (due := self.ends[what].connection.next_deadline()) is not None and due <= self.now:
            self.ends[what].connection.timeout(self.now)
        self.settle(what)
        return True

    def _hang_up(self) -> None:
        """A listener that nobody came to is closed by its user."""
        for end in self.ends:
            if end.connection.state is LISTEN:
                end.connection.shutdown(self.now)

    def settle(self, side: int) -> None:
        """Let the user act, and send what that gives."""
        end = self.ends[side]
        end.act(self.now)
        for segment in end.connection.segments_to_send(self.now):
            mark = next(self._marks, None)
            if mark is not None:
                segment = segment.marked(mark)
            for delay in next(self._fates, ON_TIME):
                self.sent += 1
                heappush(self._heap, (self.now + delay, self.sent, 1 - side, segment))
        end.act(self.now)

    def run(self, most: int = 60_000) -> Run:
        """Run until both are CLOSED and nothing is left to do."""
        for side in (0, 1):
            self.settle(side)
        for _ in range(most):
            if not self.step():
                self._hang_up()
                return self
        states = ", ".join(f"{end.name} in {end.connection.state.title}" for end in self.ends)
        raise TooLong(f"{states} at {self.now / SECOND} s after {self.sent} segments")


def stack_of(settings: Settings) -> Stack:
    """A stack with a trace."""
    records: deque[tuple[FourTuple | None, Record]] = deque()
    return Stack(settings, records)


def path(end: End) -> list[State]:
    """The states an end went through."""
    records = end.connection.tcb.stack.records
    assert records is not None
    return [record.after for _, record in records if isinstance(record, Moved)]


def options(**changes: object) -> SocketOptions:
    """Socket options with some of them changed."""
    made = SocketOptions()
    for name, value in changes.items():
        setattr(made, name, value)
    return made
