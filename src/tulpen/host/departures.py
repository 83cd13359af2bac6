"""Packets to send: what connections have ready, and what was answered without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.host import pmtu
from tulpen.host.signing import course_of, course_of_stranger
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.output import reset_for
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple, Sent
from tulpen.wire.icmp import ICMP, ICMP6, Icmp
from tulpen.wire.ip import Packet
from tulpen.wire.segment import RST, Segment
from tulpen.wire.tcp_codec import TCP

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.signing import Signing
    from tulpen.host.socket import Socket
    from tulpen.tcp.connection import Connection


def packets_to_send(core: Core, now: int) -> list[Packet]:
    """Return everything that may go out now."""
    ready = core.ready
    if ready:
        core.ready = {}
        deadlines = core.deadlines
        for socket in ready:
            connection = socket.connection
            send_from(core, socket, connection, now)
            deadlines.set(socket, connection.next_deadline())
    packets = core.outbox
    core.outbox = []
    if core.stack.choked:
        core.stack.count("OutDiscards", len(packets))
        return []
    if packets:
        core.stack.count("OutRequests", len(packets))
    return packets


def send_from(core: Core, socket: Socket, connection: Connection, now: int) -> None:
    """Take what the connection of ``socket`` has to send."""
    segments = connection.segments_to_send(now)
    if segments:
        if socket.signing is not None:
            segments = socket.signing.signed(segments, course_of(connection.tcb, socket.name))
        send(core, socket.name, segments, connection.tcb.options, now)
        if core.paths.differ:  # a route is looked up when packets go out
            connection.path_mss(core.path_mss(socket.name, connection.tcb.options, now), now)


def send(core: Core, name: FourTuple, segments: list[Segment], options: SocketOptions, now: int) -> None:
    """Put segments of one connection into packets, with what its socket and its route say of the internet header."""
    ttl = options.ip_ttl if options.ip_ttl is not None else core.stack.settings.ip_default_ttl
    tos = options.ip_tos
    df = True
    if core.paths.differ or options.ip_mtu_discover is not None or core.stack.settings.ip_no_pmtu_disc:
        df = not pmtu.may_fragment(options, core.stack.settings, locked=core.paths.locked(name.remote, now))
        if options.ip_ttl is None:
            ttl = core.paths.route(name.remote).hoplimit or ttl
    sent, outbox, src, dst = 0, core.outbox, name.local, name.remote
    tos &= 0xFC
    for seg in segments:
        sent += wire_segments(seg) if seg.gso_size else 1
        if seg.flags & RST:
            core.stack.count("OutRsts")
        outbox.append(Packet(src, dst, seg, TCP, ttl, tos | seg.ecn, 0, df))
    core.stack.count("OutSegs", sent)


def send_reset(
    core: Core, name: FourTuple, seg: Segment, now: int, state: State, signing: Signing | None = None
) -> None:
    """Answer a segment with the reset that RFC 9293 §3.10.7.1 forms."""
    reset = reset_for(seg, core.stack.settings)
    core.write(name, Sent(now, reset, state))
    if signing is not None:
        (reset,) = signing.signed([reset], course_of_stranger(name, seg))
    core.outbox.append(Packet(name.local, name.remote, reset, ttl=core.stack.settings.ip_default_ttl))
    core.stack.count("OutSegs")
    core.stack.count("OutRsts")


def send_icmp(core: Core, src: bytes, dst: bytes, message: Icmp) -> None:
    """Send an ICMP message."""
    core.stack.count("IcmpOutMsgs")
    protocol = ICMP if len(src) == 4 else ICMP6
    core.outbox.append(Packet(src, dst, message, protocol=protocol, ttl=core.stack.settings.ip_default_ttl))


def wire_segments(seg: Segment) -> int:
    """Return how many segments a device makes, or made, of one: what the MIB counts."""
    return -(-len(seg.data) // seg.gso_size) if seg.gso_size else 1
