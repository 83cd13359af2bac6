"""What earlier connections have taught about other hosts, for the next ones (RFC 7413 §4.1.3).

For each the latest cookie, the kind of option that brought it, and the MSS it announced.
Where a cookie was asked for and none came, the older kind of option is tried once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from tulpen.tcp.fast_open_state import Lesson

MOST: Final = 4096  # hosts remembered


@final
class Known:
    """What is known of one host."""

    __slots__ = ("cookie", "experimental", "mss", "refused", "syn_losses", "tried_experimental")

    def __init__(self) -> None:
        self.mss = 0  # 0: not known
        self.cookie = b""  # empty: none
        self.experimental = False  # the kind of option that brought it
        self.tried_experimental = 0  # 1: it is the next to try; 2: neither kind brought one
        self.refused = False  # it does not take part
        self.syn_losses = 0  # SYNs with text in a row that came to nothing

    @property
    def asks_experimental(self) -> bool:
        """The kind of option to send: with the cookie the one that brought it, to ask for one the one not tried yet."""
        return self.experimental if self.cookie else self.tried_experimental == 1


@final
class Metrics:
    """Known hosts, by local and remote address."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], Known] = {}

    def known(self, local: bytes, remote: bytes) -> Known:
        """Return what is known of a host."""
        return self._known.get((local, remote)) or Known()

    def learn(self, local: bytes, remote: bytes, lesson: Lesson) -> None:
        """Take what a SYN,ACK taught."""
        known = self._known.pop((local, remote), None) or Known()
        if len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[local, remote] = known
        if lesson.mss:
            known.mss = lesson.mss
        if lesson.cookie:
            known.cookie = lesson.cookie
            known.experimental = lesson.experimental
        elif lesson.ignored and not known.cookie:
            known.tried_experimental = max(known.tried_experimental, 2 if lesson.experimental_asked else 1)
        known.refused = lesson.refused
        known.syn_losses = known.syn_losses + 1 if lesson.syn_lost else 0

    def flush(self) -> None:
        """Forget all."""
        self._known.clear()
