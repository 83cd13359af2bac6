"""What a listener makes of segments: SYN queue and accept queue (RFC 9293 §3.10.7.2, RFC 4987).

The limits, what is dropped when they are reached, and what is counted are Linux's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.host import deferring, fast_listening
from tulpen.host.core import Core
from tulpen.host.departures import send, send_reset
from tulpen.host.ports import claim_of_accepted
from tulpen.host.settling import forget_request, settle
from tulpen.host.signing import course_of_request, signing_for
from tulpen.host.socket import Socket
from tulpen.host.syn_queue import Pending
from tulpen.tcp.compact import Request
from tulpen.tcp.config import SECOND
from tulpen.tcp.negotiate import initial_window, receive_buffer
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYNCHRONIZED, Event, State
from tulpen.tcp.trace import Arrived, FourTuple, Moved, Reason, Sent
from tulpen.wire.segment import Segment
from tulpen.wire.seq import before, wrap

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.host.signing import Signing
    from tulpen.host.tw_slot import Lingering
    from tulpen.tcp.connection import Connection

REOPENED: Final = 65_537  # a reopened connection's ISS lies this far above the old SND.NXT
STAMP_LIVES: Final = 60 * SECOND  # tcp_tw_recycle: how long a host's last timestamp was held against it


def syn_arrives(
    core: Core, listener: Listener, name: FourTuple, syn: Segment, now: int, displaced: Lingering | None = None
) -> bool:
    """Take an acceptable SYN into the SYN queue and answer it; say whether that was done.

    ``displaced``: the TIME-WAIT it reopens.  Such a SYN is taken in however full the SYN
    queue is, for its sender is no forger.
    """
    settings = core.stack.settings
    if listener.full:
        return refuse(core, name, syn, Reason.ACCEPT_QUEUE_FULL, now)
    if displaced is None:
        if not settings.tcp_syncookies and _last_quarter(listener, settings.tcp_max_syn_backlog):
            return refuse(core, name, syn, Reason.SYN_QUEUE_FULL, now)
        if settings.tcp_tw_recycle and _stamp_went_back(core, name, syn, now):
            return refuse(core, name, syn, Reason.TW_RECYCLE, now)
        iss = core.numbers.isn(name, now)
    else:
        iss = wrap(displaced.record.snd_nxt + REOPENED)
    signing = signing_for(listener.options, name.remote, syn)
    request = Request.of_syn(
        core.stack, name, syn, now, iss=iss, mss=core.mss(name, listener.options), ts_offset=core.ts_offset(name),
        options=listener.options, signed=signing.room if signing is not None else 0,
    )  # fmt: skip
    verdict = fast_listening.judge(core, listener, name, syn, now)
    if verdict.opens:
        _open_early(core, listener, request, syn, verdict, now, signing)
        if displaced is not None:
            core.ports.release(displaced.claim)
        return True
    core.requests.add(Pending(request, listener, displaced, signing))
    listener.syn_queue += 1
    listener.young += 1
    answer(core, listener, request, now, verdict=verdict, signing=signing)
    return True


def _open_early(
    core: Core, listener: Listener, request: Request, syn: Segment, verdict: fast_listening.Verdict, now: int,
    signing: Signing | None,
) -> None:  # fmt: skip
    """A SYN with a good cookie: its text goes to the application before the handshake ends (RFC 7413 §4.2.2)."""
    connection = request.opened_early(
        core.stack, core.option_sets.shared(listener.options), syn, now, verdict.cookie,
        experimental=verdict.experimental,
    )  # fmt: skip
    _learn_path(core, connection, request.name, now)
    listener.fast_opens.under_way += 1
    complete(core, listener, connection, request.name, now, early=True, signing=signing)


def refuse(core: Core, name: FourTuple, syn: Segment, reason: Reason, now: int, state: State = LISTEN) -> bool:
    """Drop what a listener has no place for."""
    core.drop(name, syn, reason, now, state)
    core.stack.count("ListenDrops")
    return False


def answer(
    core: Core, listener: Listener, request: Request, now: int, state: State = SYN_RECEIVED, tsval: int | None = None,
    verdict: fast_listening.Verdict = fast_listening.NOTHING, signing: Signing | None = None,
) -> None:  # fmt: skip
    """Send a request's SYN,ACK, for the first time or again."""
    options = listener.options
    settings = core.stack.settings
    room = initial_window(options, settings, receive_buffer(options, settings), request.full_segment)
    seg = request.syn_ack(
        now, room, tsval=tsval, cookie=verdict.cookie, experimental=verdict.experimental,
        counters=settings.tcp_ecn_option,
    )  # fmt: skip
    if core.stack.records is not None:
        core.write(request.name, Sent(now, seg, state))
    if signing is not None:
        (seg,) = signing.signed([seg], course_of_request(request))
    send(core, request.name, [seg], options, now)


def for_request(core: Core, pending: Pending, seg: Segment, now: int) -> None:
    """A segment for a half-open connection: it becomes a connection, and we see what comes of it."""
    if deferring.waits_for_text(core, pending, seg) and would_complete(core, pending, seg, now):
        pending.request.acknowledged = True
        core.requests.put_back(pending)
        core.write(pending.request.name, Arrived(now, seg, SYN_RECEIVED))
        core.drop(pending.request.name, seg, Reason.DEFERRED, now, SYN_RECEIVED)
        return
    if pending.listener.full and would_complete(core, pending, seg, now):
        no_room(core, pending, seg, now)
        if core.stack.settings.tcp_abort_on_overflow:
            forget_request(core, pending, now, came_to_nothing=True)
        return
    connection = revive(core, pending.request, pending.listener, now)
    connection.segment_arrives(seg, now)
    after_request(core, pending, connection, now)


def revive(core: Core, request: Request, listener: Listener, now: int) -> Connection:
    """Return the connection that a half-open one stands for, on the path to its peer."""
    connection = request.connection(core.stack, core.option_sets.shared(listener.options), now)
    _learn_path(core, connection, request.name, now)
    return connection


def _learn_path(core: Core, connection: Connection, name: FourTuple, now: int) -> None:
    if core.paths.differ:
        connection.path_begins(core.path_mss(name, connection.tcb.options, now), core.paths.route(name.remote), now)


def after_request(core: Core, pending: Pending, connection: Connection, now: int) -> None:
    """Do what the new state of a request's connection asks for."""
    request, listener = pending.request, pending.listener
    if SYNCHRONIZED[connection.state]:
        forget_request(core, pending, now, came_to_nothing=False)
        complete(core, listener, connection, request.name, now, signing=pending.signing)
        return
    segments = connection.segments_to_send(now)
    if segments:
        if pending.signing is not None:
            segments = pending.signing.signed(segments, course_of_request(request))
        send(core, request.name, segments, listener.options, now)
    if connection.state is SYN_RECEIVED:
        request.answered_at = connection.tcb.invalid_ack_at
        request.ecn = connection.tcb.ecn
        core.requests.put_back(pending)
    else:
        core.stack.count("EmbryonicRsts" if connection.state is LISTEN else "ListenDrops")
        forget_request(core, pending, now, came_to_nothing=True)


def would_complete(core: Core, pending: Pending, seg: Segment, now: int) -> bool:
    """Say whether a segment ends the handshake, without trace or count of it."""
    unseen = pending.request.connection(Stack(core.stack.settings), pending.listener.options, now)
    unseen.segment_arrives(seg, now)
    return SYNCHRONIZED[unseen.state]


def no_room(core: Core, pending: Pending, seg: Segment, now: int) -> None:
    """The last ACK finds the accept queue full: it is dropped, or answered with RST (tcp_abort_on_overflow)."""
    name = pending.request.name
    core.write(name, Arrived(now, seg, SYN_RECEIVED))
    core.stack.count("ListenDrops")
    if not core.stack.settings.tcp_abort_on_overflow:
        core.drop(name, seg, Reason.ACCEPT_QUEUE_FULL, now, SYN_RECEIVED)
        return
    core.drop(name, seg, Reason.ACCEPT_QUEUE_ABORT, now, SYN_RECEIVED)
    core.stack.count("EmbryonicRsts")
    core.stack.count("AttemptFails")
    send_reset(core, name, seg, now, SYN_RECEIVED, pending.signing)
    core.write(name, Moved(now, SYN_RECEIVED, Event.ABORT, CLOSED))


def complete(
    core: Core, listener: Listener, connection: Connection, name: FourTuple, now: int, *, early: bool = False,
    signing: Signing | None = None,
) -> None:  # fmt: skip
    """The handshake is done, or not waited for (``early``): into the accept queue."""
    core.stack.count("PassiveOpens")
    connection.tcb.gso_max = core.gso_max if signing is None else 0  # each segment has a signature of its own
    options = connection.tcb.options
    if signing is not None:
        signing.options = options  # from now on the connection's
    claim = claim_of_accepted(name.local, name.local_port, options.so_reuseaddr, options.so_reuseport)
    core.ports.take(claim)
    socket = Socket(core, connection, name, claim, accepted=False, signing=signing)
    core.connections[name] = socket
    if early:
        socket.counted_by = listener
    listener.completed(socket)
    settle(core, socket, now)


def _last_quarter(listener: Listener, most: int) -> bool:
    """Without cookies the last quarter of tcp_max_syn_backlog is kept for hosts known to be alive; none are."""
    return most - listener.syn_queue < most >> 2


def _stamp_went_back(core: Core, name: FourTuple, syn: Segment, now: int) -> bool:
    """What tcp_tw_recycle took for an old duplicate: hosts behind one NAT have as many clocks."""
    last = core.last_stamps.get(name.remote)
    tsval = syn.options.tsval
    return last is not None and tsval is not None and now - last[1] < STAMP_LIVES and before(tsval, last[0])
