"""Tunnels: what an internet packet carries that holds a packet again.

GRE (RFC 2784, 2890) with ERSPAN, IP in IP (RFC 2003, 4213), and over UDP VXLAN (RFC 7348), Geneve (RFC 8926), Teredo
(RFC 4380), AYIYA and GTP-U.
"""

from __future__ import annotations

from typing import Final

from tulpen.capture.links import ETHERNET, IPV4, IPV6, Inside, raw, word

IP_IN_IP: Final = 4
TCP: Final = 6
UDP: Final = 17
IPV6_IN_IP: Final = 41
GRE: Final = 47
MPLS_IN_IP: Final = 137

_VXLAN: Final = frozenset((4789, 8472))
_VXLAN_GPE: Final = 4790  # its last octet of the first word says what is inside
_GPE: Final = {1: IPV4, 2: IPV6, 3: ETHERNET}
_GENEVE: Final = 6081
_TEREDO: Final = 3544
_GTP_U: Final = 2152
_WCCP: Final = 0x883E
_AYIYA: Final = 5072
_GRE_IN_UDP: Final = 4754  # RFC 8086
#: Ports of UDP behind which there may be a tunnel.
PORTS: Final = frozenset((*_VXLAN, _VXLAN_GPE, _GENEVE, _TEREDO, _GTP_U, _AYIYA, _GRE_IN_UDP))

_TEREDO_PREFIX: Final = b"\x20\x01\x00\x00"


def tunnel(protocol: int, data: bytes, at: int) -> Inside | None:
    """Return what is inside the payload of an internet packet; None where it is no tunnel."""
    if protocol == IP_IN_IP:
        return Inside(IPV4, at, "ipip")
    if protocol == IPV6_IN_IP:
        return Inside(IPV6, at, "6in4")
    if protocol == GRE:
        return _gre(data, at)
    if protocol == UDP:
        return _udp(data, at)
    return None


def _gre(data: bytes, at: int) -> Inside | None:
    flags, kind = word(data, at), word(data, at + 2)
    if flags < 0 or kind < 0 or flags & 7 > 1:
        return None
    version = flags & 7
    at += 4
    if flags & 0xC000:  # checksum, or the routing of RFC 1701
        at += 4
    if flags & 0x2000:  # key
        at += 4
    if flags & 0x1000:  # sequence number
        at += 4
    if version == 1 and flags & 0x0080:  # RFC 2637: an acknowledgment
        at += 4
    if kind == 0x88BE:  # ERSPAN: its first version has no header, the second eight octets
        return Inside(ETHERNET, at + 8 if flags & 0x1000 else at, "erspan")
    if kind == 0x22EB:
        more = 8 if at + 12 <= len(data) and data[at + 11] & 1 else 0
        return Inside(ETHERNET, at + 12 + more, "erspan")
    if kind == _WCCP and data[at : at + 1] < b"\x40":  # a redirect header stands before the packet
        at += 4
    return Inside(IPV4 if kind == _WCCP else kind, at, "gre")


def _udp(data: bytes, at: int) -> Inside | None:
    source, target = word(data, at), word(data, at + 2)
    at += 8
    if target in _VXLAN and at < len(data) and data[at] & 0x08:
        return Inside(ETHERNET, at + 8, "vxlan")
    if target == _VXLAN_GPE and at + 8 <= len(data) and data[at + 3] in _GPE:
        return Inside(_GPE[data[at + 3]], at + 8, "vxlan")
    if target == _GENEVE and at + 8 <= len(data) and data[at] >> 6 == 0:
        return Inside(word(data, at + 2), at + 8 + 4 * (data[at] & 0x3F), "geneve")
    if _TEREDO in (source, target):
        return _teredo(data, at)
    if _GTP_U in (source, target):
        return _gtp(data, at)
    if _AYIYA in (source, target):
        return _ayiya(data, at)
    if target == _GRE_IN_UDP:
        return _gre(data, at)
    return _teredo_relayed(data, at)


def _teredo(data: bytes, at: int) -> Inside | None:
    if word(data, at) == 1 and at + 4 <= len(data):  # authentication
        at += 13 + data[at + 2] + data[at + 3]
    if word(data, at) == 0:  # where the packet came from
        at += 8
    found = raw(data, at)
    return Inside(IPV6, at, "teredo") if found is not None and found.kind == IPV6 else None


def _teredo_relayed(data: bytes, at: int) -> Inside | None:
    # A relay may have any port; then the prefix of an address tells (RFC 4380 §2.6).
    if at + 40 > len(data) or data[at] >> 4 != 6 or word(data, at + 4) != word(data, at - 4) - 48:
        return None
    prefixes = data[at + 8 : at + 12], data[at + 24 : at + 28]
    return Inside(IPV6, at, "teredo") if _TEREDO_PREFIX in prefixes else None


def _ayiya(data: bytes, at: int) -> Inside | None:
    # draft-massar-v6ops-ayiya: the lengths of identity and signature come first, in units of four octets.
    if at + 8 > len(data):
        return None
    start = at + 8 + (1 << (data[at] >> 4)) + 4 * (data[at + 1] >> 4)
    return Inside(IPV6, start, "ayiya") if data[at + 3] == 41 else None


def _gtp(data: bytes, at: int) -> Inside | None:
    if at + 8 > len(data) or data[at] >> 4 != 3 or data[at + 1] != 0xFF:
        return None
    flags, at = data[at], at + 8
    if flags & 7:
        kind, at = data[at + 3] if at + 4 <= len(data) else 0, at + 4
        while flags & 4 and kind and at < len(data) and data[at]:
            at += 4 * data[at]
            kind = data[at - 1] if at <= len(data) else 0
    found = raw(data, at)
    return None if found is None else Inside(found.kind, found.at, "gtp")
