"""PACKET ARRIVES: one lookup after the other until somebody is found whom it is for.

Connection, TIME-WAIT, SYN queue, listener, nobody.  A connection is looked up before the
addresses are judged: what is in the table has passed that before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.host import gate, icmp, pmtu
from tulpen.host.core import headers
from tulpen.host.departures import send_icmp, send_reset, wire_segments
from tulpen.host.lingering import for_time_wait
from tulpen.host.listening import after_request, for_request, refuse, revive, syn_arrives
from tulpen.host.settling import settle
from tulpen.host.signing import (
    course_of,
    course_of_record,
    course_of_request,
    course_of_stranger,
    is_signed,
    refusal,
    signing_for,
)
from tulpen.host.stateless import answer_by_cookie, ends_by_cookie
from tulpen.tcp.judge import is_syn_fin, refused_in_listen
from tulpen.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYNCHRONIZED, TIME_WAIT, State
from tulpen.tcp.trace import Arrived, FourTuple, Reason
from tulpen.wire.icmp import Icmp, IcmpKind, Quoted, echo_reply
from tulpen.wire.segment import ACK, RST, SYN, Segment

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.listener import Listener
    from tulpen.host.signing import Signing
    from tulpen.host.socket import Socket
    from tulpen.host.traffic_keys import Course
    from tulpen.wire.ip import Packet

#: Counters of packets by their ECN field; those without one are the rest.
MARKED: Final = ("", "InECT1Pkts", "InECT0Pkts", "InCEPkts")


def packet_arrives(core: Core, packet: Packet, now: int) -> None:
    """Take one packet."""
    core.stack.counters["InReceives"] += 1
    payload = packet.payload
    if isinstance(payload, Segment):
        if payload.ecn:
            core.stack.count(MARKED[payload.ecn], wire_segments(payload))
        _segment_arrives(core, packet, payload, now)
    elif isinstance(payload, Icmp):
        _icmp_arrives(core, packet, payload, now)
    else:
        core.stack.count("InUnknownProtos")


def _segment_arrives(core: Core, packet: Packet, seg: Segment, now: int) -> None:
    core.stack.counters["InSegs"] += wire_segments(seg) if seg.gso_size else 1
    if packet.damaged:
        core.stack.count("InErrs")
        core.drop(FourTuple(packet.dst, seg.dport, packet.src, seg.sport), seg, Reason.BAD_CHECKSUM, now)
        return
    socket = core.connections.get((packet.dst, seg.dport, packet.src, seg.sport))
    if socket is not None:
        connection, signing = socket.connection, socket.signing
        if (signing is not None or is_signed(seg)) and not _taken(
            core, signing, seg, course_of(connection.tcb, socket.name), connection.state, now
        ):
            return
        socket.received_tos = packet.tos
        connection.segment_arrives(seg, now)
        settle(core, socket, now)
        return
    name = FourTuple(packet.dst, seg.dport, packet.src, seg.sport)
    reason = gate.refused(packet, seg, core.ours)
    if reason is not None:
        core.drop(name, seg, reason, now)
    elif (record := core.time_wait.get(name)) is not None:
        signing = core.time_wait.signing(name)
        if _unsigned(signing, seg) or _taken(core, signing, seg, course_of_record(record), TIME_WAIT, now):
            for_time_wait(core, record, seg, now)
    elif (pending := core.requests.get(name)) is not None:
        signing = pending.signing
        if _unsigned(signing, seg) or _taken(core, signing, seg, course_of_request(pending.request), SYN_RECEIVED, now):
            for_request(core, pending, seg, now)
    elif (listener := core.listeners.find(name)) is not None:
        options = listener.options
        signing = signing_for(options, name.remote) if options.tcp_md5sig or options.tcp_ao else None
        if _unsigned(signing, seg) or _taken(core, signing, seg, course_of_stranger(name, seg), LISTEN, now):
            _for_listener(core, listener, name, seg, now, signing)
    elif _unsigned(None, seg) or _taken(core, None, seg, course_of_stranger(name, seg), CLOSED, now):
        _for_nobody(core, name, seg, now)


def _unsigned(signing: Signing | None, seg: Segment) -> bool:
    """Say whether a segment has no signature, and needs none."""
    return signing is None and not is_signed(seg)


def _taken(core: Core, signing: Signing | None, seg: Segment, course: Course, state: State, now: int) -> bool:
    """Say whether a segment is signed as it has to be; one that is not is dropped, whatever it is."""
    reason = refusal(signing, seg, course, core.stack)
    if reason is not None:
        core.drop(course.name, seg, reason, now, state)
    return reason is None


def _for_nobody(core: Core, name: FourTuple, seg: Segment, now: int) -> None:
    """§3.10.7.1: the connection does not exist."""
    core.write(name, Arrived(now, seg, CLOSED))
    if seg.flags & RST:
        core.drop(name, seg, Reason.RST_TO_RST, now)
    elif is_syn_fin(seg, core.stack.settings, listening=False):
        core.drop(name, seg, Reason.SYN_FIN, now)
    else:
        core.drop(name, seg, Reason.NO_CONNECTION, now)
        send_reset(core, name, seg, now, CLOSED)


def _for_listener(
    core: Core, listener: Listener, name: FourTuple, seg: Segment, now: int, signing: Signing | None
) -> None:
    """§3.10.7.2."""
    if core.stack.records is not None:
        core.write(name, Arrived(now, seg, LISTEN))
    flags = seg.flags
    if flags & RST:
        core.drop(name, seg, Reason.RST_IN_LISTEN, now, LISTEN)
    elif flags & ACK:
        if not ends_by_cookie(core, listener, name, seg, now):
            core.drop(name, seg, Reason.ACK_IN_LISTEN, now, LISTEN)
            if refused_in_listen(flags, core.stack.settings):
                send_reset(core, name, seg, now, LISTEN, signing)
    elif not flags & SYN:
        core.drop(name, seg, Reason.NO_SYN, now, LISTEN)
    elif is_syn_fin(seg, core.stack.settings, listening=True):
        core.drop(name, seg, Reason.SYN_FIN, now, LISTEN)
    else:
        _for_either_queue(core, listener, name, seg, now)


def _for_either_queue(core: Core, listener: Listener, name: FourTuple, syn: Segment, now: int) -> None:
    """A SYN: remembered, or answered with a cookie when the SYN queue is full (tcp_syncookies)."""
    mode = core.stack.settings.tcp_syncookies
    if mode != 2 and not listener.syn_queue_full:
        syn_arrives(core, listener, name, syn, now)
    elif not mode:
        refuse(core, name, syn, Reason.SYN_QUEUE_FULL, now)
    else:
        core.stack.count("TCPReqQFullDoCookies")
        if listener.full:
            refuse(core, name, syn, Reason.ACCEPT_QUEUE_FULL, now)
        else:
            answer_by_cookie(core, listener, name, syn, now)


def _icmp_arrives(core: Core, packet: Packet, message: Icmp, now: int) -> None:
    core.stack.count("IcmpInMsgs")
    if packet.damaged:
        core.stack.count("IcmpInErrors")
        return
    reason = gate.refused(packet, None, core.ours)
    if reason is not None:
        core.drop(None, None, reason, now)
        return
    core.stack.count(icmp.counter(message))
    if message.kind is IcmpKind.ECHO_REQUEST:
        if not core.stack.settings.icmp_echo_ignore_all:
            core.stack.count("IcmpOutEchoReps")
            send_icmp(core, packet.dst, packet.src, echo_reply(message))
    elif message.is_error:
        if message.embedded is None:
            core.stack.count("IcmpInErrors")
        else:
            _error_arrives(core, message, message.embedded, now)


def _error_arrives(core: Core, message: Icmp, about: Quoted, now: int) -> None:
    """§3.9.2.2: direct an error to the connection that caused it (MUST-54)."""
    meaning = icmp.meaning(message, core.stack.settings)
    if meaning is None:
        return
    name = FourTuple(about.src, about.sport, about.dst, about.dport)
    socket, pending = core.connections.get(name), core.requests.get(name)
    if socket is not None:
        connection = socket.connection
    elif pending is not None:
        connection = revive(core, pending.request, pending.listener, now)
    else:
        if core.time_wait.get(name) is None:
            core.stack.count("IcmpInErrors")
        return
    if socket is not None and _doubted(socket, message, hard=meaning.hard):
        core.stack.count("TCPAODroppedIcmps")
        return
    if message.kind is not IcmpKind.PACKET_TOO_BIG:
        unheard_of = pending is not None or (socket is not None and not socket.accepted and socket.talks_early)
        hard = meaning.hard or (unheard_of and icmp.forgets(message, core.stack.settings))
        connection.icmp_arrives(about.seq, meaning.error, now, hard=hard)
    elif not connection.in_flight(about.seq):
        core.drop(name, None, Reason.ICMP_OUT_OF_WINDOW, now, connection.state)
    elif pmtu.takes_reports(connection.tcb.options):
        fits = core.paths.told(name.remote, message.mtu, now)
        if fits and connection.doubts(about.seq, fits - headers(name)):
            return
        core.paths.too_big(name.remote, message.mtu, now)
        options = connection.tcb.options
        again = pmtu.sends_again(options, core.stack.settings)
        connection.path_mss(core.path_mss(name, options, now), now, resend=again)
    if socket is not None:
        settle(core, socket, now)
    elif pending is not None:
        after_request(core, pending, connection, now)


def _doubted(socket: Socket, message: Icmp, *, hard: bool) -> bool:
    """Say whether an ICMP error, which nobody signs, is ignored on a connection of TCP-AO (RFC 5925 §7.8)."""
    if socket.signing is None or not socket.signing.uses_ao or not SYNCHRONIZED[socket.connection.state]:
        return False
    return hard or (message.kind is IcmpKind.PACKET_TOO_BIG and len(socket.name.local) == 4)
