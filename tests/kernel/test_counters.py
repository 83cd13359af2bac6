from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.kernel.counters import (
    Conntrack,
    parse_conntrack_stat,
    parse_mib,
    read_conntrack,
    read_mib,
)
from tulpen.kernel.sysctls import Sysctls, parse_ports, read_sysctls

NETSTAT = """TcpExt: SyncookiesSent SyncookiesRecv ListenDrops
TcpExt: 0 7 1234567890123
IpExt: InNoRoutes InOctets
IpExt: 2 3
"""
SNMP = """Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens
Tcp: 1 200 120000 -1 25
"""
STAT = """entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error
00000041  00000000 00000001 00000000 0000000c 00000000 00000000 00000000 00000000 00000000 00000010 00000002 00000000
00000041  00000000 00000001 00000000 00000003 00000000 00000000 00000000 00000000 00000001 00000001 00000000 00000000
"""


def _files(files: Mapping[str, str]) -> object:
    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(2, "No such file", path)
        return files[path]

    return read


def test_counters_have_the_names_that_nstat_prints() -> None:
    assert parse_mib(NETSTAT + SNMP) == {
        "TcpExtSyncookiesSent": 0,
        "TcpExtSyncookiesRecv": 7,
        "TcpExtListenDrops": 1234567890123,
        "IpExtInNoRoutes": 2,
        "IpExtInOctets": 3,
        "TcpRtoAlgorithm": 1,
        "TcpRtoMin": 200,
        "TcpRtoMax": 120000,
        "TcpMaxConn": -1,
        "TcpActiveOpens": 25,
    }


def test_the_kernel_that_runs_here() -> None:
    def read(path: str) -> str:
        return Path("/proc", path).read_text()

    counters = read_mib(read)
    assert {"TcpRetransSegs", "TcpOutRsts", "TcpExtListenOverflows", "TcpExtTCPAbortOnData"} <= counters.keys()
    assert read_sysctls(read).number("net.ipv4.tcp_fin_timeout") is not None


def test_conntrack_is_summed_over_the_processors() -> None:
    files = {
        "sys/net/netfilter/nf_conntrack_count": "65\n",
        "sys/net/netfilter/nf_conntrack_max": "100\n",
        "net/stat/nf_conntrack": STAT,
    }
    found = read_conntrack(_files(files))  # type: ignore[arg-type]
    assert isinstance(found, Conntrack)
    assert (found.entries, found.limit) == (65, 100)
    assert (found.stat["entries"], found.stat["drop"], found.stat["early_drop"], found.stat["invalid"]) == (
        65,
        17,
        2,
        15,
    )


@pytest.mark.parametrize("missing", ["sys/net/netfilter/nf_conntrack_count", "sys/net/netfilter/nf_conntrack_max"])
def test_no_conntrack(missing: str) -> None:
    files = {"sys/net/netfilter/nf_conntrack_count": "65", "sys/net/netfilter/nf_conntrack_max": "100"}
    del files[missing]
    assert read_conntrack(_files(files)) is None  # type: ignore[arg-type]


def test_sysctls_that_are_missing_are_said_to_be() -> None:
    files = {"sys/net/ipv4/tcp_mem": "1\t2\t3\n", "sys/net/ipv4/tcp_fin_timeout": "60\n"}
    found = read_sysctls(_files(files))  # type: ignore[arg-type]
    assert found.numbers("net.ipv4.tcp_mem") == (1, 2, 3)
    assert found.text("net.ipv4.tcp_mem") == "1 2 3"
    assert found.number("net.ipv4.tcp_fin_timeout") == 60
    assert found.number("net.ipv4.tcp_mem") is None
    assert found.number("net.ipv4.tcp_sack") is None
    assert found.text("net.ipv4.tcp_sack") is None


def test_ports() -> None:
    assert parse_ports("8080,9000-9002\n") == {8080, 9000, 9001, 9002}
    assert parse_ports("") == set()


_LINES = st.text(st.sampled_from("Tcp: xInuse-0123456789abcdf\n\t "), max_size=200)


@given(st.text(max_size=300) | _LINES)
def test_whatever_the_text_it_is_parsed(text: str) -> None:
    assert all(isinstance(value, int) for value in parse_mib(text).values())
    assert all(isinstance(value, int) for value in parse_conntrack_stat(text).values())
    assert all(0 <= port < 65_536 for port in parse_ports(text))
    sysctls = Sysctls({"any": text})
    sysctls.numbers("any")
    sysctls.number("any")
    with contextlib.suppress(OSError):
        read_conntrack(lambda path: text)


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Za-z]{0,20}", fullmatch=True), st.integers(), min_size=1))
def test_what_was_written_is_read(counters: dict[str, int]) -> None:
    text = f"TcpExt: {' '.join(counters)}\nTcpExt: {' '.join(map(str, counters.values()))}\n"
    assert parse_mib(text) == {f"TcpExt{name}": value for name, value in counters.items()}
