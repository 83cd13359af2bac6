"""SYN cookies (RFC 4987 §3.6), laid out as Linux lays them out.

The initial sequence number of a SYN,ACK carries all that a listener has to know, so
that it can forget the SYN.  From the top: eight bits that count minutes, 24 bits of a
keyed hash with an index into four MSS values added; over all of it another keyed hash
and the peer's sequence number.  The ACK that completes the handshake brings it back.

What the other options said has no room there.  With timestamps, the low bits of ours
carry window scale, SACK and ECN, and come back as TSecr; without, they are lost.  AccECN
is told by the ACK itself (RFC 9768 §5.1).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, final

from tulpen.host.prf import Prf, octets
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.negotiate import MAX_SHIFT
from tulpen.tcp.trace import FourTuple
from tulpen.wire.options import Options
from tulpen.wire.seq import MASK

PERIOD: Final = 60 * SECOND
VALID: Final = 2  # periods: for this long a cookie is good, and a listener believes in its overflow

MSS_TABLE_V4: Final = (536, 1300, 1440, 1460)
MSS_TABLE_V6: Final = (1220, 1420, 1440, 8940)

_COOKIE_BITS: Final = 24
_COOKIE_MASK: Final = (1 << _COOKIE_BITS) - 1
_COUNT_MASK: Final = MASK >> _COOKIE_BITS

_TS_BITS: Final = 6  # of our timestamp are given up to the options
_TS_MASK: Final = (1 << _TS_BITS) - 1
_TS_WSCALE: Final = 0x0F  # all ones: no window scaling
_TS_SACK: Final = 0x10
_TS_ECN: Final = 0x20


@final
class Cookies:
    """Makes and checks the cookies of one host; remembers nothing of any SYN."""

    __slots__ = ("_first", "_second", "_settings")

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self._settings = settings
        self._first = Prf(secret, b"cookie 1")
        self._second = Prf(secret, b"cookie 2")

    def make(self, name: FourTuple, irs: int, mss: int, now: int) -> int:
        """Return the ISS that answers a SYN with sequence number ``irs`` and this MSS option."""
        count = now // PERIOD
        table = _mss_table(name)
        index = max(0, bisect_right(table, mss) - 1)
        flow = _flow(name)
        second = (self._second(flow + octets(count & MASK)) + index) & _COOKIE_MASK
        return (self._first(flow) + irs + (count << _COOKIE_BITS) + second) & MASK

    def check(self, name: FourTuple, irs: int, iss: int, now: int) -> int | None:
        """Return the MSS that a cookie ``iss`` carries; None if it is not ours, or too old."""
        count = now // PERIOD
        flow = _flow(name)
        bare = (iss - self._first(flow) - irs) & MASK
        age = (count - (bare >> _COOKIE_BITS)) & _COUNT_MASK
        if age >= VALID or age > count:
            return None
        index = (bare - self._second(flow + octets((count - age) & MASK))) & _COOKIE_MASK
        table = _mss_table(name)
        return table[index] if index < len(table) else None

    def timestamp(self, clock: int, offer: Options, *, ecn: bool = False) -> int:
        """Return a timestamp not after ``clock`` whose low bits keep what a SYN offered, ``ecn`` among it."""
        settings = self._settings
        kept = _TS_WSCALE if offer.wscale is None or not settings.tcp_window_scaling else min(offer.wscale, MAX_SHIFT)
        if offer.sack_permitted and settings.tcp_sack:
            kept |= _TS_SACK
        if ecn:
            kept |= _TS_ECN
        tsval = clock & ~_TS_MASK | kept
        return (tsval if tsval <= clock else tsval - (1 << _TS_BITS)) & MASK

    def kept_ecn(self, ack: Options, ts_offset: int) -> bool:
        """Say whether the forgotten SYN, whose timestamp the ACK brings back, was granted ECN."""
        return ack.tsval is not None and bool((ack.tsecr - ts_offset) & _TS_ECN)

    def offered(self, mss: int, ack: Options, ts_offset: int) -> Options | None:
        """Return the options of the forgotten SYN, as far as the ACK brings them back.

        None when it claims what this host does not offer: then it is no cookie of ours.
        """
        if ack.tsval is None:
            return Options(mss=mss)
        settings = self._settings
        kept = (ack.tsecr - ts_offset) & MASK
        wscale = kept & _TS_WSCALE
        sack = bool(kept & _TS_SACK)
        if not settings.tcp_timestamps or (sack and not settings.tcp_sack):
            return None
        if wscale == _TS_WSCALE:
            return Options(mss=mss, sack_permitted=sack, tsval=ack.tsval)
        if not settings.tcp_window_scaling:
            return None
        return Options(mss=mss, wscale=wscale, sack_permitted=sack, tsval=ack.tsval)


def _mss_table(name: FourTuple) -> tuple[int, ...]:
    return MSS_TABLE_V4 if len(name.local) == 4 else MSS_TABLE_V6


def _flow(name: FourTuple) -> bytes:
    return name.remote + name.local + octets(name.remote_port, name.local_port)
