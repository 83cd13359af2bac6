"""Compiled walks over the records of pcap and the blocks of pcapng.

Each finds whole frames in a block of octets, and stops where it finds anything else: what that is, is for the exact
readers of ``pcap`` and ``pcapng`` to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tulpen.capture import pcapng
from tulpen.capture.frame import MOST
from tulpen.capture.pcap import RECORD as HEADER
from tulpen.capture.quick.compiled import compiled, inlined
from tulpen.capture.quick.words import word_32

# Why a walk stopped.
FULL: Final = 0  # there is no room for more records
MORE: Final = 1  # the next record is not whole
ODD: Final = 2  # what comes next is not plain

SECOND: Final = 1_000_000_000

_SECTION: Final = pcapng.SECTION
_INTERFACE: Final = pcapng.INTERFACE
_PACKET: Final = pcapng.PACKET
_SIMPLE: Final = pcapng.SIMPLE
_ENHANCED: Final = pcapng.ENHANCED

#: What compiled code has to know of an interface of a section.
INTERFACE: Final = np.dtype(
    [
        ("limit", np.uint64),  # ticks for which the time can be computed here
        ("units", np.int64),  # ticks of a second
        ("times", np.int64),  # nanoseconds of a tick, where they are whole; else 0
        ("parts", np.int64),  # ticks of a nanosecond, where they are whole; else 0
        ("offset", np.int64),  # nanoseconds to add
        ("snap", np.int64),
        ("link", np.int32),
    ],
    align=True,
)


_LATEST: Final = 1 << 32  # seconds since 1970, and half as many may be added: 64 bits hold them as nanoseconds
_COARSEST: Final = 1 << 33  # units for which the rest of a second can be multiplied in 64 bits


def interface_array(interfaces: Sequence[pcapng.Interface]) -> NDArray[Any]:
    """Return the interfaces of a section as an array of ``INTERFACE``."""
    rows = np.zeros(len(interfaces), INTERFACE)
    for row, each in zip(rows, interfaces, strict=True):
        row["link"], row["snap"] = each.link, each.snap
        times, parts = (SECOND // each.units, 0) if SECOND % each.units == 0 else (0, each.units // SECOND)
        if each.units % SECOND:
            parts = 0
        if abs(each.offset) < _LATEST // 2 and (each.units <= _COARSEST or (parts and each.units < 1 << 62)):
            row["limit"] = min(each.units * _LATEST, 1 << 62)
            row["units"], row["times"], row["parts"] = each.units, times, parts
            row["offset"] = each.offset * SECOND
    return rows


@compiled
def pcap_records(
    memory: int, at: int, end: int, little: bool, unit: int, extra: int, link: int, records: Any
) -> tuple[int, int, int]:
    """Fill ``records`` from the octets ``at`` to ``end`` of those from the place ``memory`` on.

    Returns how many, where the first begins that is none, and why it stopped.
    """
    head = HEADER + extra
    for count in range(len(records)):
        if at + head > end:
            return count, at, MORE
        size = word_32(memory + at + 8, little)
        if size > MOST:
            return count, at, ODD
        if at + head + size > end:
            return count, at, MORE
        record = records[count]
        record.when = word_32(memory + at, little) * SECOND + word_32(memory + at + 4, little) * unit
        record.at = at + head
        record.size = size
        record.length = max(word_32(memory + at + 12, little), size)
        record.link = link
        record.interface = 0
        at += head + size
    return len(records), at, FULL


@compiled
def pcapng_records(memory: int, at: int, end: int, little: bool, interfaces: Any, records: Any) -> tuple[int, int, int]:
    """Fill ``records`` from the octets ``at`` to ``end`` of those from the place ``memory`` on.

    Returns how many, where the first begins that is none, and why it stopped.
    """
    count = 0
    while count < len(records):
        if at + 12 > end:
            return count, at, MORE
        kind = word_32(memory + at, little)
        size = word_32(memory + at + 4, little)
        if kind == _SECTION or kind == _INTERFACE or size < 12 or size % 4 or size > MOST:
            return count, at, ODD
        if at + size > end:
            return count, at, MORE
        if word_32(memory + at + size - 4, little) != size:
            return count, at, ODD
        if kind == _ENHANCED or kind == _PACKET or kind == _SIMPLE:
            if not _packet(memory + at, kind, size - 12, little, interfaces, records[count]):
                return count, at, ODD
            records[count].at = at + (12 if kind == _SIMPLE else 28)
            count += 1
        at += size
    return count, at, FULL


@inlined
def _packet(at: int, kind: int, body: int, little: bool, interfaces: Any, record: Any) -> bool:
    """Read a packet's block with ``body`` octets between its lengths; False where it is not plain."""
    which, ticks, fixed = 0, np.uint64(0), 4
    if kind == _SIMPLE:
        if body < fixed or len(interfaces) == 0:
            return False
        length = word_32(at + 8, little)
        size = length
        if interfaces[0].snap:
            size = min(size, interfaces[0].snap)
        size = min(size, body - fixed)
    else:
        fixed = 20
        if body < fixed:
            return False
        which = word_32(at + 8, little)
        if kind == _PACKET:
            which = which & 0xFFFF if little else which >> 16
        ticks = (np.uint64(word_32(at + 12, little)) << np.uint64(32)) | np.uint64(word_32(at + 16, little))
        size = word_32(at + 20, little)
        length = word_32(at + 24, little)
        if which >= len(interfaces) or size > body - fixed:
            return False
    interface = interfaces[which]
    if kind == _SIMPLE:
        record.when = 0
    elif ticks < interface.limit:
        record.when = _nanoseconds(np.int64(ticks), interface) + interface.offset
    else:
        return False
    record.size = size
    record.length = max(length, size)
    record.link = interface.link
    record.interface = which
    return True


@inlined
def _nanoseconds(ticks: int, interface: Any) -> Any:
    if interface.times:
        return ticks * interface.times
    if interface.parts:
        return ticks // interface.parts
    seconds = ticks // interface.units
    return seconds * SECOND + (ticks - seconds * interface.units) * SECOND // interface.units
