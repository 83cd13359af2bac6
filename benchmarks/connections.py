"""Small exchanges: connections a second, and the time of a one-octet round trip."""

from __future__ import annotations

from functools import partial

from benchmarks.amount import amount
from benchmarks.case import Case
from benchmarks.peers import gvisor, lwip, pytcp, slirp
from benchmarks.place import Place, at, loopback, tulpen, uvloop

CONNECTIONS_MADE = 2000
ROUND_TRIPS = 4000


async def churn(place: Place, count: int = CONNECTIONS_MADE) -> float:
    return 1 / await place.client("churn", max(8, amount(count)))


async def ping(place: Place, program: str, count: int = ROUND_TRIPS) -> float:
    return 1e6 * await place.client(program, amount(count))


def churns(group: str) -> list[Case]:
    mine = "tulpen"
    return [
        Case(group, mine, "conn/s", at(tulpen, churn)),
        Case(group, "tulpen on uvloop", "conn/s", at(tulpen, churn, uvloop), beside=mine),
        Case(group, "asyncio over loopback", "conn/s", at(loopback, churn), ours=mine),
        Case(group, "uvloop over loopback", "conn/s", at(loopback, churn, uvloop), ours=mine),
        Case(group, "gVisor", "conn/s", at(gvisor.plain, churn), ours=mine),
        Case(group, "lwIP", "conn/s", at(lwip.lwip, churn), ours=mine),
        Case(group, "slirp4netns", "conn/s", at(partial(slirp.slirp4netns, 65_520), churn), ours=mine),
        Case(group, "PyTCP", "conn/s", at(pytcp.pytcp, partial(churn, count=80)), ours=mine),
    ]


def pings(group: str, program: str) -> list[Case]:
    mine = "tulpen"
    work = partial(ping, program=program)
    return [
        Case(group, mine, "µs", at(tulpen, work), smaller=True),
        Case(group, "tulpen on uvloop", "µs", at(tulpen, work, uvloop), beside=mine, smaller=True),
        Case(group, "asyncio over loopback", "µs", at(loopback, work), ours=mine, smaller=True),
        Case(group, "uvloop over loopback", "µs", at(loopback, work, uvloop), ours=mine, smaller=True),
        Case(group, "gVisor", "µs", at(gvisor.plain, work), ours=mine, smaller=True),
        Case(group, "lwIP", "µs", at(lwip.lwip, work), ours=mine, smaller=True),
        Case(group, "PyTCP", "µs", at(pytcp.pytcp, partial(work, count=100)), ours=mine, smaller=True),
    ]


CONNECTIONS = [
    *churns("connect, 1 octet echoed, close"),
    *pings("round trip of 1 octet, client of asyncio streams", "ping_streams"),
    *pings("round trip of 1 octet, client that blocks", "ping"),
]
