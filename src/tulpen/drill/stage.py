"""The world of a script: one tulpen host, a virtual clock, and what the host has sent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, final

from tulpen.drill.problems import Mismatch
from tulpen.host.host import Host
from tulpen.sim.rewrite import on_the_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.drill.conditions import Conditions
    from tulpen.tcp.config import Settings
    from tulpen.wire.ip import Packet

#: The clock does not begin at zero, so that nothing looks as if it had never happened.
START: Final = 1_000_000_000_000
GSO_MAX: Final = 65_215  # octets of text that the device cuts into segments, as Linux leaves room for headers
MOST_TIMEOUTS: Final = 1_000_000  # in one script: more is a host that does not come to rest


class Left(NamedTuple):
    """A packet that the host sent, and when; ``options`` are its octets where they are known as they were sent."""

    now: int
    packet: Packet
    options: bytes | None = None


class Theatre(Protocol):
    """What a script is played on: a clock, packets that come out, a way for packets in."""

    conditions: Conditions
    sent: deque[Left]
    watchers: list[Callable[[], bool]]

    @property
    def now(self) -> int:
        """The time, in nanoseconds."""

    def collect(self) -> None:
        """Take what was sent, and let who waits look again."""

    def packet_arrives(self, packet: Packet) -> None:
        """Let a packet in."""

    def next_deadline(self) -> int | None:
        """Return when something is due, as far as that is known."""

    def run_until(self, then: int) -> None:
        """Let time pass."""

    def step(self, limit: int | None) -> bool:
        """Let the next thing happen, if anything does before ``limit``."""


@final
class Stage:
    """The host and its clock.  Time goes on when a script waits, and stands still while it acts."""

    def __init__(self, conditions: Conditions, settings: Settings) -> None:
        self.conditions = conditions
        self._now = START
        self.host = Host(
            [conditions.local], settings=settings, secret=b"packetdrill", mtu=conditions.mtu, gso_max=GSO_MAX,
            trace=True,
        )  # fmt: skip
        self.sent: deque[Left] = deque()  # not yet expected by the script
        self.watchers: list[Callable[[], bool]] = []  # who waits; each says whether it went on
        self._timeouts = 0

    @property
    def now(self) -> int:
        """The virtual time."""
        return self._now

    def collect(self) -> None:
        """Take what the host has to send, and let who waits look again, until nothing more comes of it."""
        while True:
            packets = self.host.packets_to_send(self.now)
            self.sent.extend(Left(self.now, piece) for packet in packets for piece in on_the_wire(packet))
            stirred = [watcher() for watcher in tuple(self.watchers)]
            if not packets and not any(stirred):
                return

    def packet_arrives(self, packet: Packet) -> None:
        """Give the host a packet."""
        self.host.packet_arrives(packet, self.now)
        self.collect()

    def next_deadline(self) -> int | None:
        """Return when the host wants to be called."""
        return self.host.next_deadline()

    def run_until(self, then: int) -> None:
        """Let time pass; what is due exactly then waits, so that the script acts before a timer of that moment."""
        while (deadline := self.next_deadline()) is not None and deadline < then:
            self._expire(deadline)
        self._now = max(self._now, then)

    def step(self, limit: int | None) -> bool:
        """Do what is due next, if that is not after ``limit``; False if nothing is."""
        deadline = self.next_deadline()
        if deadline is None or (limit is not None and deadline > limit):
            return False
        self._expire(deadline)
        return True

    def _expire(self, deadline: int) -> None:
        self._timeouts += 1
        if self._timeouts > MOST_TIMEOUTS:
            raise Mismatch(f"the host does not come to rest: {MOST_TIMEOUTS} timeouts")
        self._now = max(self._now, deadline)
        self.host.timeout(self.now)
        self.collect()
