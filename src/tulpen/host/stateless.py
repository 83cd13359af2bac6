"""SYNs that are answered and forgotten, and the ACKs that bring back what they said (RFC 4987 §3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host.cookies import PERIOD, VALID
from tulpen.host.core import Core
from tulpen.host.listening import answer, complete, refuse, revive
from tulpen.host.signing import signing_for
from tulpen.tcp.compact import Request
from tulpen.tcp.config import MS
from tulpen.tcp.ecn import asked_for
from tulpen.tcp.ecn_state import Mode
from tulpen.tcp.negotiate import DEFAULT_MSS_4, DEFAULT_MSS_6, timestamp
from tulpen.tcp.state import LISTEN, SYNCHRONIZED
from tulpen.tcp.trace import FourTuple, Reason
from tulpen.wire.options import Options
from tulpen.wire.segment import AE, CWR, ECE, ECN_FLAGS, SYN, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.tcp.connection import Connection


def answer_by_cookie(core: Core, listener: Listener, name: FourTuple, syn: Segment, now: int) -> None:
    """Answer a SYN with a cookie for its ISS, and forget it."""
    core.stack.count("SyncookiesSent")
    listener.cookies_sent_at = now
    mss = syn.options.mss or (DEFAULT_MSS_4 if len(name.local) == 4 else DEFAULT_MSS_6)
    iss = core.cookies.make(name, syn.seq, mss, now)
    classic = _mode(core, syn) is Mode.CLASSIC
    tsval = wrap(core.cookies.timestamp(timestamp(now, 0), syn.options, ecn=classic) + core.ts_offset(name))
    signing = signing_for(listener.options, name.remote, syn)
    request = Request.of_syn(
        core.unseen, name, _kept(core, syn), now, iss=iss, mss=core.mss(name, listener.options),
        options=listener.options, signed=signing.room if signing is not None else 0,
    )  # fmt: skip
    answer(core, listener, request, now, LISTEN, tsval, signing=signing)


def _kept(core: Core, syn: Segment) -> Segment:
    """Return ``syn`` with what the cookie can keep of its options: without a timestamp, the MSS alone."""
    if syn.options.tsval is not None and core.stack.settings.tcp_timestamps:
        return syn
    options = Options(mss=syn.options.mss)
    flags = syn.flags if _mode(core, syn) is Mode.ACCURATE else syn.flags & ~ECN_FLAGS
    return Segment(syn.seq, syn.ack, flags, syn.wnd, options=options, sport=syn.sport, dport=syn.dport, ecn=syn.ecn)


def _mode(core: Core, syn: Segment) -> Mode:
    granted = asked_for(syn, core.stack.settings)
    return Mode.OFF if granted is None else granted.mode


def ends_by_cookie(core: Core, listener: Listener, name: FourTuple, ack: Segment, now: int) -> bool:
    """Complete the handshake that an ACK's cookie stands for; False if it has to be refused."""
    syn = _forgotten(core, listener, name, ack, now)
    if syn is None:
        return False
    core.stack.count("SyncookiesRecv")
    if listener.full:
        refuse(core, name, ack, Reason.ACCEPT_QUEUE_FULL, now)
        return True
    signing = signing_for(listener.options, name.remote)
    request = Request.of_syn(
        core.stack, name, syn, now, iss=wrap(ack.ack - 1), mss=core.mss(name, listener.options),
        ts_offset=core.ts_offset(name), options=listener.options,
        signed=signing.room if signing is not None else 0,
    )  # fmt: skip
    connection = _as_of_its_syn(request, core, listener, ack, now)
    connection.segment_arrives(ack, now)
    if SYNCHRONIZED[connection.state]:
        complete(core, listener, connection, name, now, signing=signing)
    return True


def _as_of_its_syn(request: Request, core: Core, listener: Listener, ack: Segment, now: int) -> Connection:
    """Return the connection, which measures a round trip by its timestamp alone: nobody noted when our SYN,ACK went."""
    if request.terms.timestamps:
        request.began = now - wrap(timestamp(now, request.ts_offset) - ack.options.tsecr) * MS
    connection = revive(core, request, listener, now)
    if not request.terms.timestamps:
        connection.tcb.flight.sent[0].times += 1
    return connection


def _forgotten(core: Core, listener: Listener, name: FourTuple, ack: Segment, now: int) -> Segment | None:
    """Return the SYN that an ACK's cookie stands for; None for no good cookie, and where none was sent lately."""
    sent_at = listener.cookies_sent_at
    if ack.flags & SYN or not core.stack.settings.tcp_syncookies or sent_at is None or now - sent_at > VALID * PERIOD:
        return None
    irs = wrap(ack.seq - 1)
    mss = core.cookies.check(name, irs, wrap(ack.ack - 1), now)
    offer = None if mss is None else core.cookies.offered(mss, ack.options, core.ts_offset(name))
    if offer is None:
        core.drop(name, ack, Reason.BAD_COOKIE, now, LISTEN)
        return None
    return Segment(irs, 0, SYN | _asked(core, name, ack), ack.wnd, options=offer)


def _asked(core: Core, name: FourTuple, ack: Segment) -> int:
    """Return the flags by which the forgotten SYN asked for ECN: the ACK tells of AccECN, our timestamp of ECN."""
    if core.stack.settings.tcp_ecn >= 3 and ack.flags & (AE | CWR):
        return AE | CWR | ECE
    return CWR | ECE if core.cookies.kept_ecn(ack.options, core.ts_offset(name)) else 0
