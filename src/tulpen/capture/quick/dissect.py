"""The compiled dissector: plain frames to rows of ``SEGMENT``.

It goes the way of ``capture.dissect`` for what most captures consist of, gives every other frame out as one for the
exact ``Dissector`` to look at, and counts those without a segment where nothing else is to be known of them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from tulpen.capture import dissect as exact
from tulpen.capture import links, tunnels
from tulpen.capture.quick.compiled import compiled, inlined
from tulpen.capture.quick.layout import (
    FAST_OPEN,
    MOST_TAGS,
    MSS,
    SACK,
    SACK_PERMITTED,
    SCALE,
    STAMP,
    STRANGE,
    TAG_BITS,
)
from tulpen.capture.quick.sums import ones_sum
from tulpen.capture.quick.words import big_16, big_32, big_64, octet
from tulpen.capture.seen import Sum
from tulpen.wire import options as kinds

# What a frame comes to: a row of SEGMENT (the number of TCP), a protocol's number that is counted, or one of these.
TCP: Final = tunnels.TCP
UDP: Final = tunnels.UDP
NO_IP: Final = 256
IP_CUT: Final = 257
IP_MALFORMED: Final = 258
TCP_CUT: Final = 259
TCP_MALFORMED: Final = 260
ICMP: Final = 261
WAYS: Final = 262
OTHER: Final = -1  # for the exact Dissector

#: In a row's ``has``: nothing but its frame is known yet.
LATER: Final = 1 << 15

# How a frame begins, by its link type.
_ETHERNET: Final = 1
_RAW: Final = 2
_LOOPBACK: Final = 3
_COOKED: Final = 4
_COOKED_2: Final = 5
_BEGINNINGS: Final[dict[object, int]] = {
    links.ethernet: _ETHERNET, links.raw: _RAW, links.loopback: _LOOPBACK,
    links.cooked: _COOKED, links.cooked_2: _COOKED_2,
}  # fmt: skip
_LINKS: Final = np.zeros(max(links.LINKS) + 1, np.uint8)
_LINKS[list(links.LINKS)] = [_BEGINNINGS.get(layer, 0) for layer in links.LINKS.values()]

# What an EtherType leads to.
_FOUR: Final = 1
_SIX: Final = 2
_VLAN: Final = 3
_DEEP: Final = 4
_TYPES: Final = np.zeros(1 << 16, np.uint8)
_TYPES[list(links.TAGS)] = _DEEP
_TYPES[list(links.VLAN_TAGS)] = _VLAN
_TYPES[links.IPV4] = _FOUR
_TYPES[links.IPV6] = _SIX

# Payloads of IP that may hold a packet of IP again.
_PORTS: Final = np.zeros(1 << 16, np.bool_)
_PORTS[list(tunnels.PORTS)] = True
_PROTOCOLS: Final = np.zeros(1 << 8, np.bool_)
_PROTOCOLS[[tunnels.IP_IN_IP, tunnels.IPV6_IN_IP, tunnels.GRE, tunnels.MPLS_IN_IP]] = True
_EXTENSIONS: Final = np.zeros(1 << 8, np.bool_)
_EXTENSIONS[[*exact.EXTENSIONS, exact.FRAGMENT, exact.AUTHENTICATION]] = True

_ICMP_4: Final = exact.ICMP[4]
_ICMP_6: Final = exact.ICMP[16]
_ERRORS_4: Final = (3, 4, 11, 12)  # the messages that quote a packet
_ERRORS_6: Final = (1, 2, 3, 4)

_STAMP_ALONE: Final = kinds.NOP << 24 | kinds.NOP << 16 | kinds.TIMESTAMPS << 8 | 10
_FAST_OPEN_MAGIC: Final = int.from_bytes(kinds.FAST_OPEN_MAGIC, "big")
_LONGEST: Final = np.iinfo(np.int32).max
_GOOD: Final = int(Sum.GOOD)
_WRONG: Final = int(Sum.WRONG)
_UNFINISHED: Final = int(Sum.UNFINISHED)
_UNKNOWN: Final = int(Sum.UNKNOWN)


#: What frames are passed over for, in the exact Dissector's words.
_WORDS: Final = {
    NO_IP: exact.NO_IP, IP_CUT: exact.IP_CUT, IP_MALFORMED: exact.IP_MALFORMED,
    TCP_CUT: exact.TCP_CUT, TCP_MALFORMED: exact.TCP_MALFORMED, ICMP: exact.NO_ERROR,
}  # fmt: skip


def words(passed: Any) -> Counter[str]:
    """Return what ``dissect`` has counted in ``passed``."""
    return Counter(
        {_WORDS.get(int(way)) or exact.payload(int(way)): int(passed[way]) for way in np.flatnonzero(passed)}
    )


@compiled
def dissect(
    memory: int, records: Any, first: int, base: int, rows: Any, where: Any, passed: Any
) -> tuple[int, int, int, int]:
    """Fill ``rows`` from the frames of ``records``, whose octets lie from the place ``memory`` on.

    Returns how many rows, how many of them LATER, the octets of all frames on the wire, and the latest time.
    ``first`` is the number of the first frame, ``base`` where in the file the octets begin.  ``where`` gets the record
    of each row, ``passed`` counts the frames without one by what they came to.
    """
    count = later = octets = latest = 0
    for each in range(len(records)):
        record = records[each]
        row = rows[count]
        octets += record.length
        latest = max(latest, record.when)
        at = memory + record.at
        way = _frame(record.link, at, at + record.size, at + record.length, row)
        if way != TCP and way != OTHER:
            passed[way] += 1
            continue
        row.frame = first + each
        row.when = record.when
        row.offset = base + record.at
        if way == OTHER:
            row.has = LATER
            later += 1
        where[count] = each
        count += 1
    return count, later, octets, latest


@inlined
def _frame(link: int, at: int, cut: int, end: int, row: Any) -> Any:
    """Follow a frame of which the octets ``at`` to ``cut`` were captured, and which ended on the wire at ``end``."""
    row.tags = 0
    row.vlan = 0
    way = _LINKS[link] if link < len(_LINKS) else 0
    if way == _ETHERNET:
        if at + 14 > cut:
            return NO_IP
        kind, after = big_16(at + 12), at + 14
        if kind < 0x600:
            return _llc(after, cut)
        return _typed(kind, after, cut, end, row)
    if way == _RAW:
        return _raw(at, cut, end, row)
    if way == _LOOPBACK:
        return _raw(at + 4, cut, end, row)
    if way == _COOKED:
        place, after = at + 14, at + 16
    elif way == _COOKED_2:
        place, after = at, at + 20
    else:
        return OTHER
    if place + 2 > cut:
        return NO_IP
    kind = big_16(place)
    return _llc(after, cut) if kind == 4 else _typed(kind, after, cut, end, row)


@inlined
def _llc(at: int, cut: int) -> Any:
    if at + 3 > cut or octet(at + 2) != 3 or octet(at) != octet(at + 1) or (octet(at) != 0xAA and octet(at) != 0x06):
        return NO_IP
    return OTHER


@inlined
def _raw(at: int, cut: int, end: int, row: Any) -> Any:
    if at >= cut:
        return NO_IP
    version = octet(at) >> 4
    if version == 4:
        return _ipv4(at, cut, end, row)
    return _ipv6(at, cut, end, row) if version == 6 else NO_IP


@inlined
def _typed(kind: int, at: int, cut: int, end: int, row: Any) -> Any:
    """Follow what stands behind an EtherType."""
    tags = outer = inner = 0
    while True:
        leads = _TYPES[kind]
        if leads == _FOUR:
            return _ipv4(at, cut, end, row)
        if leads == _SIX:
            return _ipv6(at, cut, end, row)
        if leads == _DEEP or (leads == _VLAN and tags == MOST_TAGS):
            return OTHER
        if leads != _VLAN or at + 4 > cut:
            return NO_IP
        tags, outer, inner = tags + 1, inner, big_16(at) & 0xFFF
        row.tags = (tags << TAG_BITS | outer) << TAG_BITS | inner
        row.vlan = inner
        kind = big_16(at + 2)
        at += 4
        if kind < 0x600:
            return _llc(at, cut)


@inlined
def _ipv4(at: int, cut: int, end: int, row: Any) -> Any:
    if at + 20 > cut:
        return IP_CUT
    size = (octet(at) & 0x0F) * 4
    total = big_16(at + 2)
    if total == 0:
        total = max(end - at, 0)
    if octet(at) >> 4 != 4 or size < 20 or total < size:
        return IP_MALFORMED
    start, stop = at + size, at + total
    if big_16(at + 6) & 0x3FFF:
        return OTHER
    protocol = octet(at + 9)
    if protocol != TCP:
        return _not_tcp(start, stop, cut, protocol, _ICMP_4)
    good = big_16(at + 10) == 0 or start > cut or ones_sum(at, size) % 0xFFFF == 0
    row.six = 0
    row.ttl = octet(at + 8)
    row.ident = big_16(at + 4)
    row.src[0] = row.dst[0] = 0
    row.src[1] = big_32(at + 12)
    row.dst[1] = big_32(at + 16)
    return _tcp(start, stop, cut, ones_sum(at + 12, 8), good, row)


@inlined
def _ipv6(at: int, cut: int, end: int, row: Any) -> Any:
    if at + 40 > cut:
        return IP_CUT
    if octet(at) >> 4 != 6:
        return IP_MALFORMED
    length = big_16(at + 4)
    start = at + 40
    stop = start + length if length else max(end, start)
    protocol = octet(at + 6)
    if _EXTENSIONS[protocol]:
        return OTHER
    if protocol != TCP:
        return _not_tcp(start, stop, cut, protocol, _ICMP_6)
    row.six = 1
    row.ttl = octet(at + 7)
    row.ident = -1
    row.src[0] = big_64(at + 8)
    row.src[1] = big_64(at + 16)
    row.dst[0] = big_64(at + 24)
    row.dst[1] = big_64(at + 32)
    return _tcp(start, stop, cut, ones_sum(at + 8, 32), True, row)


@inlined
def _not_tcp(start: int, stop: int, cut: int, protocol: int, icmp: int) -> int:
    """Return what the payload of a packet that is not TCP comes to."""
    if protocol == icmp:
        if min(stop, cut) - start < 8:
            return ICMP
        errors = _ERRORS_4 if icmp == _ICMP_4 else _ERRORS_6
        return OTHER if octet(start) in errors else ICMP
    if protocol == UDP:
        at = start + 8
        if at >= cut:
            return UDP
        if _PORTS[big_16(start)] or _PORTS[big_16(start + 2)]:
            return OTHER
        # A relay of Teredo may have any port.
        relayed = at + 40 <= cut and octet(at) >> 4 == 6 and big_16(at + 4) == big_16(at - 4) - 48
        return OTHER if relayed else UDP
    return OTHER if _PROTOCOLS[protocol] else protocol


@inlined
def _tcp(start: int, stop: int, cut: int, addresses: int, good: bool, row: Any) -> Any:
    """Read a segment from ``start`` on of which what stands before ``cut`` was captured; ``addresses`` is their sum."""
    size = stop - start
    if start + 20 > cut or size < 20:
        return TCP_CUT
    bits = big_16(start + 12)
    header = bits >> 10 & 0x3C
    if header < 20 or header > size:
        return TCP_MALFORMED
    if size - header > _LONGEST:
        return OTHER
    row.sport = big_16(start)
    row.dport = big_16(start + 2)
    row.seq = big_32(start + 4)
    row.ack = big_32(start + 8)
    row.flags = bits & 0x1FF
    row.wnd = big_16(start + 14)
    row.length = size - header
    row.has = _options(start + 20, min(start + header, cut), row)
    if not good:
        row.checksum = _WRONG
    elif stop > cut:
        row.checksum = _UNKNOWN
    else:
        pseudo = addresses + TCP + size
        total = ones_sum(start, size) + pseudo
        row.checksum = _GOOD if total % 0xFFFF == 0 else _unfinished(big_16(start + 16), pseudo, size)
    return TCP


@inlined
def _unfinished(field: int, pseudo: int, size: int) -> Any:
    """Return what a checksum that is not right says: that the device was to compute it, or that it is wrong."""
    begun = field == 0 or field == pseudo % 0xFFFF or field == (pseudo - size) % 0xFFFF
    return _UNFINISHED if size > 0xFFFF or begun else _WRONG


@inlined
def _options(at: int, end: int, row: Any) -> Any:
    """Read the options ``at`` to ``end`` into a row; return what it has."""
    row.mss = 0
    row.scale = 0
    if end - at == 12 and big_32(at) == _STAMP_ALONE:
        row.tsval = big_32(at + 4)
        row.tsecr = big_32(at + 8)
        return STAMP
    row.tsval = 0
    row.tsecr = 0
    has = 0
    while at < end and octet(at) != kinds.END:
        if octet(at) == kinds.NOP:
            at += 1
            continue
        length = octet(at + 1) if at + 1 < end else 0
        if length < 2 or at + length > end:
            return has | STRANGE
        has |= _option(octet(at), length, at + 2, row)
        at += length
    return has


@inlined
def _option(kind: int, length: int, at: int, row: Any) -> Any:
    """Read one option, whose own octets begin at ``at``."""
    if kind == kinds.TIMESTAMPS and length == 10:
        row.tsval = big_32(at)
        row.tsecr = big_32(at + 4)
        return STAMP
    if kind == kinds.SACK and length > 2 and length % 8 == 2:
        return SACK
    if kind == kinds.MSS and length == 4:
        row.mss = big_16(at)
        return MSS
    if kind == kinds.WINDOW_SCALE and length == 3:
        row.scale = octet(at)
        return SCALE
    if kind == kinds.SACK_PERMITTED and length == 2:
        return SACK_PERMITTED
    if kind == kinds.FAST_OPEN or (kind == kinds.EXPERIMENT and length >= 4 and big_16(at) == _FAST_OPEN_MAGIC):
        return FAST_OPEN
    return STRANGE
