"""The transmission control block: everything one connection remembers (RFC 9293 §3.3.1).

Passive data, in the RFCs' own names: ``snd.una`` is SND.UNA, ``rcv.nxt`` is RCV.NXT.
Sequence numbers are plain ints that do not wrap.  The modules that follow §3.10
(``arrives``, ``calls``, ``timeouts``, ``output``) act on it.
"""

from __future__ import annotations

from typing import Final, final

from tulpen.tcp.ack_state import AckState
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.congestion import ALGORITHMS, CongestionControl, Usage
from tulpen.tcp.ecn_state import Ecn
from tulpen.tcp.fast_open_state import FastOpen
from tulpen.tcp.flight import Flight
from tulpen.tcp.intake import Intake
from tulpen.tcp.loss import Loss
from tulpen.tcp.negotiate import default_terms, receive_buffer
from tulpen.tcp.nothing import NOTHING
from tulpen.tcp.outgo import Outgo
from tulpen.tcp.path_state import Path
from tulpen.tcp.rack_state import Rack
from tulpen.tcp.receive_memory import ReceiveMemory
from tulpen.tcp.receiving import ReceiveQueue
from tulpen.tcp.route import PLAIN, Route
from tulpen.tcp.rtt import round_trip
from tulpen.tcp.sending import SendQueue
from tulpen.tcp.signals import Signal
from tulpen.tcp.stack import Stack
from tulpen.tcp.stamping import Stamps
from tulpen.tcp.state import CLOSED, Event, State, follow
from tulpen.tcp.timers import Timers
from tulpen.tcp.trace import Dropped, Ended, FourTuple, Moved, Reason, TimedOut, Trace
from tulpen.wire.segment import Segment

#: RFC 6928 §2: the initial window counts larger segments as if they were of this size.
LARGE: Final = 1460
MOST_REPLIES: Final = 256


@final
class SendSpace:
    """RFC 9293 §3.3.1, Table 2.

    ::

              1         2          3          4
         ----------|----------|----------|----------
                SND.UNA    SND.NXT    SND.UNA+SND.WND
    """

    __slots__ = (
        "buff", "due", "fin", "forced", "freed", "iss", "max_wnd", "nxt", "small", "una", "up", "wl1", "wl2", "wnd",
    )  # fmt: skip

    def __init__(self, iss: int, buff: int) -> None:
        self.iss = iss
        self.una = iss
        self.nxt = iss
        self.wnd = 0  # scaled
        self.wl1 = 0
        self.wl2 = 0
        self.up = iss  # the octet after the urgent data (MUST-62)
        self.buff = buff  # octets that are kept for the peer, where the socket does not say
        self.forced = iss + 1  # one past the last octet pushed (Linux: pushed_seq)
        self.due = iss  # one past the last octet that need not wait for more
        self.freed = iss  # where the text ended that neither Nagle nor a cork hold
        self.small = iss  # one past the last new segment that was not full
        self.max_wnd = 0  # MAX.SND.WND (RFC 5961 §5.2)
        self.fin = -1  # where our FIN stands; -1: the user has not closed

    def clone(self) -> SendSpace:
        """Return an independent copy."""
        twin = SendSpace(self.iss, self.buff)
        twin.una = self.una
        twin.nxt = self.nxt
        twin.wnd = self.wnd
        twin.wl1 = self.wl1
        twin.wl2 = self.wl2
        twin.up = self.up
        twin.forced = self.forced
        twin.due = self.due
        twin.freed = self.freed
        twin.small = self.small
        twin.max_wnd = self.max_wnd
        twin.fin = self.fin
        return twin


@final
class ReceiveSpace:
    """RFC 9293 §3.3.1, Table 3.

    ::

                  1          2          3
              ----------|----------|----------
                     RCV.NXT    RCV.NXT+RCV.WND
    """

    __slots__ = ("buff", "edge", "fin", "irs", "memory", "nxt", "up", "wnd")

    def __init__(self, buff: int, memory: ReceiveMemory | None) -> None:
        self.irs = 0
        self.nxt = 0
        self.wnd = 0  # as last offered, less what has arrived since
        self.up = -1  # the octet after their urgent data; -1: none yet
        self.fin = -1  # where their FIN stands; -1: not seen
        self.edge = 0  # the rightmost that was ever offered, where the window may go back
        self.buff = buff  # RCV.BUFF: octets we are ready to keep, or memory
        self.memory = memory  # None: octets count

    def clone(self) -> ReceiveSpace:
        """Return an independent copy."""
        twin = ReceiveSpace(self.buff, None if self.memory is None else self.memory.clone())
        twin.irs = self.irs
        twin.nxt = self.nxt
        twin.wnd = self.wnd
        twin.up = self.up
        twin.fin = self.fin
        twin.edge = self.edge
        return twin


@final
class Tcb:
    """One connection."""

    __slots__ = (
        "ack_now", "acks", "cc", "closing", "delivered", "delivered_segments", "ecn", "error", "fast_open", "flight",
        "gso_max", "intake", "invalid_ack_at", "ipv6", "last_ack_sent", "loss", "mtu_mss", "name", "options",
        "orphan", "outgo", "override", "passive", "path", "probes", "probing_since", "queue", "rack", "rcv",
        "rcv_mss", "receive_queue", "replies", "retransmits", "route", "rtt", "sent_at", "signals", "smss", "snd",
        "soft_error", "stack", "stamps", "state", "syn_due", "terms", "timers", "trace", "troubled", "ts_offset",
        "ts_recent", "ts_recent_at", "usage", "user_timeout", "user_timeout_told", "wants_room",
    )  # fmt: skip

    def __init__(
        self, stack: Stack, *, iss: int, mss: int, name: FourTuple | None, options: SocketOptions,
        ts_offset: int, ipv6: bool, signed: int = 0,
    ) -> None:  # fmt: skip
        settings = stack.settings
        self.stack = stack
        self.name = name
        self.options = options
        self.trace: Trace | None = stack.trace(name)
        self.state: State = CLOSED
        self.snd = SendSpace(iss, settings.tcp_wmem[1])
        self.rcv = ReceiveSpace(
            receive_buffer(options, settings), ReceiveMemory() if settings.tcp_rcvbuf_overhead else None
        )
        self.terms = default_terms(ipv6=ipv6, signed=signed)
        self.ipv6 = ipv6
        self.mtu_mss = mss  # largest segment the path takes, without options
        self.rcv_mss = mss  # RMSS: what we told the peer to keep to
        self.gso_max = 0  # octets a device will cut into segments; 0: it cuts none
        self.route: Route = PLAIN  # what it says of the path
        self.path: Path | None = None  # None: routers are believed, and nothing is searched for
        self.passive = False  # came from LISTEN (MUST-11)
        self.error = self.soft_error = 0  # errno: once over; of an ICMP soft error
        self.signals: tuple[Signal, ...] = ()
        # what is owed to the peer
        self.syn_due = False
        self.ack_now = False
        self.acks = AckState()
        self.replies: list[Segment] = NOTHING  # RSTs and challenge ACKs, ready to go
        self.last_ack_sent = 0  # Last.ACK.sent (RFC 7323 §4.3)
        self.invalid_ack_at = -1  # when we last answered a segment out of window
        self.fast_open: FastOpen | None = None  # RFC 7413
        self.ecn: Ecn | None = None  # RFC 3168, RFC 9768; None: neither
        # what the user gave, and has not taken
        self.queue = SendQueue(iss + 1)
        self.receive_queue = ReceiveQueue()
        self.closing = False  # CLOSE waits for SYN-RECEIVED to end (§3.10.4)
        self.orphan = False  # the application has let go: close(2)
        self.wants_room = False  # it was told there is no room to send
        self.user_timeout = self.user_timeout_told = 0  # milliseconds, as the peer asked for it; as we did (RFC 5482)
        # retransmission and congestion
        self.flight, self.timers = Flight(), Timers()
        self.rtt = round_trip(settings)
        self.smss = min(mss, self.terms.mss)  # Eff.snd.MSS (MUST-16)
        self.cc = self.congestion_control()
        self.usage = Usage()
        self.rack = Rack()
        self.outgo = Outgo()
        self.stamps: Stamps | None = None  # SO_TIMESTAMPING
        self.loss = Loss(settings.tcp_reordering)
        self.override = False  # the override timeout of §3.8.6.2.1 has passed
        self.delivered, self.delivered_segments = 0, 0  # that the peer is known to have: octets, for statistics
        self.retransmits = 0  # of the oldest segment, in a row (against R1 and R2)
        self.probes, self.probing_since = 0, -1  # of a closed window or keep-alive, unanswered; the first of the former
        self.intake = Intake()
        self.troubled = False  # R1 was reached and told
        self.sent_at = -1  # when data last went out
        self.ts_recent, self.ts_recent_at = 0, 0  # TS.Recent: the peer's latest TSval, and when
        self.ts_offset = ts_offset

    def reply(self, segment: Segment) -> None:
        """Queue what answers a segment; a flood is not answered one for one if nobody sends meanwhile."""
        if not self.replies:
            self.replies = [segment]
        elif len(self.replies) < MOST_REPLIES:
            self.replies.append(segment)

    def happened(self, event: Event, now: int) -> None:
        """Move to the state that follows; the only place a state changes."""
        before = self.state
        self.state = follow(before, event)
        if self.trace is not None:
            self.trace.write(Moved(now, before, event, self.state))

    def note(self, seg: Segment | None, reason: Reason, now: int) -> None:
        """Write down why a segment was dropped, challenged or refused, and count it."""
        if reason.counter:
            self.stack.count(reason.counter)
        if self.trace is not None:
            self.trace.write(Dropped(now, seg, self.state, reason))

    def timed_out(self, timer: str, now: int) -> None:
        """Write down that a timer ran out."""
        if self.trace is not None:
            self.trace.write(TimedOut(now, self.state, timer))

    def ended(self, reason: Reason | None, error: int, now: int) -> None:
        """Write down the end of the connection and what the application is told: errno, 0 for none."""
        self.error = error
        if reason is not None:
            self.stack.count(reason.counter)
        if self.trace is not None:
            self.trace.write(Ended(now, self.state, reason, error))

    def signal(self, what: Signal) -> None:
        """Tell the application, once until it has heard."""
        if what not in self.signals:
            self.signals += (what,)

    def congestion_control(self) -> CongestionControl:
        """Return the algorithm the user or the host chose, at its initial window."""
        settings = self.stack.settings
        algorithm = ALGORITHMS[self.options.tcp_congestion or settings.tcp_congestion_control]
        return algorithm(self.smss, self.initial_window())

    def initial_window(self) -> int:
        """RFC 6928 §2."""
        segments = self.route.initcwnd or self.stack.settings.tcp_initial_cwnd
        return min(segments * self.smss, max(2 * self.smss, segments * LARGE))

    def clone(self, stack: Stack | None = None) -> Tcb:
        """Return an independent copy, with its own trace."""
        twin = Tcb(
            stack if stack is not None else self.stack.clone(), iss=self.snd.iss, mss=self.rcv_mss, name=self.name,
            options=self.options.clone(), ts_offset=self.ts_offset, ipv6=self.ipv6,
        )  # fmt: skip
        twin.state = self.state
        twin.snd = self.snd.clone()
        twin.rcv = self.rcv.clone()
        twin.terms = self.terms
        twin.mtu_mss = self.mtu_mss
        twin.gso_max = self.gso_max
        twin.route = self.route
        twin.path = None if self.path is None else self.path.clone()
        twin.passive = self.passive
        twin.error = self.error
        twin.soft_error = self.soft_error
        twin.signals = self.signals
        twin.syn_due = self.syn_due
        twin.ack_now = self.ack_now
        twin.acks = self.acks.clone()
        twin.replies = self.replies.copy() or NOTHING
        twin.last_ack_sent = self.last_ack_sent
        twin.invalid_ack_at = self.invalid_ack_at
        twin.fast_open = None if self.fast_open is None else self.fast_open.clone()
        twin.ecn = None if self.ecn is None else self.ecn.clone()
        self._copy_sending_to(twin)
        return twin

    def _copy_sending_to(self, twin: Tcb) -> None:
        """Copy what concerns text, retransmission and congestion."""
        twin.queue = self.queue.clone()
        twin.receive_queue = self.receive_queue.clone()
        twin.closing = self.closing
        twin.orphan = self.orphan
        twin.wants_room = self.wants_room
        twin.user_timeout = self.user_timeout
        twin.user_timeout_told = self.user_timeout_told
        twin.flight = self.flight.clone()
        twin.timers = self.timers.clone()
        twin.rtt = self.rtt.clone()
        twin.cc = self.cc.clone()
        twin.usage = self.usage.clone()
        twin.rack = self.rack.clone()
        twin.outgo = self.outgo.clone()
        twin.stamps = None if self.stamps is None else self.stamps.clone()
        twin.smss = self.smss
        twin.loss = self.loss.clone()
        twin.override = self.override
        twin.delivered, twin.delivered_segments = self.delivered, self.delivered_segments
        twin.retransmits, twin.probes, twin.probing_since = self.retransmits, self.probes, self.probing_since
        twin.intake = self.intake.clone()
        twin.troubled = self.troubled
        twin.sent_at = self.sent_at
        twin.ts_recent = self.ts_recent
        twin.ts_recent_at = self.ts_recent_at
