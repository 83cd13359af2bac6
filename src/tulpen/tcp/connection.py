"""One connection: three entrances that return nothing, three exits that are pulled.

The entrances are a segment, a user's call, and a deadline; the exits are the segments
to send, the signals for the application, and the next deadline.  There is no clock, no
socket and no thread inside: ``now`` is an argument, in nanoseconds, and never goes back.
"""

from __future__ import annotations

from typing import final

from tulpen.tcp import acking, arrives, buffer, calls, icmp, judge, output, path_mtu, stamping, timeouts
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.receiving import whole
from tulpen.tcp.route import Route
from tulpen.tcp.signals import Signal
from tulpen.tcp.stack import Stack
from tulpen.tcp.stamping import Stamp
from tulpen.tcp.state import CLOSED, FIN_RECEIVED, SYNCHRONIZED, TIME_WAIT, State
from tulpen.tcp.status import Status, status_of
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.timers import NEVER
from tulpen.tcp.trace import FourTuple, Reason
from tulpen.wire.segment import Segment


@final
class Connection:
    """A TCP connection, in any of the eleven states."""

    __slots__ = ("tcb",)

    def __init__(
        self,
        stack: Stack | None = None,
        *,
        iss: int,
        mss: int = 1460,
        name: FourTuple | None = None,
        options: SocketOptions | None = None,
        ts_offset: int = 0,
        ipv6: bool = False,
        signed: int = 0,
        tcb: Tcb | None = None,
    ) -> None:
        """Make a connection in CLOSED, or (with ``tcb``) one that is what that is.

        ``iss``: initial send sequence number, 32 bits.  ``mss``: octets the largest
        segment may carry that this host takes, without options (MTU less 40 or 60).
        ``ts_offset``: milliseconds added to the clock of our timestamps.  ``signed``: octets
        of options that the host needs to sign its segments.
        """
        if tcb is None:
            tcb = Tcb(
                stack if stack is not None else Stack(),
                iss=iss,
                mss=mss,
                name=name,
                options=options if options is not None else SocketOptions(),
                ts_offset=ts_offset,
                ipv6=ipv6,
                signed=signed,
            )
        self.tcb = tcb

    # entrances: the user

    def open_passive(self, now: int) -> None:
        """OPEN, passive (RFC 9293 §3.10.1)."""
        calls.open_passive(self.tcb, now)

    def open_active(self, now: int) -> None:
        """OPEN, active (§3.10.1)."""
        calls.open_active(self.tcb, now)

    def send(
        self, data: bytes | bytearray | memoryview, now: int, *, push: bool = True, urgent: bool = False,
        eor: bool = False,
    ) -> int:  # fmt: skip
        """SEND (§3.10.2): return how many octets were taken; WRITABLE is signalled when there is room again.

        ``eor``: a record ends here, so that no segment carries octets of it and of what follows (MSG_EOR).
        """
        return calls.send(self.tcb, data, now, push=push, urgent=urgent, eor=eor)

    def receive(self, limit: int, now: int = 0) -> bytes | memoryview:
        """RECEIVE (§3.10.3): return up to ``limit`` octets; empty: none yet, or the end (see ``eof``).

        ``now``: for the pace at which the buffer grows; without it, when something last came.
        """
        return whole(calls.receive(self.tcb, limit, now))

    def receive_pieces(self, limit: int, now: int = 0) -> list[bytes | memoryview]:
        """Return what ``receive`` would, uncopied: in the pieces it came in."""
        return calls.receive(self.tcb, limit, now)

    def shutdown(self, now: int) -> None:
        """CLOSE (§3.10.4): no more text from us; receiving goes on.  shutdown(2) with SHUT_WR."""
        calls.close(self.tcb, now)

    def close(self, now: int) -> None:
        """close(2): CLOSE, and the application lets go (§3.6.1)."""
        calls.let_go(self.tcb, now)

    def abort(self, now: int, reason: Reason = Reason.ABORTED) -> None:
        """ABORT (§3.10.5): reset."""
        calls.abort(self.tcb, now, reason)

    def status(self) -> Status:
        """STATUS (§3.10.6): a snapshot with the fields of Linux's tcp_info."""
        return status_of(self.tcb)

    # entrances: the network and the clock

    def segment_arrives(self, segment: Segment, now: int) -> None:
        """SEGMENT ARRIVES (§3.10.7)."""
        arrives.segment_arrives(self.tcb, segment, now)

    def text_with_syn(self, segment: Segment, now: int) -> None:
        """Take the text of a SYN whose cookie is good, before the handshake ends (RFC 7413 §4.2.2)."""
        arrives.text_with_syn(self.tcb, segment, now)

    def icmp_arrives(self, seq: int, error: int, now: int, *, hard: bool) -> None:
        """An ICMP error that quotes our segment ``seq``, as an errno (§3.9.2.2)."""
        icmp.error_arrives(self.tcb, seq, error, now, hard=hard)

    def in_flight(self, seq: int) -> bool:
        """Whether ``seq`` is sent and not acknowledged: what an ICMP error must quote (RFC 5927 §4.1)."""
        return icmp.names_segment_in_flight(self.tcb, seq)

    def path_begins(self, mss: int, route: Route, now: int) -> None:
        """Before any text is sent: the path takes segments of ``mss`` octets, and its route says so much more."""
        path_mtu.begins(self.tcb, mss, route, now)

    def doubts(self, seq: int, mss: int) -> bool:
        """Whether it is to be seen first if only ``mss`` octets fit (RFC 5927 §7.2); ``seq``: what was too big."""
        return path_mtu.doubts(self.tcb, seq, mss)

    def path_mss(self, mss: int, now: int, *, resend: bool = True) -> None:
        """The path takes segments of ``mss`` octets from now on (RFC 1191, RFC 8201); ``resend`` what was larger."""
        path_mtu.path_takes(self.tcb, mss, now, resend=resend)

    def timeout(self, now: int) -> None:
        """Do what is due at ``now`` (§3.10.8)."""
        timeouts.timeout(self.tcb, now)

    # exits

    def segments_to_send(self, now: int) -> list[Segment]:
        """Return everything that may go out now, and account for it."""
        return output.segments_to_send(self.tcb, now)

    def next_signal(self) -> Signal | None:
        """Return what the application is to be told next; None when all is told."""
        signals = self.tcb.signals
        if not signals:
            return None
        self.tcb.signals = signals[1:]
        return signals[0]

    def next_deadline(self) -> int | None:
        """Return when ``timeout`` wants to be called; None for never."""
        deadline = self.tcb.timers.next()
        return None if deadline == NEVER else deadline

    # what can be asked

    @property
    def state(self) -> State:
        """The state, of RFC 9293 §3.3.2."""
        return self.tcb.state

    @property
    def name(self) -> FourTuple | None:
        """The two sockets."""
        return self.tcb.name

    @property
    def error(self) -> int:
        """The errno it ended with, 0 for none (MUST-12)."""
        return self.tcb.error

    @property
    def soft_error(self) -> int:
        """The errno of the last ICMP soft error, 0 for none (SHLD-25)."""
        return self.tcb.soft_error

    @property
    def readable(self) -> int:
        """Octets that wait to be received."""
        return self.tcb.receive_queue.octets

    @property
    def writable(self) -> int:
        """Octets that SEND would take now."""
        return buffer.room(self.tcb)

    @property
    def has_room(self) -> bool:
        """The application may well send more: a third of the send buffer is free (poll(2): POLLOUT)."""
        return buffer.writable(self.tcb)

    @property
    def send_buffer(self) -> int:
        """Octets of the send buffer, as SO_SNDBUF tells them."""
        return buffer.limit(self.tcb)

    @property
    def unacknowledged(self) -> int:
        """Octets sent or queued that the peer has not acknowledged."""
        return len(self.tcb.queue)

    @property
    def urgent(self) -> int:
        """Octets still to be received up to the end of urgent data (MUST-33)."""
        tcb = self.tcb
        return max(0, tcb.rcv.up - (tcb.rcv.nxt - FIN_RECEIVED[tcb.state] - tcb.receive_queue.octets))

    @property
    def talks_early(self) -> bool:
        """It may send and receive although its handshake has not ended (RFC 7413 §4.2.2)."""
        return judge.talks_early(self.tcb)

    @property
    def eof(self) -> bool:
        """Their FIN has arrived and everything before it has been received."""
        rcv = self.tcb.rcv
        return not self.tcb.receive_queue.octets and 0 <= rcv.fin < rcv.nxt

    @property
    def idle(self) -> bool:
        """Nothing is owed to the network."""
        tcb = self.tcb
        return tcb.state is CLOSED or not (judge.unsent(tcb) or tcb.flight.sent or tcb.ack_now or tcb.replies)

    def set_keepalive(self, on: bool, now: int) -> None:
        """SO_KEEPALIVE; before the connection is synchronized it is only noted."""
        self.tcb.options.so_keepalive = on
        if SYNCHRONIZED[self.tcb.state] and self.tcb.state is not TIME_WAIT:
            timeouts.start_keepalive(self.tcb, now)

    def keepidle_changed(self, now: int) -> None:
        """TCP_KEEPIDLE has changed: the time since the peer was last heard counts."""
        timeouts.keepidle_changed(self.tcb, now)

    def set_timestamping(self, flags: int) -> None:
        """SO_TIMESTAMPING, for what is sent: SOF_TIMESTAMPING_TX_SCHED, _TX_SOFTWARE, _TX_ACK and _OPT_ID."""
        stamping.ask(self.tcb, flags)

    def next_stamp(self) -> Stamp | None:
        """Take the next entry of the error queue: what became of what was sent, and when."""
        stamps = self.tcb.stamps
        return stamps.told.pop(0) if stamps is not None and stamps.told else None

    @property
    def has_stamps(self) -> bool:
        """Something waits in the error queue (poll(2): POLLERR)."""
        return self.tcb.stamps is not None and bool(self.tcb.stamps.told)

    def options_changed(self) -> None:
        """TCP_NODELAY or TCP_CORK have changed: text that they held back may go."""
        calls.options_changed(self.tcb)

    def quick_ack(self, *, on: bool) -> None:
        """TCP_QUICKACK (tcp(7)): for the moment, acknowledge at once, or wait for an answer to take the ACK along."""
        acking.switch(self.tcb, on=on)

    def receive_options_changed(self) -> None:
        """SO_RCVBUF or TCP_WINDOW_CLAMP have changed."""
        calls.receive_options_changed(self.tcb)

    def adopt(self) -> None:
        """The application has accepted it."""
        calls.adopt(self.tcb)

    def clone(self, stack: Stack | None = None) -> Connection:
        """Return an independent copy; it shares only octets and options that never change."""
        return Connection(iss=self.tcb.snd.iss, tcb=self.tcb.clone(stack))
