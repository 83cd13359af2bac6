"""Packets that a script injects, as the host under test gets them."""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, Final

from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.tcp_option import Sack, Timestamps, ValidMd5, encode
from tulpen.wire.icmp import ICMP, ICMP6, Icmp, IcmpKind, Quoted, kind_of
from tulpen.wire.ip import Packet, build_packet
from tulpen.wire.options import parse_options
from tulpen.wire.segment import ACK, SYN, Segment
from tulpen.wire.seq import wrap
from tulpen.wire.tcp_codec import TCP

if TYPE_CHECKING:
    from tulpen.drill.conditions import Conditions
    from tulpen.drill.script import IcmpPacket, IpInfo, TcpPacket, UdpPacket
    from tulpen.drill.subject import Subject
    from tulpen.drill.tcp_option import TcpOption

TTL: Final = 255
UDP: Final = 17
RAW: Final = 255
_UDP_HEADER: Final = 8


def tcp_packet(packet: TcpPacket, subject: Subject, conditions: Conditions) -> Packet:
    """Return the packet that the script's line stands for."""
    if packet.layers:
        raise Unsupported(f"packets inside {packet.layers[0].name}")
    syn = bool(packet.flags & SYN)
    seq = packet.seq or 0
    options = encode(tuple(_live(option, packet, subject, conditions) for option in packet.options or ()))
    source, destination = packet.ports or (0, 0)
    seg = Segment(
        wrap(seq if packet.absolute else seq + subject.remote_offset(syn)),
        wrap(packet.ack + subject.local_offset(syn)) if packet.flags & ACK else packet.ack,
        packet.flags,
        packet.wnd or 0,
        bytes(packet.length),
        parse_options(options),
        urg=packet.urg,
        sport=source or subject.remote_port,
        dport=destination or subject.local_port,
        gso_size=conditions.mss if packet.length > conditions.mss else 0,
        ecn=(packet.ip.tos or 0) & 3,
    )
    return _enveloped(packet.ip, subject, seg, TCP)


def _live(option: TcpOption, packet: TcpPacket, subject: Subject, conditions: Conditions) -> TcpOption:
    """Return an option with the numbers of the wire."""
    if isinstance(option, ValidMd5):
        raise Unsupported("TCP_MD5SIG")
    if isinstance(option, Sack):
        offset = subject.local_offset(bool(packet.flags & SYN))
        return Sack(tuple((wrap(left + offset), wrap(right + offset)) for left, right in option.blocks))
    if isinstance(option, Timestamps) and packet.flags & ACK and not option.absolute_ecr:
        return Timestamps(option.val, _live_ecr(option.ecr or 0, subject, conditions))
    return option


def _live_ecr(ecr: int, subject: Subject, conditions: Conditions) -> int:
    """Return our timestamp that the script's peer echoes."""
    live = subject.stamps.get(ecr)
    if live is not None:
        return live
    if conditions.ts_ecr_scaled and subject.first_stamp is not None:
        script, ours = subject.first_stamp
        return wrap(ecr - script + ours)
    raise Mismatch(f"ecr {ecr} echoes no timestamp that the script has expected (see --tcp_ts_ecr_scaled)")


def udp_packet(packet: UdpPacket, subject: Subject) -> Packet:
    """Return the datagram that the script's line stands for."""
    if packet.layers:
        raise Unsupported(f"packets inside {packet.layers[0].name}")
    source, destination = packet.ports or (subject.remote_port, subject.local_port)
    datagram = _datagram(source, destination, packet.length)
    return _enveloped(packet.ip, subject, datagram, UDP)


def _datagram(source: int, destination: int, length: int) -> bytes:
    """Return a datagram without a checksum: no host reads it that speaks TCP alone."""
    return pack("!HHHH", source, destination, _UDP_HEADER + length, 0) + bytes(length)


def _enveloped(ip: IpInfo, subject: Subject, payload: Segment | Icmp | bytes, protocol: int) -> Packet:
    ttl = TTL if ip.ttl is None else ip.ttl
    return Packet(subject.remote, subject.local, payload, protocol=protocol, ttl=ttl, tos=ip.tos or 0)


_V4_TYPES: Final = {
    "echo_reply": 0, "unreachable": 3, "source_quench": 4, "redirect": 5, "echo_request": 8, "time_exceeded": 11,
    "parameter_problem": 12, "timestamp_request": 13, "timestamp_reply": 14, "information_request": 15,
    "information_reply": 16, "address_mask_request": 17, "address_mask_reply": 18,
}  # fmt: skip
_V4_CODES: Final = {
    "net_unreachable": 0, "host_unreachable": 1, "protocol_unreachable": 2, "port_unreachable": 3, "frag_needed": 4,
    "source_route_failed": 5, "net_unknown": 6, "host_unknown": 7, "source_host_isolated": 8, "net_prohibited": 9,
    "host_prohibited": 10, "net_unreachable_for_tos": 11, "host_unreachable_for_tos": 12, "packet_filtered": 13,
    "precedence_violation": 14, "precedence_cutoff": 15, "ttl_exceeded_in_transit": 0,
    "fragment_reassembly_time_exceeded": 1, "frag_reass_exceeded": 1,
}  # fmt: skip
_V6_TYPES: Final = {
    "unreachable": 1, "packet_too_big": 2, "time_exceeded": 3, "parameter_problem": 4, "echo_request": 128,
    "echo_reply": 129,
}  # fmt: skip
_V6_CODES: Final = {
    "no_route": 0, "admin_prohibited": 1, "not_neighbour": 2, "address_unreachable": 3, "port_unreachable": 4,
    "net_unreachable": 0, "exceeded_hop_limit": 0, "exceeded_frag_time": 1, "header_field": 0,
    "unknown_next_header": 1, "unknown_option": 2,
}  # fmt: skip


def icmp_packet(packet: IcmpPacket, subject: Subject, conditions: Conditions) -> Packet:
    """Return the ICMP message that the script's line stands for, about a segment of ours."""
    if packet.layers:
        raise Unsupported(f"packets inside {packet.layers[0].name}")
    ipv6 = conditions.ipv6
    type, code = icmp_numbers(packet, ipv6=ipv6)
    kind = kind_of(type, code, ipv6=ipv6)
    if kind in (IcmpKind.ECHO_REQUEST, IcmpKind.ECHO_REPLY):
        message = Icmp(kind, type, code, ident=packet.ident)
    else:
        quoted = _quoted(packet, subject)
        message = Icmp(kind, type, code, mtu=packet.mtu or 0, data=_octets(packet, subject, quoted), embedded=quoted)
    return _enveloped(packet.ip, subject, message, ICMP6 if ipv6 else ICMP)


def _quoted(packet: IcmpPacket, subject: Subject) -> Quoted | None:
    """Return the segment that an error is about; None where it is about none."""
    if packet.protocol != "tcp":
        return None
    seq = wrap(packet.seq + subject.local_offset(syn=False))
    return Quoted(subject.local, subject.remote, subject.local_port, subject.remote_port, seq)


def _octets(packet: IcmpPacket, subject: Subject, quoted: Quoted | None) -> bytes:
    """Return what an error quotes: the header of IP, and eight octets of a segment, or a whole datagram."""
    if quoted is not None:
        payload, protocol = pack("!HHI", quoted.sport, quoted.dport, quoted.seq), TCP
    elif packet.protocol == "udp":
        payload, protocol = _datagram(subject.local_port, subject.remote_port, packet.length), UDP
    else:
        payload, protocol = bytes(packet.length), RAW
    return build_packet(Packet(subject.local, subject.remote, payload, protocol=protocol))


def icmp_numbers(packet: IcmpPacket, *, ipv6: bool) -> tuple[int, int]:
    """Return the type and code by their names, which the two versions of IP do not share."""
    type = _number(packet.type, "type", _V6_TYPES if ipv6 else _V4_TYPES)
    return type, _number(packet.code or "code_0", "code", _V6_CODES if ipv6 else _V4_CODES)


def _number(name: str, what: str, names: dict[str, int]) -> int:
    if name in names:
        return names[name]
    prefix = f"{what}_"
    if name.startswith(prefix) and name[len(prefix) :].isdigit():
        return int(name[len(prefix) :])
    raise Unsupported(f"an ICMP {what} called {name}")
