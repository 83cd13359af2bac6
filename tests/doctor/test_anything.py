"""Whatever a kernel says, the checks say something of it or nothing; they never fail."""

from __future__ import annotations

import io
import json
import socket

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tulpen.doctor import report
from tulpen.doctor.checks.sysctls import BAD
from tulpen.doctor.examine import Examination, findings
from tulpen.doctor.limits import Limits
from tulpen.doctor.metrics.measure import measures
from tulpen.doctor.sample import Sample
from tulpen.kernel.attributes import SocketMemory
from tulpen.kernel.counters import Conntrack
from tulpen.kernel.processes import Holder
from tulpen.kernel.sock_diag import KernelSocket, TcpInfo, Timer
from tulpen.kernel.sockstat import SocketTotals
from tulpen.kernel.sysctls import NAMES, Sysctls
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple

NUMBER = st.sampled_from([0, 1, 2, 3, 5, 100, 3_000, 7_200_000, 2**31, 2**32 - 1]) | st.integers(0, 50)
ADDRESS = st.sampled_from([bytes(4), b"\x7f\0\0\1", b"\xc0\0\2\1", b"\xc0\0\2\2", bytes(16), bytes(15) + b"\1"])
PORT = st.sampled_from([0, 22, 80, 32_768, 40_000, 60_999, 65_535])
COUNTERS = (
    "TcpEstabResets", "TcpOutRsts", "TcpOutSegs", "TcpRetransSegs", "TcpActiveOpens", "TcpExtSyncookiesSent",
    "TcpExtSyncookiesRecv", "TcpExtListenOverflows", "TcpExtListenDrops", "TcpExtTCPReqQFullDrop",
    "TcpExtTCPAbortOnClose", "TcpExtTCPAbortOnData", "TcpExtTCPTimeWaitOverflow", "TcpExtTCPMemoryPressures",
    "TcpExtRcvPruned", "TcpExtTCPDSACKRecvSegs", "TcpExtTCPSynRetrans", "TcpExtTCPAbortOnMemory",
)  # fmt: skip

info = st.builds(TcpInfo, *([NUMBER] * len(TcpInfo._fields)))
memory = st.builds(SocketMemory, *([NUMBER] * len(SocketMemory._fields)))
sock = st.builds(
    KernelSocket,
    name=st.builds(FourTuple, ADDRESS, PORT, ADDRESS, PORT),
    state=st.sampled_from(State),
    family=st.sampled_from([socket.AF_INET, socket.AF_INET6]),
    timer=st.sampled_from(Timer),
    expires=NUMBER,
    retransmits=NUMBER,
    recv_q=NUMBER,
    send_q=NUMBER,
    uid=NUMBER,
    inode=NUMBER,
    interface=st.just(0),
    cookie=st.integers(0, 20).map(lambda number: number.to_bytes(8, "big")),
    info=st.none() | info,
    memory=st.none() | memory,
    congestion=st.just("cubic"),
    both_families=st.booleans(),
    info_octets=st.sampled_from([0, 104, 232, 280]),
)
values = st.sampled_from(["0", "1", "2", "5", "4096", "32768 60999", "1 2 3", "0 0 0", "", "none", "-1"])
sysctls = st.dictionaries(st.sampled_from(NAMES), values).map(Sysctls)
totals = st.builds(SocketTotals, *([st.none() | NUMBER] * len(SocketTotals._fields)))
tracked = st.builds(Conntrack, NUMBER, NUMBER, st.dictionaries(st.sampled_from(["drop", "early_drop"]), NUMBER))


def _owners(inode: int) -> list[Holder]:
    return [Holder(7, 3, "some\x1b[31mthing")] if inode % 2 else []


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    count = draw(st.integers(2, 4))
    return [
        Sample(
            "", float(step), tuple(draw(st.lists(sock, max_size=12))),
            draw(st.dictionaries(st.sampled_from(COUNTERS), NUMBER)), draw(totals),
            draw(st.none() | tracked), draw(sysctls), _owners,
        )
        for step in range(count)
    ]  # fmt: skip


LOW = Limits(0.0, 0.0, 0.0, 1, 0.0, 0.0, 0.0, 0, 1, 0.0, 1, 0.0, 0.0, 1, 0.0, 0.0, 0.0)


@settings(max_examples=60)
@given(samples(), st.sampled_from([Limits(), LOW]))
def test_whatever_is_seen_is_judged_and_told(seen: list[Sample], limits: Limits) -> None:
    found = findings(seen, limits)
    examination = Examination(tuple(found), (), 1, 0, 1.0)
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    for line in report.lines(examination):
        console.print(line)
    assert "\x1b" not in shown.getvalue()  # a process may call itself anything
    told = json.loads(json.dumps(report.as_dict(examination)))
    assert len(told["findings"]) == len(found)
    assert all(finding.sentence and finding.evidence and finding.fixes and finding.unless for finding in found)
    assert measures(seen, found)


def test_every_setting_that_is_judged_is_read() -> None:
    assert {bad.name for bad in BAD} <= set(NAMES)
