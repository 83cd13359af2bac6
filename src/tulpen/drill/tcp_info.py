"""What ``%{ }%`` sees of a connection: Linux's struct tcp_info."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.tcp.config import MS
from tulpen.tcp.congestion import INFINITE
from tulpen.tcp.outgo import Limit
from tulpen.tcp.state import State

if TYPE_CHECKING:
    from tulpen.drill.descriptor import TcpFile
    from tulpen.tcp.status import Status

INFINITE_SSTHRESH: Final = 0x7FFF_FFFF
UNLIMITED: Final = (1 << 64) - 1  # a rate
NO_MIN_RTT: Final = 0xFFFF_FFFF
_US: Final = 1_000

#: Linux's numbers of the states.
LINUX_STATES: Final = {
    State.ESTABLISHED: 1, State.SYN_SENT: 2, State.SYN_RECEIVED: 3, State.FIN_WAIT_1: 4, State.FIN_WAIT_2: 5,
    State.TIME_WAIT: 6, State.CLOSED: 7, State.CLOSE_WAIT: 8, State.LAST_ACK: 9, State.LISTEN: 10, State.CLOSING: 11,
}  # fmt: skip

CONSTANTS: Final[dict[str, int]] = {
    **{f"TCP_{name}": value for name, value in (
        ("ESTABLISHED", 1), ("SYN_SENT", 2), ("SYN_RECV", 3), ("FIN_WAIT1", 4), ("FIN_WAIT2", 5), ("TIME_WAIT", 6),
        ("CLOSE", 7), ("CLOSE_WAIT", 8), ("LAST_ACK", 9), ("LISTEN", 10), ("CLOSING", 11))},
    **{f"TCPI_{name}": value for name, value in (
        ("ESTABLISHED", 1), ("SYN_SENT", 2), ("SYN_RECEIVED", 3), ("FIN_WAIT_1", 4), ("FIN_WAIT_2", 5),
        ("TIME_WAIT", 6), ("CLOSED", 7), ("CLOSE_WAIT", 8), ("LAST_ACK", 9), ("LISTEN", 10), ("CLOSING", 11))},
    "TCP_CA_Open": 0, "TCP_CA_Disorder": 1, "TCP_CA_CWR": 2, "TCP_CA_Recovery": 3, "TCP_CA_Loss": 4,
    "TCPI_OPT_TIMESTAMPS": 1, "TCPI_OPT_SACK": 2, "TCPI_OPT_WSCALE": 4, "TCPI_OPT_ECN": 8, "TCPI_OPT_ECN_SEEN": 16,
    "TCPI_OPT_SYN_DATA": 32,
    "TCPI_ECN_MODE_DISABLED": 0, "TCPI_ECN_MODE_RFC3168": 1, "TCPI_ECN_MODE_ACCECN": 2, "TCPI_ECN_MODE_PENDING": 3,
    "TCP_ACCECN_OPT_NOT_SEEN": 0, "TCP_ACCECN_OPT_EMPTY_SEEN": 1, "TCP_ACCECN_OPT_COUNTER_SEEN": 2,
    "TCP_ACCECN_OPT_FAIL_SEEN": 3,
    "TCP_ACCECN_ACE_FAIL_SEND": 1, "TCP_ACCECN_ACE_FAIL_RECV": 2, "TCP_ACCECN_OPT_FAIL_SEND": 4,
    "TCP_ACCECN_OPT_FAIL_RECV": 8,
    "TCP_INFINITE_SSTHRESH": INFINITE_SSTHRESH,
}  # fmt: skip


def _state(file: TcpFile) -> int:
    """For Linux, a socket whose connection is in TIME-WAIT is closed."""
    return LINUX_STATES[State.CLOSED if file.state is State.TIME_WAIT else file.state]


def fields_of(file: TcpFile, now: int) -> dict[str, int]:
    """Return the fields that the host can tell; the others are unknown, and not zero."""
    if file.socket is None:
        return {"tcpi_state": _state(file)}
    status = file.socket.status()
    return {
        "tcpi_state": _state(file),
        "tcpi_retransmits": status.retransmits,
        "tcpi_probes": status.probes,
        "tcpi_backoff": status.backoff,
        "tcpi_options": _options(status, file),
        "tcpi_snd_wscale": status.snd_wscale,
        "tcpi_rcv_wscale": status.rcv_wscale,
        "tcpi_rto": status.rto // _US,
        "tcpi_snd_mss": status.snd_mss,
        "tcpi_rcv_mss": status.rcv_mss,
        "tcpi_unacked": status.unacked_segments,
        "tcpi_sacked": status.sacked_segments,
        "tcpi_lost": status.lost_segments,
        "tcpi_retrans": status.resent_segments,
        "tcpi_fackets": 0,  # Linux counts none since 4.15
        "tcpi_ca_state": int(status.phase),
        "tcpi_reordering": status.reordering,
        "tcpi_reord_seen": status.reorderings,
        "tcpi_dsack_dups": status.dsacks,
        "tcpi_total_retrans": status.resent_total,
        "tcpi_min_rtt": status.min_rtt // _US if status.min_rtt else NO_MIN_RTT,
        "tcpi_delivered": status.delivered,
        "tcpi_rtt": status.rtt // _US,
        "tcpi_rttvar": status.rttvar // _US,
        "tcpi_snd_ssthresh": _threshold(status),
        "tcpi_snd_cwnd": status.snd_cwnd // status.snd_mss,
        "tcpi_advmss": status.advmss,
        "tcpi_snd_wnd": status.snd_wnd,
        "tcpi_rcv_wnd": status.rcv_wnd,
        "tcpi_notsent_bytes": max(0, status.send_queue - (status.snd_nxt - status.snd_una)),  # a SYN is none
        "tcpi_pacing_rate": status.pacing_rate or UNLIMITED,
        "tcpi_delivery_rate": status.delivery_rate,
        "tcpi_delivery_rate_app_limited": int(status.app_limited),
        "tcpi_max_pacing_rate": file.socket.options.so_max_pacing_rate or UNLIMITED,
        **_received(status),
        **_sent(status, now),
        "tcpi_last_ack_sent": 0,  # as Linux tells it: not remembered
        **_marks(status),
        **_pauses(status, now),
    }


def _received(status: Status) -> dict[str, int]:
    return {
        "tcpi_segs_in": status.segments_received,
        "tcpi_data_segs_in": status.text_segments_received,
        "tcpi_bytes_received": status.octets_received,
        "tcpi_rcv_ooopack": status.segments_beyond_hole,
        "tcpi_rcv_ssthresh": status.rcv_ssthresh,
        "tcpi_rcv_space": status.rcv_space,
        "tcpi_rcv_rtt": status.rcv_rtt // _US,
        "SK_MEMINFO_RCVBUF": status.receive_buffer,
        "SK_MEMINFO_RMEM_ALLOC": status.receive_memory,
    }


def _sent(status: Status, now: int) -> dict[str, int]:
    outgo = status.outgo
    window, starved = outgo.time(Limit.WINDOW, now), outgo.time(Limit.BUFFER, now)
    return {
        "tcpi_segs_out": outgo.segments,
        "tcpi_data_segs_out": outgo.text_segments,
        "tcpi_bytes_sent": outgo.octets,
        "tcpi_bytes_acked": status.acknowledged,
        "tcpi_bytes_retrans": outgo.resent_octets,
        "tcpi_total_retrans": outgo.resent_segments,
        "tcpi_busy_time": (outgo.time(Limit.BUSY, now) + window + starved) // _US,
        "tcpi_rwnd_limited": window // _US,
        "tcpi_sndbuf_limited": starved // _US,
        "tcpi_pmtu": status.path_mtu,
        "tcpi_ato": status.ack_delay // _US,
    }


def _pauses(status: Status, now: int) -> dict[str, int]:
    """Return how long ago something was last sent or came, in milliseconds."""
    return {
        "tcpi_last_data_sent": (now - status.text_sent_at) // MS,
        "tcpi_last_data_recv": (now - status.text_received_at) // MS,
        "tcpi_last_ack_recv": (now - status.ack_received_at) // MS,
    }


def _marks(status: Status) -> dict[str, int]:
    return {
        "tcpi_delivered_ce": status.delivered_ce,
        "tcpi_received_ce": status.received_ce,
        "tcpi_delivered_e1_bytes": status.delivered_marked[0],
        "tcpi_delivered_e0_bytes": status.delivered_marked[1],
        "tcpi_delivered_ce_bytes": status.delivered_marked[2],
        "tcpi_received_e1_bytes": status.received_marked[0],
        "tcpi_received_e0_bytes": status.received_marked[1],
        "tcpi_received_ce_bytes": status.received_marked[2],
        "tcpi_ecn_mode": status.ecn_mode,
        "tcpi_accecn_opt_seen": status.accecn_opt_seen,
        "tcpi_accecn_fail_mode": status.accecn_fail_mode,
    }


def _options(status: Status, file: TcpFile) -> int:
    scaling = file.socket is not None and file.socket.connection.tcb.terms.scaling
    ecn = status.ecn_mode in (1, 2)
    bits = (
        (1, status.timestamps), (2, status.sack), (4, scaling), (8, ecn), (16, status.ecn_seen), (32, status.syn_data),
    )  # fmt: skip
    return sum(bit for bit, holds in bits if holds)


def _threshold(status: Status) -> int:
    return INFINITE_SSTHRESH if status.snd_ssthresh >= INFINITE else status.snd_ssthresh // status.snd_mss
