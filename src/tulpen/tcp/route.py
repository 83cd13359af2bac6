"""What the way to a peer says of a connection: the metrics of a route, named as ``ip route`` names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Route:
    """0, or False: as the host's settings and the link say."""

    mtu: int = 0  # octets of the largest packet
    mtu_locked: bool = False  # no router's word changes it, and packets may be fragmented
    advmss: int = 0  # octets of the MSS that peers are told
    initcwnd: int = 0  # segments of the initial window
    rto_min: int = 0  # nanoseconds, the floor of the retransmission timeout
    quickack: bool = False  # acknowledge at once
    hoplimit: int = 0  # time to live of what is sent


PLAIN: Final = Route()
