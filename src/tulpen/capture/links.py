"""Link layers: where the internet packet begins in a frame, and what it is.

Each function takes the octets and where its header begins, and returns the EtherType of
what is inside, where that begins, and the header's name ("" where it goes without
saying); None where no packet of IP follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
ETHERNET: Final = 0x6558  # transparent Ethernet bridging: a whole frame inside
MPLS: Final = 0x8847
PPP: Final = 0x880B

VLAN_TAGS: Final = frozenset((0x8100, 0x88A8, 0x9100, 0x9200, 0x9300))

_PPPOE: Final = 0x8864
_BRIDGE_TAGS: Final = {0x8926: 4, 0x893F: 6}  # VN-Tag and E-Tag: octets before the next EtherType
_PBB: Final = 0x88E7
_ARUBA: Final = range(0x8200, 0x8300)  # access points send frames of 802.11 in GRE


class Inside(NamedTuple):
    """What a header leads to."""

    kind: int  # an EtherType
    at: int
    name: str = ""


Layer = Callable[[bytes, int], "Inside | None"]


def word(data: bytes, at: int) -> int:
    """Return the 16 bits at ``at``; -1 where they were not captured."""
    return data[at] << 8 | data[at + 1] if at + 2 <= len(data) else -1


def ethernet(data: bytes, at: int) -> Inside | None:
    """Ethernet II, and IEEE 802.3 with LLC and SNAP."""
    kind = word(data, at + 12)
    return Inside(kind, at + 14) if kind >= 0x600 else llc(data, at + 14)


def llc(data: bytes, at: int) -> Inside | None:
    """LLC with SNAP (RFC 1042), or its number for IP."""
    if data[at : at + 3] == b"\xaa\xaa\x03":
        return Inside(word(data, at + 6), at + 8)
    if data[at : at + 3] == b"\x06\x06\x03":
        return Inside(IPV4, at + 3)
    return None


def raw(data: bytes, at: int) -> Inside | None:
    """A bare packet of IP: its version tells which."""
    if at >= len(data):
        return None
    version = data[at] >> 4
    return Inside(IPV4, at) if version == 4 else Inside(IPV6, at) if version == 6 else None


def loopback(data: bytes, at: int) -> Inside | None:
    """BSD's loopback: four octets with the address family, in either byte order."""
    return raw(data, at + 4)


def ppp(data: bytes, at: int) -> Inside | None:
    """PPP (RFC 1661), with or without address and control, its protocol of one octet or two."""
    if data[at : at + 2] == b"\xff\x03":
        at += 2
    if at >= len(data):
        return None
    if data[at] & 1:
        protocol, at = data[at], at + 1
    else:
        protocol, at = word(data, at), at + 2
    kind = {0x21: IPV4, 0x57: IPV6, 0x281: MPLS}.get(protocol)
    return None if kind is None else Inside(kind, at, "ppp")


def cisco_hdlc(data: bytes, at: int) -> Inside | None:
    """Cisco's HDLC, and PPP in its framing."""
    if data[at : at + 1] == b"\xff":
        return ppp(data, at)
    return Inside(word(data, at + 2), at + 4)


def frame_relay(data: bytes, at: int) -> Inside | None:
    """Frame Relay (RFC 2427), and Cisco's way with an EtherType."""
    if data[at + 2 : at + 4] == b"\x03\xcc":
        return Inside(IPV4, at + 4)
    if data[at + 2 : at + 5] == b"\x03\x00\x80":
        return Inside(word(data, at + 8), at + 10)
    return Inside(word(data, at + 2), at + 4)


def cooked(data: bytes, at: int) -> Inside | None:
    """Linux's cooked capture."""
    kind = word(data, at + 14)
    return llc(data, at + 16) if kind == 4 else Inside(kind, at + 16)


def cooked_2(data: bytes, at: int) -> Inside | None:
    """Linux's cooked capture, second version."""
    kind = word(data, at)
    return llc(data, at + 20) if kind == 4 else Inside(kind, at + 20)


def fddi(data: bytes, at: int) -> Inside | None:
    """FDDI."""
    return llc(data, at + 13)


def token_ring(data: bytes, at: int) -> Inside | None:
    """Token Ring, with a source route where it has one."""
    at += 14
    if data[at - 6 : at - 5] and data[at - 6] & 0x80:
        at += data[at] & 0x1F if at < len(data) else 0
    return llc(data, at)


def wireless(data: bytes, at: int) -> Inside | None:
    """IEEE 802.11: data frames that are not encrypted."""
    control = word(data, at)
    if control < 0 or control >> 8 & 0x0C != 0x08 or control >> 8 & 0x40 or control & 0x40:
        return None
    size = 30 if control & 0x03 == 0x03 else 24
    if control >> 8 & 0x80:
        size += 2
        if control & 0x80:
            size += 4
    return llc(data, at + size)


def radiotap(data: bytes, at: int) -> Inside | None:
    """IEEE 802.11 behind a radiotap header."""
    return wireless(data, at + data[at + 2] + (data[at + 3] << 8)) if at + 4 <= len(data) else None


def nflog(data: bytes, at: int) -> Inside | None:
    """Linux's netfilter log: the packet is one of its TLVs."""
    at += 4
    while at + 4 <= len(data):
        size, kind = data[at] | data[at + 1] << 8, data[at + 2] | data[at + 3] << 8
        if size < 4:
            return None
        if kind & 0x7FFF == 9:
            return raw(data, at + 4)
        at += size + 3 & ~3
    return None


def bsd_pf(data: bytes, at: int) -> Inside | None:
    """The log of BSD's packet filter; its first octet is its length."""
    return raw(data, at + (data[at] + 3 & ~3)) if at < len(data) else None


def after(size: int) -> Layer:
    """A header of ``size`` octets of which nothing matters, and then IP."""
    return lambda data, at: raw(data, at + size)


def _mpls(data: bytes, at: int) -> Inside | None:
    # RFC 3032: labels until the bottom of the stack; what follows tells what it is by its first four bits.
    while at + 4 <= len(data):
        bottom = data[at + 2] & 1
        at += 4
        if bottom:
            found = raw(data, at)
            if found is not None:
                return Inside(found.kind, found.at, "mpls")
            pseudowire = at < len(data) and not data[at] >> 4  # RFC 4385's control word
            return Inside(ETHERNET, at + 4 if pseudowire else at, "mpls")
    return None


def tag(kind: int, data: bytes, at: int) -> Inside | None:
    """Take off one tag or shim that stands between Ethernet and IP; None where ``kind`` is none of them."""
    layer = TAGS.get(kind)
    return None if layer is None else layer(data, at)


def vlan(data: bytes, at: int) -> Inside | None:
    """IEEE 802.1Q and 802.1ad."""
    number = word(data, at)
    inner = word(data, at + 2)
    if number < 0 or inner < 0:
        return None
    return Inside(inner, at + 4, f"vlan {number & 0xFFF}") if inner >= 0x600 else llc(data, at + 4)


def _bridge(size: int) -> Layer:
    return lambda data, at: Inside(word(data, at + size), at + size + 2)


def _pppoe(data: bytes, at: int) -> Inside | None:
    found = ppp(data, at + 6)
    return None if found is None else Inside(found.kind, found.at, "pppoe")


def _backbone(_: bytes, at: int) -> Inside | None:
    return Inside(ETHERNET, at + 4, "pbb")


#: By EtherType.
TAGS: Final[dict[int, Layer]] = {
    **dict.fromkeys(VLAN_TAGS, vlan),
    **{kind: _bridge(size) for kind, size in _BRIDGE_TAGS.items()},
    **dict.fromkeys((MPLS, MPLS + 1), _mpls),
    _PPPOE: _pppoe,
    ETHERNET: ethernet,
    PPP: ppp,
    **dict.fromkeys(_ARUBA, wireless),
    _PBB: _backbone,
}

#: By link type, as https://www.tcpdump.org/linktypes.html numbers them.
LINKS: Final[dict[int, Layer]] = {
    0: loopback, 1: ethernet, 6: token_ring, 8: after(16), 9: ppp, 10: fddi, 12: raw, 14: raw, 50: ppp,
    51: lambda data, at: ppp(data, at + 6), 100: llc, 101: raw, 104: cisco_hdlc, 105: wireless, 107: frame_relay,
    108: loopback, 109: after(12), 113: cooked, 117: bsd_pf, 127: radiotap, 166: ppp,
    204: lambda data, at: ppp(data, at + 1), 219: _mpls, 226: after(24), 228: raw, 229: raw, 239: nflog,
    242: lambda data, at: Inside(word(data, at + 40), at + 44), 276: cooked_2,
}  # fmt: skip
