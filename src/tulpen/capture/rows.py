"""From a connection that was followed to the rows that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tulpen.capture.kinds import ENDING, FINDING, OPENING, Weight
from tulpen.capture.machine import Known
from tulpen.capture.mtu import path_mtu_hole
from tulpen.capture.record import Connection, Finding, Move
from tulpen.capture.vantage import taken_at
from tulpen.capture.verdict import BOTH, MIDDLE, NOBODY, Ending, Opening, ending, opening, time_wait
from tulpen.capture.why import why
from tulpen.wire.address import text

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.end import End, Rtt

UNKNOWN: Final = "unknown"
_ORDER: Final = (Weight.BAD, Weight.ODD, Weight.NOTE)


class Told(NamedTuple):
    """Everything told of one connection."""

    connection: Connection
    moves: list[Move]
    findings: list[Finding]


def told(talk: Conversation) -> Told:
    """Judge a connection and write its rows."""
    _last_words(talk)
    opened = opening(talk)
    ended = ending(talk, opened)
    findings = _findings(talk, opened)
    connection = _connection(talk, opened, ended, findings)
    return Told(connection, _moves(talk, opened), findings)


def _last_words(talk: Conversation) -> None:
    """Add what can be said only at the end."""
    talk.last_words()
    for side, end in enumerate(talk.ends):
        if end.closed_window:
            end.closed_window_time += max(talk.last_when - end.closed_window, 0)
            end.closed_window = 0
        evidence = talk.findings.of("zero-window", side)
        if evidence is not None:
            evidence.seconds = end.closed_window_time / 1e9
        if end.probes_open >= 3:
            talk.findings.add("keep-alives-unanswered", side, end.last_frame).count = end.probes_open
        path_mtu_hole(talk, side)
    first, second = talk.ends
    if first.fin is not None and second.fin is not None:
        side = 1 - talk.first_fin
        if not talk.ends[side].fin_acked and not talk.resets:
            talk.findings.add("last-fin", side, talk.ends[side].fin_frame)
        late = [
            reset for reset in talk.resets if reset.after_fin and reset.frame > max(first.fin_frame, second.fin_frame)
        ]
        for reset in late:
            talk.findings.add("reset-after-close", reset.side, reset.frame)
    behind = [side for side in (0, 1) if talk.findings.of("timestamps-behind", side) is not None]
    for side in behind:  # it matters where nobody answered
        if talk.ends[1 - side].packets:
            talk.findings.drop("timestamps-behind", side)


def _connection(talk: Conversation, opened: Opening, ended: Ending, findings: list[Finding]) -> Connection:
    client, server = talk.ends[opened.client], talk.ends[1 - opened.client]
    count = talk.findings.count
    names = sorted({finding.kind for finding in findings})
    reset = ended.reset
    row = Connection(
        number=talk.number,
        file="",  # the reader knows
        client=text(client.address),
        client_port=client.port,
        server=text(server.address),
        server_port=server.port,
        roles=opened.roles,
        taken_at=_place(talk, opened.client),
        layers=talk.layers,
        vlan=talk.vlan,
        first_frame=talk.first_frame,
        last_frame=talk.last_frame,
        start=talk.start,
        end=talk.last_when,
        duration=(talk.last_when - talk.start) / 1e9,
        opened=opened.word,
        opened_frame=opened.frame,
        ended=ended.word,
        by=_who(ended.by, opened.client),
        cause=ended.cause,
        ended_frame=ended.frame,
        idle=ended.idle / 1e9,
        time_wait=_who(time_wait(talk), opened.client),
        client_state=_state(client),
        server_state=_state(server),
        client_path=_path(client),
        server_path=_path(server),
        reset_state="" if reset is None else reset.state or UNKNOWN,
        client_packets=client.packets,
        server_packets=server.packets,
        client_bytes=client.bytes,
        server_bytes=server.bytes,
        retransmissions=count("retransmissions"),
        timeouts=count("timeouts"),
        fast_retransmits=count("fast-retransmits"),
        spurious=count("spurious"),
        reordered=count("reordered"),
        duplicated=count("duplicated"),
        not_captured=client.gaps + server.gaps,
        syn_retries=count("syn-retries") + count("syn-ack-retries"),
        rtt=_round_trip(client, server),
        client_rtt=_least(server.rtt, server.rtt_stamped),
        server_rtt=_least(client.rtt, client.rtt_stamped),
        zero_windows=count("zero-window"),
        zero_window_time=(client.closed_window_time + server.closed_window_time) / 1e9,
        keep_alives=client.keep_alives + server.keep_alives,
        findings=",".join(names),
        worst=_worst(opened, ended, findings),
        why="",
    )
    row.why = why(talk, opened, ended, row)
    return row


def _findings(talk: Conversation, opened: Opening) -> list[Finding]:
    rows = []
    found = sorted(talk.findings.found.items(), key=lambda item: (item[1].frames[0], item[0]))
    for (kind, side), evidence in found:
        word = FINDING[kind]
        words = word.meaning + (f" ({evidence.detail})" if evidence.detail else "")
        if evidence.seconds:
            words += f", {evidence.seconds:.3g} s in all"
        end = "" if side < 0 else _who(side, opened.client)
        rows.append(
            Finding(
                talk.number, kind, end, evidence.count, tuple(evidence.frames), word.weight.value, word.clause, words
            )
        )
    return rows


def _moves(talk: Conversation, opened: Opening) -> list[Move]:
    rows = [
        Move(
            talk.number,
            _who(side, opened.client),
            step.frame,
            step.when,
            UNKNOWN if step.source is None else step.source.title,
            "" if step.event is None else step.event.title,
            step.target.title,
            step.known.value,
            step.proof,
        )
        for side, end in enumerate(talk.ends)
        for step in end.machine.steps
    ]
    return sorted(rows, key=lambda row: (row.when, row.frame))


def _who(side: int, client: int) -> str:
    if side == NOBODY:
        return ""
    if side in (BOTH, MIDDLE):
        return "both" if side == BOTH else "middle"
    return "client" if side == client else "server"


def _place(talk: Conversation, client: int) -> str:
    side = taken_at(talk.ends)
    if side is None:
        return ""
    return "between" if side == BOTH else _who(side, client)


def _state(end: End) -> str:
    return UNKNOWN if end.machine.state is None else end.machine.state.title


def _path(end: End) -> str:
    steps = end.machine.steps
    return " > ".join(step.target.title + ("" if step.known is Known.SEEN else "?") for step in steps)


def _least(plain: Rtt, stamped: Rtt) -> float | None:
    if plain.count:
        return plain.least / 1e9
    return stamped.least / 1e9 if stamped.count else None


def _round_trip(client: End, server: End) -> float | None:
    halves = [_least(end.rtt, end.rtt_stamped) for end in (client, server)]
    known = [half for half in halves if half is not None]
    return sum(known) if known else None


def _worst(opened: Opening, ended: Ending, findings: list[Finding]) -> str:
    weights = {finding.weight for finding in findings}
    weights |= {OPENING[opened.word].weight.value, ENDING[ended.word].weight.value} - {Weight.NOTE.value}
    return next((weight.value for weight in _ORDER if weight.value in weights), "")
