"""Routes: what the administrator says of the way to some addresses; the longest prefix counts."""

from __future__ import annotations

from typing import final

from tulpen.tcp.route import Route


@final
class Routes:
    """Prefixes and their routes."""

    __slots__ = ("_by_prefix",)

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[int, int, int], Route] = {}  # octets of an address, prefix length, prefix

    def put(self, network: bytes, length: int, route: Route | None) -> None:
        """Set the route to all addresses that begin as the first ``length`` bits of ``network``; None: take it away."""
        key = _key(network, length)
        if route is None:
            self._by_prefix.pop(key, None)
        else:
            self._by_prefix[key] = route

    def find(self, remote: bytes) -> Route | None:
        """Return the route to ``remote``; None: there is nothing to be said of it."""
        best, longest = None, -1
        for key, route in self._by_prefix.items():
            if key[0] == len(remote) and key[1] > longest and key == _key(remote, key[1]):
                best, longest = route, key[1]
        return best


def _key(address: bytes, length: int) -> tuple[int, int, int]:
    rest = 8 * len(address) - length
    return len(address), length, int.from_bytes(address, "big") >> rest
