"""In which frames connections began: as these are counted, so connections are numbered."""

from __future__ import annotations

from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = 64  # frames, a bit each


@final
class Begun:
    """A bit for each frame: connections are told in any order, and their numbers are known once all are."""

    __slots__ = ("_before", "_bits")

    def __init__(self) -> None:
        self._bits: NDArray[Any] = np.zeros(1024, np.uint64)
        self._before: NDArray[Any] | None = None  # connections that began before each word

    def add(self, frames: NDArray[Any]) -> None:
        """Connections began in these frames."""
        if not len(frames):
            return
        words = int(frames.max()) // _WORD + 1
        if words > len(self._bits):
            self._bits = np.concatenate([self._bits, np.zeros(max(words, 2 * len(self._bits)), np.uint64)])
        np.bitwise_or.at(self._bits, frames // _WORD, _bit(frames))
        self._before = None

    def numbers(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers of the connections that began in these frames, from 1."""
        if self._before is None:
            self._before = np.cumsum(np.bitwise_count(self._bits), dtype=np.int64)
        words = frames // _WORD
        above = np.bitwise_count(self._bits[words] & ~(_bit(frames) - np.uint64(1)))
        numbers: NDArray[Any] = self._before[words] - above + 1
        return numbers


def _bit(frames: NDArray[Any]) -> NDArray[Any]:
    return np.left_shift(np.uint64(1), (frames % _WORD).astype(np.uint64))
