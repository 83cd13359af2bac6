"""The TCP of one host in a capture file; what is no IP, or was not captured to its end, is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tulpen.capture.frame import Damaged, Frame
from tulpen.capture.frames import frames
from tulpen.capture.links import IPV4, IPV6, LINKS, tag
from tulpen.capture.octets import Octets
from tulpen.compare.follower import Follower
from tulpen.errors import TulpenError
from tulpen.tcp.trace import FourTuple
from tulpen.wire.address import text
from tulpen.wire.ip import Offload, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import ACK, RST, SYN, Segment

#: A host's capture has its own packets before their checksums were made.
_UNFINISHED: Final = Offload(needs_checksum=True)


class Captured(NamedTuple):
    """A TCP segment, when it passed, and the connection's name at its sender."""

    when: int  # nanoseconds
    name: FourTuple
    segment: Segment


def read(path: Path) -> Iterator[Captured]:
    """Yield the TCP segments of a capture.  Raises TulpenError where the file is none."""
    try:
        with Octets(path) as octets:
            for frame in frames(octets):
                found = _segment(frame.when, _internet(frame))
                if found is not None:
                    yield found
    except Damaged as damaged:
        raise TulpenError(f"{path} ends in the middle of a packet: {damaged}") from damaged


def _internet(frame: Frame) -> bytes:
    """Return the packet of IP in a frame that was captured whole; nothing where there is none."""
    layer = LINKS.get(frame.link)
    if layer is None:
        raise TulpenError(f"link type {frame.link} is not one that can be read", "capture raw IP, Ethernet or -i any")
    inside = layer(frame.data, 0)
    while inside is not None and inside.kind not in (IPV4, IPV6):
        inside = tag(inside.kind, frame.data, inside.at)
    return b"" if inside is None or len(frame.data) < frame.length else frame.data[inside.at :]


def _segment(when: int, octets: bytes) -> Captured | None:
    try:
        packet = parse_packet(octets, offload=_UNFINISHED)
    except Malformed:
        return None
    segment = packet.payload
    if not isinstance(segment, Segment):
        return None
    return Captured(when, FourTuple(packet.src, segment.sport, packet.dst, segment.dport), segment)


def followed(path: Path, address: bytes) -> list[tuple[FourTuple, Follower]]:
    """Follow the host ``address`` through a capture that was made there: every connection of it."""
    followers: dict[FourTuple, Follower] = {}
    done: list[tuple[FourTuple, Follower]] = []
    for when, name, segment in read(path):
        if address not in (name.local, name.remote):
            continue
        sent = name.local == address
        ours = name if sent else FourTuple(name.remote, name.remote_port, name.local, name.local_port)
        follower = followers.get(ours)
        if follower is None or (follower.over and segment.flags & (SYN | ACK | RST) == SYN):
            follower = followers[ours] = Follower()
            done.append((ours, follower))
        follower.packet(segment, when, sent=sent)
    if not done:
        raise TulpenError(f"{path} has no TCP of {text(address)}")
    return done
