"""The largest packet for every destination: as the link, a route, or a router has it (RFC 1191, RFC 8201)."""

from __future__ import annotations

from typing import Final, final

from tulpen.host.routes import Routes
from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.route import PLAIN, Route

MOST: Final = 4096  # destinations remembered
LEAST_6: Final = 1280  # RFC 8201 §4: a router that asks for less is not believed

# RFC 1191 §7.1, for routers that do not say what would fit.
_PLATEAUS: Final = (32000, 17914, 8166, 4352, 2002, 1492, 1006, 552, 296, 68)


@final
class Paths:
    """What is known of paths that take less than the link does."""

    __slots__ = ("_learned", "_link", "_routes", "_settings", "differ")

    def __init__(self, link: int, settings: Settings) -> None:
        self._link = link
        self._settings = settings
        self._routes = Routes()
        self._learned: dict[bytes, tuple[int, bool, int]] = {}  # MTU, locked, when it is to be forgotten
        self.differ = False  # there is, or was, a path that is not just the link

    def put_route(self, network: bytes, length: int, route: Route | None) -> None:
        """Set a route; what routers have said goes with the one before."""
        self._routes.put(network, length, route)
        self._learned.clear()
        self.differ = True

    def route(self, remote: bytes) -> Route:
        """Return what is said of the way to ``remote``."""
        return self._routes.find(remote) or PLAIN

    def mtu(self, remote: bytes, now: int) -> int:
        """Return the largest packet for ``remote``."""
        known = self._known(remote, now)
        return self._configured(remote) if known is None else known[0]

    def locked(self, remote: bytes, now: int) -> bool:
        """Say whether packets for ``remote`` may be fragmented, as no word of a router counts any more."""
        known = self._known(remote, now)
        return self.route(remote).mtu_locked or (known is not None and known[1])

    def told(self, remote: bytes, mtu: int, now: int) -> int:
        """Return what a router says fits that names ``mtu``, or 0 for "not so much"; 0: it says nothing that counts."""
        before, ipv4 = self.mtu(remote, now), len(remote) == 4
        if self.locked(remote, now) or mtu >= before or (mtu < LEAST_6 and not ipv4):
            return 0
        return mtu or next((plateau for plateau in _PLATEAUS if plateau < before), _PLATEAUS[-1])

    def too_big(self, remote: bytes, mtu: int, now: int) -> int | None:
        """Learn from a router that packets for ``remote`` were too big; return the MTU, None if that is no news."""
        before, mtu = self.mtu(remote, now), self.told(remote, mtu, now)
        if not mtu:
            return None
        least = self._settings.min_pmtu if len(remote) == 4 else LEAST_6
        self._learned.pop(remote, None)
        self.differ = True
        if len(self._learned) >= MOST:
            del self._learned[next(iter(self._learned))]
        found = max(mtu, min(least, before))
        self._learned[remote] = (found, mtu < least, now + self._settings.mtu_expires * SECOND)
        return found if found < before else None

    def _configured(self, remote: bytes) -> int:
        asked = self.route(remote).mtu
        return min(asked, self._link) if asked else self._link

    def _known(self, remote: bytes, now: int) -> tuple[int, bool, int] | None:
        known = self._learned.get(remote)
        if known is not None and known[2] <= now:
            del self._learned[remote]
            return None
        return known
