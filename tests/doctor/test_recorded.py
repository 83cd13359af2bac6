"""What cannot be made to happen in a private network, from what kernels write: the machine's memory, old settings."""

from __future__ import annotations

from dataclasses import replace

from tulpen.doctor.examine import findings
from tulpen.doctor.finding import Finding, Severity
from tulpen.doctor.sample import Sample
from tulpen.kernel.counters import Conntrack, parse_conntrack_stat, parse_mib
from tulpen.kernel.sockstat import read_totals
from tulpen.kernel.sysctls import Sysctls

# An 8 GB machine under Linux 6.1, before and while a few thousand connections wait for a process that does not read.
SOCKSTAT = """sockets: used 2931
TCP: inuse 2712 orphan 3 tw 118 alloc 2716 mem 61204
UDP: inuse 4 mem 2
UDPLITE: inuse 0
RAW: inuse 0
FRAG: inuse 0 memory 0
"""
SOCKSTAT_UNDER_PRESSURE = SOCKSTAT.replace("mem 61204", "mem 125431")
TCP_MEM = "92868\t123825\t185736"
NETSTAT = """TcpExt: PruneCalled RcvPruned OfoPruned TCPAbortOnMemory TCPMemoryPressures TCPRcvQDrop
TcpExt: 12 0 0 0 3 0
"""
NETSTAT_UNDER_PRESSURE = NETSTAT.replace("12 0 0 0 3 0", "4410 391 12 0 5 27")
CONNTRACK_STAT = """entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop
0000fffe  0000001c 00000000 00000000 00000a2f 00000000 00000000 00000011 00000000 0000000e {drop:08x} 00000213
0000fffe  00000013 00000000 00000000 000009c1 00000000 00000000 0000000d 00000000 00000009 00000000 00000100
"""


def _sample(when: float, **more: object) -> Sample:
    empty = Sample("", when, (), {}, read_totals(""), None, Sysctls({}), lambda inode: ())
    return replace(empty, **more)  # type: ignore[arg-type]


def _by_check(before: Sample, after: Sample) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings([before, after])}


def test_memory_pressure() -> None:
    sysctls = Sysctls({"net.ipv4.tcp_mem": TCP_MEM, "net.ipv4.tcp_rmem": "4096 131072 6291456"})
    before = _sample(0, counters=parse_mib(NETSTAT), totals=read_totals(SOCKSTAT), sysctls=sysctls)
    after = _sample(
        5,
        counters=parse_mib(NETSTAT_UNDER_PRESSURE),
        totals=read_totals(SOCKSTAT_UNDER_PRESSURE),
        sysctls=sysctls,
    )
    found = _by_check(before, after)
    assert found["memory"].severity is Severity.WARNING
    assert "513 MB in its buffers" in found["memory"].sentence
    assert found["memory"].fixes[-1].command == "sysctl -w net.ipv4.tcp_mem='185736 247650 371472'"
    assert "430 times" in found["receive-buffer"].sentence
    assert _by_check(before, replace(before, when=5)) == {}


def test_memory_at_the_hard_limit() -> None:
    full = read_totals(SOCKSTAT.replace("mem 61204", "mem 185740"))
    sysctls = Sysctls({"net.ipv4.tcp_mem": TCP_MEM})
    found = _by_check(_sample(0, totals=full, sysctls=sysctls), _sample(5, totals=full, sysctls=sysctls))
    assert found["memory"].severity is Severity.CRITICAL
    assert "at the hard limit" in found["memory"].sentence


def test_conntrack_is_full() -> None:
    then = Conntrack(65_530, 65_536, parse_conntrack_stat(CONNTRACK_STAT.format(drop=0x1000)))
    now = Conntrack(65_534, 65_536, parse_conntrack_stat(CONNTRACK_STAT.format(drop=0x1100)))
    finding = _by_check(_sample(0, conntrack=then), _sample(5, conntrack=now))["conntrack"]
    assert finding.severity is Severity.CRITICAL
    assert "full (65,534 of 65,536): new connections are dropped" in finding.sentence
    assert next(each.grew for each in finding.evidence if each.name == "drop") == 256
    room = Conntrack(65_534, 262_144, then.stat)
    assert _by_check(_sample(0, conntrack=room), _sample(5, conntrack=room)) == {}


def test_tw_recycle_of_linux_4_9() -> None:
    old = Sysctls({"net.ipv4.tcp_tw_recycle": "1", "net.core.somaxconn": "128"})
    finding = _by_check(_sample(0, sysctls=old), _sample(5, sysctls=old))["sysctls"]
    assert finding.severity is Severity.CRITICAL
    assert "behind one NAT" in finding.sentence


def test_a_kernel_that_tells_nothing_has_no_finding() -> None:
    assert findings([_sample(0), _sample(5)]) == []


def test_counters_that_went_back_accuse_nobody() -> None:
    before = _sample(0, counters={"TcpExtListenOverflows": 100, "TcpEstabResets": 2**63})
    assert findings([before, _sample(5, counters={"TcpExtListenOverflows": 1})]) == []
