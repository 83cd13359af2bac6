"""Hypothesis strategies for what the wire carries."""

from __future__ import annotations

from hypothesis import strategies as st

from tulpen.wire.icmp import ICMP, ICMP6, Icmp, IcmpKind, kind_of
from tulpen.wire.ip import Packet
from tulpen.wire.options import (
    ACC_ECN_0,
    ACC_ECN_1,
    AUTHENTICATION,
    EXPERIMENT,
    FAST_OPEN,
    MD5,
    MSS,
    SACK,
    SACK_PERMITTED,
    TIMESTAMPS,
    USER_TIMEOUT,
    WINDOW_SCALE,
    Authentication,
    EcnCounters,
    Options,
)
from tulpen.wire.segment import Segment

KNOWN = {
    MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS, MD5, USER_TIMEOUT, AUTHENTICATION, FAST_OPEN, EXPERIMENT,
    ACC_ECN_0, ACC_ECN_1,
}  # fmt: skip

bits8 = st.integers(0, 0xFF)
bits16 = st.integers(0, 0xFFFF)
bits24 = st.integers(0, 0xFF_FFFF)
bits32 = st.integers(0, 0xFFFF_FFFF)
timeouts = st.integers(0, 0x7FFF) | st.integers(1, 0x7FFF).map(lambda minutes: minutes * 60)


@st.composite
def options(draw: st.DrawFn) -> Options:
    """Options that fit into 40 octets."""
    tsval = draw(st.none() | bits32)
    has_mss, has_scale = draw(st.booleans()), draw(st.booleans())
    room = 36 - 12 * (tsval is not None) - 4 * has_mss - 4 * has_scale - 8
    sack = draw(st.lists(st.tuples(bits32, bits32), max_size=max(0, (room - 4) // 8)))
    room -= 4 + 8 * len(sack) if sack else 0
    cookie = draw(st.none() | st.binary(max_size=min(16, room - 4))) if room >= 4 else None
    room -= 0 if cookie is None else 4 + len(cookie)
    counters = draw(st.none() | st.lists(bits24, max_size=min(3, (room - 4) // 4)).map(tuple)) if room >= 4 else None
    room -= 0 if counters is None else 4 + 4 * len(counters)
    md5 = draw(st.none() | st.binary(min_size=16, max_size=16)) if room >= 20 else None
    room -= 0 if md5 is None else 20
    mac = draw(st.none() | st.binary(max_size=min(16, room - 4))) if room >= 4 else None
    room -= 0 if mac is None else 4 + len(mac)
    kinds = st.integers(6, 255).filter(lambda kind: kind not in KNOWN)
    other = draw(st.none() | st.tuples(kinds, st.binary(max_size=max(0, room - 2))))
    return Options(
        mss=draw(bits16) if has_mss else None,
        wscale=draw(bits8) if has_scale else None,
        sack_permitted=draw(st.booleans()),
        tsval=tsval,
        tsecr=0 if tsval is None else draw(bits32),
        sack=tuple(sack),
        user_timeout=draw(st.none() | timeouts),
        fast_open=cookie,
        fast_open_experimental=cookie is not None and draw(st.booleans()),
        acc_ecn=None if counters is None else EcnCounters(draw(st.sampled_from((ACC_ECN_0, ACC_ECN_1))), counters),
        others=() if other is None else (other,),
        md5=md5,
        authentication=None if mac is None else Authentication(draw(bits8), draw(bits8), mac),
    )


segments = st.builds(
    Segment,
    bits32,
    bits32,
    st.integers(0, 0x1FF),
    bits16,
    st.binary(max_size=100),
    options(),
    urg=bits16,
    sport=bits16,
    dport=bits16,
)

pairs_4 = st.tuples(st.binary(min_size=4, max_size=4), st.binary(min_size=4, max_size=4))
pairs_6 = st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
pairs = pairs_4 | pairs_6


@st.composite
def messages(draw: st.DrawFn, *, ipv6: bool) -> Icmp:
    """ICMP messages, whose data may or may not be a quote."""
    type, code = draw(bits8), draw(st.integers(0, 20))
    kind = kind_of(type, code, ipv6=ipv6)
    data = draw(st.binary(max_size=60))
    if kind is IcmpKind.PACKET_TOO_BIG:
        return Icmp(kind, type, code, mtu=draw(bits32 if ipv6 else bits16), data=data)
    return Icmp(kind, type, code, ident=draw(bits16), seq=draw(bits16), data=data)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Undamaged packets of both versions, with all payloads."""
    src, dst = draw(pairs)
    ipv6 = len(src) == 16
    what = draw(st.sampled_from(["tcp", "icmp", "other"]))
    payload: Segment | Icmp | bytes
    if what == "tcp":
        payload, protocol = draw(segments), 6
    elif what == "icmp":
        payload, protocol = draw(messages(ipv6=ipv6)), ICMP6 if ipv6 else ICMP
    else:
        payload, protocol = draw(st.binary(max_size=60)), draw(st.sampled_from([17, 59, 132, 255]))
    if ipv6:
        return Packet(src, dst, payload, protocol=protocol, ttl=draw(bits8), tos=draw(bits8))
    ident, df = draw(bits16), draw(st.booleans())
    return Packet(src, dst, payload, protocol=protocol, ttl=draw(bits8), tos=draw(bits8), ident=ident, df=df)
