"""Sockets that live, by where the kernel has them, and those whose end is to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from tulpen.kernel import tcp_codes as codes
from tulpen.kernel.socket_name import NameReader

if TYPE_CHECKING:
    from tulpen.kernel.socket_name import Raw
    from tulpen.kernel.tcp_batch import Batch
    from tulpen.kernel.tcp_layout import TcpLayout

_CLOSES: Final = frozenset(code for code, step in enumerate(codes.STEPS) if step is not None and step.context)
_GONE: Final = frozenset((codes.DESTROYED, codes.RELEASED))
_TELLING: Final = frozenset(code for code, step in enumerate(codes.STEPS) if step) | {codes.RETRANSMITTED}

# What a word tells, as bits.
_OPENS: Final = 1
_ENDS: Final = 2
_GOES: Final = 4
_TELLS: Final = 8
_WHOLE: Final = _OPENS | _ENDS | _GOES | _TELLS


@final
class Life:
    """What is known of one socket; ``name`` as it stands in the event, empty: none was seen."""

    __slots__ = ("closing", "cookie", "gone", "name", "pid", "times", "word")

    def __init__(self, word: bytes, times: list[int], name: Raw, pid: int, cookie: int) -> None:
        self.word = word
        self.times = times
        self.name = name
        self.pid = pid
        self.cookie = cookie
        self.closing = False  # its end was seen
        self.gone = False  # and the kernel has destroyed it


@final
class Lives:
    """Follows every socket from batch to batch."""

    __slots__ = ("_kinds", "_open", "names")

    def __init__(self, layout: TcpLayout) -> None:
        self._open: dict[int, Life] = {}
        self._kinds: dict[bytes, int] = {}
        self.names = NameReader(layout.name)

    def __len__(self) -> int:
        return len(self._open)

    def feed(self, batch: Batch, counted: dict[bytes, int], brief: int) -> list[Life]:
        """Take a batch; return the lives whose end it shows, or whose memory another socket has now.

        A whole life of at most ``brief`` ns whose word is in ``counted`` is counted there, and that is all.
        """
        ended: list[Life] = []
        living, pages, kinds, raw = self._open, batch.pages, self._kinds, self.names.raw
        for socket, word, times, named, pid, cookie in batch.runs:
            kind = kinds.get(word)
            if kind is None:
                kind = kinds[word] = _kind(word)
            if kind == _WHOLE and socket not in living:
                if word in counted and times[-1] - times[0] <= brief:
                    counted[word] += 1
                    continue
                life = Life(word, times, raw(pages, named), pid, cookie)
                life.closing = life.gone = True
                ended.append(life)
                continue
            before = living.get(socket)
            if kind & _OPENS or before is None or self._another(before, pages, named):
                if before is not None and not before.closing:
                    ended.append(before)  # its end was lost
                if not kind & _TELLS:
                    continue  # the destruction of one that was told, a reset in the name of a TIME-WAIT
                life = Life(word, times, raw(pages, named) if named >= 0 else (), pid, cookie)
            else:
                life = before
                life.word += word
                life.times += times
                life.name = raw(pages, named) if named >= 0 else life.name
                life.pid = life.pid or pid
                life.cookie = cookie or life.cookie
            if kind & _ENDS and not life.closing:
                life.closing = True
                ended.append(life)
            if kind & _GOES:
                life.gone = True
                living.pop(socket, None)
            else:
                living[socket] = life
        if len(kinds) > 100_000:
            kinds.clear()
        return ended

    def _another(self, life: Life, pages: memoryview, named: int) -> bool:
        """Whether the memory has changed hands, and the opening that said so was lost."""
        return named >= 0 and bool(life.name) and self.names.differ(life.name, self.names.raw(pages, named))


def _kind(word: bytes) -> int:
    octets = frozenset(word)
    return (
        (_OPENS if word[0] in codes.OPENINGS else 0)
        | (_ENDS if octets & _CLOSES else 0)
        | (_GOES if octets & _GONE else 0)
        | (_TELLS if octets & _TELLING else 0)
    )
