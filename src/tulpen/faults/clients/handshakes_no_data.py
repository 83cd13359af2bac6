"""handshakes-no-data: connections on which nothing is ever said."""

from __future__ import annotations

from tulpen.faults.bad_client import COUNT, RATE, BadClient, Target, Values
from tulpen.faults.crowd import Crowd, CrowdVisit, Guest


def _visit(values: Values, target: Target) -> CrowdVisit:
    return CrowdVisit(Crowd(target, Guest, values))


CLIENT = BadClient(
    name="handshakes-no-data",
    summary="{clients} clients connect and never say a word; at the end they close.",
    good="Answer the others; close what has been silent for too long, and what the client has closed.",
    source="RFC 9293 §3.8.4",
    recipe=_visit,
    parameters=(COUNT, RATE),
)
