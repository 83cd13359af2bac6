"""What a tracepoint told of a socket, as one octet; the octets of a socket's life make a word.

A transition is the two states' numbers of net/tcp_states.h: ``0x14`` is ESTABLISHED to
FIN-WAIT-1.  One to CLOSED also says where it was made: the process itself (7), a softirq (13:
a segment or a timer), or the process with softirqs off (14: inside close(), for another socket).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.kernel.sock_diag import STATES
from tulpen.tcp.state import State

DESTROYED: Final = 0x01  # by a segment or a timer: no process had it open any more
RELEASED: Final = 0x02  # by close(), which found it in CLOSED
RESET_RECEIVED: Final = 0x03
RETRANSMITTED: Final = 0x04
RESET_SENT: Final = 0xE0  # and the reason's place in REASONS
NOTHING: Final = 0x00  # of no event that we know

CLOSE: Final = 7
CLOSE_IN_SOFTIRQ: Final = 13
CLOSE_OF_ANOTHER: Final = 14

ACTIVE_OPEN: Final = 0x72
PASSIVE_OPEN: Final = 0xA3
LISTENING: Final = 0x7A
OPENINGS: Final = frozenset({ACTIVE_OPEN, PASSIVE_OPEN, LISTENING})

# enum sk_rst_reason (include/net/rstreason.h): the kernel numbers them anew, its format file has the names.
REASONS: Final = (
    "", "NOT_SPECIFIED", "NO_SOCKET", "TCP_INVALID_ACK_SEQUENCE", "TCP_RFC7323_PAWS", "TCP_TOO_OLD_ACK",
    "TCP_ACK_UNSENT_DATA", "TCP_FLAGS", "TCP_OLD_ACK", "TCP_ABORT_ON_DATA", "TCP_TIMEWAIT_SOCKET", "INVALID_SYN",
    "TCP_ABORT_ON_CLOSE", "TCP_ABORT_ON_LINGER", "TCP_ABORT_ON_MEMORY", "TCP_STATE", "TCP_KEEPALIVE_TIMEOUT",
    "TCP_DISCONNECT_WITH_DATA", "MPTCP_RST_EUNSPEC", "MPTCP_RST_EMPTCP", "MPTCP_RST_ERESOURCE",
    "MPTCP_RST_EPROHIBIT", "MPTCP_RST_EWQ2BIG", "MPTCP_RST_EBADPERF", "MPTCP_RST_EMIDDLEBOX", "ERROR",
)  # fmt: skip


class Step(NamedTuple):
    """A transition that the tracepoint showed."""

    before: State
    after: State
    context: int  # of one to CLOSED: CLOSE, CLOSE_IN_SOFTIRQ or CLOSE_OF_ANOTHER


def _step(code: int) -> Step | None:
    before, after = code >> 4, code & 15
    if not 1 <= before <= 12 or not 1 <= after <= 14:
        return None
    context = after if after in (CLOSE, CLOSE_IN_SOFTIRQ, CLOSE_OF_ANOTHER) else 0
    return Step(STATES[before], State.CLOSED if context else STATES[after], context)


STEPS: Final = tuple(_step(code) for code in range(256))


def reason_codes(names: dict[int, str]) -> bytes:
    """Return the octet of every number that this kernel's ``reason`` may have, for bytes.translate or an index."""
    known = {name: RESET_SENT + place for place, name in enumerate(REASONS)}
    return bytes(known.get(names.get(number, ""), RESET_SENT) for number in range(256))


def reason_of(code: int) -> str | None:
    """Return the reason of a reset that was sent, "" where the kernel gives none; None: the octet is none such."""
    return REASONS[code - RESET_SENT] if RESET_SENT <= code < RESET_SENT + len(REASONS) else None
