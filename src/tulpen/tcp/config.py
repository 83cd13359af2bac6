"""Settings of a host, named as Linux's sysctls, and of a connection, named as its socket options.

Values are in Linux's own units, so what a reader knows from ``sysctl -a`` is true here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

US: Final = 1_000
MS: Final = 1_000_000
SECOND: Final = 1_000_000_000  # of ``now``, which counts nanoseconds


def _sysctl(default: Any, unit: str, meaning: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "source": source})


@dataclass(slots=True)
class Settings:
    """What a host's administrator decides; every connection of the host reads the same object."""

    # opening
    tcp_syn_retries: int = _sysctl(7, "times", "SYNs sent again before an active open gives up (Linux: 6, 127 s)", "RFC 9293 §3.8.3 MUST-23")
    tcp_synack_retries: int = _sysctl(5, "times", "SYN,ACKs sent again before a passive open gives up", "RFC 9293 §3.8.3")
    tcp_max_syn_backlog: int = _sysctl(1024, "entries", "the SYN queue's limit, with the listener's backlog", "RFC 4987 §3.1")
    somaxconn: int = _sysctl(4096, "entries", "the largest backlog that listen() is given", "listen(2)")
    tcp_syncookies: int = _sysctl(1, "0|1|2", "SYN cookies: never, when the SYN queue is full, always", "RFC 4987 §3.6")
    tcp_abort_on_overflow: bool = _sysctl(False, "", "reset instead of dropping the last ACK when the accept queue is full", "tcp(7)")
    ip_local_port_range: tuple[int, int] = _sysctl((32768, 60999), "port port", "ephemeral ports, both ends included", "RFC 6056 §3.2")
    tcp_window_scaling: bool = _sysctl(True, "", "offer and accept window scaling", "RFC 7323 §2")
    tcp_timestamps: int = _sysctl(1, "0|1|2", "timestamps: off, with an offset per connection, with none", "RFC 7323 §3")
    tcp_sack: bool = _sysctl(True, "", "offer and accept selective acknowledgments", "RFC 2018")
    tcp_user_timeout_option: bool = _sysctl(False, "", "send and obey the User Timeout Option (tulpen's own)", "RFC 5482 §3")
    # retransmission
    tcp_retries1: int = _sysctl(3, "times", "R1: retransmissions before the application is told of trouble", "RFC 9293 §3.8.3")
    tcp_retries2: int = _sysctl(15, "times", "R2: retransmissions before the connection is given up", "RFC 9293 §3.8.3")
    tcp_orphan_retries: int = _sysctl(8, "times", "R2 of a connection its application has closed", "tcp(7)")
    tcp_rto_min_us: int = _sysctl(200_000, "microseconds", "floor of the retransmission timeout (RFC 6298 says 1 s)", "RFC 6298 §2.4")
    tcp_rto_max_ms: int = _sysctl(120_000, "milliseconds", "ceiling of the retransmission timeout", "RFC 6298 §2.5")
    tcp_congestion_control: str = _sysctl("reno", "name", "congestion control of new connections", "RFC 5681")
    tcp_initial_cwnd: int = _sysctl(10, "segments", "initial window (a constant in Linux)", "RFC 6928 §2")
    tcp_slow_start_after_idle: bool = _sysctl(True, "", "restart from the initial window after an idle RTO", "RFC 5681 §4.1")
    # idle
    tcp_keepalive_time: int = _sysctl(7200, "seconds", "idle time before the first keep-alive probe", "RFC 9293 §3.8.4 MUST-28")
    tcp_keepalive_intvl: int = _sysctl(75, "seconds", "time between keep-alive probes", "RFC 9293 §3.8.4")
    tcp_keepalive_probes: int = _sysctl(9, "times", "unanswered probes before the connection is given up", "RFC 9293 §3.8.4")
    so_keepalive: bool = _sysctl(False, "", "keep-alive for sockets that do not say (Linux: always off)", "RFC 9293 §3.8.4 MUST-25")
    # closing
    tcp_fin_timeout: int = _sysctl(60, "seconds", "FIN-WAIT-2 of a connection its application has closed", "tcp(7)")
    tcp_timewait_len: int = _sysctl(60, "seconds", "2 MSL (a constant in Linux)", "RFC 9293 §3.6.1 MUST-13")
    tcp_max_tw_buckets: int = _sysctl(131_072, "entries", "TIME-WAIT records; beyond, connections skip TIME-WAIT", "tcp(7)")
    tcp_tw_reuse: int = _sysctl(2, "0|1|2", "open a connection over a TIME-WAIT of ours: no, yes, loopback only", "RFC 6191")
    tcp_tw_recycle: bool = _sysctl(False, "", "harmful behind NAT, gone from Linux since 4.12; here for the lab", "RFC 6191 §4")
    tcp_rfc1337: bool = _sysctl(False, "", "ignore RSTs in TIME-WAIT", "RFC 1337 §4")
    tcp_max_orphans: int = _sysctl(16_384, "connections", "closed by their application, not yet by TCP; beyond, reset", "tcp(7)")
    # robustness
    tcp_challenge_ack_limit: int = _sysctl(2_147_483_647, "per second", "challenge ACKs of the whole host", "RFC 5961 §7")
    tcp_invalid_ratelimit: int = _sysctl(500, "milliseconds", "least time between ACKs of a connection to segments out of window", "RFC 5961 §7")
    # memory
    tcp_rmem: tuple[int, int, int] = _sysctl((4096, 131_072, 6_291_456), "octets", "receive buffer: least, default, most", "tcp(7)")
    tcp_wmem: tuple[int, int, int] = _sysctl((4096, 262_144, 4_194_304), "octets", "send buffer: least, default, most", "tcp(7)")
    # the internet layer
    ip_default_ttl: int = _sysctl(64, "hops", "time to live of what is sent", "RFC 9293 §3.9.2 MUST-49")
    tcp_min_snd_mss: int = _sysctl(48, "octets", "floor of the MSS a peer can ask for", "tcp(7)")
    icmp_echo_ignore_all: bool = _sysctl(False, "", "leave echo requests unanswered", "RFC 1122 §3.2.2.6")


@dataclass(slots=True)
class SocketOptions:
    """What an application decides for one socket; None: as the host's settings say."""

    so_keepalive: bool | None = None
    tcp_keepidle: int | None = None  # seconds
    tcp_keepintvl: int | None = None  # seconds
    tcp_keepcnt: int | None = None
    tcp_user_timeout: int = 0  # milliseconds; 0: R2 decides
    tcp_nodelay: bool = False
    tcp_quickack: bool = False
    tcp_cork: bool = False
    tcp_syncnt: int | None = None
    tcp_linger2: int | None = None  # seconds; negative: no FIN-WAIT-2 for orphans
    tcp_maxseg: int | None = None  # octets
    tcp_congestion: str | None = None
    so_rcvbuf: int | None = None  # octets
    so_sndbuf: int | None = None  # octets
    so_linger: int | None = None  # seconds; 0: close() resets
    so_oobinline: bool = True
    ip_tos: int = 0  # Diffserv field and ECN bits (MUST-48)
    ip_ttl: int | None = None
    so_reuseaddr: bool = False
    ip_recverr: bool = True  # soft errors are reported (SHLD-20)

    def clone(self) -> SocketOptions:
        """Return a copy that can be changed alone."""
        return replace(self)
