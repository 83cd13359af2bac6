"""mtu-black-hole: large packets vanish, and the ICMP message that should say so with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.faults.fault import ERROR, Fault, Parameter, Scene, Stage, Values
from tulpen.faults.tally import Counted
from tulpen.sim.filters import Only, drop
from tulpen.sim.rewrite import octets

if TYPE_CHECKING:
    from tulpen.wire.ip import Packet


def _stage(values: Values, scene: Scene) -> Stage:
    stage = Stage()
    mtu = int(values["mtu"])

    def large(packet: Packet) -> bool:
        return octets(packet) > mtu

    stage.network = Counted(stage.tally, Only(large, drop))
    return stage


FAULT = Fault(
    name="mtu-black-hole",
    summary="Packets of more than {mtu} octets vanish and no ICMP says why: small answers work, large ones never come.",
    good="Give up after a timeout of its own; the cure is elsewhere (a smaller MSS, RFC 4821 probing).",
    source="RFC 4821 §1",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(Parameter("mtu", 1400, "octets of the largest packet that passes"),),
)
