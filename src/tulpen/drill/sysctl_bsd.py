"""FreeBSD's sysctls as settings of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.drill.problems import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.tcp.config import Settings

_TCP: Final = "net.inet.tcp."

#: Sysctls without a setting: the values that ask for nothing the host does not do anyway.
_AS_IT_IS: Final[dict[str, frozenset[str]]] = {
    "blackhole": frozenset("0"),
    "hostcache.purgenow": frozenset("1"),
    "hostcache.purge": frozenset("1"),
    "rexmit_initial": frozenset(("1000",)),
    "rexmit_min": frozenset(("30",)),
    "udp_tunneling_port": frozenset("0"),
    "path_mtu_discovery": frozenset("1"),
    "pmtud_blackhole_detection": frozenset("0"),
    "syncookies_only": frozenset("0"),
    "mssdflt": frozenset(("536",)),
    "v6mssdflt": frozenset(("1220",)),
}


def _window_options(settings: Settings, value: int) -> None:
    """rfc1323: window scaling and timestamps (1), scaling alone (2), timestamps alone (3)."""
    settings.tcp_window_scaling = value in (1, 2)
    settings.tcp_timestamps = 1 if value in (1, 3) else 0


def _receive_space(settings: Settings, value: int) -> None:
    settings.tcp_rmem = (settings.tcp_rmem[0], value, settings.tcp_rmem[2])


def _send_space(settings: Settings, value: int) -> None:
    settings.tcp_wmem = (settings.tcp_wmem[0], value, settings.tcp_wmem[2])


def _sack(settings: Settings, value: int) -> None:
    settings.tcp_sack = bool(value)


def _cookies(settings: Settings, value: int) -> None:
    settings.tcp_syncookies = value


def _cookies_only(settings: Settings, value: int) -> None:
    if value:
        settings.tcp_syncookies = 2


def _keep_idle(settings: Settings, value: int) -> None:
    settings.tcp_keepalive_time = value // 1000


def _keep_interval(settings: Settings, value: int) -> None:
    settings.tcp_keepalive_intvl = value // 1000


def _keep_count(settings: Settings, value: int) -> None:
    settings.tcp_keepalive_probes = value


def _max_buffer(settings: Settings, value: int) -> None:
    """kern.ipc.maxsockbuf: it bounds the receive buffer, and so decides about the window scale."""
    settings.tcp_rmem = (*settings.tcp_rmem[:2], value)


def _insecure_rst(settings: Settings, value: int) -> None:
    settings.tcp_insecure_rst = bool(value)


def _insecure_syn(settings: Settings, value: int) -> None:
    settings.tcp_insecure_syn = bool(value)


def _drop_synfin(settings: Settings, value: int) -> None:
    settings.tcp_drop_synfin = 2 if value else 0


def _missing_timestamps(settings: Settings, value: int) -> None:
    settings.tcp_tolerate_missing_ts = bool(value)


def _plain_syn(settings: Settings, value: int) -> None:
    """rexmit_drop_options: the third SYN sent again, and those after it, go without."""
    settings.tcp_plain_syn_after = 2 if value else 0


def _slop(settings: Settings, value: int) -> None:
    settings.tcp_rto_slop_ms = value


def _icmp_may_rst(settings: Settings, value: int) -> None:
    settings.tcp_icmp_may_rst = bool(value)


def _keep_init(settings: Settings, value: int) -> None:
    settings.tcp_keepinit = value // 1000


def _fast_open_client(settings: Settings, value: int) -> None:
    settings.tcp_fastopen = (settings.tcp_fastopen & ~1) | bool(value)


def _fast_open_server(settings: Settings, value: int) -> None:
    settings.tcp_fastopen = (settings.tcp_fastopen & ~2) | bool(value) << 1


def _ecn(settings: Settings, value: int) -> None:
    """ecn.enable: 0 none, 1 asked for and granted, 2 granted; 3 and 4 the same of AccECN."""
    settings.tcp_ecn = {0: 0, 1: 1, 2: 2, 3: 3, 4: 5}.get(value, 2)


def _ecn_retries(settings: Settings, value: int) -> None:
    settings.tcp_ecn_syn_retries = value


def _delayed_ack(settings: Settings, value: int) -> None:
    settings.tcp_delack_ms = value


_SET: Final[dict[str, Callable[[Settings, int], None]]] = {
    "rfc1323": _window_options,
    "sack.enable": _sack,
    "recvspace": _receive_space,
    "sendspace": _send_space,
    "syncookies": _cookies,
    "syncookies_only": _cookies_only,
    "keepidle": _keep_idle,
    "keepintvl": _keep_interval,
    "keepcnt": _keep_count,
    "insecure_rst": _insecure_rst,
    "rexmit_drop_options": _plain_syn,
    "rexmit_slop": _slop,
    "icmp_may_rst": _icmp_may_rst,
    "keepinit": _keep_init,
    "fastopen.client_enable": _fast_open_client,
    "fastopen.server_enable": _fast_open_server,
    "insecure_syn": _insecure_syn,
    "drop_synfin": _drop_synfin,
    "tolerate_missing_ts": _missing_timestamps,
    "delacktime": _delayed_ack,
    "ecn.enable": _ecn,
    "ecn.maxretries": _ecn_retries,
}


def apply(settings: Settings, name: str, value: str) -> None:
    """Set one sysctl; skips the script where the host has no such thing."""
    if name == "kern.ipc.maxsockbuf":
        _max_buffer(settings, int(value))
        return
    short = name.removeprefix(_TCP)
    if short in _SET and name.startswith(_TCP):
        _SET[short](settings, int(value))
        return
    if not name.startswith(_TCP) or value not in _AS_IT_IS.get(short, ()):
        raise Unsupported(f"sysctl {name}={value}")
