"""Who listens where; several with SO_REUSEPORT share what comes to one address and port (socket(7))."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

from tulpen.host.ports import ANY, wildcard
from tulpen.host.prf import Prf, octets

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.tcp.trace import FourTuple


@final
class Listeners:
    """The listeners of a host, by address and port."""

    __slots__ = ("_groups", "_share")

    def __init__(self, secret: bytes) -> None:
        self._groups: dict[tuple[bytes, int], list[Listener]] = {}
        self._share = Prf(secret, b"reuseport")

    def __iter__(self) -> Iterator[Listener]:
        for group in self._groups.values():
            yield from group

    def add(self, listener: Listener) -> None:
        """Take one in; the port was claimed for it."""
        self._groups.setdefault((listener.claim.address, listener.port), []).append(listener)

    def remove(self, listener: Listener) -> None:
        """Take one out; the last one of its group takes its place, as in Linux, so that few connections move."""
        where = listener.claim.address, listener.port
        group = self._groups[where]
        last = group.pop()
        if last is not listener:
            group[group.index(listener)] = last
        if not group:
            del self._groups[where]

    def find(self, name: FourTuple) -> Listener | None:
        """Return who a SYN is for: who listens on the address itself, on all of its family, on all.

        Of several the hash of the connection's name says which, always the same while they are the same.
        """
        groups, port = self._groups, name.local_port
        group = groups.get((name.local, port)) or groups.get((wildcard(name.local), port)) or groups.get((ANY, port))
        if group is None:
            return None
        if len(group) == 1:
            return group[0]
        flow = self._share(name.local + name.remote + octets(port, name.remote_port))
        return group[(flow & 0xFFFF_FFFF) * len(group) >> 32]
