"""Linux's own TCP as the stage of a script: a private network, real sockets, real time."""

from __future__ import annotations

import select
import time
from collections import deque
from typing import TYPE_CHECKING, Final, final

from tulpen.drill.problems import Unsupported
from tulpen.drill.stage import Left
from tulpen.link.namespace import PrivateNetwork
from tulpen.wire.address import text
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.drill.conditions import Conditions

_SLICE: Final = 2_000_000  # nanoseconds between two looks at what waits
_CONGESTION: Final = "net.ipv4.tcp_congestion_control"
_PATIENCE: Final = 60_000_000_000  # without a packet: then nothing more will happen


@final
class KernelStage:
    """One private network with its Linux inside; the script sits at the other end of its device."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.sent: deque[Left] = deque()
        self.watchers: list[Callable[[], bool]] = []
        prefix = 48 if conditions.ipv6 else 16
        self.network = PrivateNetwork(
            addresses=[f"{text(conditions.local)}/{prefix}"],
            routes=["2000::/3", "fc00::/7"] if conditions.ipv6 else ["0.0.0.0/0"],
            mtu=conditions.mtu,
            offload=True,  # so that segments come as large as Linux makes them
        )
        self.congestion = ""  # for every socket, where the network's default could not be changed
        self._stirred = self.now

    @property
    def now(self) -> int:
        """The time of the machine."""
        return time.monotonic_ns()

    def set_sysctl(self, name: str, value: str) -> None:
        """Change a sysctl inside."""
        try:
            self.network.set_sysctl(name, value)
        except OSError as error:
            if name == _CONGESTION:  # an algorithm that only the first network may make its default
                self.congestion = value
                return
            raise Unsupported(f"sysctl {name}={value}, which this Linux refuses ({error.strerror})") from None

    def close(self) -> None:
        """End the network and all that is in it."""
        self.network.close()

    def collect(self) -> None:
        """Take the packets that have left, and let who waits look again."""
        for buffer, offload in self.network.link.read():
            moment = self.now
            try:
                packet = parse_packet(buffer, offload=offload)
            except Malformed:
                continue
            self._stirred = moment
            self.sent.append(Left(moment, packet, _options(bytes(buffer), packet)))
        for watcher in tuple(self.watchers):
            watcher()

    def packet_arrives(self, packet: Packet) -> None:
        """Give Linux a packet."""
        self.network.link.write(build_packet(packet))
        self._stirred = self.now
        self.collect()

    def next_deadline(self) -> int | None:
        """Nobody knows Linux's timers."""
        return None

    def run_until(self, then: int) -> None:
        """Let time pass."""
        while (left := then - self.now) > 0:
            self._wait(min(left, _SLICE))
            self.collect()

    def step(self, limit: int | None) -> bool:
        """Wait a moment, for a packet or for a call to return."""
        now = self.now
        if now >= (self._stirred + _PATIENCE if limit is None else limit):
            return False
        self._wait(_SLICE if limit is None else min(_SLICE, limit - now))
        self.collect()
        return True

    def _wait(self, nanoseconds: int) -> None:
        select.select([self.network.link.fileno()], [], [], nanoseconds / 1e9)


def _options(buffer: bytes, packet: Packet) -> bytes | None:
    """Return the octets of the TCP options as they were sent."""
    if not isinstance(packet.payload, Segment):
        return None
    end = len(buffer) - len(packet.payload.data)
    start = (buffer[0] & 0x0F) * 4 if packet.version == 4 else len(buffer) - int.from_bytes(buffer[4:6], "big")
    return buffer[start + 20 : end]
