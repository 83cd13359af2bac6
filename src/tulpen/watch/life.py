"""Sockets that live, by where the kernel has them, and those whose end is to be told."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final, final

from tulpen.kernel import tcp_codes as codes

if TYPE_CHECKING:
    from tulpen.kernel.tcp_batch import Batch
    from tulpen.kernel.tcp_layout import TcpLayout

_CLOSED: Final = re.compile(
    b"[" + b"".join(b"\\x%02x" % code for code, step in enumerate(codes.STEPS) if step and step.context) + b"]"
)
_GONE: Final = re.compile(rb"[\x01\x02]")
_MOVES: Final = re.compile(b"[" + b"".join(b"\\x%02x" % c for c, step in enumerate(codes.STEPS) if step) + b"\x04]")


@final
class Life:
    """What is known of one socket."""

    __slots__ = ("closing", "cookie", "gone", "name", "pid", "times", "word")

    def __init__(self, word: bytes, times: list[int], name: bytes, pid: int) -> None:
        self.word = word
        self.times = times
        self.name = name  # an event that has it; empty: none was seen
        self.pid = pid
        self.cookie = 0
        self.closing = False  # its end was seen
        self.gone = False  # and the kernel has destroyed it


@final
class Lives:
    """Follows every socket from batch to batch."""

    __slots__ = ("_cookie", "_layout", "_longest", "_open")

    def __init__(self, layout: TcpLayout) -> None:
        self._layout = layout
        self._open: dict[int, Life] = {}
        last = max(layout.name)
        self._longest = last + 16
        self._cookie = layout.cookie

    def __len__(self) -> int:
        return len(self._open)

    def feed(self, batch: Batch) -> list[Life]:
        """Take a batch; return the lives whose end it shows, or whose memory another socket has now."""
        ended: list[Life] = []
        living, pages, longest, cookie = self._open, batch.pages, self._longest, self._cookie
        for socket, word, times, named, pid, destroyed in batch.runs:
            life = living.get(socket)
            if word[0] in codes.OPENINGS:
                if life is not None and not life.closing:
                    ended.append(life)  # its end was lost
                life = Life(word, times, bytes(pages[named : named + longest]), pid)
            elif life is None:
                if not _MOVES.search(word):
                    continue  # the destruction of one that was told, a reset in the name of a TIME-WAIT
                life = Life(word, times, bytes(pages[named : named + longest]) if named >= 0 else b"", pid)
            else:
                life.word += word
                life.times += times
                if named >= 0:
                    life.name = bytes(pages[named : named + longest])
                life.pid = life.pid or pid
            if destroyed >= 0 and cookie >= 0:
                life.cookie = int.from_bytes(pages[destroyed + cookie : destroyed + cookie + 8], sys.byteorder)
            if not life.closing and _CLOSED.search(word):
                life.closing = True
                ended.append(life)
            if _GONE.search(word):
                life.gone = True
                living.pop(socket, None)
            else:
                living[socket] = life
        return ended
