"""The names of states that people type, and the bits that the kernel takes for them (net/tcp_states.h)."""

from __future__ import annotations

from typing import Final

from tulpen.errors import TulpenError
from tulpen.kernel.sock_diag import STATES
from tulpen.tcp.state import State


def _bits(*states: State) -> int:
    return sum(1 << number for number, state in enumerate(STATES) if number and state in states)


_ALL: Final = _bits(*State) & ~_bits(State.CLOSED)  # what is bound and no more has to be asked for
_CONNECTED: Final = _ALL & ~_bits(State.LISTEN)
_BUCKET: Final = _bits(State.SYN_RECEIVED, State.TIME_WAIT)  # what the kernel keeps as something smaller than a socket

_NAMES: Final = {
    **{state.title.lower(): _bits(state) for state in State},
    # as ss and netstat call them
    "estab": _bits(State.ESTABLISHED),
    "syn-recv": _bits(State.SYN_RECEIVED),
    "listening": _bits(State.LISTEN),
    "unconn": _bits(State.CLOSED),
    "unconnected": _bits(State.CLOSED),
    **{
        f"{short}{number}": _bits(state)
        for short in ("fin-wait", "finwait")
        for number, state in (("1", State.FIN_WAIT_1), ("2", State.FIN_WAIT_2))
    },
    # groups of ss
    "all": _ALL,
    "connected": _CONNECTED,
    "synchronized": _CONNECTED & ~_bits(State.SYN_SENT),
    "bucket": _BUCKET,
    "big": _ALL & ~_BUCKET,
}


def state_bits(name: str, *, strict: bool = True) -> int:
    """Return the bits of a state, or of a group of them; where not ``strict``, 0 for what is none."""
    bits = _NAMES.get(name.lower().replace("_", "-"), 0)
    if strict and not bits:
        import difflib

        near = difflib.get_close_matches(name.lower(), _NAMES, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_NAMES)}"
        raise TulpenError(f"filter: {name!r} is no state", hint)
    return bits
