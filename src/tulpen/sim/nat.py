"""Network address translation (RFC 2663, RFC 5382), and what its forgetting does to idle connections."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from tulpen.sim.rewrite import carrying, with_ports
from tulpen.wire.icmp import Icmp, Quoted
from tulpen.wire.ip import Packet
from tulpen.wire.segment import ACK, RST, SYN, Segment
from tulpen.wire.seq import wrap

if TYPE_CHECKING:
    from tulpen.sim.filters import Passed

SECOND: Final = 1_000_000_000
FIRST_PORT: Final = 1024

Socket = tuple[bytes, int]  # address and port


class Unknown(Enum):
    """What becomes of a segment that belongs to no mapping, and does not open one."""

    DROP = "it vanishes"
    RESET = "a RST goes back, in the other end's name"
    ADOPT = "from inside, it opens a new mapping in mid-stream, from another port"


class _Mapping:
    __slots__ = ("inside", "port", "remote", "used")

    def __init__(self, inside: Socket, remote: Socket, port: int, now: int) -> None:
        self.inside = inside
        self.remote = remote
        self.port = port  # of the public address
        self.used = now


class Nat:
    """One public address for all that is behind it.

    Two filters share the mappings: ``outward`` belongs in the path out of each host inside,
    ``inward`` in the path into the interface that has the public address.  A mapping that
    nothing has used for ``timeout`` nanoseconds is forgotten.
    """

    def __init__(
        self, public: bytes, *, timeout: int = 7440 * SECOND, unknown: Unknown = Unknown.DROP
    ) -> None:  # RFC 5382 REQ-5: not less than 2 h 4 min
        self.public = public
        self.timeout = timeout
        self.unknown = unknown
        self._by_flow: dict[tuple[Socket, Socket], _Mapping] = {}
        self._by_port: dict[int, _Mapping] = {}
        self._next_port = FIRST_PORT

    def __len__(self) -> int:
        return len(self._by_port)

    def forget(self) -> None:
        """Lose every mapping, as a restart does."""
        self._by_flow.clear()
        self._by_port.clear()

    def outward(self, packet: Packet, now: int) -> Passed:
        """Translate the source of a packet from inside."""
        seg = packet.payload
        if not isinstance(seg, Segment):
            return [(0, carrying(packet, seg, src=self.public))]
        inside, remote = (packet.src, seg.sport), (packet.dst, seg.dport)
        mapping = self._alive(self._by_flow.get((inside, remote)), now)
        if mapping is None:
            if seg.flags & (SYN | ACK | RST) != SYN and self.unknown is not Unknown.ADOPT:
                return self._refuse(packet, seg)
            mapping = self._open(inside, remote, now)
        mapping.used = max(mapping.used, now)
        return [(0, carrying(packet, with_ports(seg, mapping.port, seg.dport), src=self.public))]

    def inward(self, packet: Packet, now: int) -> Passed:
        """Translate the destination of a packet for the public address."""
        payload = packet.payload
        if isinstance(payload, Icmp):
            return self._inward_icmp(packet, payload, now)
        if not isinstance(payload, Segment):
            return []
        mapping = self._alive(self._by_port.get(payload.dport), now)
        if mapping is None or mapping.remote != (packet.src, payload.sport):
            return self._refuse(packet, payload)
        mapping.used = max(mapping.used, now)
        address, port = mapping.inside
        return [(0, carrying(packet, with_ports(payload, payload.sport, port), dst=address))]

    def _inward_icmp(self, packet: Packet, icmp: Icmp, now: int) -> Passed:
        """An error about a translated segment is for the host that sent it (RFC 5508 §4.2)."""
        about = icmp.embedded
        mapping = None if about is None else self._alive(self._by_port.get(about.sport), now)
        if about is None or mapping is None:
            return []
        address, port = mapping.inside
        inner = Icmp(
            icmp.kind, icmp.type, icmp.code, mtu=icmp.mtu, ident=icmp.ident, seq=icmp.seq,
            data=_requoted(icmp.data, address, port), embedded=Quoted(address, about.dst, port, about.dport, about.seq),
        )  # fmt: skip
        return [(0, carrying(packet, inner, dst=address))]

    def _open(self, inside: Socket, remote: Socket, now: int) -> _Mapping:
        while self._alive(self._by_port.get(self._next_port), now) is not None:
            self._advance()
        mapping = _Mapping(inside, remote, self._next_port, now)
        self._advance()
        self._by_flow[inside, remote] = mapping
        self._by_port[mapping.port] = mapping
        return mapping

    def _advance(self) -> None:
        self._next_port = FIRST_PORT + (self._next_port + 1 - FIRST_PORT) % (65536 - FIRST_PORT)

    def _alive(self, mapping: _Mapping | None, now: int) -> _Mapping | None:
        if mapping is None or now - mapping.used <= self.timeout:
            return mapping
        self._by_flow.pop((mapping.inside, mapping.remote), None)
        self._by_port.pop(mapping.port, None)
        return None

    def _refuse(self, packet: Packet, seg: Segment) -> Passed:
        if self.unknown is not Unknown.RESET or seg.flags & RST:
            return []
        return [(0, reset_for(packet, seg))]


def reset_for(packet: Packet, seg: Segment) -> Packet:
    """Return the RST that a closed port would answer with (RFC 9293 §3.10.7.1), for a box on the path to forge."""
    if seg.flags & ACK:
        rst = Segment(seg.ack, 0, RST, sport=seg.dport, dport=seg.sport)
    else:
        rst = Segment(0, wrap(seg.seq + seg.len), RST | ACK, sport=seg.dport, dport=seg.sport)
    return Packet(packet.dst, packet.src, rst)


def _requoted(data: bytes | memoryview, address: bytes, port: int) -> bytes:
    """Put the inner address and port into a quoted header; its checksums are nobody's to check."""
    octets = bytearray(data)
    start = 12 if len(address) == 4 else 8
    ports = 20 if len(address) == 4 else 40
    octets[start : start + len(address)] = address
    octets[ports : ports + 2] = port.to_bytes(2, "big")
    return bytes(octets)
