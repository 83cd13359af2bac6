"""What Linux counts about TCP: /proc/net/snmp and netstat; and conntrack's figures.

Names are those that nstat prints, the group before the name: ``TcpRetransSegs``,
``TcpExtListenDrops``.  The parsers take whatever text a kernel gives: what they do not
know is carried along, and what they cannot read is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

Read = Callable[[str], str]  # a path below /proc -> its text; raises OSError where there is none

MIB_FILES: Final = ("net/snmp", "net/netstat")
_CONNTRACK: Final = "sys/net/netfilter/nf_conntrack_"
_CONNTRACK_STAT: Final = "net/stat/nf_conntrack"


class Conntrack(NamedTuple):
    """The table of netfilter's connection tracking."""

    entries: int  # of this namespace
    limit: int  # nf_conntrack_max
    stat: dict[str, int]  # summed over the processors: drop, early_drop, insert_failed ...


def read_mib(read: Read) -> dict[str, int]:
    """Return the counters of one network namespace; raises OSError where there are none."""
    found: dict[str, int] = {}
    for path in MIB_FILES:
        found.update(parse_mib(read(path)))
    return found


def parse_mib(text: str) -> dict[str, int]:
    """Return the counters of a file of pairs of lines, names and then values, each after ``Group:``."""
    found: dict[str, int] = {}
    lines = text.splitlines()
    for names, values in pairwise(lines):
        group, colon, words = names.partition(":")
        other, _, numbers = values.partition(":")
        if not colon or group != other:
            continue
        for name, number in zip(words.split(), numbers.split(), strict=False):
            value = _number(number)
            if value is not None and not name.lstrip("-").isdigit():
                found[group.strip() + name] = value
    return found


def read_conntrack(read: Read) -> Conntrack | None:
    """Return conntrack's figures of one network namespace; None: this kernel tracks nothing, or does not tell."""
    try:
        count, limit = (_number(read(_CONNTRACK + name).strip()) for name in ("count", "max"))
    except OSError:
        return None
    if count is None or limit is None:
        return None
    try:
        stat = parse_conntrack_stat(read(_CONNTRACK_STAT))
    except OSError:
        stat = {}
    return Conntrack(count, limit, stat)


def parse_conntrack_stat(text: str) -> dict[str, int]:
    """Return the columns of /proc/net/stat/nf_conntrack: hexadecimal, one row a processor, summed.

    ``entries`` is the same number in every row and is not summed.
    """
    lines = [line.split() for line in text.splitlines()]
    if not lines:
        return {}
    names, rows = lines[0], lines[1:]
    found: dict[str, int] = {}
    for row in rows:
        for name, number in zip(names, row, strict=False):
            try:
                value = int(number, 16)
            except ValueError:
                continue
            found[name] = value if name == "entries" else found.get(name, 0) + value
    return found


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
