"""What each state and each event means, in a sentence, with RFC 9293's section and the names other tools give it."""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.tcp.state import Event, State


class StateMeaning(NamedTuple):
    """What a state means to who sees it in a table of sockets."""

    says: str
    lasts: str  # how long, and what ends it
    many: str  # what many of them in a table are a sign of
    ss: str  # as ss writes it; netstat and the kernel's headers say the rest


STATES: Final[dict[State, StateMeaning]] = {
    State.CLOSED: StateMeaning(
        "There is no connection: before its open and after its end.",
        "no time at all: it is the absence of a connection",
        "sockets that are made and not connected (ss shows them as UNCONN)",
        "UNCONN",
    ),
    State.LISTEN: StateMeaning(
        "Waiting for a connection request from any peer.",
        "until the application closes the listener",
        "many services; the queues are what to look at: Recv-Q (accept queue) against Send-Q (backlog)",
        "LISTEN",
    ),
    State.SYN_SENT: StateMeaning(
        "Our SYN is sent; waiting for the peer's SYN that acknowledges it.",
        "one round trip, or tcp_syn_retries retransmissions (127 s by Linux's default)",
        "a destination that answers nothing: a firewall that drops, a host that is gone",
        "SYN-SENT",
    ),
    State.SYN_RECEIVED: StateMeaning(
        "Both SYNs are sent; waiting for the acknowledgment of ours.",
        "one round trip, or tcp_synack_retries retransmissions (63 s by Linux's default)",
        "a SYN flood, or clients to which our SYN,ACK finds no way back",
        "SYN-RECV",
    ),
    State.ESTABLISHED: StateMeaning(
        "Open: data goes both ways.",
        "until one end closes; for ever, where the peer vanishes while nothing is sent and keep-alive is off",
        "a busy machine, or peers that are long gone (no keep-alive), or a pool without a limit",
        "ESTAB",
    ),
    State.FIN_WAIT_1: StateMeaning(
        "We have closed; our FIN is not acknowledged yet.",
        "one round trip after the data before it; tcp_orphan_retries without an answer",
        "peers that vanished or do not read (zero window) while we had data left for them",
        "FIN-WAIT-1",
    ),
    State.FIN_WAIT_2: StateMeaning(
        "We have closed and the peer knows; waiting for the peer to close. We still receive.",
        "until the peer closes; tcp_fin_timeout once our application has let go of the socket",
        "peers that do not close: each is a CLOSE-WAIT at the other end",
        "FIN-WAIT-2",
    ),
    State.CLOSE_WAIT: StateMeaning(
        "The peer has closed; waiting for our application to close. We may still send.",
        "until our application closes: no timer of TCP ends it",
        "a leak in the local application: it does not close what the peer has closed",
        "CLOSE-WAIT",
    ),
    State.CLOSING: StateMeaning(
        "Both ends closed at once; waiting for the acknowledgment of our FIN.",
        "one round trip",
        "rare; the peer's acknowledgments get lost",
        "CLOSING",
    ),
    State.LAST_ACK: StateMeaning(
        "The peer closed first, then we did; waiting for the acknowledgment of our FIN.",
        "one round trip; tcp_orphan_retries without an answer",
        "peers that vanished, or a firewall that forgot the connection, after they closed",
        "LAST-ACK",
    ),
    State.TIME_WAIT: StateMeaning(
        "Both ends closed, we first; waiting 2 MSL, so that the peer's FIN can be acknowledged again "
        "and no old segment falls into a new connection.",
        "2 MSL: 60 s in Linux, and tcp_fin_timeout does not change it",
        "this end closes first; harmless until a client runs out of ports (EADDRNOTAVAIL)",
        "TIME-WAIT",
    ),
}


class EventMeaning(NamedTuple):
    """What an event says, who says it, and where RFC 9293 has it."""

    says: str
    cause: str  # "the user", "a segment" or "a clock"
    section: str


EVENTS: Final[dict[Event, EventMeaning]] = {
    Event.OPEN_PASSIVE: EventMeaning("The application listens.", "the user", "3.10.1"),
    Event.OPEN_ACTIVE: EventMeaning("The application connects.", "the user", "3.10.1"),
    Event.CLOSE: EventMeaning("The application has no more data to send: shutdown() or close().", "the user", "3.10.4"),
    Event.ABORT: EventMeaning("The application throws the connection away.", "the user", "3.10.5"),
    Event.SYN: EventMeaning("An acceptable SYN came that does not acknowledge ours.", "a segment", "3.10.7"),
    Event.SYN_ACKED: EventMeaning("Our SYN is acknowledged, and theirs is known.", "a segment", "3.10.7.4"),
    Event.FIN_ACKED: EventMeaning("Our FIN is acknowledged.", "a segment", "3.10.7.4"),
    Event.FIN: EventMeaning("The peer's FIN came, and every octet before it.", "a segment", "3.10.7.4"),
    Event.RESET: EventMeaning("An acceptable RST came.", "a segment", "3.10.7.4"),
    Event.REFUSED: EventMeaning(
        "A RST, or a SYN in the window, answers our SYN,ACK: the listener goes on.", "a segment", "3.10.7.4"
    ),
    Event.GAVE_UP: EventMeaning(
        "Retransmissions, the user timeout, keep-alive, or an orphan's FIN-WAIT-2 came to their limit.",
        "a clock",
        "3.10.8",
    ),
    Event.LINGERED: EventMeaning(
        "2 MSL passed in TIME-WAIT, or a new SYN may take the connection's place.", "a clock", "3.10.8"
    ),
}
