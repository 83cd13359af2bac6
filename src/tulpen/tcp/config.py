"""Settings of a host, named as Linux's sysctls, and of a connection, named as its socket options.

Values are in Linux's own units, so what a reader knows from ``sysctl -a`` is true here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final

from tulpen.tcp.keys import AoKey, Md5Key

US: Final = 1_000
MS: Final = 1_000_000
SECOND: Final = 1_000_000_000  # of ``now``, which counts nanoseconds


def _row(default: Any, unit: str, meaning: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "source": source})


@dataclass(slots=True)
class Settings:
    """What a host's administrator decides; every connection of the host reads the same object."""

    # opening
    tcp_syn_retries: int = _row(7, "times", "SYNs sent again before an active open gives up (Linux: 6, 127 s)", "RFC 9293 §3.8.3 MUST-23")
    tcp_keepinit: int = _row(0, "seconds", "time that a connection has to be established; 0: retries decide (FreeBSD: net.inet.tcp.keepinit)", "RFC 9293 §3.8.3 MUST-23")
    tcp_plain_syn_after: int = _row(0, "times", "SYNs sent again with all options, before they go with MSS alone; 0: always (FreeBSD: net.inet.tcp.rexmit_drop_options)", "RFC 9293 §3.10.1")
    tcp_queue_syn_text: bool = _row(False, "", "text on a SYN that crosses ours is kept until ESTABLISHED; off: dropped (FreeBSD keeps it)", "RFC 9293 §3.10.7.3")
    tcp_syn_linear_timeouts: int = _row(0, "times", "SYNs sent again before the time between them doubles (Linux: 4, against RFC 6298)", "RFC 6298 §5.5")
    tcp_synack_retries: int = _row(5, "times", "SYN,ACKs sent again before a passive open gives up", "RFC 9293 §3.8.3")
    tcp_max_syn_backlog: int = _row(1024, "entries", "the SYN queue's limit, with the listener's backlog", "RFC 4987 §3.1")
    somaxconn: int = _row(4096, "entries", "the largest backlog that listen() is given", "listen(2)")
    tcp_syncookies: int = _row(1, "0|1|2", "SYN cookies: never, when the SYN queue is full, always", "RFC 4987 §3.6")
    tcp_abort_on_overflow: bool = _row(False, "", "reset instead of dropping the last ACK when the accept queue is full", "tcp(7)")
    ip_local_port_range: tuple[int, int] = _row((32768, 60999), "port port", "ephemeral ports, both ends included", "RFC 6056 §3.2")
    tcp_window_scaling: bool = _row(True, "", "offer and accept window scaling", "RFC 7323 §2")
    tcp_timestamps: int = _row(1, "0|1|2", "timestamps: off, with an offset per connection, with none", "RFC 7323 §3")
    tcp_sack: bool = _row(True, "", "offer and accept selective acknowledgments", "RFC 2018")
    tcp_dsack: bool = _row(True, "", "report what came twice, first in SACK", "RFC 2883")
    tcp_user_timeout_by_rto: bool = _row(True, "", "a user timeout counts from the first retransmission or window probe, as on Linux; off: from when the oldest text was sent, or the peer last heard of", "RFC 5482 §3, RFC 9293 §3.8.3")
    tcp_user_timeout_option: bool = _row(False, "", "send and obey the User Timeout Option (tulpen's own)", "RFC 5482 §3")
    # congestion marks
    tcp_ecn: int = _row(2, "0|1|2|3|4|5", "ECN: none, asked for and granted, granted; AccECN asked for and granted, ECN asked for and AccECN granted, AccECN granted", "RFC 3168 §6.1.1, RFC 9768 §3.1")
    tcp_ecn_fallback: bool = _row(True, "", "SYNs sent again do without; marks that were tampered with are not relied on", "RFC 3168 §6.1.1.1, RFC 9768 §3.1.4, §3.2.2.3")
    tcp_ecn_syn_retries: int = _row(0, "times", "SYNs sent again that still ask for ECN, one more for AccECN (FreeBSD: net.inet.tcp.ecn.maxretries)", "RFC 3168 §6.1.1.1")
    tcp_ecn_option: int = _row(2, "0|1|2", "AccECN's option: not sent, when it has news, always", "RFC 9768 §3.2.3.3")
    tcp_ecn_option_beacon: int = _row(3, "a round trip", "AccECN's options sent at least, news or not; 0: none for this", "RFC 9768 §3.2.3.3")
    # fast open
    tcp_fastopen: int = _row(1, "bits", "1: client, 2: server, 4: text in a SYN without a cookie; 0x200: takes it without, 0x400: every listener", "RFC 7413")
    tcp_fastopen_key: str = _row("", "hex", "key of the cookies given out, 8-8-8-8 digits; after a comma a second, still good; empty: the host's secret", "RFC 7413 §4.1.2")
    tcp_fastopen_negative: bool = _row(False, "", "open without it to a host that gave no cookie for a request, or for text it left (FreeBSD)", "RFC 7413 §4.1.3.1")
    tcp_fastopen_blackhole_timeout_sec: int = _row(0, "seconds", "pause of the client after signs of a middlebox that drops it, doubled each time; 0: none", "RFC 7413 §7.1")
    # retransmission
    tcp_retries1: int = _row(3, "times", "R1: retransmissions before the application is told of trouble", "RFC 9293 §3.8.3")
    tcp_retries2: int = _row(15, "times", "R2: retransmissions before the connection is given up", "RFC 9293 §3.8.3")
    tcp_orphan_retries: int = _row(8, "times", "R2 of a connection its application has closed", "tcp(7)")
    tcp_rto_min_us: int = _row(200_000, "microseconds", "floor of the retransmission timeout (RFC 6298 says 1 s)", "RFC 6298 §2.4")
    tcp_rto_max_ms: int = _row(120_000, "milliseconds", "ceiling of the retransmission timeout", "RFC 6298 §2.5")
    tcp_rto_slop_ms: int = _row(0, "milliseconds", "added to a timeout that is backed off (FreeBSD: net.inet.tcp.rexmit_slop)", "RFC 6298 §5.5")
    tcp_delack_ms: int = _row(40, "milliseconds", "delay of an ACK (a constant in Linux; FreeBSD: net.inet.tcp.delacktime)", "RFC 9293 §3.8.6.3 MUST-40")
    tcp_recovery: int = _row(1, "bits", "1: losses are found by time (RACK), else by what was sacked above; 2: DSACKs leave the reordering window; 4: DupThresh does not end it", "RFC 8985 §6, RFC 6675")
    tcp_reordering: int = _row(3, "segments", "DupThresh: reordering that is no sign of loss, until a path shows more", "RFC 5681 §3.2")
    tcp_max_reordering: int = _row(300, "segments", "the most that a path's reordering may raise it to", "RFC 8985 §6.2")
    tcp_frto: int = _row(2, "0|1|2", "after a timeout new text is sent first, to see whether it was spurious; 0: never", "RFC 5682 §3.1")
    tcp_early_retrans: int = _row(3, "0|3|4", "Tail Loss Probe: off, on", "RFC 8985 §7")
    tcp_quick_acks: int = _row(16, "ACKs", "ACKs sent at once when text begins to come, and a delay that adapts (a constant in Linux); 0: neither", "RFC 5681 §4.2")
    tcp_delack_any: bool = _row(False, "", "every second segment is acknowledged at once whatever its size, not two full ones alone (FreeBSD)", "RFC 5681 §4.2")
    tcp_congestion_control: str = _row("cubic", "name", "congestion control of new connections: cubic, reno", "RFC 9438, RFC 5681")
    tcp_tso_win_divisor: int = _row(3, "of the window", "less than this part of it may wait for an ACK that is about to come, where a device cuts; 0: less than four segments", "RFC 9293 §3.8.6")
    tcp_min_tso_segs: int = _row(2, "segments", "what a device gets to cut at least, room given; 0: it is not made use of", "RFC 9293 §3.8.6")
    tcp_tso_autosize: bool = _row(False, "", "what a device gets to cut is what leaves in a millisecond at the rate of the connection, whether it is paced or not (Linux); off: where it is paced", "RFC 9293 §3.8.6")
    tcp_pacing_ss_ratio: int = _row(200, "percent", "pace in slow start, of the congestion window in a round trip", "ip-sysctl")
    tcp_pacing_ca_ratio: int = _row(120, "percent", "pace in congestion avoidance", "ip-sysctl")
    tcp_initial_cwnd: int = _row(10, "segments", "initial window (a constant in Linux)", "RFC 6928 §2")
    tcp_nagle_small: bool = _row(True, "", "Nagle's algorithm holds less than a full segment back while another such is unacknowledged; off: while anything is (FreeBSD)", "RFC 9293 §3.7.4 SHLD-7")
    tcp_slow_start_after_idle: bool = _row(True, "", "restart from the initial window after an idle RTO", "RFC 5681 §4.1")
    # idle
    tcp_keepalive_time: int = _row(7200, "seconds", "idle time before the first keep-alive probe", "RFC 9293 §3.8.4 MUST-28")
    tcp_keepalive_intvl: int = _row(75, "seconds", "time between keep-alive probes", "RFC 9293 §3.8.4")
    tcp_keepalive_probes: int = _row(9, "times", "unanswered probes before the connection is given up", "RFC 9293 §3.8.4")
    so_keepalive: bool = _row(False, "", "keep-alive for sockets that do not say (Linux: always off)", "RFC 9293 §3.8.4 MUST-25")
    # closing
    tcp_fin_timeout: int = _row(60, "seconds", "FIN-WAIT-2 of a connection its application has closed", "tcp(7)")
    tcp_timewait_len: int = _row(60, "seconds", "2 MSL (a constant in Linux)", "RFC 9293 §3.6.1 MUST-13")
    tcp_max_tw_buckets: int = _row(131_072, "entries", "TIME-WAIT records; beyond, connections skip TIME-WAIT", "tcp(7)")
    tcp_tw_reuse: int = _row(2, "0|1|2", "open a connection over a TIME-WAIT of ours: no, yes, loopback only", "RFC 6191")
    tcp_tw_recycle: bool = _row(False, "", "harmful behind NAT, gone from Linux since 4.12; here for the lab", "RFC 6191 §4")
    tcp_reset_timestamps: bool = _row(False, "", "a reset carries a timestamp if what it answers did (Linux and FreeBSD: no)", "RFC 7323 §3.2")
    tcp_rfc1337: bool = _row(False, "", "ignore RSTs in TIME-WAIT", "RFC 1337 §4")
    tcp_tw_by_ack: bool = _row(False, "", "in TIME-WAIT nothing without an ACK counts but a SYN beyond RCV.NXT, and all that is no mere duplicate is acknowledged (FreeBSD)", "RFC 9293 §3.10.7.4")
    tcp_fin_again: bool = _row(False, "", "ACKs sent while our FIN is not acknowledged carry it again (FreeBSD)", "RFC 9293 §3.10.7.4")
    tcp_reset_tells_window: bool = _row(True, "", "the reset of an ABORT tells the window; off: none (FreeBSD)", "RFC 9293 §3.10.5")
    tcp_max_orphans: int = _row(16_384, "connections", "closed by their application, not yet by TCP; beyond, reset", "tcp(7)")
    # robustness
    tcp_challenge_ack_limit: int = _row(2_147_483_647, "per second", "challenge ACKs of the whole host", "RFC 5961 §7")
    tcp_invalid_ratelimit: int = _row(500, "milliseconds", "least time between ACKs of a connection to segments out of window", "RFC 5961 §7")
    tcp_insecure_rst: bool = _row(False, "", "any RST in the window resets, as before RFC 5961 (FreeBSD: net.inet.tcp.insecure_rst)", "RFC 9293 §3.10.7.4")
    tcp_insecure_syn: bool = _row(False, "", "a SYN in the window resets, as before RFC 5961 (FreeBSD: net.inet.tcp.insecure_syn)", "RFC 9293 §3.10.7.4")
    tcp_resets_second_syn: bool = _row(True, "", "another SYN in the window of a half-open connection is answered with a reset as it goes back to LISTEN; off: silently (RFC 9293, FreeBSD)", "RFC 9293 §3.10.7.4")
    tcp_drop_synfin: int = _row(1, "0|1|2", "drop SYN with FIN: never, in LISTEN, in every state (FreeBSD: net.inet.tcp.drop_synfin 0 or 1: 0 or 2 here)", "RFC 9293 §3.10.7")
    tcp_listen_resets_syn_ack: bool = _row(True, "", "a SYN,ACK for a listener is answered with a reset; off: dropped (FreeBSD)", "RFC 9293 §3.10.7.2")
    tcp_acks_in_duplicates: bool = _row(False, "", "the ACK of a segment that lies left of the window counts, its text and FIN do not (FreeBSD)", "RFC 9293 §3.10.7.4")
    tcp_reset_epipe: bool = _row(True, "", "a RST in CLOSE-WAIT is told as EPIPE; off: as ECONNRESET (FreeBSD)", "RFC 9293 §3.10.7.4")
    tcp_paws_spares_acks: bool = _row(True, "", "mere ACKs with an old timestamp, overtaken on their way, pass or are left unanswered (Linux); off: answered", "RFC 7323 §5.3")
    tcp_icmp_may_rst: bool = _row(True, "", "hard ICMP errors end an attempt to connect (FreeBSD: net.inet.tcp.icmp_may_rst)", "RFC 9293 §3.9.2.2 SHLD-26")
    tcp_icmp_errors: str = _row("linux", "linux|freebsd", "which ICMP errors are hard, and their errno", "RFC 5461")
    tcp_tolerate_missing_ts: bool = _row(True, "", "take segments without the timestamps that were agreed (FreeBSD: net.inet.tcp.tolerate_missing_ts)", "RFC 7323 §3.2")
    # memory
    tcp_rmem: tuple[int, int, int] = _row((4096, 131_072, 6_291_456), "octets", "receive buffer: least, default, most", "tcp(7)")
    tcp_wmem: tuple[int, int, int] = _row((4096, 262_144, 4_194_304), "octets", "send buffer: least, default, most", "tcp(7)")
    rmem_max: int = _row(4_194_304, "octets", "the most that SO_RCVBUF is granted", "socket(7)")
    tcp_rcvbuf_overhead: bool = _row(True, "", "what is received counts with the memory that keeping it takes, and the window follows what comes (Linux); off: octets alone count, and the window is what is left", "RFC 9293 §3.8.6.2.2")
    tcp_moderate_rcvbuf: bool = _row(True, "", "the receive buffer grows, up to the most of tcp_rmem, with what the application takes in a round trip", "tcp(7)")
    tcp_shrink_window: bool = _row(False, "", "the right edge of the window may go back where memory runs short; what was offered is still taken", "RFC 7323 §2.4")
    tcp_take_whole: bool = _row(True, "", "text that ends beyond the window is taken whole if nothing waits to be read, and else dropped (Linux); off: it is cut off there", "RFC 9293 §3.10.7.4")
    tcp_wmem_overhead: int = _row(832, "octets", "of the send buffer that each segment queued takes beside its text (a constant in Linux); 0: text alone counts (FreeBSD)", "tcp(7)")
    tcp_rcvbuf_whole_segments: bool = _row(False, "", "round the receive buffer up to whole segments once the MSS is known (FreeBSD: always)", "RFC 9293 §3.8.6.2.2")
    tcp_notsent_lowat: int = _row(4_294_967_295, "octets", "an application may send more once less than this is not yet sent", "tcp(7)")
    tcp_window_steps: bool = _row(True, "", "raise the window in steps worth a segment; off: every ACK tells all the room there is (FreeBSD)", "RFC 9293 §3.8.6.2.2")
    tcp_window_update_share: int = _row(0, "of the buffer", "send a window update worth two segments and this part of the buffer (FreeBSD: 4); 0: when it doubles the window", "RFC 9293 §3.8.6.2.2")
    # the internet layer
    default_qdisc: str = _row("pfifo_fast", "name", "how the link queues: fq paces every connection, others none", "tc-fq(8)")
    ip_default_ttl: int = _row(64, "hops", "time to live of what is sent", "RFC 9293 §3.9.2 MUST-49")
    tcp_min_snd_mss: int = _row(48, "octets", "floor of the MSS a peer can ask for", "tcp(7)")
    min_pmtu: int = _row(552, "octets", "IPv4: a router that asks for less gets this, and packets that may be fragmented (Linux: net.ipv4.route.min_pmtu)", "RFC 1191 §3")
    mtu_expires: int = _row(600, "seconds", "how long what a router said of a path MTU is believed (Linux: net.ipv4.route.mtu_expires)", "RFC 1191 §6.3")
    ip_no_pmtu_disc: bool = _row(False, "", "IP_MTU_DISCOVER is IP_PMTUDISC_DONT for sockets that do not say", "RFC 1191 §6.1")
    tcp_pmtu_patience: int = _row(0, "times", "timeouts of what a router calls too big, before it is believed where as much has been acknowledged; 0: at once (Linux)", "RFC 5927 §7.2")
    tcp_mtu_probing: int = _row(0, "0|1|2", "search for the path MTU with larger segments: never, once a black hole is met, always", "RFC 4821")
    tcp_base_mss: int = _row(1024, "octets", "MSS that the search begins at", "RFC 4821 §7.2")
    tcp_mtu_probe_floor: int = _row(48, "octets", "least MSS that the search falls back to", "RFC 4821 §7.7")
    tcp_probe_threshold: int = _row(8, "octets", "the search ends when its range is less", "RFC 4821 §7.3")
    tcp_probe_interval: int = _row(600, "seconds", "time between two searches", "RFC 4821 §7.3")
    icmp_echo_ignore_all: bool = _row(False, "", "leave echo requests unanswered", "RFC 1122 §3.2.2.6")


@dataclass(slots=True)
class SocketOptions:
    """What an application decides for one socket; None: as the host's settings say."""

    so_keepalive: bool | None = _row(None, "", "send keep-alive probes when idle", "RFC 9293 §3.8.4 MUST-24")
    tcp_keepidle: int | None = _row(None, "seconds", "idle time before the first keep-alive probe", "RFC 9293 §3.8.4 MUST-27")
    tcp_keepintvl: int | None = _row(None, "seconds", "time between keep-alive probes", "tcp(7)")
    tcp_keepcnt: int | None = _row(None, "times", "unanswered probes before the connection is given up", "tcp(7)")
    tcp_user_timeout: int = _row(0, "milliseconds", "how long sent data may stay unacknowledged; 0: R2 decides", "RFC 5482, RFC 9293 §3.8.3 MUST-21")
    tcp_nodelay: bool = _row(False, "", "send small segments at once: no Nagle algorithm", "RFC 9293 §3.7.4 MUST-17")
    tcp_quickack: bool = _row(False, "", "acknowledge at once, always (Linux: quickack of a route)", "ip-route(8)")
    tcp_cork: bool = _row(False, "", "send full segments alone", "tcp(7)")
    tcp_syncnt: int | None = _row(None, "times", "SYNs sent again before an active open gives up", "tcp(7)")
    tcp_keepinit: int | None = _row(None, "seconds", "time that the connection has to be established (FreeBSD's TCP_KEEPINIT)", "RFC 9293 §3.8.3 MUST-23")
    tcp_noopt: bool = _row(False, "", "neither send nor take options (FreeBSD's TCP_NOOPT)", "RFC 9293 §3.2")
    tcp_linger2: int | None = _row(None, "seconds", "FIN-WAIT-2 after close(); negative: reset instead", "tcp(7)")
    tcp_defer_accept: int = _row(0, "seconds", "of a listener: how long a connection may wait for its first text before it is accepted without", "tcp(7)")
    tcp_fastopen: int = _row(0, "connections", "of a listener: fast opens whose handshake may be under way", "RFC 7413 §5.1")
    tcp_fastopen_connect: bool = _row(False, "", "connect() waits for the first text, where it can go with the SYN", "tcp(7)")
    tcp_fastopen_no_cookie: bool = _row(False, "", "fast open without a cookie, as tcp_fastopen 4 or 0x200", "tcp(7)")
    tcp_fastopen_key: bytes = _row(b"", "octets", "keys of a listener's cookies, 16 octets each, two at most", "tcp(7)")
    tcp_md5sig: tuple[Md5Key, ...] = _row((), "keys", "sign segments to hosts of a prefix, and take signed ones alone (TCP_MD5SIG, TCP_MD5SIG_EXT)", "RFC 2385")
    tcp_ao: tuple[AoKey, ...] = _row((), "keys", "as tcp_md5sig, with master keys (TCP_AO_ADD_KEY)", "RFC 5925 §3.1")
    tcp_notsent_lowat: int = _row(0, "octets", "it may send more once less than this is not yet sent; 0: as the host's settings say", "tcp(7)")
    tcp_maxseg: int | None = _row(None, "octets", "ceiling of the MSS, sent and obeyed", "tcp(7)")
    tcp_congestion: str | None = _row(None, "name", "congestion control", "tcp(7)")
    so_rcvbuf: int | None = _row(None, "octets", "receive buffer; twice that with tcp_rcvbuf_overhead, where memory counts", "socket(7)")
    tcp_window_clamp: int = _row(0, "octets", "the largest receive window; 0: what the buffer allows", "tcp(7)")
    so_sndbuf: int | None = _row(None, "octets", "send buffer", "socket(7)")
    so_max_pacing_rate: int | None = _row(None, "octets a second", "the most that leaves; it is paced then", "socket(7)")
    so_linger: int | None = _row(None, "seconds", "0: close() resets the connection", "socket(7)")
    so_oobinline: bool = _row(True, "", "taken from programs that set it; urgent octets always stay in the stream", "RFC 6093 §6")
    ip_mtu_discover: int | None = _row(None, "0-5", "IP_PMTUDISC_DONT, WANT, DO, PROBE, INTERFACE, OMIT", "RFC 1191 §6.1, ip(7)")
    ip_tos: int = _row(0, "octet", "Diffserv field and ECN bits", "RFC 9293 §3.9.1.9 MUST-48")
    ip_ttl: int | None = _row(None, "hops", "time to live of what is sent", "RFC 9293 §3.9.2 MUST-49")
    so_reuseaddr: bool = _row(False, "", "bind to a port that connections in TIME-WAIT still have", "socket(7)")
    so_reuseport: bool = _row(False, "", "share an address and port with other listeners that have it: each connection goes to the one that its hash names", "socket(7)")
    ip_recverr: bool = _row(True, "", "report soft errors", "RFC 9293 §3.9.1.8 SHLD-20")

    def clone(self) -> SocketOptions:
        """Return a copy that can be changed alone."""
        return SocketOptions(*_OPTION_VALUES(self))


_OPTION_VALUES: Final = attrgetter(*(each.name for each in fields(SocketOptions)))  # a tenth of what replace() takes
