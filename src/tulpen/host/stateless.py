"""SYNs that are answered and forgotten, and the ACKs that bring back what they said (RFC 4987 §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.cookies import PERIOD, VALID
from tulpen.host.core import Core, Pending
from tulpen.host.listening import answer, complete, no_room, would_complete
from tulpen.tcp.compact import Request
from tulpen.tcp.negotiate import DEFAULT_MSS_4, DEFAULT_MSS_6, timestamp
from tulpen.tcp.state import LISTEN, SYN_RECEIVED, SYNCHRONIZED, Event
from tulpen.tcp.trace import FourTuple, Moved, Reason
from tulpen.wire.segment import SYN, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.host.listener import Listener


def answer_by_cookie(core: Core, listener: Listener, name: FourTuple, syn: Segment, now: int) -> None:
    """Answer a SYN with a cookie for its ISS, and forget it."""
    core.stack.count("SyncookiesSent")
    listener.cookies_sent_at = now
    mss = syn.options.mss or (DEFAULT_MSS_4 if len(name.local) == 4 else DEFAULT_MSS_6)
    clock = timestamp(now, 0)
    # The request lives for this one answer; its offset makes the answer's timestamp the one that keeps the options.
    offset = core.cookies.timestamp(clock, syn.options) - clock + core.ts_offset(name)
    iss = core.cookies.make(name, syn.seq, mss, now)
    request = Request.of_syn(core.stack, name, syn, now, iss=iss, mss=core.mss(name), ts_offset=offset)
    answer(core, listener, request, now)


def ends_by_cookie(core: Core, listener: Listener, name: FourTuple, ack: Segment, now: int) -> bool:
    """Complete the handshake that an ACK's cookie stands for; False if it has to be refused."""
    pending = _remembered(core, listener, name, ack, now)
    if pending is None:
        return False
    core.stack.count("SyncookiesRecv")
    if listener.full and would_complete(core, pending, ack, now):
        no_room(core, pending, ack, now)
        return True
    core.write(name, Moved(now, LISTEN, Event.SYN, SYN_RECEIVED))
    connection = pending.request.connection(core.stack, listener.options, now)
    connection.segment_arrives(ack, now)
    if SYNCHRONIZED[connection.state]:
        complete(core, listener, connection, name, now)
    return True


def _remembered(core: Core, listener: Listener, name: FourTuple, ack: Segment, now: int) -> Pending | None:
    """Return the request that a cookie stands for; None for no good cookie, and where none was sent lately."""
    sent_at = listener.cookies_sent_at
    if not core.stack.settings.tcp_syncookies or sent_at is None or now - sent_at > VALID * PERIOD:
        return None
    irs, iss = wrap(ack.seq - 1), wrap(ack.ack - 1)
    offset = core.ts_offset(name)
    mss = core.cookies.check(name, irs, iss, now)
    offer = None if mss is None else core.cookies.offered(mss, ack.options, offset)
    if offer is None:
        core.drop(name, ack, Reason.BAD_COOKIE, now, LISTEN)
        return None
    syn = Segment(irs, 0, SYN, ack.wnd, options=offer)
    request = Request.of_syn(core.stack, name, syn, now, iss=iss, mss=core.mss(name), ts_offset=offset)
    return Pending(request, listener, None)
