"""The totals of /proc/net/sockstat: what ``sar -n SOCK`` and the first lines of ``ss -s`` tell."""

from __future__ import annotations

from typing import NamedTuple

from tulpen.kernel.processes import read_text


class SocketTotals(NamedTuple):
    """Sockets of a network namespace, and memory of the whole machine; None: this kernel does not say."""

    used: int | None  # sockets of every protocol
    tcp_in_use: int | None  # TCP of IPv4, without TIME-WAIT and the SYN queue
    tcp6_in_use: int | None
    orphans: int | None  # TCP without a process, of the whole machine
    time_wait: int | None
    allocated: int | None  # TCP in whatever condition, of the whole machine
    memory_pages: int | None  # of TCP, of the whole machine
    udp_in_use: int | None
    raw_in_use: int | None
    fragments: int | None


def socket_totals(*, process: int | str = "self", proc: str = "/proc") -> SocketTotals:
    """Return the totals of the network namespace of a process."""
    return read_totals(read_text(f"{proc}/{process}/net/sockstat"), read_text(f"{proc}/{process}/net/sockstat6"))


def read_totals(sockstat: str, sockstat6: str = "") -> SocketTotals:
    """Return the totals that the two files tell."""
    words, words6 = _words(sockstat), _words(sockstat6)
    return SocketTotals(
        words.get(("sockets", "used")),
        words.get(("TCP", "inuse")),
        words6.get(("TCP6", "inuse")),
        words.get(("TCP", "orphan")),
        words.get(("TCP", "tw")),
        words.get(("TCP", "alloc")),
        words.get(("TCP", "mem")),
        words.get(("UDP", "inuse")),
        words.get(("RAW", "inuse")),
        words.get(("FRAG", "inuse")),
    )


def _words(text: str) -> dict[tuple[str, str], int]:
    found = {}
    for line in text.splitlines():
        protocol, _, rest = line.partition(":")
        parts = rest.split()
        for key, value in zip(parts[::2], parts[1::2], strict=False):
            if value.isdecimal():
                found[protocol, key] = int(value)
    return found
