"""Packets of IP put together from their fragments (RFC 791 §3.2, RFC 8200 §4.5)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple, final

MOST: Final = 4096  # packets under construction at once
LONGEST: Final = 65_535  # octets of one

Key = tuple[bytes, bytes, int, int]


class Piece(NamedTuple):
    """One fragment."""

    at: int  # where it begins in its packet
    data: bytes
    more: bool


class Whole(NamedTuple):
    """A packet's payload."""

    data: bytes
    pieces: int
    length: int  # octets; more than ``data`` where the last fragment never came


@final
class _Building:
    __slots__ = ("end", "pieces")

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self.end = -1  # where the packet ends, once its last fragment came


@final
class Fragments:
    """What waits for its other fragments; the oldest gives way where there are too many."""

    __slots__ = ("_building",)

    def __init__(self) -> None:
        self._building: OrderedDict[Key, _Building] = OrderedDict()

    def add(self, key: Key, piece: Piece) -> Whole | None:
        """Take a fragment; return the payload where it was the last that was missing."""
        if piece.at + len(piece.data) > LONGEST:
            return None
        building = self._building.get(key)
        if building is None:
            building = self._building[key] = _Building()
            if len(self._building) > MOST:
                self._building.popitem(last=False)
        building.pieces.setdefault(piece.at, piece.data)
        if not piece.more:
            building.end = piece.at + len(piece.data)
        data = _joined(building)
        if data is None:
            return None
        del self._building[key]
        return Whole(data, len(building.pieces), len(data))

    def first_of(self, key: Key) -> bytes | None:
        """Return the first fragment of a packet that is not whole."""
        building = self._building.get(key)
        return None if building is None else building.pieces.get(0)

    def __contains__(self, key: Key) -> bool:
        return key in self._building


def _joined(building: _Building) -> bytes | None:
    # Where fragments overlap, what came first stands (RFC 5722 would drop the packet).
    if building.end < 0:
        return None
    joined = bytearray()
    for at in sorted(building.pieces):
        data = building.pieces[at]
        if at > len(joined):
            return None
        if at + len(data) > len(joined):
            joined += data[len(joined) - at :]
    return bytes(joined[: building.end]) if len(joined) >= building.end else None
