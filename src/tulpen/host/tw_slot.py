"""A record of the TIME-WAIT table as octets: all that its answers depend on.

Of the sequence numbers 32 bits are kept, and of ISS what bounds the ACKs that are believed;
the times before the deadline count whole milliseconds.  IRS and the peer's MSS play no part any more.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from tulpen.host.packing import Packing, terms_of
from tulpen.host.ports import Claim
from tulpen.host.signing import Signing
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import MS
from tulpen.tcp.negotiate import DEFAULT_MSS_4
from tulpen.wire.seq import MASK, wrap

#: Deadline; SND.NXT, RCV.NXT, octets of ours that an old ACK may name, RCV.WND, TS.Recent; milliseconds from when
#: TS.Recent was taken, and from our last answer, to the deadline; the largest segment; flags.
VALUE: Final = Struct("<qIIIIIIIHH")
_DEADLINE: Final = Struct("<q")

# flags, beside those of the terms
REUSE: Final = 1 << 13
SHARED: Final = 1 << 14
CHOSEN: Final = 1 << 15

EPOCH: Final = 1 << 32  # unpacked numbers lie above this, so that what is taken from them is no less than 0


class Lingering(NamedTuple):
    """One record, the port it still holds, and how its segments are signed."""

    record: TimeWait
    claim: Claim
    signing: Signing | None = None


def packed(packing: Packing, entry: Lingering) -> bytes | None:
    """Return the octets of a record; None if they cannot say all of it."""
    record, claim, name = entry.record, entry.claim, entry.record.name
    flags = packing.flags(name, record.terms, record.ts_offset)
    usual = Claim(name.local, name.local_port, claim.reuse, claim.shared, chosen=claim.chosen)
    if flags is None or claim != usual or entry.signing is not None:
        return None
    since_stamp = _before(record.deadline, record.ts_recent_at)
    since_answer = _before(record.deadline, record.answered_at) if record.answered_at >= 0 else 0
    if max(since_stamp, since_answer, record.max_snd_wnd) > MASK:
        return None
    if record.mss > 0xFFFF or not 0 <= record.rcv_wnd <= MASK:
        return None
    reach = min(record.max_snd_wnd, record.snd_nxt - record.iss)
    return VALUE.pack(
        record.deadline, wrap(record.snd_nxt), wrap(record.rcv_nxt), reach, record.rcv_wnd, record.ts_recent,
        since_stamp, since_answer, record.mss,
        flags | REUSE * claim.reuse | SHARED * claim.shared | CHOSEN * claim.chosen,
    )  # fmt: skip


def unpacked(packing: Packing, key: bytes, value: bytes) -> Lingering:
    """Return the record that octets stand for."""
    name = packing.name(key)
    deadline, snd_nxt, rcv_nxt, reach, rcv_wnd, stamp, since_stamp, since_answer, mss, flags = VALUE.unpack(value)
    record = TimeWait(
        name, iss=EPOCH + snd_nxt - reach, irs=EPOCH + rcv_nxt - 2, snd_nxt=EPOCH + snd_nxt, max_snd_wnd=reach,
        rcv_nxt=EPOCH + rcv_nxt, rcv_wnd=rcv_wnd, mss=mss, terms=terms_of(flags, DEFAULT_MSS_4),
        ts_offset=packing.ts_offset(name, flags), ts_recent=stamp, ts_recent_at=deadline - since_stamp * MS,
        answered_at=deadline - since_answer * MS if since_answer else -1, deadline=deadline,
    )  # fmt: skip
    reuse, shared, chosen = bool(flags & REUSE), bool(flags & SHARED), bool(flags & CHOSEN)
    return Lingering(record, Claim(name.local, name.local_port, reuse, shared, chosen=chosen))


def deadline_of(value: bytes) -> int:
    """Return when the record that octets stand for expires."""
    deadline: int = _DEADLINE.unpack_from(value)[0]
    return deadline


def _before(deadline: int, then: int) -> int:
    """Return the milliseconds from then to the deadline, a part counted as a whole one."""
    return max(1, -(-(deadline - then) // MS))
