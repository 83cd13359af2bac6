"""Local ports: who holds which, and the choice of an ephemeral one (RFC 6056).

A holder is a listener, a connection it accepted, or a connection opened by connect().
Only counts are kept for each kind of holder of a port, so that a bind is judged
without a walk over the connections; where connect() chose the ports, in an array.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from errno import EADDRINUSE, EADDRNOTAVAIL
from functools import lru_cache
from typing import Final, NamedTuple, final

from tulpen.host.prf import Prf, octets
from tulpen.tcp.config import Settings
from tulpen.tcp.errors import TcpError

ANY: Final = b""  # every address of both families
ANY_V4: Final = bytes(4)
ANY_V6: Final = bytes(16)  # as with IPV6_V6ONLY

_TABLE_LENGTH: Final = 256  # RFC 6056 §3.3.4
_PAGE: Final = 256  # ports that are counted in one array


class Claim(NamedTuple):
    """One kind of holder of a local port."""

    address: bytes  # or one of the wildcards
    port: int
    reuse: bool = False  # SO_REUSEADDR
    shared: bool = False  # SO_REUSEPORT
    listening: bool = False
    chosen: bool = False  # an ephemeral port, picked by connect(): others may share it


@final
class Tally:
    """How many hold each port of one address."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def of(self, port: int) -> int:
        """Return how many hold ``port``."""
        page = self._pages.get(port // _PAGE)
        return 0 if page is None else page[port % _PAGE]

    def add(self, port: int, count: int) -> None:
        """Count so many more, or less."""
        page = self._pages.get(port // _PAGE)
        if page is None:
            page = self._pages[port // _PAGE] = array("I", bytes(4 * _PAGE))
        page[port % _PAGE] += count


@final
class Ports:
    """The local ports of a host."""

    __slots__ = ("_chosen", "_claims", "_increments", "_index", "_offset", "_settings", "_start")

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self._settings = settings
        self._offset = Prf(secret, b"port offset")
        self._index = Prf(secret, b"port index")
        self._start = Prf(secret, b"port table")
        self._increments: dict[int, int] = {}  # by slot, each made when it is first needed
        self._claims: dict[int, dict[Claim, int]] = {}  # those that were asked for by number
        self._chosen: dict[bytes, Tally] = {}  # by address

    def bind(self, claim: Claim) -> None:
        """Hold ``claim``'s port explicitly, as bind(2) does; EADDRINUSE where another's claim rules that out."""
        for other in self._claims.get(claim.port, ()):
            if _conflict(claim, other):
                raise TcpError(EADDRINUSE, "connection already exists")
        for address, tally in self._chosen.items():
            if tally.of(claim.port) and _conflict(claim, Claim(address, claim.port, chosen=True)):
                raise TcpError(EADDRINUSE, "connection already exists")
        self.take(claim)

    def take(self, claim: Claim) -> None:
        """Hold a port without asking: for a connection that shares its listener's, or one that ``choose`` found."""
        if claim.chosen:
            self._chosen.setdefault(claim.address, Tally()).add(claim.port, 1)
            return
        kinds = self._claims.setdefault(claim.port, {})
        kinds[claim] = kinds.get(claim, 0) + 1

    def release(self, claim: Claim) -> None:
        """Let go of what one ``bind`` or ``take`` held."""
        if claim.chosen:
            self._chosen[claim.address].add(claim.port, -1)
            return
        kinds = self._claims[claim.port]
        left = kinds[claim] - 1
        if left:
            kinds[claim] = left
            return
        del kinds[claim]
        if not kinds:
            del self._claims[claim.port]

    def holders(self, port: int) -> int:
        """Return how many hold ``port``."""
        return sum(self._claims.get(port, {}).values()) + sum(tally.of(port) for tally in self._chosen.values())

    def choose(self, local: bytes, remote: bytes, remote_port: int, free: Callable[[int], bool]) -> int:
        """Return an ephemeral port for a connection to ``remote`` (RFC 6056 §3.3.4, Algorithm 4).

        ``free`` says whether the four-tuple with that port may be used.  A port that
        was bound explicitly is passed over; one that connect() chose for another
        destination is not.  EADDRNOTAVAIL when the whole range is taken.
        """
        least, most = self._settings.ip_local_port_range
        count = most - least + 1
        flow = local + remote + octets(remote_port)
        offset = self._offset(flow)
        slot = self._index(flow) % _TABLE_LENGTH
        if slot not in self._increments:
            self._increments[slot] = self._start(octets(slot)) & 0xFFFF
        for _ in range(count):
            port = least + (offset + self._increments[slot]) % count
            self._increments[slot] += 1
            if port not in self._claims and free(port):
                return port
        raise TcpError(EADDRNOTAVAIL, "insufficient resources: every ephemeral port is taken")

    def choose_unbound(self, address: bytes, now: int) -> int:
        """Return a free port for a socket with no destination: bind(2) or listen(2) with port 0.

        RFC 6056 §4 falls back on a random choice here (Algorithm 1).
        """
        least, most = self._settings.ip_local_port_range
        count = most - least + 1
        start = self._offset(address + octets(now & 0xFFFF_FFFF, now >> 32 & 0xFFFF_FFFF))
        for step in range(count):
            port = least + (start + step) % count
            if not self.holders(port):
                return port
        raise TcpError(EADDRINUSE, "insufficient resources: every ephemeral port is taken")


@lru_cache(maxsize=256)
def claim_of_accepted(address: bytes, port: int, reuse: bool, shared: bool) -> Claim:
    """Return what a connection holds that a listener accepted: the same object for all of them."""
    return Claim(address, port, reuse, shared)


def wildcard(address: bytes) -> bytes:
    """Return what stands for every address of this one's family."""
    return ANY_V4 if len(address) == 4 else ANY_V6


def overlap(one: bytes, other: bytes) -> bool:
    """Say whether two local addresses, either of them perhaps a wildcard, have a packet in common."""
    if one in (other, ANY) or other == ANY:
        return True
    return len(one) == len(other) and wildcard(one) in (one, other)


def _conflict(claim: Claim, other: Claim) -> bool:
    """As Linux: SO_REUSEADDR helps if both have it and the holder does not listen, SO_REUSEPORT if both have it."""
    if not overlap(claim.address, other.address) or (claim.shared and other.shared):
        return False
    return other.listening or not (claim.reuse and other.reuse)
