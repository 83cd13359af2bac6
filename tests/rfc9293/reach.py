"""Each state, reached the way a peer would see it and never by setting fields."""

from __future__ import annotations

from collections.abc import Callable

from tests.rfc9293.notation import End
from tulpen.tcp.state import State

#: The peer's initial sequence number in every one of them.
IRS = 300


def closed(**sysctls: object) -> End:
    return End(**sysctls)  # type: ignore[arg-type]


def listen(**sysctls: object) -> End:
    end = closed(**sysctls)
    end.tcp.open_passive(end.now)
    return end


def syn_sent(**sysctls: object) -> End:
    end = closed(**sysctls)
    end.tcp.open_active(end.now)
    assert end.sent() == ["S seq=+0"]
    return end


def syn_received(**sysctls: object) -> End:
    """After a passive open."""
    end = listen(**sysctls)
    assert end.arrives(f"S seq={IRS} mss=1460") == ["S. seq=+0 ack=+0"]
    return end


def syn_received_actively(**sysctls: object) -> End:
    """After an active open: simultaneous open."""
    end = syn_sent(**sysctls)
    assert end.arrives(f"S seq={IRS} mss=1460") == ["S. seq=+0 ack=+0"]
    return end


def established(offer: object = "mss=1460", **sysctls: object) -> End:
    """``offer``: options and window of the peer's SYN,ACK."""
    end = closed(**sysctls)
    show, end.show = end.show, []
    end.tcp.open_active(end.now)
    assert end.sent() == ["S seq=+0"]
    assert end.arrives(f"S. seq={IRS} {offer}") == [". seq=+0 ack=+0"]
    end.signals()
    end.show = show
    return end


def sending(segments: int, more: int = 0, offer: object = "", **sysctls: object) -> End:
    """ESTABLISHED with ``segments`` of 1000 octets in flight, as many as the congestion window allows.

    ``more``: octets that wait behind them.
    """
    end = established(f"mss=1000 {offer}", **({"tcp_initial_cwnd": segments} | sysctls))
    sent = end.send(bytes(segments * 1000 + more))
    assert len(sent) == segments
    return end


def fin_wait_1(**sysctls: object) -> End:
    end = established(**sysctls)
    assert end.shutdown() == ["F. seq=+0 ack=+0"]
    return end


def fin_wait_2(**sysctls: object) -> End:
    end = fin_wait_1(**sysctls)
    assert end.arrives(".") == []
    return end


def close_wait(**sysctls: object) -> End:
    end = established(**sysctls)
    assert end.arrives("F.") == [". seq=+0 ack=+0"]
    return end


def closing(**sysctls: object) -> End:
    end = fin_wait_1(**sysctls)
    assert end.arrives("F. ack=-1") == [". seq=+0 ack=+0"]
    return end


def last_ack(**sysctls: object) -> End:
    end = close_wait(**sysctls)
    assert end.shutdown() == ["F. seq=+0 ack=+0"]
    return end


def time_wait(**sysctls: object) -> End:
    end = fin_wait_2(**sysctls)
    assert end.arrives("F.") == [". seq=+0 ack=+0"]
    return end


REACH: dict[State, Callable[..., End]] = {
    State.CLOSED: closed,
    State.LISTEN: listen,
    State.SYN_SENT: syn_sent,
    State.SYN_RECEIVED: syn_received,
    State.ESTABLISHED: established,
    State.FIN_WAIT_1: fin_wait_1,
    State.FIN_WAIT_2: fin_wait_2,
    State.CLOSE_WAIT: close_wait,
    State.CLOSING: closing,
    State.LAST_ACK: last_ack,
    State.TIME_WAIT: time_wait,
}
