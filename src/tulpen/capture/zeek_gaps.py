"""What Zeek's reassembly would find missing in one direction: text that is acknowledged and was not seen."""

from __future__ import annotations

from bisect import insort
from typing import Final, final

MOST: Final = 4096  # stretches that wait for what is before them


@final
class Stream:
    """One direction, in octets from its first."""

    __slots__ = ("_ahead", "_got")

    def __init__(self) -> None:
        self._got = 0  # all before it was seen or is given up
        self._ahead: list[tuple[int, int]] = []

    def data(self, at: int, length: int) -> None:
        """Take text."""
        if at >= 1 << 31 or len(self._ahead) >= MOST:
            return
        insort(self._ahead, (at, at + length))
        self._join()

    def acked(self, to: int, *, closing: bool) -> bool:
        """Take an acknowledgment; say whether it tells of a gap.  One that comes with the end tells nothing."""
        if to <= self._got:
            return False
        missing = bool(self._ahead) and self._ahead[0][0] < to
        plain = to > self._got
        self._got = to
        self._join()
        return (missing or plain) and not closing

    def _join(self) -> None:
        while self._ahead and self._ahead[0][0] <= self._got:
            _, end = self._ahead.pop(0)
            self._got = max(self._got, end)
