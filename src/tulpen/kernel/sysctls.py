"""Linux's settings about TCP, read from /proc/sys; nothing is ever written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, final

from tulpen.kernel.counters import Read

# What bears on the life of a connection.  The last four are the machine's: other namespaces do not show them.
NAMES: Final = (
    *(
        f"net.ipv4.{name}"
        for name in (
            "ip_local_port_range", "ip_local_reserved_ports",
            "tcp_abort_on_overflow", "tcp_fack", "tcp_fin_timeout", "tcp_keepalive_intvl", "tcp_keepalive_probes",
            "tcp_keepalive_time", "tcp_low_latency", "tcp_max_syn_backlog", "tcp_max_tw_buckets", "tcp_orphan_retries",
            "tcp_retries1", "tcp_retries2", "tcp_rmem", "tcp_sack", "tcp_syn_retries", "tcp_synack_retries",
            "tcp_syncookies", "tcp_timestamps", "tcp_tw_recycle", "tcp_tw_reuse", "tcp_tw_reuse_delay",
            "tcp_window_scaling", "tcp_wmem",
        )
    ),
    "net.core.somaxconn",
    "net.ipv4.tcp_max_orphans", "net.ipv4.tcp_mem", "net.core.rmem_max", "net.core.wmem_max",
)  # fmt: skip


@final
class Sysctls:
    """Settings by their names; one that this kernel has not, or does not show, is missing."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    def text(self, name: str) -> str | None:
        """Return a value, its columns apart by one space; None: it is missing."""
        value = self.values.get(name)
        return None if value is None else " ".join(value.split())

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return every number of a value; none where it is missing or is no numbers."""
        try:
            return tuple(int(word) for word in self.values.get(name, "").split())
        except ValueError:
            return ()

    def number(self, name: str) -> int | None:
        """Return a value that is one number."""
        numbers = self.numbers(name)
        return numbers[0] if len(numbers) == 1 else None


def read_sysctls(read: Read, names: Iterable[str] = NAMES) -> Sysctls:
    """Return the settings of one network namespace."""
    found = {}
    for name in names:
        try:
            found[name] = read("sys/" + name.replace(".", "/")).strip()
        except OSError:
            continue
    return Sysctls(found)


def parse_ports(text: str) -> set[int]:
    """Return the ports of a list like ``8080,9000-9010``; what is no list of ports is left out."""
    found: set[int] = set()
    for piece in text.replace("\n", ",").split(","):
        first, _, last = piece.strip().partition("-")
        try:
            low, high = int(first), int(last or first)
        except ValueError:
            continue
        if 0 <= low <= high < 65_536:
            found.update(range(low, high + 1))
    return found
