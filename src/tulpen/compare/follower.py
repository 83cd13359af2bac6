"""One end of a connection, followed packet by packet, to see if tulpen would have been allowed to do the same.

What comes to the end goes into a tulpen connection.  What leaves the end shows what its
user has called (text: SEND, FIN: CLOSE, RST: ABORT), and that is called on the
connection too.  Then every segment that leaves has to be one that the connection might
have sent: of text that its window, its state and its numbers permit, with an
acknowledgment of nothing that it has not taken.  When segments go, and how they are cut,
is each TCP's own affair.
"""

from __future__ import annotations

import contextlib
from typing import Final, NamedTuple, final

from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.errors import TcpError
from tulpen.tcp.negotiate import DEFAULT_MSS_4, timestamp
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import (
    CLOSED,
    CLOSING,
    ESTABLISHED,
    MAY_QUEUE,
    MAY_SEND,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    Event,
    ImpossibleTransition,
    State,
    follow,
)
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

_MASK: Final = 0xFFFF_FFFF
_HALF: Final = 1 << 31
_ROOM: Final = 16 << 20  # octets: no buffer of ours is to decide anything
_CWND: Final = 1 << 20  # segments: nor our congestion control


class Refusal(NamedTuple):
    """A packet that tulpen would not have sent, or a state that it would not be in."""

    number: int  # of the packet in its connection, from 1
    segment: Segment
    sent: bool  # by the end that is followed
    state: State  # tulpen's, before the packet
    why: str


@final
class Follower:
    """One end of one connection."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.packets = 0
        self.refusals: list[Refusal] = []
        self.dropped = 0  # packets that the end has not taken, for want of room in the accept queue
        self.skipped = ""  # why it cannot be followed
        self._syn: Segment | None = None  # that came, and waits for the SYN,ACK that shows our ISS
        self._acked = -1  # what the end has acknowledged last, as an unwrapped number

    @property
    def state(self) -> State:
        """Where tulpen is."""
        if self.connection is not None:
            return self.connection.state
        return CLOSED if self._syn is None else SYN_RECEIVED

    @property
    def over(self) -> bool:
        """Whether a SYN would begin another connection."""
        return self.connection is not None and self.connection.state in (CLOSED, TIME_WAIT)

    def packet(self, segment: Segment, now: int, *, sent: bool, kernel: State | None = None) -> bool:
        """Take the next packet; ``kernel`` is the state that the end has after it.  Say whether it is accepted."""
        self.packets += 1
        before = self.state
        try:
            why = self._sent(segment, now) if sent else self._came(segment, now, kernel)
        except (TcpError, ImpossibleTransition) as error:
            why = str(error)
        if not why and kernel is not None and not self.skipped:
            why = self._elsewhere(kernel)
        if why:
            self.refusals.append(Refusal(self.packets, segment, sent, before, why))
        return not why

    def _came(self, segment: Segment, now: int, kernel: State | None) -> str:
        connection = self.connection
        if connection is None:
            if segment.flags & SYN and not segment.flags & (ACK | RST):
                self._syn = segment
            elif self._syn is None:
                self.skipped = "its beginning is missing"
            return ""
        if kernel is SYN_RECEIVED and _half_open(connection) and not segment.flags & RST:
            self.dropped += 1  # its listener's queue is full: as if it had been lost
            return ""
        if kernel is CLOSING and connection.state is ESTABLISHED:
            connection.shutdown(now)  # before this came, by a FIN that is still on its way to the onlooker
        connection.segment_arrives(segment, now)
        self._settle(connection, now)
        return ""

    def _sent(self, segment: Segment, now: int) -> str:
        connection = self.connection
        if connection is None:
            return self._begins(segment, now)
        if segment.flags & RST:
            return self._resets(connection, segment, now)
        if segment.flags & SYN:
            if segment.flags & ACK and _half_open(connection) and segment.seq != connection.tcb.snd.iss & _MASK:
                return self._begins(segment, now)  # its first answer was a cookie, and nothing was kept of it
            return "" if connection.state in (SYN_SENT, SYN_RECEIVED) else f"a SYN in {connection.state.title}"
        return self._says(connection, segment, now) or self._numbers(connection, segment)

    def _begins(self, segment: Segment, now: int) -> str:
        if not segment.flags & SYN or segment.flags & RST:
            if segment.flags & RST and self._syn is not None:
                self._syn = None  # refused
            elif self._syn is None:
                self.skipped = "its beginning is missing"
            return ""
        if segment.flags & ACK and self._syn is None:
            return "a SYN,ACK without a SYN"
        options = SocketOptions(so_rcvbuf=_ROOM, so_sndbuf=_ROOM, tcp_nodelay=True)
        connection = Connection(
            Stack(_settings(segment)),
            iss=segment.seq,
            mss=segment.options.mss or DEFAULT_MSS_4,
            options=options,
            ts_offset=(segment.options.tsval or 0) - timestamp(now, 0),  # so that echoes of theirs are echoes of ours
        )
        self.connection = connection
        if segment.flags & ACK:
            assert self._syn is not None
            connection.open_passive(now)
            connection.segment_arrives(self._syn, now)
        else:
            connection.open_active(now)
        self._settle(connection, now)
        return ""

    def _resets(self, connection: Connection, segment: Segment, now: int) -> str:
        """A reset at SND.NXT is the user's ABORT; elsewhere it answers what acknowledges nothing of this connection."""
        if _half_open(connection) and segment.seq != connection.tcb.snd.nxt & _MASK:
            return ""
        if connection.state is not CLOSED:
            connection.abort(now)
            self._settle(connection, now)
        return ""

    def _says(self, connection: Connection, segment: Segment, now: int) -> str:
        """Have the user call what the segment shows, and see whether it may be sent."""
        state = connection.state
        if state is CLOSED:
            return "a segment after the end"
        tcb = connection.tcb
        end = self._unwrap(segment.seq, tcb.snd.nxt) + len(segment.data)
        new = end - tcb.queue.end
        if segment.data and new > 0:
            if not (MAY_SEND[state] or MAY_QUEUE[state]):
                return f"new text in {state.title}"
            connection.send(bytes(new), now)
        if segment.flags & FIN and tcb.snd.fin < 0:
            if not MAY_SEND[state] and state is not SYN_RECEIVED:
                return f"a FIN in {state.title}"
            connection.shutdown(now)
        self._settle(connection, now)
        last = end + bool(segment.flags & FIN)
        if last > tcb.snd.nxt:
            return f"{last - tcb.snd.nxt} beyond what the window permits"
        return ""

    def _numbers(self, connection: Connection, segment: Segment) -> str:
        if not segment.flags & ACK:
            return "no ACK bit"
        tcb = connection.tcb
        acked = self._unwrap(segment.ack, tcb.rcv.nxt)
        if acked > tcb.rcv.nxt:
            return f"acknowledges {acked - tcb.rcv.nxt} more than tulpen has taken"
        if acked < self._acked:
            return f"acknowledges {self._acked - acked} less than before"
        self._acked = acked
        return ""

    def _elsewhere(self, kernel: State) -> str:
        """Say where tulpen is, if neither there nor one call of the user's before it."""
        state = self.state
        if kernel is state or kernel in _one_call_on(state):
            return ""
        return f"the kernel says {kernel.title}, tulpen {state.title}"

    def _settle(self, connection: Connection, now: int) -> None:
        """The user reads everything; what tulpen would send is taken note of in its numbers."""
        with contextlib.suppress(TcpError):  # how it ended
            while connection.receive(1 << 20):
                pass
        connection.segments_to_send(now)
        while connection.next_signal() is not None:
            pass

    @staticmethod
    def _unwrap(number: int, near: int) -> int:
        return near + ((number - near + _HALF) & _MASK) - _HALF


def _half_open(connection: Connection) -> bool:
    """Whether it is its listener that has it still."""
    return connection.state is SYN_RECEIVED and connection.tcb.passive


def _settings(segment: Segment) -> Settings:
    """Return settings that offer what the end itself has offered."""
    options = segment.options
    return Settings(
        tcp_window_scaling=options.wscale is not None,
        tcp_timestamps=1 if options.tsval is not None else 0,
        tcp_sack=options.sack_permitted,
        tcp_invalid_ratelimit=0,
        tcp_initial_cwnd=_CWND,
        tcp_slow_start_after_idle=False,
        tcp_fastopen=0,
        tcp_rmem=(4096, _ROOM, _ROOM),
        tcp_wmem=(4096, _ROOM, _ROOM),
    )


def _one_call_on(state: State) -> set[State]:
    """The states that a call of the user's leads to, whose segment is still on its way to the onlooker."""
    found = set()
    for event in (Event.CLOSE, Event.ABORT):
        try:
            found.add(follow(state, event))
        except ImpossibleTransition:
            continue
    return found
