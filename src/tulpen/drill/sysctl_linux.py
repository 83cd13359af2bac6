"""Linux's sysctls as settings of the host."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from tulpen.drill.problems import Unsupported
from tulpen.tcp.config import Settings
from tulpen.tcp.congestion import ALGORITHMS

_NAMES: Final = frozenset(field.name for field in fields(Settings))

#: Sysctls without a setting: the values that ask for nothing the host does not do anyway.
_AS_IT_IS: Final[dict[str, frozenset[str]]] = {
    "tcp_fack": frozenset("0"),
    "tcp_no_metrics_save": frozenset("01"),
    "tcp_autocorking": frozenset("1"),
    "tcp_limit_output_bytes": frozenset(("1048576", "4194304")),
    "tcp_thin_linear_timeouts": frozenset("0"),
    "tcp_comp_sack_nr": frozenset(("0", "44")),
    "tcp_backlog_ack_defer": frozenset("01"),
    "tcp_mem": frozenset(),
}
#: Sysctls of what a host in virtual time does not do, whatever their value.
_WITHOUT_EFFECT: Final = frozenset(("tcp_tso_win_divisor",))
#: The key of Fast Open cookies that the usual set-up scripts set.
USUAL_KEY: Final = "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"
#: What the usual set-up scripts say, though most scripts that run them do not depend on it.
_USUAL: Final[dict[str, str]] = {
    "tcp_congestion_control": "cubic",
}

USUAL_SETTINGS: Final[tuple[tuple[str, str], ...]] = (
    ("tcp_rmem", "4096 540000 15728640"),
    ("tcp_wmem", "4096 262144 4194304"),
    ("tcp_timestamps", "1"),
    ("tcp_syn_retries", "5"),
    ("tcp_synack_retries", "5"),
    ("tcp_sack", "1"),
    ("tcp_slow_start_after_idle", "0"),
    ("tcp_syncookies", "1"),
    ("tcp_fastopen", "0x70403"),
    ("tcp_fastopen_key", USUAL_KEY),
    ("tcp_ecn", "0"),
)

#: What the set-up script of Linux's selftests, which lies beside them, says otherwise.
OF_SELFTESTS: Final[tuple[tuple[str, str], ...]] = (("tcp_fastopen", "0x3"),)

#: All that the usual set-up scripts say to a Linux.
USUAL_ON_LINUX: Final[tuple[tuple[str, str], ...]] = (
    *USUAL_SETTINGS,
    *_USUAL.items(),
    ("tcp_frto", "2"),
    ("tcp_dsack", "1"),
    ("tcp_reordering", "3"),
    ("tcp_early_retrans", "4"),
    ("tcp_recovery", "1"),
    ("tcp_tso_win_divisor", "3"),
    ("tcp_pacing_ss_ratio", "200"),
    ("tcp_pacing_ca_ratio", "120"),
    ("tcp_notsent_lowat", "4294967295"),
)


def apply(settings: Settings, name: str, value: str) -> None:
    """Set one sysctl; skips the script where the host has no such thing."""
    path = name.strip().removeprefix("/proc/sys/").replace("/", ".").replace("net.ipv6.", "net.ipv4.")
    if not path.startswith(("net.ipv4.", "net.core.")):
        raise Unsupported(f"sysctl {path}")
    short = path.split(".", 2)[2].removeprefix("route.")
    value = " ".join(value.split())
    if short in _NAMES:
        _set(settings, short, value)
    elif short not in _WITHOUT_EFFECT and value not in _AS_IT_IS.get(short, ()):
        raise Unsupported(f"sysctl {short}={value}")


def usual(settings: Settings) -> None:
    """Apply what the usual set-up scripts set."""
    for name, value in USUAL_SETTINGS:
        _set(settings, name, value)
    wished = _USUAL["tcp_congestion_control"]
    if wished in ALGORITHMS:
        settings.tcp_congestion_control = wished


def _set(settings: Settings, name: str, value: str) -> None:
    if name == "tcp_congestion_control" and value not in ALGORITHMS:
        raise Unsupported(f"congestion control {value}")
    before = getattr(settings, name)
    try:
        if isinstance(before, bool):
            setattr(settings, name, bool(int(value, 0)))
        elif isinstance(before, int):
            setattr(settings, name, int(value, 0))
        elif isinstance(before, tuple):
            setattr(settings, name, _row(value, before))
        else:
            setattr(settings, name, value)
    except ValueError:
        raise Unsupported(f"sysctl {name}={value}") from None


def _row(value: str, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers given, and those before for the rest."""
    given = tuple(int(each, 0) for each in value.split())
    return given + before[len(given) :]
