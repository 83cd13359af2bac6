"""Which link a packet leaves by."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, final

from tulpen.wire.ip import Offload, packet_parts
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tulpen.link.link import Link
    from tulpen.wire.ip import Packet


@lru_cache(maxsize=64)
def _left_to_device(gso_size: int) -> Offload:
    return Offload(True, gso_size)


@final
class Routes:
    """A default link, and links for prefixes; the longest prefix that holds the destination decides."""

    def __init__(self, default: Link, prefixes: Mapping[str, Link]) -> None:
        self._default = default
        self._prefixes: list[tuple[int, int, int, Link]] = []  # octets, bits to drop, prefix, link
        for prefix, link in prefixes.items():
            network = ip_network(prefix, strict=False)
            shift = network.max_prefixlen - network.prefixlen
            size = network.max_prefixlen // 8
            self._prefixes.append((size, shift, int(network.network_address) >> shift, link))
        self._prefixes.sort(key=lambda route: route[1])
        self.links = tuple(dict.fromkeys((default, *prefixes.values())))

    def link_to(self, destination: bytes) -> Link:
        """Return the link that leads to ``destination``."""
        number, size = int.from_bytes(destination, "big"), len(destination)
        for octets, shift, prefix, link in self._prefixes:
            if octets == size and number >> shift == prefix:
                return link
        return self._default

    def send(self, packet: Packet) -> None:
        """Write ``packet`` to its link, checksum and cutting left to a device that does them."""
        link = self.link_to(packet.dst) if self._prefixes else self._default
        payload = packet.payload
        if link.offload and isinstance(payload, Segment) and not packet.damaged:
            head, text = packet_parts(packet, checksum=False)
            link.write(head, _left_to_device(payload.gso_size), text)
        else:
            head, text = packet_parts(packet)
            link.write(head, None, text)
