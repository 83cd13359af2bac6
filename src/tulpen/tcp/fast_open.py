"""TCP Fast Open (RFC 7413): text beside a SYN, and what becomes of it.

The client's SYN carries a cookie and text, or asks for a cookie; sent again, it carries
neither (§4.2.1).  What of the text the SYN,ACK leaves unacknowledged goes out again at
once: nothing was congested.  On the server's side the text is taken and answered before the
handshake ends; ``arrives`` and ``output`` ask ``opens_early`` where that makes a difference.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp import recovery
from tulpen.tcp.fast_open_state import Lesson
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.state import ESTABLISHED
from tulpen.tcp.tcb import Tcb
from tulpen.wire.options import FAST_OPEN_MAGIC, LONGEST, Options, build_options

LEAST_COOKIE: Final = 4  # octets (RFC 7413 §4.1.1)
MOST_COOKIE: Final = 16
TIMEOUTS_OF_TEXT: Final = 2  # of our SYN,ACK, after which the text sent behind it counts as lost too
TIMEOUTS_OF_A_BLACKHOLE: Final = 2  # in a row, and one more is under way


def cookie_in(options: Options) -> bytes | None:
    """Return the cookie of a SYN or SYN,ACK, empty for a request; None for what is none, or can be none (§4.1.1)."""
    cookie = options.fast_open
    if cookie is None or not cookie:
        return cookie
    return cookie if LEAST_COOKIE <= len(cookie) <= MOST_COOKIE and len(cookie) % 2 == 0 else None


def with_option(tcb: Tcb, options: Options) -> Options:
    """Return the options of our first SYN or SYN,ACK, with the cookie or the request where there is room for it."""
    fast = tcb.fast_open
    if fast is None or fast.cookie is None:
        return options
    full = options.with_fast_open(fast.cookie, experimental=fast.experimental)
    length = len(fast.cookie) + (len(FAST_OPEN_MAGIC) if fast.experimental else 0) + 2
    fast.cookie = None  # once: a SYN sent again is a plain one
    if len(build_options(options)) + length > LONGEST - tcb.terms.signed:
        return options
    if not fast.passive:
        fast.asked = True
        fast.asked_experimental = fast.experimental
    return full


def text_beside_syn(tcb: Tcb, now: int) -> bytes | memoryview:
    """Take the text that goes with our first SYN (§4.2.1), and account for it."""
    fast, snd = tcb.fast_open, tcb.snd
    if fast is None or fast.passive or not fast.room:
        return b""
    start = snd.nxt
    end = min(tcb.queue.end, start + fast.room)
    if end > start:
        fast.text = end - start
        tcb.flight.transmitted(start, end, fast.room, now, push=tcb.queue.sent(end))
        snd.nxt = end
    return tcb.queue.octets(start, end)


def answered(tcb: Tcb, seg: Incoming, resent: int) -> None:
    """Our SYN is acknowledged: learn from the SYN,ACK, and see what it leaves of the text (§4.2.1)."""
    fast = tcb.fast_open
    if fast is not None and fast.passive and resent >= TIMEOUTS_OF_TEXT:
        _resend_all(tcb)
    if fast is None or fast.passive or not (fast.asked or fast.text):
        return
    left = bool(tcb.flight.sent)
    cookie = cookie_in(seg.options) if fast.asked else None
    silent = fast.asked and cookie is None
    fast.lesson = Lesson(
        tcb.terms.mss,
        cookie,
        seg.options.fast_open_experimental,
        syn_lost=silent and resent > 0 and left,
        ignored=silent and not resent and not fast.text,
        experimental_asked=fast.asked_experimental,
        refused=silent and (left or not fast.text),
    )
    if left:
        tcb.stack.count("TCPFastOpenActiveFail")
        _resend_all(tcb)
    elif fast.text:
        fast.taken = True
        tcb.stack.count("TCPFastOpenActive")


def _resend_all(tcb: Tcb) -> None:
    for piece in tcb.flight.sent:
        tcb.flight.deem_lost(piece)
    recovery.resend_lost(tcb)


def began_passively(tcb: Tcb) -> bool:
    """Whether a SYN with a good cookie made the connection: until our SYN is acknowledged, it alone goes again."""
    return tcb.fast_open is not None and tcb.fast_open.passive


def timed_out(tcb: Tcb, now: int, *, giving_up: bool) -> None:
    """Timeouts in a row of a connection that tried it: a middlebox may drop what it does not know (§7.1)."""
    fast = tcb.fast_open
    if fast is None or not (fast.asked or fast.text):
        return
    times = tcb.retransmits
    if times == TIMEOUTS_OF_A_BLACKHOLE or (giving_up and times < TIMEOUTS_OF_A_BLACKHOLE):
        tcb.stack.count("TCPFastOpenActiveFail")
        tcb.stack.pause_fast_open(now)


def strange_reset(tcb: Tcb, now: int) -> None:
    """A RST ahead of its turn, before any text has come: the sign of a middlebox (§7.1)."""
    fast = tcb.fast_open
    if fast is not None and fast.asked and tcb.state is ESTABLISHED and _heard_no_text(tcb):
        tcb.stack.pause_fast_open(now)


def over(tcb: Tcb, now: int) -> None:
    """The connection ends: a FIN ahead of its turn and no text is such a sign; text after a pause says it is past."""
    fast = tcb.fast_open
    if fast is None or not fast.asked:
        return
    if not _heard_no_text(tcb):
        if fast.trial:
            tcb.stack.resume_fast_open()
    elif tcb.rcv.fin > tcb.rcv.nxt:
        tcb.stack.pause_fast_open(now)


def _heard_no_text(tcb: Tcb) -> bool:
    rcv = tcb.rcv
    return rcv.nxt - (0 <= rcv.fin < rcv.nxt) <= rcv.irs + 1 and tcb.receive_queue.beyond is None
