"""Real programs on two Linuxes, in two private networks, with this process as the cable: both ends are followed.

A packet is given to an end only when all that the end has sent before has been read, so
that each end's packets are seen in the order in which the end has seen them; the state
of the connection is read by sock_diag with every packet.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, final

from tulpen.compare.follower import Follower
from tulpen.kernel.sock_diag import SockDiag
from tulpen.link.command import Command
from tulpen.link.link import Arrival
from tulpen.link.namespace import PrivateNetwork
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple
from tulpen.wire.ip import parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import Segment

SERVER: Final = "192.0.2.1"
CLIENT: Final = "192.0.2.2"
_QUIET: Final = 0.3  # seconds without a packet, after the last client: it is over
_SLICE: Final = 0.02


@final
class _End:
    """One Linux, and the followers of its connections."""

    def __init__(self, address: str) -> None:
        self.network = PrivateNetwork(addresses=[f"{address}/24"], device="tun", offload=True)
        self.diag = SockDiag(self.network.sock_diag())
        self.followers: dict[FourTuple, Follower] = {}

    def sees(self, name: FourTuple, segment: Segment, *, sent: bool, settled: bool) -> None:
        """Show a packet to the follower of its connection; if no other is under way, with the state it has led to."""
        follower = self.followers.setdefault(name, Follower())
        kernel = self.diag.state(name) if settled else None
        follower.packet(segment, time.monotonic_ns(), sent=sent, kernel=kernel)

    def close(self) -> None:
        """End the network."""
        self.diag.close()
        self.network.close()


@final
class Cable:
    """Two private networks, joined."""

    def __init__(self) -> None:
        self._under_way: deque[tuple[_End, Arrival]] = deque()
        self.server = _End(SERVER)
        try:
            self.client = _End(CLIENT)
        except BaseException:
            self.server.close()
            raise

    def run(
        self, server: Sequence[str], clients: Sequence[Sequence[str]], *, seconds: float = 20.0
    ) -> list[tuple[FourTuple, Follower]]:
        """Start a server, and when it listens the clients; return both ends of every connection, followed."""
        until = time.monotonic() + seconds
        self.server.network.start(server)
        while not self._listens() and time.monotonic() < until:
            time.sleep(_SLICE)
        commands = [self.client.network.start(argv) for argv in clients]
        self._relay(commands, until)
        return [*self.client.followers.items(), *self.server.followers.items()]

    def close(self) -> None:
        """End both networks."""
        self.client.close()
        self.server.close()

    def _listens(self) -> bool:
        return any(each.state is State.LISTEN for each in self.server.diag.sockets(info=False))

    def _relay(self, commands: Sequence[Command], until: float) -> None:
        ends = {end.network.link.fileno(): end for end in (self.server, self.client)}
        quiet_at = time.monotonic() + _QUIET
        while (now := time.monotonic()) < until:
            ready = select.select(list(ends), [], [], _SLICE)[0]
            for fd in ready:
                self._collect(ends[fd])
                self._deliver()
            if ready or any(command.poll() is None for command in commands):
                quiet_at = now + _QUIET
            elif now > quiet_at:
                break

    def _collect(self, sender: _End) -> None:
        """Read what an end has sent."""
        receiver = self.client if sender is self.server else self.server
        arrivals = sender.network.link.read()
        for place, arrival in enumerate(arrivals, 1):
            found = _segment(arrival)
            if found is not None:
                sender.sees(*found, sent=True, settled=place == len(arrivals) and not self._under_way)
            self._under_way.append((receiver, arrival))

    def _deliver(self) -> None:
        """Give each packet to its end, after what that end has sent before."""
        while self._under_way:
            self._collect(self._under_way[0][0])
            receiver, arrival = self._under_way.popleft()
            receiver.network.link.write(*arrival)
            found = _segment(arrival)
            if found is not None:
                receiver.sees(_turned(found[0]), found[1], sent=False, settled=True)


def _segment(arrival: Arrival) -> tuple[FourTuple, Segment] | None:
    """Return the segment of a packet, and the connection's name at its sender."""
    try:
        packet = parse_packet(arrival[0], offload=arrival[1])
    except Malformed:
        return None
    segment = packet.payload
    if not isinstance(segment, Segment):
        return None
    return FourTuple(packet.src, segment.sport, packet.dst, segment.dport), segment


def _turned(name: FourTuple) -> FourTuple:
    return FourTuple(name.remote, name.remote_port, name.local, name.local_port)


def accepted(followed: Sequence[tuple[FourTuple, Follower]]) -> Iterator[FourTuple]:
    """Yield the connections of which no packet was refused."""
    for name, follower in followed:
        if not follower.refusals and not follower.skipped:
            yield name
