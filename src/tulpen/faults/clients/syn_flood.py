"""syn-flood: SYNs from addresses where nobody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.faults.bad_client import BadClient, Target, Values
from tulpen.faults.fault import Parameter
from tulpen.wire.ip import Packet
from tulpen.wire.options import Options
from tulpen.wire.segment import SYN, Segment

if TYPE_CHECKING:
    from tulpen.sim.chance import Chance

SECOND: Final = 1_000_000_000


class SynFlood:
    """An endpoint that sends SYNs under false addresses and takes no answer."""

    addresses: tuple[bytes, ...] = ()

    def __init__(self, target: Target, rate: float) -> None:
        self.opened = 0
        self._target = target
        self._chance: Chance = target.chance.split("syn flood")
        self._gap = int(SECOND / max(rate, 0.001))
        self._next: int | None = 0
        self._out: list[Packet] = []

    def leave(self, now: int) -> None:
        """Stop."""
        self._next = None

    def packet_arrives(self, packet: Packet, now: int) -> None:
        """Nobody is there."""

    def timeout(self, now: int) -> None:
        """Send what the rate asks for."""
        if self._next is None or self._next > now:
            return
        start = now if self._next == 0 else self._next
        count = min(1 + (now - start) // self._gap, 100)
        self._out += [self._syn() for _ in range(count)]
        self.opened += count
        self._next = max(start + count * self._gap, now + self._gap // 2)

    def packets_to_send(self, now: int) -> list[Packet]:
        """Give the SYNs."""
        out, self._out = self._out, []
        return out

    def next_deadline(self) -> int | None:
        """Say when the next SYN is due."""
        return self._next

    def _syn(self) -> Packet:
        target = self._target
        host = self._chance.between(70, 250).to_bytes(1, "big")
        seq = int.from_bytes(self._chance.octets(4), "big")
        sport = self._chance.between(1024, 65_535)
        options = Options(mss=1460, sack_permitted=True, wscale=7)
        syn = Segment(seq, 0, SYN, 64_240, options=options, sport=sport, dport=target.port)
        return Packet(target.home[:-1] + host, target.address, syn)


def _visit(values: Values, target: Target) -> SynFlood:
    return SynFlood(target, values["rate"])


CLIENT = BadClient(
    name="syn-flood",
    summary="{rate} SYNs a second come from addresses where nobody is; no handshake is ever completed.",
    good="Answer the others all the same: SYN cookies and a long enough queue are the kernel's part.",
    source="RFC 4987 §2",
    recipe=_visit,
    parameters=(Parameter("rate", 500.0, "SYNs a second"),),
)
