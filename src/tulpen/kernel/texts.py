"""Addresses, users, timers and tcp_info in words."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Final

from tulpen.kernel.attributes import SocketMemory
from tulpen.kernel.sock_diag import KernelSocket, TcpInfo, Timer
from tulpen.tcp.state import State

UNKNOWN: Final = "?"  # there is something that we may not see

_TIMERS: Final = {
    Timer.RETRANSMIT: "on",
    Timer.KEEPALIVE: "keepalive",
    Timer.TIME_WAIT: "timewait",
    Timer.PERSIST: "persist",
}
_NO_LIMIT: Final = 0x7FFF_FFFF  # an ssthresh that was never set


@lru_cache(maxsize=1 << 17)
def address_text(octets: bytes) -> str:
    """Return an address of 4 or 16 octets."""
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)


@lru_cache(maxsize=1 << 17)
def host_text(octets: bytes, *, both: bool = False) -> str:
    """Return an address as it stands before a port: ``*`` for any of both families, IPv6 in brackets."""
    if both and not any(octets):
        return "*"
    text = address_text(octets)
    return f"[{text}]" if len(octets) == 16 else text


@lru_cache(maxsize=4096)
def user_name(uid: int) -> str:
    """Return the user's name; where the machine knows none, the number; -1, nobody: ``-``."""
    if uid < 0:
        return "-"
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def timer_text(timer: int, expires: int, retransmits: int) -> str:
    """Return the timer as ss writes it, ``keepalive,1min59s,0``: its name, when it runs out, how often it has."""
    name = _TIMERS.get(Timer(timer)) if timer in _TIMERS else None
    return f"{name},{duration(expires)},{retransmits}" if name else "-"


def duration(milliseconds: int) -> str:
    """Return a time: ``1min59s``, ``2.5s``, ``204ms``."""
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f}s".replace(".0s", "s")
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def memory_text(memory: SocketMemory) -> str:
    """Return the buffers as ss writes them."""
    r, rb, t, tb, f, w, o, bl, d = memory
    return f"skmem:(r{r},rb{rb},t{t},tb{tb},f{f},w{w},o{o},bl{bl},d{d})"


def info_text(sock: KernelSocket) -> str:
    """Return of tcp_info what matters, with the congestion control's name; zeros that say nothing are left out."""
    info = sock.info
    if info is None:
        return sock.congestion
    if sock.state is State.LISTEN:
        return sock.congestion
    words = [
        sock.congestion,
        *_options(info),
        f"wscale:{info.wscale & 15},{info.wscale >> 4}" if info.wscale else "",
        f"rto:{_milliseconds(info.rto)}" if info.rto else "",
        f"rtt:{_milliseconds(info.rtt)}/{_milliseconds(info.rttvar)}" if info.rtt else "",
        f"minrtt:{_milliseconds(info.min_rtt)}" if 0 < info.min_rtt < 0xFFFF_FFFF else "",
        f"ato:{_milliseconds(info.ato)}" if info.ato else "",
        *(f"{key}:{value}" for key, value in _numbers(info) if value),
        f"lastsnd:{info.last_data_sent} lastrcv:{info.last_data_recv} lastack:{info.last_ack_recv}",
        f"pacing_rate:{_rate(info.pacing_rate)}" if 0 < info.pacing_rate < 1 << 63 else "",
        f"delivery_rate:{_rate(info.delivery_rate)}" if info.delivery_rate else "",
        "app_limited" if info.app_limited & 1 else "",
        *_limits(info),
    ]
    return " ".join(word for word in words if word)


def _options(info: TcpInfo) -> list[str]:
    names = ("ts", "sack", "", "ecn", "ecnseen", "fastopen", "usec_ts")
    return [name for bit, name in enumerate(names) if name and info.options >> bit & 1]


def _numbers(info: TcpInfo) -> tuple[tuple[str, int], ...]:
    return (
        ("mss", info.snd_mss),
        ("pmtu", info.pmtu),
        ("rcvmss", info.rcv_mss),
        ("advmss", info.advmss),
        ("cwnd", info.snd_cwnd),
        ("ssthresh", 0 if info.snd_ssthresh >= _NO_LIMIT else info.snd_ssthresh),
        ("bytes_sent", info.bytes_sent),
        ("bytes_retrans", info.bytes_retrans),
        ("bytes_acked", info.bytes_acked),
        ("bytes_received", info.bytes_received),
        ("segs_out", info.segs_out),
        ("segs_in", info.segs_in),
        ("unacked", info.unacked),
        ("retrans", info.retrans),
        ("total_retrans", info.total_retrans),
        ("lost", info.lost),
        ("sacked", info.sacked),
        ("backoff", info.backoff),
        ("probes", info.probes),
        ("notsent", info.notsent_bytes),
        ("snd_wnd", info.snd_wnd),
        ("rcv_wnd", info.rcv_wnd),
        ("rcv_space", info.rcv_space),
        ("rcv_ooopack", info.rcv_ooopack),
        ("dsack_dups", info.dsack_dups),
        ("reord_seen", info.reord_seen),
        ("delivered_ce", info.delivered_ce),
    )


def _limits(info: TcpInfo) -> list[str]:
    """Return how long the peer's window, or our buffer, was what held the connection up."""
    pairs = (("busy", info.busy_time), ("rwnd_limited", info.rwnd_limited), ("sndbuf_limited", info.sndbuf_limited))
    return [f"{key}:{duration(value // 1000)}" for key, value in pairs if value >= 1000]


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:g}"


def _rate(octets: int) -> str:
    """Return a rate, given in octets a second, in bits."""
    bits = octets * 8.0
    for unit in ("bps", "Kbps", "Mbps"):
        if bits < 1000:
            return f"{bits:.3g}{unit}"
        bits /= 1000
    return f"{bits:.4g}Gbps"
