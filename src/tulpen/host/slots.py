"""Very many small records of one size, oldest first: slots of octets, and an index of them by open addressing.

A record costs its own octets and some ten of the index: there is no object for it.  The
index holds numbers of slots, found by the hash of the key and, where another has that
place, in the places after it.  Slots lie in pages in the order in which they were taken; the
oldest page goes when all of it is free, and all is packed when half of the slots are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Final, final

SLOTS: Final = 256  # of a page
LEAST: Final = 16  # places of the index; half of them and more are always empty


@final
class SlotTable:
    """A key is octets that are not all zero; keys are of one length, and values too."""

    __slots__ = ("_first", "_free", "_index", "_key", "_next", "_pages", "_slot", "live")

    def __init__(self, key: int, value: int) -> None:
        self._key = key  # octets
        self._slot = key + value
        self._free = bytes(key)
        self._empty()

    def _empty(self) -> None:
        self._index = array("I", bytes(4 * LEAST))  # numbers of slots, 0 for none
        self._pages: dict[int, bytearray] = {}
        self._first = self._next = 1  # slots that are in use lie between the two
        self.live = 0  # records

    def _begin_again(self) -> None:
        """All slots are free: keep the page and the index if they are the first and the least."""
        if self._next <= SLOTS and len(self._index) == LEAST:
            self._first = self._next = 1
        else:
            self._empty()

    def __len__(self) -> int:
        return self.live

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return self._records(self._pages, self._first, self._next)

    def _records(self, pages: dict[int, bytearray], first: int, after: int) -> Iterator[tuple[bytes, bytes]]:
        for number in range(first, after):
            page = pages.get(number // SLOTS)
            if page is not None:
                at = number % SLOTS * self._slot
                key = bytes(page[at : at + self._key])
                if key != self._free:
                    yield key, bytes(page[at + self._key : at + self._slot])

    @property
    def octets(self) -> int:
        """What it takes in memory, but for a few objects."""
        return sum(len(page) for page in self._pages.values()) + 4 * len(self._index)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``; None if it is not there."""
        number = self.live and self._index[self._place(key)]
        if not number:
            return None
        at = number % SLOTS * self._slot
        return bytes(self._pages[number // SLOTS][at + self._key : at + self._slot])

    def first(self) -> tuple[bytes, bytes] | None:
        """Return the oldest key and its value."""
        if not self.live:
            return None
        page, at, key = self._pages[self._first // SLOTS], self._first % SLOTS * self._slot, self._key
        return bytes(page[at : at + key]), bytes(page[at + key : at + self._slot])

    def put(self, key: bytes, value: bytes) -> None:
        """Take a record in behind the others; one that was there under this key goes."""
        if 2 * self.live >= len(self._index):
            self._index_anew(len(self._index) * 3 // 2)
        if self._next >> 32:
            self._pack()
        place = self._place(key)
        if self._index[place]:
            self.remove(key)
            place = self._place(key)
        number = self._next
        page = self._pages.get(number // SLOTS)
        if page is None:
            page = self._pages[number // SLOTS] = bytearray(SLOTS * self._slot)
        at = number % SLOTS * self._slot
        page[at : at + self._slot] = key + value
        self._next += 1
        self.live += 1
        self._index[place] = number

    def replace(self, key: bytes, value: bytes) -> None:
        """Give a record that is there another value, and leave it where it is."""
        number = self._index[self._place(key)]
        at = number % SLOTS * self._slot
        self._pages[number // SLOTS][at + self._key : at + self._slot] = value

    def remove(self, key: bytes) -> None:
        """Take a record out, if it is there."""
        place = self._place(key)
        number = self._index[place]
        if not number:
            return
        self._close_up(place)
        self.live -= 1
        at = number % SLOTS * self._slot
        self._pages[number // SLOTS][at : at + self._key] = self._free
        if not self.live:
            self._begin_again()
            return
        self._drop_what_is_free()
        if self._next - self._first > 2 * self.live + SLOTS:
            self._pack()
        elif len(self._index) > LEAST * SLOTS and 8 * self.live < len(self._index):
            self._index_anew(len(self._index) // 2)

    def _key_of(self, number: int) -> bytes:
        at = number % SLOTS * self._slot
        return bytes(self._pages[number // SLOTS][at : at + self._key])

    def _place(self, key: bytes) -> int:
        """Return the place of the index that names ``key``, or the empty one that would."""
        index, pages, slot = self._index, self._pages, self._slot
        most = len(index)
        place = hash(key) % most
        while number := index[place]:
            if pages[number // SLOTS].startswith(key, number % SLOTS * slot):
                break
            place = place + 1 if place + 1 < most else 0
        return place

    def _close_up(self, gap: int) -> None:
        """Empty a place: those after it that were pushed on by it move back (Knuth's Algorithm 6.4R)."""
        index = self._index
        most = len(index)
        place = gap
        while number := index[place := (place + 1) % most]:
            home = hash(self._key_of(number)) % most
            if (place - home) % most >= (place - gap) % most:
                index[gap] = number
                gap = place
        index[gap] = 0

    def _drop_what_is_free(self) -> None:
        """Go on to the oldest slot in use, and let go of the pages before it."""
        while self._key_of(self._first) == self._free:
            self._first += 1
            if self._first % SLOTS == 0:
                del self._pages[self._first // SLOTS - 1]

    def _index_anew(self, places: int) -> None:
        before = self._index
        self._index = array("I", bytes(4 * places))
        for number in before:
            if number:
                self._index[self._place(self._key_of(number))] = number

    def _pack(self) -> None:
        """Number the slots anew, without those that are free."""
        records, places = iter(self), len(self._index)
        self._empty()
        self._index = array("I", bytes(4 * places))
        for key, value in records:
            self.put(key, value)
