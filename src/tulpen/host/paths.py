"""Path MTUs learned from routers, by destination (RFC 1191, RFC 8201)."""

from __future__ import annotations

from typing import Final, final

from tulpen.tcp.config import SECOND

EXPIRES: Final = 600 * SECOND  # RFC 1191 §6.3: on the order of ten minutes
MOST: Final = 4096  # destinations remembered

# A router may name any figure: one below these is raised to them, as Linux does.
FLOOR_4: Final = 552
FLOOR_6: Final = 1280

# RFC 1191 §7.1, for routers that do not say what would fit.
_PLATEAUS: Final = (32000, 17914, 8166, 4352, 2002, 1492, 1006, 552)


@final
class Paths:
    """The path MTU to every destination that is less than the link's."""

    __slots__ = ("_learned", "_link")

    def __init__(self, link: int) -> None:
        self._link = link
        self._learned: dict[bytes, tuple[int, int]] = {}  # MTU, when it is to be forgotten

    def mtu(self, remote: bytes, now: int) -> int:
        """Return the largest packet for ``remote``."""
        known = self._learned.get(remote)
        if known is None:
            return self._link
        if known[1] <= now:
            del self._learned[remote]
            return self._link
        return known[0]

    def too_big(self, remote: bytes, mtu: int, now: int) -> int | None:
        """Learn from a router that packets for ``remote`` were too big; return the MTU, None if that is no news."""
        before = self.mtu(remote, now)
        floor = FLOOR_4 if len(remote) == 4 else FLOOR_6
        if mtu == 0:
            mtu = next((plateau for plateau in _PLATEAUS if plateau < before), floor)
        mtu = max(mtu, floor)
        if mtu >= before:
            return None
        self._learned.pop(remote, None)
        if len(self._learned) >= MOST:
            del self._learned[next(iter(self._learned))]
        self._learned[remote] = (mtu, now + EXPIRES)
        return mtu
