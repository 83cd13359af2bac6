"""ICMP errors about a connection (RFC 9293 §3.9.2.2, RFC 5461)."""

from __future__ import annotations

from tulpen.tcp.ending import end
from tulpen.tcp.signals import Signal
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, Event
from tulpen.tcp.tcb import Tcb
from tulpen.tcp.trace import Reason
from tulpen.wire.seq import unwrap


def error_arrives(tcb: Tcb, seq: int, error: int, now: int, *, hard: bool) -> None:
    """Take an errno: a hard one ends an attempt to connect, all others are only told.

    ``seq`` is that of the segment the error quotes: one not in flight is a forgery, or
    too late to matter (RFC 5927 §4.1).
    On a synchronized connection a hard error counts as soft (RFC 5461 §4.1, as Linux
    does): a forged one would otherwise end it, and R2 ends it soon enough.
    """
    if tcb.state is CLOSED or tcb.state is LISTEN:
        return
    if not names_segment_in_flight(tcb, seq):
        tcb.note(None, Reason.ICMP_OUT_OF_WINDOW, now)
        return
    tcb.soft_error = error
    if hard and tcb.state in (SYN_SENT, SYN_RECEIVED):
        tcb.stack.count("AttemptFails")
        end(tcb, Event.GAVE_UP, now, error=error)
    elif tcb.options.ip_recverr:
        tcb.signal(Signal.TROUBLE)


def names_segment_in_flight(tcb: Tcb, seq: int) -> bool:
    """SND.UNA =< SEG.SEQ < SND.NXT (RFC 5927 §4.1); ``seq`` as on the wire."""
    return tcb.snd.una <= unwrap(seq, tcb.snd.una) < tcb.snd.nxt
