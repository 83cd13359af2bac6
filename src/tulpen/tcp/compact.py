"""SYN-RECEIVED and TIME-WAIT as small records.

A listener keeps a ``Request`` for each half-open connection and a host a ``TimeWait``
for each lingering one: neither needs buffers.  When a segment arrives for one of them
it becomes a ``Connection`` again, so that the rules stand in ``arrives`` alone.
"""

from __future__ import annotations

from typing import final

from tulpen.tcp import receive_window
from tulpen.tcp.accecn import syn_ack_option
from tulpen.tcp.config import MS, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.ecn import asked_for, syn_ack_flags
from tulpen.tcp.ecn_state import Ecn, Mode
from tulpen.tcp.ending import flush, linger
from tulpen.tcp.fast_open_state import FastOpen
from tulpen.tcp.negotiate import (
    TIMESTAMPS_ROOM,
    Terms,
    accept,
    agree,
    effective_mss,
    first_timestamp,
    timestamp,
    whole_segments,
)
from tulpen.tcp.rtt import INITIAL_RTO
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import LISTEN, TIME_WAIT, Event, follow
from tulpen.tcp.trace import FourTuple, Moved
from tulpen.wire.segment import ACK, SYN, Segment
from tulpen.wire.seq import MASK


@final
class Request:
    """A SYN received by a listener, the SYN,ACK sent: one entry of the SYN queue."""

    __slots__ = (
        "acknowledged", "answered_at", "began", "deadline", "ecn", "irs", "iss", "mss", "name", "retransmits", "terms",
        "ts_offset", "ts_recent", "wnd",
    )  # fmt: skip

    def __init__(
        self, name: FourTuple, *, irs: int, iss: int, mss: int, terms: Terms, wnd: int, ts_offset: int, now: int,
        ts_recent: int = 0, retransmits: int = 0, ecn: Ecn | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.irs = irs
        self.iss = iss
        self.mss = mss  # the largest segment we take
        self.terms = terms
        self.wnd = wnd  # of their SYN
        self.ts_offset = ts_offset
        self.ts_recent = ts_recent
        self.ecn = ecn  # what the SYN asked for, and is granted
        self.began = now
        self.acknowledged = False  # the handshake is done, but the listener waits for text (TCP_DEFER_ACCEPT)
        self.answered_at = -1  # when it was last answered for something out of window
        self.retransmits = retransmits
        self.deadline = now + INITIAL_RTO

    @classmethod
    def of_syn(
        cls, stack: Stack, name: FourTuple, syn: Segment, now: int, *, iss: int, mss: int, ts_offset: int = 0,
        options: SocketOptions | None = None, signed: int = 0,
    ) -> Request:  # fmt: skip
        """Return the request that an acceptable SYN makes (RFC 9293 §3.10.7.2, third)."""
        given = options if options is not None else SocketOptions()
        terms = agree(syn.options, given, stack.settings, ipv6=len(name.local) == 16, signed=signed)
        trace = stack.trace(name)
        if trace is not None:
            trace.write(Moved(now, LISTEN, Event.SYN, follow(LISTEN, Event.SYN)))
        return cls(
            name, irs=syn.seq, iss=iss, mss=mss, terms=terms, wnd=syn.wnd, ts_offset=ts_offset, now=now,
            ts_recent=first_timestamp(terms, syn.options), ecn=asked_for(syn, stack.settings),
        )  # fmt: skip

    def syn_ack(
        self, now: int, room: int, *, tsval: int | None = None, cookie: bytes | None = None, experimental: bool = False,
        counters: int = 0,
    ) -> Segment:  # fmt: skip
        """<SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, offering ``room`` octets; ``tsval`` instead of our clock.

        ``cookie``: for Fast Open, in an option of either kind.  ``counters``: tcp_ecn_option.
        """
        clock = timestamp(now, self.ts_offset) if tsval is None else tsval
        options = accept(self.terms, self.mss, clock, self.ts_recent)
        if cookie is not None:
            options = options.with_fast_open(cookie, experimental=experimental)
        flags = SYN | ACK
        if self.ecn is not None:
            flags |= syn_ack_flags(self.ecn, self.retransmits)
            if self.ecn.mode is Mode.ACCURATE and not self.retransmits:
                options = syn_ack_option(counters, options, self.terms.signed)
        name = self.name
        return Segment(
            self.iss & MASK, self.irs + 1 & MASK, flags, min(room, 0xFFFF), b"", options, 0,
            name.local_port, name.remote_port,
        )  # fmt: skip

    @property
    def full_segment(self) -> int:
        """Octets of text in the largest segment we take."""
        return self.mss - (TIMESTAMPS_ROOM if self.terms.timestamps else 0)

    def timed_out(self, stack: Stack, now: int, *, waits: bool = False) -> bool:
        """Back off (RFC 6298 §5.5); say whether the request lives on.

        ``waits``: whatever tcp_synack_retries says.
        """
        if self.retransmits >= stack.settings.tcp_synack_retries and not waits:
            return False
        self.retransmits += 1
        self.deadline = now + min(INITIAL_RTO << self.retransmits, stack.settings.tcp_rto_max_ms * MS)
        return True

    def connection(self, stack: Stack, options: SocketOptions, now: int) -> Connection:
        """Return the connection it stands for, in SYN-RECEIVED, with these ``options`` and no copy of them."""
        connection = Connection(
            stack, iss=self.iss, mss=self.mss, name=self.name, options=options, ts_offset=self.ts_offset,
            ipv6=len(self.name.local) == 16, signed=self.terms.signed,
        )  # fmt: skip
        tcb = connection.tcb
        tcb.state = follow(LISTEN, Event.SYN)
        tcb.passive = True
        tcb.rcv.irs = self.irs
        tcb.rcv.nxt = tcb.rcv.up = tcb.last_ack_sent = self.irs + 1
        tcb.terms = self.terms
        tcb.ts_recent = self.ts_recent
        tcb.rcv.wnd = min(tcb.rcv.buff, 0xFFFF)
        receive_window.begin(tcb)
        tcb.rcv.buff = whole_segments(tcb.rcv.buff, min(tcb.terms.mss, tcb.mtu_mss), stack.settings)
        tcb.smss = effective_mss(tcb.terms, tcb.mtu_mss)
        tcb.cc = tcb.congestion_control()
        tcb.snd.nxt = self.iss + 1
        tcb.snd.wnd = tcb.snd.max_wnd = self.wnd
        tcb.snd.wl1 = self.irs
        tcb.retransmits = self.retransmits
        tcb.invalid_ack_at = self.answered_at
        tcb.ts_recent_at = tcb.intake.heard_at = self.began
        tcb.ecn = None if self.ecn is None else self.ecn.clone()
        tcb.flight.transmitted(self.iss, self.iss + 1, 1, self.began)
        tcb.flight.sent[0].times += self.retransmits
        tcb.loss.resent_total = self.retransmits
        tcb.timers.retransmit = self.deadline
        return connection

    def opened_early(
        self, stack: Stack, options: SocketOptions, syn: Segment, now: int, cookie: bytes | None, *, experimental: bool
    ) -> Connection:
        """Return the connection that a SYN with a good cookie makes at once (RFC 7413 §4.2.2); its SYN,ACK is due.

        ``cookie``: one to be given with it, in an option of the SYN's kind.
        """
        connection = self.connection(stack, options, now)
        tcb = connection.tcb
        tcb.fast_open = FastOpen(passive=True, cookie=cookie, experimental=experimental)
        flush(tcb)
        tcb.snd.nxt = tcb.snd.iss
        tcb.syn_due = True
        receive_window.open_up(tcb, now)
        connection.text_with_syn(syn, now)
        return connection


@final
class TimeWait:
    """A connection in TIME-WAIT: what it takes to acknowledge a FIN again, and to judge a SYN."""

    __slots__ = (
        "answered_at", "deadline", "irs", "iss", "max_snd_wnd", "mss", "name", "rcv_nxt", "rcv_wnd",
        "snd_nxt", "terms", "ts_offset", "ts_recent", "ts_recent_at",
    )  # fmt: skip

    def __init__(
        self, name: FourTuple, *, iss: int, irs: int, snd_nxt: int, max_snd_wnd: int, rcv_nxt: int, rcv_wnd: int,
        mss: int, terms: Terms, ts_offset: int, ts_recent: int, ts_recent_at: int, answered_at: int, deadline: int,
    ) -> None:  # fmt: skip
        self.name = name
        self.iss = iss
        self.irs = irs
        self.snd_nxt = snd_nxt
        self.max_snd_wnd = max_snd_wnd
        self.rcv_nxt = rcv_nxt
        self.rcv_wnd = rcv_wnd
        self.mss = mss  # the largest segment the path takes
        self.terms = terms
        self.ts_offset = ts_offset
        self.ts_recent = ts_recent
        self.ts_recent_at = ts_recent_at
        self.answered_at = answered_at  # when it was last answered for something out of window; -1: never
        self.deadline = deadline

    @classmethod
    def of(cls, connection: Connection) -> TimeWait:
        """Return the record of a connection in TIME-WAIT."""
        tcb = connection.tcb
        if tcb.name is None or tcb.state is not TIME_WAIT:
            raise ValueError("only a named connection in TIME-WAIT becomes a record")
        return cls(
            tcb.name, iss=tcb.snd.iss, irs=tcb.rcv.irs, snd_nxt=tcb.snd.nxt, max_snd_wnd=tcb.snd.max_wnd,
            rcv_nxt=tcb.rcv.nxt, rcv_wnd=tcb.rcv.wnd, mss=tcb.mtu_mss, terms=tcb.terms, ts_offset=tcb.ts_offset,
            ts_recent=tcb.ts_recent, ts_recent_at=tcb.ts_recent_at, answered_at=tcb.invalid_ack_at,
            deadline=tcb.timers.linger,
        )  # fmt: skip

    def connection(self, stack: Stack, now: int) -> Connection:
        """Return the connection it stands for, in TIME-WAIT."""
        connection = Connection(
            stack, iss=self.iss, mss=self.mss, name=self.name, ts_offset=self.ts_offset,
            ipv6=len(self.name.local) == 16, signed=self.terms.signed,
        )  # fmt: skip
        tcb = connection.tcb
        tcb.state = TIME_WAIT
        tcb.snd.una = tcb.snd.nxt = self.snd_nxt
        tcb.snd.fin = self.snd_nxt - 1
        tcb.snd.max_wnd = self.max_snd_wnd
        tcb.queue.start = tcb.queue.end = self.snd_nxt - 1
        tcb.rcv.irs = self.irs
        tcb.rcv.nxt = self.rcv_nxt
        tcb.rcv.fin = self.rcv_nxt - 1
        tcb.rcv.wnd = self.rcv_wnd
        tcb.last_ack_sent = self.rcv_nxt
        tcb.terms = self.terms
        tcb.ts_recent = self.ts_recent
        tcb.ts_recent_at = self.ts_recent_at
        tcb.invalid_ack_at = self.answered_at
        linger(tcb, now)
        tcb.timers.linger = self.deadline
        return connection
