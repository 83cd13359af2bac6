"""The columns of the tables that ``tulpen read`` gives away: connections, moves and findings, each with its meaning.

Their names and types are those of the rows in ``record.py``; times are marked here.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, NamedTuple

from tulpen.capture.record import Connection, Finding, Move


class Column(NamedTuple):
    """One column: its name, its type in words of the documentation, what it says."""

    name: str
    kind: str  # "integer", "number", "text", "time", "list of integers"; " or null" after it
    meaning: str


_KINDS: Final = {
    "int": "integer",
    "float": "number",
    "float | None": "number or null",
    "str": "text",
    "tuple[int, ...]": "list of integers",
}

_CONNECTION: Final = {
    "number": "from 1, in the order of first frames",
    "file": "the capture that has its first frame",
    "client": "the address of the end that opened, or most probably did",
    "client_port": "its port",
    "server": "the other address",
    "server_port": "its port",
    "roles": "how the client is known: `syn`, `syn-ack`, or only by the `ports`",
    "taken_at": "where it was captured: `client`, `server`, `between`, or empty",
    "layers": "what its packets were wrapped in",
    "vlan": "the innermost VLAN of its first packet; 0: none",
    "first_frame": "its first frame, from 1",
    "last_frame": "its last frame",
    "start": "when its first frame passed",
    "end": "when its last frame passed",
    "duration": "seconds between these",
    "opened": "how it opened, a word of the table below",
    "opened_frame": "the frame of the first SYN",
    "ended": "how it ended, a word of the table below",
    "by": "who ended it: `client`, `server`, `both`, `middle` (forged), or empty",
    "cause": "the probable cause of a reset, a word of the table below",
    "ended_frame": "the frame that ended it; 0: none",
    "idle": "seconds of silence before what ended it",
    "time_wait": "who waits in TIME-WAIT: `client`, `server`, `both`, or empty",
    "client_state": "the client's state where the capture leaves it",
    "server_state": "the server's",
    "client_path": "every state the client went through; `?` after those that are inferred",
    "server_path": "every state the server went through",
    "reset_state": "the state of the end that sent the RST, before it",
    "client_packets": "segments of the client",
    "server_packets": "segments of the server",
    "client_bytes": "octets of text from the client; what is sent again counts once",
    "server_bytes": "octets of text from the server",
    "retransmissions": "segments sent again",
    "timeouts": "of these, by the retransmission timer",
    "fast_retransmits": "of these, because ACKs told of the loss",
    "spurious": "of these, of what had been acknowledged",
    "reordered": "segments that were overtaken",
    "duplicated": "packets captured twice",
    "not_captured": "octets acknowledged and never seen",
    "syn_retries": "SYNs and SYN,ACKs sent again",
    "rtt": "seconds, the least there and back",
    "client_rtt": "seconds, the least from the place of the capture to the client and back",
    "server_rtt": "seconds, the least from there to the server and back",
    "zero_windows": "how often a window was closed",
    "zero_window_time": "seconds that a window was closed",
    "keep_alives": "probes of the idle connection",
    "findings": "what was found, words of the table below, with commas",
    "worst": "how much the worst of all matters: `bad`, `odd`, `note`, or empty",
    "why": "what happened, in a sentence",
}
_MOVE: Final = {
    "connection": "the number of its connection",
    "end": "whose move: `client` or `server`",
    "frame": "the frame that caused it; 0: none that was captured",
    "when": "when that passed",
    "source": "the state before",
    "event": "what happened, as the table of the state machine has it; empty where it is not known",
    "target": "the state after",
    "known": "`seen`, `inferred`, or `cannot be known`",
    "proof": "the frame that shows it; 0: none",
}
_FINDING: Final = {
    "connection": "the number of its connection",
    "kind": "what was found, a word of the table below",
    "end": "who did it: `client`, `server`, or empty",
    "count": "how often",
    "frames": "the first frames that show it",
    "weight": "how much it matters: `bad`, `odd`, `note`",
    "clause": "the requirement or section it rests on",
    "text": "what it means, in words",
}


def _columns(record: type[Any], meanings: dict[str, str], times: tuple[str, ...] = ()) -> tuple[Column, ...]:
    return tuple(
        Column(each.name, "time" if each.name in times else _KINDS[str(each.type)], meanings[each.name])
        for each in fields(record)
    )


CONNECTIONS: Final = _columns(Connection, _CONNECTION, ("start", "end"))
MOVES: Final = _columns(Move, _MOVE, ("when",))
FINDINGS: Final = _columns(Finding, _FINDING)
TABLES: Final = {"connections": CONNECTIONS, "moves": MOVES, "findings": FINDINGS}
