"""ports-exhausted: the victim's own host has no ephemeral port left for this server."""

from __future__ import annotations

from tulpen.faults.fault import ERROR, Fault, Parameter, Preparation, Scene, Stage, Values

FIRST = 50_000


def _stage(values: Values, scene: Scene) -> Stage:
    ports = max(1, int(values["ports"]))
    stage = Stage()
    stage.victim = Preparation(
        sysctls={"net.ipv4.ip_local_port_range": f"{FIRST} {FIRST + ports - 1}", "net.ipv4.tcp_tw_reuse": "0"},
        time_waits=ports,
    )
    return stage


FAULT = Fault(
    name="ports-exhausted",
    summary="Each of the {ports} ephemeral ports of the victim's own host is in TIME-WAIT towards the server.",
    good="Report that no address is available; pool connections, so that it never comes to this.",
    source="RFC 9293 §3.6.1",
    acceptable=ERROR,
    recipe=_stage,
    parameters=(Parameter("ports", 8, "ephemeral ports there are"),),
)
