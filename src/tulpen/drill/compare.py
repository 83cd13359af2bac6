"""What the host sent against what the script expects: first gathered, then field by field."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack, unpack
from typing import TYPE_CHECKING, Final

from tulpen.drill.inject import icmp_numbers
from tulpen.drill.layout import each, octets
from tulpen.drill.problems import Mismatch
from tulpen.drill.tcp_option import encode
from tulpen.drill.wording import icmp_text, options_text, packet_text, segment_text
from tulpen.wire.icmp import Icmp
from tulpen.wire.options import SACK, TIMESTAMPS
from tulpen.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.drill.script import IcmpPacket, IpInfo, TcpPacket
    from tulpen.drill.stage import Left
    from tulpen.drill.subject import Subject
    from tulpen.wire.ip import Packet

_ECN: Final = ECE | CWR | AE
_NAMES: Final = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"), (ACK, "ACK"), (URG, "URG"),
                 (ECE, "ECE"), (CWR, "CWR"), (AE, "AE"))  # fmt: skip
_UNCUT: Final = FIN | PSH | CWR  # these differ between the parts of what a device cuts


@dataclass(slots=True)
class Actual:
    """A segment of ours as the script counts."""

    flags: int
    seq: int
    ack: int
    wnd: int
    urg: int
    data: bytes
    options: list[tuple[int, bytes]]
    packet: Packet

    def __str__(self) -> str:
        encoded = b"".join(bytes((kind,)) + (bytes((len(body) + 2,)) + body if kind > 1 else b"")
                           for kind, body in self.options)  # fmt: skip
        return segment_text(self.flags, self.seq, len(self.data), self.ack, self.wnd, self.urg, options_text(encoded))


def actual(left: Left, packet: TcpPacket, subject: Subject, order: str) -> Actual:
    """Return what was sent, in the script's numbers."""
    seg = left.packet.payload
    assert isinstance(seg, Segment)
    encoded = octets(seg.options, order) if left.options is None else left.options
    options = _counted(each(encoded), seg, subject)
    seq = seg.seq if packet.absolute else subject.script_seq(seg)
    data = bytes(seg.data)
    return Actual(seg.flags, seq, subject.script_ack(seg), seg.wnd, seg.urg, data, options, left.packet)


def _counted(options: list[tuple[int, bytes]], seg: Segment, subject: Subject) -> list[tuple[int, bytes]]:
    """Return the options with SACK blocks as the script counts the peer's octets."""
    offset = subject.remote_offset(bool(seg.flags & SYN))
    counted = []
    for kind, body in options:
        if kind == SACK:
            body = b"".join(pack("!I", wrap(edge - offset)) for edge in unpack(f"!{len(body) // 4}I", body))
        counted.append((kind, body))
    return counted


def joined(so_far: Actual, then: Actual) -> Actual:
    """Return segments in a row as the one that a device would have cut into them.

    What differs between its parts is the first one's (CWR) or the last one's (all the rest).
    """
    pieces = f"{so_far} and {then}"
    if (so_far.flags ^ then.flags) & ~_UNCUT or so_far.flags & (FIN | RST | SYN):
        raise Mismatch("the segments that make up the expected one are not of one kind", got=pieces)
    if wrap(so_far.seq + len(so_far.data)) != then.seq or so_far.ack != then.ack:
        raise Mismatch("the segments that make up the expected one are not in a row", got=pieces)
    if so_far.wnd != then.wnd or so_far.urg != then.urg:
        raise Mismatch("the segments that make up the expected one differ in a field", got=pieces)
    flags = (then.flags & ~CWR) | (so_far.flags & CWR)
    return Actual(flags, so_far.seq, then.ack, then.wnd, then.urg, so_far.data + then.data, then.options, then.packet)


def check(packet: TcpPacket, got: Actual, subject: Subject, ts_tolerance: tuple[int, int]) -> None:
    """Raise Mismatch for the first difference; ``ts_tolerance``: nanoseconds of a tick (0: no check), and of grace."""
    differences = _differences(packet, got, subject, ts_tolerance)
    if differences:
        raise Mismatch("; ".join(differences), expected=packet_text(packet), got=str(got), warning=True)


def check_icmp(packet: IcmpPacket, got: Packet, *, ipv6: bool) -> None:
    """Raise Mismatch where a message of ours says something else than the script expects."""
    message = got.payload
    assert isinstance(message, Icmp)
    type, code = icmp_numbers(packet, ipv6=ipv6)
    fields = [("type", type, message.type), ("code", code, message.code), ("id", packet.ident, message.ident)]
    if packet.mtu is not None:
        fields.append(("mtu", packet.mtu, message.mtu))
    found = [f"{name}: expected {expected}, got {came}" for name, expected, came in fields if expected != came]
    found += _ip_differences(packet.ip, got)
    if found:
        raise Mismatch("; ".join(found), expected=icmp_text(packet), got=str(message.kind.value), warning=True)


def _differences(packet: TcpPacket, got: Actual, subject: Subject, ts_tolerance: tuple[int, int]) -> list[str]:
    found = _flag_differences(packet, got.flags)
    fields: list[tuple[str, int | None, int]] = [
        ("seq", packet.seq, got.seq),
        ("length", packet.length, len(got.data)),
        ("ack", packet.ack, got.ack),
        ("win", packet.wnd, got.wnd),
        ("urg", packet.urg, got.urg),
    ]
    for name, expected, came in fields:
        if expected is not None and wrap(expected) != came:
            found.append(f"{name}: expected {expected}, got {came}")
    if got.data.count(0) != len(got.data):
        found.append("the data are not those that were written")
    found += _ip_differences(packet.ip, got.packet)
    if packet.options is not None:
        found += _option_differences(packet, got, subject, ts_tolerance)
    return found


def _flag_differences(packet: TcpPacket, flags: int) -> list[str]:
    if packet.ace and (packet.flags ^ flags) & _ECN:
        return [f"ACE: expected {_ace(packet.flags)}, got {_ace(flags)}"]
    different = packet.flags ^ flags
    return [f"{name}: expected {'set' if packet.flags & bit else 'clear'}" for bit, name in _NAMES if different & bit]


def _ace(flags: int) -> int:
    return (4 if flags & AE else 0) | (2 if flags & CWR else 0) | (1 if flags & ECE else 0)


def _ip_differences(ip: IpInfo, packet: Packet) -> list[str]:
    found = []
    if ip.ect01 and packet.tos & 3 not in (1, 2):
        found.append(f"ECN: expected ECT(0) or ECT(1), got {packet.tos & 3}")
    if ip.tos is not None and (packet.tos ^ ip.tos) & ip.mask:
        found.append(f"TOS: expected {ip.tos:#x}, got {packet.tos & ip.mask:#x}")
    if ip.ttl is not None and packet.ttl != ip.ttl:
        found.append(f"TTL: expected {ip.ttl}, got {packet.ttl}")
    return found


def _option_differences(packet: TcpPacket, got: Actual, subject: Subject, ts_tolerance: tuple[int, int]) -> list[str]:
    expected = each(encode(packet.options or ()))
    if [kind for kind, _ in expected] != [kind for kind, _ in got.options]:
        return ["the options or their order differ"]
    found = []
    for index, ((kind, body), (_, came)) in enumerate(zip(expected, got.options, strict=True)):
        if kind == TIMESTAMPS and len(came) == 8:
            counted, late = _stamped(body, came, packet, subject, ts_tolerance)
            got.options[index] = (kind, counted)
            found += late
        elif body != came:
            found.append(f"option {options_text(bytes((kind, len(body) + 2)) + body)} differs")
    return found


def _stamped(
    body: bytes, came: bytes, packet: TcpPacket, subject: Subject, ts_tolerance: tuple[int, int]
) -> tuple[bytes, list[str]]:
    """Learn how the script counts timestamps, and compare if that is asked for."""
    script = int.from_bytes(body[:4], "big")
    counted = subject.stamp(script, int.from_bytes(came[:4], "big"))
    tick, grace = ts_tolerance
    distance = (counted - script + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
    late = [f"TS val: expected {script}, got {counted}"] if tick and abs(distance) * tick > grace else []
    return counted.to_bytes(4, "big") + came[4:], late
