"""Which tracepoints tell of TCP's sockets, and where this kernel puts what we want of each."""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.kernel.event_format import EventFormat, Field
from tulpen.kernel.tcp_codes import reason_codes

SET_STATE: Final = "sock/inet_sock_set_state"
SEND_RESET: Final = "tcp/tcp_send_reset"
RECEIVE_RESET: Final = "tcp/tcp_receive_reset"
RETRANSMIT: Final = "tcp/tcp_retransmit_skb"
DESTROY: Final = "tcp/tcp_destroy_sock"
# What is not told where one is missing; SET_STATE cannot be missed.
WITHOUT: Final = {
    SEND_RESET: "who sent a reset, and why",
    RECEIVE_RESET: "whether the peer's reset ended a connection",
    RETRANSMIT: "retransmissions",
    DESTROY: "octets, and whether a connection was half-closed",
}
TRACEPOINTS: Final = (SET_STATE, *WITHOUT)
KINDS: Final = {name: number for number, name in enumerate(TRACEPOINTS, 1)}

_NEEDED: Final = {
    SET_STATE: ("skaddr", "oldstate", "newstate", "sport", "dport", "family"),
    SEND_RESET: ("skaddr",),
    RECEIVE_RESET: ("skaddr",),
    RETRANSMIT: ("skaddr",),
    DESTROY: ("skaddr",),
}


class NameFields(NamedTuple):
    """Where inet_sock_set_state has the connection's name; -1: it has no such field."""

    sport: int
    dport: int
    family: int
    saddr: int
    daddr: int
    saddr_v6: int
    daddr_v6: int


class TcpLayout(NamedTuple):
    """All of them; offsets are of an event's first octet."""

    kinds: dict[int, int]  # of an event's number: 1 + its place in TRACEPOINTS
    sockets: tuple[int, ...]  # by kind: where skaddr is; kind 0 is of no event
    flags: int
    pid: int
    old_state: int
    new_state: int
    protocol: Field | None
    name: NameFields
    reason: int  # of tcp_send_reset; -1: this kernel gives none
    reasons: bytes  # what tcp_codes makes of the reason's number
    ends: tuple[int, int]  # of tcp_send_reset: two sockaddr of 28 octets; -1: this kernel has none
    cookie: int  # of tcp_destroy_sock; -1: this kernel gives none
    missing: tuple[str, ...]  # what cannot be told, a sentence each

    @property
    def longest(self) -> int:
        """How many octets of an event are looked at, at most."""
        return max(*self.sockets, *self.ends, *self.name, self.reason, self.cookie, self.new_state, self.pid) + 28


class MissingField(Exception):
    """A tracepoint lacks what nothing can be told without."""


def tcp_layout(formats: dict[str, EventFormat]) -> TcpLayout:
    """Return where things are, from the formats by tracepoint; raises MissingField where inet_sock_set_state lacks."""
    missing = []
    usable = {}
    for name in TRACEPOINTS:
        given = formats.get(name)
        lacks = [field for field in _NEEDED[name] if given is None or not _fits(given.fields, field)]
        if not lacks and given is not None:
            usable[name] = given
        elif name == SET_STATE:
            raise MissingField(f"{name.replace('/', ':')} has no {lacks[0]}" if given else name.replace("/", ":"))
        else:
            missing.append(f"this kernel's {name.replace('/', ':')} tells nothing: {WITHOUT[name]} stays unknown")
    state = usable[SET_STATE].fields
    if not ("saddr" in state and "daddr" in state) and not ("saddr_v6" in state and "daddr_v6" in state):
        raise MissingField("sock:inet_sock_set_state has no addresses")
    reset = usable[SEND_RESET].fields if SEND_RESET in usable else {}
    if reset and "reason" not in reset:
        missing.append(
            "this kernel's tcp:tcp_send_reset gives no reason: it is guessed from what came before and after"
        )
    destroy = usable[DESTROY].fields if DESTROY in usable else {}
    cookie = _fits(destroy, "sock_cookie")
    if destroy and not cookie:
        missing.append("this kernel's tcp:tcp_destroy_sock gives no cookie: octets stay unknown")
    whole = all(name in reset and reset[name].size == 28 for name in ("saddr", "daddr"))
    symbols = usable[SEND_RESET].symbols.get("reason", {}) if reset else {}
    return TcpLayout(
        {usable[name].id: KINDS[name] for name in usable},
        (0, *(usable[name].fields["skaddr"].offset if name in usable else 0 for name in TRACEPOINTS)),
        state["common_flags"].offset if "common_flags" in state else 2,
        state["common_pid"].offset if "common_pid" in state else 4,
        state["oldstate"].offset,
        state["newstate"].offset,
        state.get("protocol"),
        NameFields(*(state[each].offset if each in state else -1 for each in NameFields._fields)),
        reset["reason"].offset if "reason" in reset and reset["reason"].size == 4 else -1,
        reason_codes(symbols),
        (reset["saddr"].offset, reset["daddr"].offset) if whole else (-1, -1),
        destroy["sock_cookie"].offset if cookie else -1,
        tuple(missing),
    )


def _fits(fields: dict[str, Field], name: str) -> bool:
    """Whether a field is there in the size and at the alignment that it is read in."""
    if name not in fields:
        return False
    wanted = {"skaddr": 8, "oldstate": 4, "newstate": 4, "sock_cookie": 8}.get(name)
    return wanted is None or (fields[name].size == wanted and fields[name].offset % 4 == 0)
