"""A record of the TIME-WAIT table as octets: a key that names the connection, and all that its answers depend on.

Of the sequence numbers 32 bits are kept, and of ISS what bounds the ACKs that are believed;
the times before the deadline count whole milliseconds.  IRS and the peer's MSS play no part any more.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple, final

from tulpen.host.isn import Numbers
from tulpen.host.ports import Claim
from tulpen.host.signing import Signing
from tulpen.tcp.compact import TimeWait
from tulpen.tcp.config import MS
from tulpen.tcp.negotiate import DEFAULT_MSS_4, Terms
from tulpen.tcp.trace import FourTuple
from tulpen.wire.seq import MASK, wrap

KEY_4: Final = Struct("<4sHHB")  # remote address and port, local port, which local address
KEY_6: Final = Struct("<16sHHB")
#: Deadline; SND.NXT, RCV.NXT, octets of ours that an old ACK may name, RCV.WND, TS.Recent; milliseconds from when
#: TS.Recent was taken, and from our last answer, to the deadline; the largest segment; flags.
VALUE: Final = Struct("<qIIIIIIIHH")
_DEADLINE: Final = Struct("<q")

# flags, above two shifts of four bits
SCALING: Final = 1 << 8
SACK: Final = 1 << 9
TIMESTAMPS: Final = 1 << 10
OFFSET: Final = 1 << 11  # our timestamps have the host's offset for this peer; without: none
PLAIN: Final = 1 << 12
REUSE: Final = 1 << 13
SHARED: Final = 1 << 14
CHOSEN: Final = 1 << 15

EPOCH: Final = 1 << 32  # unpacked numbers lie above this, so that what is taken from them is no less than 0


class Lingering(NamedTuple):
    """One record, the port it still holds, and how its segments are signed."""

    record: TimeWait
    claim: Claim
    signing: Signing | None = None


@final
class Packing:
    """Writes and reads the octets for one host."""

    __slots__ = ("_addresses", "_numbered", "_numbers")

    def __init__(self, addresses: tuple[bytes, ...], numbers: Numbers) -> None:
        self._addresses = addresses[:256]
        self._numbered = {address: number for number, address in enumerate(self._addresses)}
        self._numbers = numbers

    def key(self, name: FourTuple) -> bytes | None:
        """Return the key of a connection; None if there can be none."""
        local = self._numbered.get(name.local)
        if local is None or not name.remote_port:
            return None
        form = KEY_4 if len(name.remote) == 4 else KEY_6
        return form.pack(name.remote, name.remote_port, name.local_port, local)

    def name(self, key: bytes) -> FourTuple:
        """Return whose key it is."""
        form = KEY_4 if len(key) == KEY_4.size else KEY_6
        remote, remote_port, local_port, local = form.unpack(key)
        return FourTuple(self._addresses[local], local_port, remote, remote_port)

    def value(self, entry: Lingering) -> bytes | None:
        """Return the octets of a record; None if they cannot say all of it."""
        record, claim, flags = entry.record, entry.claim, self._flags(entry)
        since_stamp = _before(record.deadline, record.ts_recent_at)
        since_answer = _before(record.deadline, record.answered_at) if record.answered_at >= 0 else 0
        if flags is None or max(since_stamp, since_answer, record.max_snd_wnd) > MASK:
            return None
        if record.mss > 0xFFFF or not 0 <= record.rcv_wnd <= MASK:
            return None
        reach = min(record.max_snd_wnd, record.snd_nxt - record.iss)
        return VALUE.pack(
            record.deadline, wrap(record.snd_nxt), wrap(record.rcv_nxt), reach, record.rcv_wnd, record.terms.ts_recent,
            since_stamp, since_answer, record.mss,
            flags | REUSE * claim.reuse | SHARED * claim.shared | CHOSEN * claim.chosen,
        )  # fmt: skip

    def _flags(self, entry: Lingering) -> int | None:
        record, claim, name = entry.record, entry.claim, entry.record.name
        terms = record.terms
        usual = Claim(name.local, name.local_port, claim.reuse, claim.shared, chosen=claim.chosen)
        if claim != usual or entry.signing is not None or terms.signed:
            return None
        if record.ts_offset and record.ts_offset != self._numbers.ts_offset(name.local, name.remote):
            return None
        return (
            terms.snd_shift | terms.rcv_shift << 4 | SCALING * terms.scaling | SACK * terms.sack
            | TIMESTAMPS * terms.timestamps | OFFSET * (record.ts_offset != 0) | PLAIN * terms.plain
        )  # fmt: skip

    def unpacked(self, key: bytes, value: bytes) -> Lingering:
        """Return the record that octets stand for."""
        name = self.name(key)
        deadline, snd_nxt, rcv_nxt, reach, rcv_wnd, stamp, since_stamp, since_answer, mss, flags = VALUE.unpack(value)
        terms = Terms(
            mss=DEFAULT_MSS_4, scaling=bool(flags & SCALING), snd_shift=flags & 0xF, rcv_shift=flags >> 4 & 0xF,
            sack=bool(flags & SACK), timestamps=bool(flags & TIMESTAMPS), ts_recent=stamp,
            plain=bool(flags & PLAIN),
        )  # fmt: skip
        record = TimeWait(
            name, iss=EPOCH + snd_nxt - reach, irs=EPOCH + rcv_nxt - 2, snd_nxt=EPOCH + snd_nxt, max_snd_wnd=reach,
            rcv_nxt=EPOCH + rcv_nxt, rcv_wnd=rcv_wnd, mss=mss, terms=terms,
            ts_offset=self._numbers.ts_offset(name.local, name.remote) if flags & OFFSET else 0,
            ts_recent_at=deadline - since_stamp * MS,
            answered_at=deadline - since_answer * MS if since_answer else -1, deadline=deadline,
        )  # fmt: skip
        claim = Claim(
            name.local, name.local_port, bool(flags & REUSE), bool(flags & SHARED), chosen=bool(flags & CHOSEN)
        )  # fmt: skip
        return Lingering(record, claim)


def deadline_of(value: bytes) -> int:
    """Return when the record that octets stand for expires."""
    deadline: int = _DEADLINE.unpack_from(value)[0]
    return deadline


def _before(deadline: int, then: int) -> int:
    """Return the milliseconds from then to the deadline, a part counted as a whole one."""
    return max(1, -(-(deadline - then) // MS))
