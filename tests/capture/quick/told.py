"""What a capture's octets are, read exactly and by the compiled pass."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tulpen.capture.dissect import Dissector
from tulpen.capture.frame import Damaged
from tulpen.capture.frames import frames
from tulpen.capture.octets import Octets
from tulpen.capture.quick.exact import layers_of, octets_of, seen_array
from tulpen.capture.quick.layout import MSS, SACK_PERMITTED, SCALE, SEGMENT, STAMP
from tulpen.capture.quick.segments import Segments
from tulpen.capture.record import Counts
from tulpen.capture.seen import IcmpError, Seen, Sum
from tulpen.errors import TulpenError
from tulpen.wire.options import Options

#: What a row keeps of a segment, and what it need not.
KEPT = (
    "ack", "checksum", "dport", "dst", "flags", "frame", "ident", "layers", "length", "options", "seq", "sport", "src",
    "ttl", "vlan", "when", "wnd",
)  # fmt: skip
ALL = (*KEPT, "df", "ecn", "pieces", "urg")


def seen_of(row: Any) -> Seen:
    """Return the segment of a row.

    Not in it: blocks of SACK and other options beyond those of ``has``, the urgent pointer, DF, ECN and the direction.
    """
    has, six = int(row["has"]), bool(row["six"])
    options = Options(
        mss=int(row["mss"]) if has & MSS else None,
        wscale=int(row["scale"]) if has & SCALE else None,
        sack_permitted=bool(has & SACK_PERMITTED),
        tsval=int(row["tsval"]) if has & STAMP else None,
        tsecr=int(row["tsecr"]) if has & STAMP else 0,
    )
    return Seen(
        int(row["frame"]), int(row["when"]), octets_of(row["src"], six=six), octets_of(row["dst"], six=six),
        int(row["sport"]), int(row["dport"]), int(row["seq"]), int(row["ack"]), int(row["flags"]), int(row["wnd"]),
        int(row["length"]), options, ttl=int(row["ttl"]), ident=int(row["ident"]), checksum=Sum(int(row["checksum"])),
        layers=layers_of(int(row["tags"])), vlan=int(row["vlan"]),
    )  # fmt: skip


class Whole(NamedTuple):
    """A reading."""

    rows: NDArray[Any]
    seen: list[object]  # each as its values
    passed: Counter[str]
    counts: Counts
    damage: tuple[str, int] | None
    error: str


def values(seen: Seen | IcmpError) -> object:
    return tuple(getattr(seen, name) for name in ALL) if isinstance(seen, Seen) else seen


def exactly(octets: bytes, dissector: Dissector | None = None) -> Whole:
    """Read with the exact reader."""
    dissector, counts, damage, error = dissector or Dissector(), Counts(), None, ""
    seen, offsets = [], []
    try:
        for frame in frames(Octets(io.BytesIO(octets))):
            if not counts.frames:
                counts.first = frame.when
            counts.frames += 1
            counts.octets += frame.length
            counts.last = max(counts.last, frame.when)
            each = dissector.segment(frame)
            if each is not None:
                counts.segments += isinstance(each, Seen)
                seen.append(each)
                offsets.append(frame.offset)
    except Damaged as found:
        damage = found.what, found.offset
    except TulpenError as found:
        error = str(found)
    return Whole(seen_array(seen, offsets), [values(each) for each in seen], dissector.passed, counts, damage, error)


def quickly(segments: Segments, *, seen: bool = True) -> Whole:
    """Read with the compiled pass."""
    rows, all_seen, damage, error = [np.zeros(0, SEGMENT)], list[object](), None, ""
    try:
        for array in segments:
            rows.append(array.copy())
            all_seen += [values(segments.seen(at)) for at in range(len(array) if seen else 0)]
    except Damaged as found:
        damage = found.what, found.offset
    except TulpenError as found:
        error = str(found)
    return Whole(np.concatenate(rows), all_seen, segments.passed, segments.counts, damage, error)


def differences(mine: Whole, theirs: Whole) -> list[str]:
    """Return in what two readings differ, in words."""
    found = [
        f"{name}: {mine.rows[name].tolist()} and not {theirs.rows[name].tolist()}"
        for name in SEGMENT.names or ()
        if not np.array_equal(mine.rows[name], theirs.rows[name])
    ]
    found += [
        f"{name}: {getattr(mine, name)!r} and not {getattr(theirs, name)!r}"
        for name in ("passed", "counts", "damage", "error")
        if getattr(mine, name) != getattr(theirs, name)
    ]
    if mine.seen != theirs.seen:
        found.append("what the exact Dissector sees of the rows")
    return found


def same(octets: bytes, sizes: Iterable[tuple[int, int]] = ((1 << 18, 8192), (64, 3))) -> Whole:
    """Assert that both readings are one, whatever the size of blocks and arrays; return the exact one."""
    theirs = exactly(octets)
    for size, most in sizes:
        mine = quickly(Segments(Octets(io.BytesIO(octets)), size=size, most=most))
        assert not differences(mine, theirs)
    return theirs
