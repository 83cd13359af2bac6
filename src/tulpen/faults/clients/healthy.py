"""healthy: the control; the healthy client is alone."""

from __future__ import annotations

from tulpen.faults.bad_client import BadClient, Target, Values


def _visit(values: Values, target: Target) -> None:
    return None


CLIENT = BadClient(
    name="healthy",
    summary="The control: the healthy client is alone.",
    good="Answer.",
    source="RFC 9293 §3.3.2",
    recipe=_visit,
)
