"""The compiled pass and the exact reader over the same segments, and what each tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.capture.files import Timed
from tests.capture.test_follower import tell
from tulpen.capture.dissect import Dissector
from tulpen.capture.follower import Follower, name_of
from tulpen.capture.frame import Frame
from tulpen.capture.policy import Policy
from tulpen.capture.quick.exact import layers_of, octets_of, seen_array
from tulpen.capture.quick.flows import Flows
from tulpen.capture.quick.shapes import Template
from tulpen.capture.quick.watch import Watch
from tulpen.capture.record import Connection, Move
from tulpen.capture.rows import Told
from tulpen.capture.seen import IcmpError, Seen
from tulpen.capture.why import why
from tulpen.wire.address import text

Row = Any


def segments(packets: Sequence[Timed], link: int = 101) -> list[Seen | IcmpError]:
    """What the exact dissector makes of packets of IP."""
    dissect = Dissector().segment
    found = [dissect(Frame(n, when, link, packet, len(packet), 0)) for n, (when, packet) in enumerate(packets, 1)]
    return [each for each in found if each is not None]


def exactly(seen: Iterable[Seen | IcmpError], policy: Policy | None = None) -> dict[int, Told]:
    """What the exact reader tells, by first frames."""
    rows: dict[int, Told] = {}
    follower = Follower(partial(tell, rows), policy)
    for seg in seen:
        follower.take(seg)
    follower.finish()
    return rows


def quickly(
    seen: Sequence[Seen | IcmpError], policy: Policy | None = None, cuts: Sequence[int] = ()
) -> tuple[dict[int, Told], dict[int, Told]]:
    """What the pass tells by itself, and what the exact reader tells of the names that it leaves to it."""
    policy = policy or Policy()
    array = seen_array(seen)
    blocks = np.split(array, sorted({min(cut, len(array)) for cut in cuts}))
    flows = Flows(policy)
    plain: list[NDArray[Any]] = []
    for block in blocks:
        flows.take(block)
        plain.append(flows.done())
    plain += flows.finish()
    quick = {int(row["first_frame"]): plainly(row, flows) for rows in plain for row in rows}
    exact: dict[int, Told] = {}
    left = flows.left
    follower = Follower(partial(tell, exact), policy, facts=left.facts)
    watch = Watch(left, policy)
    at = 0
    for block in blocks:
        for chosen, seg in zip(watch.take(block), seen[at : at + len(block)], strict=True):
            if chosen:
                follower.take(seg)
        at += len(block)
    follower.finish()
    assert not quick.keys() & exact.keys()
    return quick, exact


def plainly(row: Row, flows: Flows) -> Told:
    """The rows of a plain connection, as ``tell`` has them."""
    template = flows.shapes.template(int(row["shape"]))
    return Told(_connection(row, template), _moves(row, template), [])


def _connection(row: Row, template: Template) -> Connection:
    client, server = template.client, 1 - template.client
    model = template.row
    names = [text(octets_of(address, six=bool(row["six"]))) for address in row["address"]]
    rtt = [int(each) / 1e9 if each else None for each in row["rtt"]]
    halves = [each for each in (rtt[client], rtt[server]) if each is not None]
    place = int(row["place"])
    told = Connection(
        number=0, file="", client=names[client], client_port=int(row["port"][client]), server=names[server],
        server_port=int(row["port"][server]), roles=model.roles,
        taken_at="" if place < 0 else "between" if place == 2 else "client" if place == client else "server",
        layers=layers_of(int(row["tags"])), vlan=int(row["vlan"]), first_frame=int(row["first_frame"]),
        last_frame=int(row["last_frame"]), start=int(row["start"]), end=int(row["last_when"]),
        duration=(int(row["last_when"]) - int(row["start"])) / 1e9, opened=model.opened,
        opened_frame=_frame(row, template.opened_at), ended=model.ended, by=model.by, cause=model.cause,
        ended_frame=_frame(row, template.ended_at), idle=int(row["idle"]) / 1e9 if template.idle else 0.0,
        time_wait=model.time_wait, client_state=model.client_state, server_state=model.server_state,
        client_path=model.client_path, server_path=model.server_path, reset_state=model.reset_state,
        client_packets=int(row["packets"][client]), server_packets=int(row["packets"][server]),
        client_bytes=int(row["bytes"][client]), server_bytes=int(row["bytes"][server]), retransmissions=0, timeouts=0,
        fast_retransmits=0, spurious=0, reordered=0, duplicated=0, not_captured=0, syn_retries=0,
        rtt=sum(halves) if halves else None, client_rtt=rtt[server], server_rtt=rtt[client], zero_windows=0,
        zero_window_time=0.0, keep_alives=0, findings="", worst=model.worst, why="",
    )  # fmt: skip
    told.why = why(template.talk, template.opened, template.ended, told)
    return told


def _moves(row: Row, template: Template) -> list[Move]:
    rows = [
        Move(
            0, "client" if each.side == template.client else "server", _frame(row, each.frame),
            int(row["when"][each.when]), each.source, each.event, each.target, each.known, _frame(row, each.proof),
        )
        for each in template.moves
    ]  # fmt: skip
    return sorted(rows, key=lambda move: (move.when, move.frame))


def _frame(row: Row, letter: int) -> int:
    return int(row["frame"][letter]) if letter >= 0 else 0


def compare(
    seen: Sequence[Seen | IcmpError], policy: Policy | None = None, cuts: Sequence[int] = ()
) -> tuple[int, int]:
    """See that both tell the same; return how many connections were plain, and how many there were."""
    whole = exactly(seen, policy)
    quick, exact = quickly(seen, policy, cuts)
    assert sorted(quick | exact) == sorted(whole)
    for frame, rows in (quick | exact).items():
        assert rows == whole[frame], "quick" if frame in quick else "exact"
    for frame, rows in quick.items():
        assert not rows.findings, frame
    return len(quick), len(whole)


def names(seen: Iterable[Seen]) -> set[object]:
    """The names of segments."""
    return {name_of(each) for each in seen}
