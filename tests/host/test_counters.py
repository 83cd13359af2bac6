"""The MIB: every number has a group and a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tulpen
from tulpen.host.counters import COUNTERS, by_group, group, lines
from tulpen.tcp.trace import Reason


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_raises_one_of_them(reason: Reason) -> None:
    assert not reason.counter or reason.counter in {counter.key for counter in COUNTERS}


def test_every_one_that_is_raised_by_name_is_among_them() -> None:
    source = Path(tulpen.__file__).parent
    text = "".join(path.read_text() for room in ("tcp", "host", "aio") for path in (source / room).rglob("*.py"))
    raised = set(re.findall(r'\.count\("(\w+)"', text))
    assert len(raised) > 30
    assert raised <= {counter.key for counter in COUNTERS}


def test_no_key_twice() -> None:
    keys = [counter.key for counter in COUNTERS]
    assert len(keys) == len(set(keys))


def test_every_one_is_told_in_a_sentence() -> None:
    for counter in COUNTERS:
        assert counter.sentence.endswith("."), counter


def test_groups() -> None:
    assert group("ListenDrops") == "TcpExt"
    assert group("InSegs") == "Tcp"
    assert group("IcmpInMsgs") == "Icmp"
    assert group("SomethingOfOurs") == "Tulpen"


def test_zeros_are_shown_and_our_own_come_last() -> None:
    groups = by_group({"InSegs": 3, "IcmpInEchos": 2, "SomethingOfOurs": 1})
    assert groups["Tcp"]["InSegs"] == 3
    assert groups["Tcp"]["OutSegs"] == 0
    assert groups["Icmp"]["InEchos"] == 2
    assert list(groups)[-1] == "Tulpen"
    assert groups["Tulpen"]["SomethingOfOurs"] == 1


def test_printed_as_the_kernel_prints_them() -> None:
    printed = list(lines({"ListenDrops": 7}))
    names = next(line for line in printed if line.startswith("TcpExt: Syncookies")).split()
    values = printed[printed.index(" ".join(names)) + 1].split()
    assert values[0] == "TcpExt:"
    assert values[names.index("ListenDrops")] == "7"
