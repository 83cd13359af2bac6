"""The machine that the table of ``tcp/state.py`` gives, in the letters of an alphabet.

A letter is a segment or a call; the table knows events.  ``_FACTS`` says which events a
letter proves in which state (RFC 9293 §3.10), the table says where they lead, and a
handful of facts about the user (has it a handle, a listener, unread text) decides the
rest.  What is sent is not part of it: the machine has states, and no answers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.learn.alphabet import Alphabet
from tulpen.learn.machine import Machine
from tulpen.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_PENDING,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    MAY_RECEIVE,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    Event,
    State,
    follow,
)

NAME: Final = "tcp/state.py"

_Proofs = dict[str, tuple[Event, ...]]

_SYN: Final = (Event.SYN,)
_OPENED: Final = (Event.SYN_ACKED,)
_ENDED: Final = (Event.FIN,)
_ACKED: Final = (Event.FIN_ACKED,)
_RESET: Final = (Event.RESET,)

_EVERY_RST: Final[_Proofs] = {"RST": _RESET, "RST+ACK": _RESET}
_EVERY_FIN: Final[_Proofs] = {"FIN+ACK": _ENDED, "FIN_NA": _ENDED}
_LAST: Final[_Proofs] = {"ACK": _ACKED, "DATA": _ACKED, "FIN+ACK": _ACKED, **_EVERY_RST}

#: The events that a segment proves, one after the other.  A letter that is not there proves nothing.
_FACTS: Final[dict[State, _Proofs]] = {
    CLOSED: {},
    LISTEN: {"SYN": _SYN, "SYN_NEW": _SYN},
    SYN_SENT: {"SYN": _SYN, "SYN_NEW": _SYN, "SYN+ACK": _OPENED, "SYN+ACK_R": _OPENED, "RST+ACK": _RESET},
    SYN_RECEIVED: {
        "ACK": _OPENED, "DATA": _OPENED, "FIN+ACK": (Event.SYN_ACKED, Event.FIN), **_EVERY_RST,
    },
    ESTABLISHED: {**_EVERY_FIN, **_EVERY_RST},
    FIN_WAIT_1: {
        "ACK": _ACKED, "DATA": _ACKED, "FIN+ACK": (Event.FIN_ACKED, Event.FIN), "FIN_NA": _ENDED, **_EVERY_RST,
    },
    FIN_WAIT_2: {**_EVERY_FIN, **_EVERY_RST},
    CLOSE_WAIT: _EVERY_RST,
    CLOSING: _LAST,
    LAST_ACK: _LAST,
    TIME_WAIT: _EVERY_RST,
}  # fmt: skip


_CROSSING: Final = (FIN_WAIT_1, CLOSING)


class _Tcp(NamedTuple):
    """The state, and what decides beside it."""

    state: State = CLOSED
    opened: bool = False  # one OPEN a word
    passive: bool = False  # this connection
    listens: bool = False  # a listener is open, whatever the connection does
    held: bool = False  # the user has a handle of the connection
    unread: bool = False
    reopened: bool = False  # a TIME-WAIT waits underneath
    hasty: bool = False  # closed before its SYN was acknowledged
    late: bool = False  # what is not acknowledged was sent again; once is all that is tried

    @property
    def title(self) -> str:
        """What an onlooker sees: behind a connection that ended, the listener."""
        return (LISTEN if self.state is CLOSED and self.listens else self.state).title


def expected(alphabet: Alphabet) -> Machine:
    """Return the machine, as far as the letters of the alphabet lead."""
    start = _Tcp()
    numbers = {start: 0}
    order = [start]
    rows = []
    for tcp in order:
        row = {}
        for letter in alphabet.letters:
            after = _step(tcp, letter)
            if after not in numbers:
                numbers[after] = len(order)
                order.append(after)
            row[letter] = ("", numbers[after])
        rows.append(row)
    return Machine(NAME, alphabet.name, alphabet.letters, [tcp.title for tcp in order], rows)


def _step(tcp: _Tcp, letter: str) -> _Tcp:
    if letter == "TIMEOUT":
        return _times_out(tcp)
    after = _given(tcp, letter)
    if after.state is tcp.state:
        return after
    way = (tcp.state, after.state)
    waits = way in ((SYN_SENT, SYN_RECEIVED), (SYN_RECEIVED, FIN_WAIT_1)) or (way == _CROSSING and not tcp.hasty)
    return after._replace(late=after.late and waits, hasty=way == (SYN_RECEIVED, FIN_WAIT_1))


def _times_out(tcp: _Tcp) -> _Tcp:
    """The next timer runs out (§3.10.8)."""
    state = tcp.state
    if state is TIME_WAIT:
        return _over(tcp._replace(state=follow(state, Event.LINGERED)))
    orphan = state is FIN_WAIT_2 and not tcp.held
    waits = state in (SYN_SENT, SYN_RECEIVED) or FIN_PENDING[state]
    if orphan or (waits and tcp.late):
        return _over(tcp._replace(state=follow(state, Event.GAVE_UP)))
    return tcp._replace(late=True) if waits else tcp


def _given(tcp: _Tcp, letter: str) -> _Tcp:
    if letter in ("LISTEN", "CONNECT"):
        return tcp if tcp.opened else _open(tcp, letter)
    if letter in ("SHUT", "CLOSE", "ABORT"):
        return _call(tcp, letter)
    return _arrives(tcp, letter)


def _open(tcp: _Tcp, letter: str) -> _Tcp:
    passive = letter == "LISTEN"
    state = follow(tcp.state, Event.OPEN_PASSIVE if passive else Event.OPEN_ACTIVE)
    if passive:  # of the connection that will come there is nothing yet
        return tcp._replace(opened=True, passive=True, listens=state is LISTEN)
    return tcp._replace(state=state, opened=True, held=True)


def _arrives(tcp: _Tcp, letter: str) -> _Tcp:
    state = LISTEN if tcp.state is CLOSED and tcp.listens else tcp.state
    if state is TIME_WAIT and tcp.listens and letter in ("SYN", "SYN_NEW"):  # MAY-2
        follow(state, Event.LINGERED)
        return tcp._replace(state=follow(LISTEN, Event.SYN), passive=True, held=False, reopened=True)
    if state is ESTABLISHED and tcp.passive and letter == "FIN_NA":  # of nothing that we ever sent (RFC 5961 §5.2)
        return tcp
    if state is SYN_RECEIVED:
        if tcp.passive and letter in ("RST", "RST+ACK", "SYN", "SYN+ACK"):
            return _refused(tcp)
        if not tcp.passive and letter == "SYN+ACK_R":  # Figure 7
            return tcp._replace(state=follow(state, Event.SYN_ACKED))
    return _after(tcp, state, letter)


def _after(tcp: _Tcp, state: State, letter: str) -> _Tcp:
    """Follow the events that a segment proves."""
    for event in _FACTS[state].get(letter, ()):
        state = follow(state, event)
    held, unread, reopened = tcp.held, tcp.unread, tcp.reopened
    if tcp.passive and tcp.listens and tcp.state is SYN_RECEIVED and state is not SYN_RECEIVED:
        held, reopened, unread = True, False, False  # accepted
    if letter == "DATA" and MAY_RECEIVE[state]:
        if not held:  # nobody will ever read it (§3.6.1)
            return _over(tcp._replace(state=follow(state, Event.ABORT)))
        unread = True
    state = CLOSED if state is LISTEN else state
    after = tcp._replace(state=state, held=held, unread=unread, reopened=reopened)
    return _over(after) if state is CLOSED and tcp.state is not CLOSED else after


def _over(tcp: _Tcp) -> _Tcp:
    """There is no connection any more; the user's handle of it does nothing."""
    return tcp._replace(state=CLOSED, held=False, unread=False, reopened=False, hasty=False, late=False)


def _refused(tcp: _Tcp) -> _Tcp:
    """The passive open is refused: back to LISTEN, or to the TIME-WAIT that the SYN had reopened."""
    follow(SYN_RECEIVED, Event.REFUSED)
    if tcp.reopened:
        return tcp._replace(state=TIME_WAIT, reopened=False)
    return _over(tcp)


def _call(tcp: _Tcp, letter: str) -> _Tcp:
    state = tcp.state
    if letter == "SHUT":
        after = _closed_by(tcp, Event.CLOSE) if tcp.held else state
        return _over(tcp) if after is CLOSED else tcp._replace(state=after)
    alone = tcp._replace(listens=False)
    if state is SYN_RECEIVED and tcp.passive and tcp.listens:  # nobody has a handle: it is forgotten
        return _refused(alone) if tcp.reopened else _over(alone._replace(state=follow(state, Event.ABORT)))
    if not tcp.held:
        return alone
    aborts = letter == "ABORT" or (tcp.unread and state is not TIME_WAIT)  # SHLD-3
    after = _closed_by(tcp, Event.ABORT if aborts else Event.CLOSE)
    return _over(alone) if after is CLOSED else alone._replace(state=after, held=False, unread=False)


def _closed_by(tcp: _Tcp, event: Event) -> State:
    """Follow the user's event where it means something: a second CLOSE does not."""
    if event is Event.CLOSE and tcp.state not in (SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT):
        return tcp.state
    return follow(tcp.state, event)
