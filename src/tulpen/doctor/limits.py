"""From where on something is wrong.  Each number is one that a healthy, busy machine stays below."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Times are in seconds; what is called a share is a part of one."""

    port_share: float = 0.8  # of the ephemeral ports towards one destination
    spread_share: float = 0.9  # of those of one source address, over all destinations
    close_wait: float = 5.0  # so long nobody has closed, and nothing was sent
    pile: int = 100  # connections that wait for a FIN or an ACK which does not come
    pile_share: float = 0.25  # orphans, of tcp_max_orphans
    idle: float = 240.0  # the shortest of the usual limits of NATs and load balancers (Azure; AWS 350, Google 600)
    stuck: float = 3.0  # with octets that nobody acknowledges
    stuck_tries: int = 3  # and so many retransmissions
    alike: int = 3  # connections that were cut off after the same idle time
    alike_idle: float = 2.0  # shorter is no idle time
    resets: int = 3  # connections cut off between the looks
    reset_share: float = 0.01  # of those that ended
    unread: float = 2.0  # so long a window has been shut
    resent: int = 10  # segments sent again between the looks
    resent_share: float = 0.05  # of those that were sent
    conntrack_share: float = 0.9
    memory_share: float = 0.9  # of the second number of tcp_mem


USUAL_IDLE = (("Azure's load balancer", 240), ("AWS's network load balancer", 350), ("Google Cloud", 600))
