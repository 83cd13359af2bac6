"""What happened to a connection, in a sentence that names the frames and the RFC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tulpen.capture.cause import suspicions
from tulpen.capture.kinds import CAUSE, ENDING, OPENING

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.record import Connection
    from tulpen.capture.verdict import Ending, Opening

_SIGNS = {
    "ttl": "another TTL",
    "ident": "an IP identification out of line",
    "sequence": "a sequence number that is not the next",
    "timestamp": "no timestamp",
    "went on": "its supposed sender went on",
}


def why(talk: Conversation, opened: Opening, ended: Ending, row: Connection) -> str:
    """Return the sentence."""
    parts = [_opening(opened, row), _ending(talk, ended, row), _unknown(row)]
    if row.time_wait:
        parts.append(_waits(row))
    return " ".join(part for part in parts if part)


def _opening(opened: Opening, row: Connection) -> str:
    word = OPENING[opened.word]
    if row.ended in ("refused", "unreachable", "unanswered") or opened.word == "normal":
        return ""
    clause = f" ({word.clause})" if word.clause else ""
    return f"{_capital(word.meaning)}, frame {row.opened_frame}{clause}."


def _ending(talk: Conversation, ended: Ending, row: Connection) -> str:
    who = {"client": "the client", "server": "the server"}.get(row.by, row.by)
    name = _address(row, row.by)
    after = f" after {seconds(row.idle)} of silence" if row.idle >= 1 else ""
    clause = ENDING[ended.word].clause
    if ended.word == "closed":
        return _capital(f"{who} {name} closed first{after}, frame {row.ended_frame} ({clause}).")
    if ended.word == "closed-together":
        return f"Both ends closed at once, frame {row.ended_frame} ({clause})."
    if ended.word == "half-closed":
        other = "client" if row.by == "server" else "server"
        left = f"the {other} never did, as far as the capture goes ({clause})"
        return _capital(f"{who} {name} closed{after}, frame {row.ended_frame}; {left}.")
    if ended.word == "reset":
        return _reset(talk, ended, row, who, name, after)
    if ended.word == "refused":
        meaning = CAUSE[ended.cause].meaning
        return _capital(
            f"{who} {name} refused the connection with a RST, frame {row.ended_frame}: {meaning} ({clause})."
        )
    if ended.word == "unreachable":
        told = talk.icmp[0].words
        return f"The SYN was answered by ICMP, frame {row.ended_frame}: {told} ({clause})."
    if ended.word == "unanswered":
        again = f", sent {row.syn_retries + 1} times" if row.syn_retries else ""
        again += ", but for a RST that does not acknowledge it" if talk.resets else ""
        return f"Nobody answered the SYN of {_address(row, 'client')}, frame {row.ended_frame}{again} ({clause})."
    if ended.word == "silent":
        tried = f"for {seconds(row.idle)} the other end kept on trying ({clause})"
        heard = f"last heard in frame {row.ended_frame}" if row.ended_frame else "never heard"
        return _capital(f"{who} {name} was {heard}; {tried}.")
    if ended.word == "unfinished":
        return f"The handshake was never completed ({clause})."
    return f"Still open where the capture ends: client {row.client_state}, server {row.server_state}."


def _reset(talk: Conversation, ended: Ending, row: Connection, who: str, name: str, after: str) -> str:
    reset = ended.reset
    if not ended.cause:
        return _capital(f"{who} {name} sent a RST, frame {row.ended_frame}, and nothing else was captured.")
    cause = CAUSE[ended.cause]
    if row.by == "middle" and reset is not None:
        signs = ", ".join(_SIGNS[sign] for sign in suspicions(talk, reset))
        return f"A RST that neither end sent, frame {row.ended_frame}: {signs} ({cause.clause})."
    state = f" in {row.reset_state}" if row.reset_state not in ("", "unknown") else ""
    because = f"probably {cause.meaning} ({cause.clause})"
    return _capital(f"{who} {name} reset the connection{state}{after}, frame {row.ended_frame}; {because}.")


def _unknown(row: Connection) -> str:
    tried = {"unanswered": "client", "silent": "client" if row.by == "server" else "server"}.get(row.ended)
    if tried is None or row.taken_at != tried:
        return ""
    return f"The capture was taken at the {tried}: whether what it sent arrived cannot be known from there."


def _waits(row: Connection) -> str:
    if row.time_wait == "both":
        return "Both ends wait in TIME-WAIT (MUST-13)."
    return f"The {row.time_wait} waits in TIME-WAIT (MUST-13)."


def _address(row: Connection, end: str) -> str:
    if end not in ("client", "server"):
        return ""
    address, port = (row.client, row.client_port) if end == "client" else (row.server, row.server_port)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def seconds(number: float) -> str:
    """Return a time as sentences have it."""
    return f"{number:.1f} s" if number < 600 else f"{number / 60:.0f} min"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
