"""Bulk transfer: MB/s, and seconds of processor time for a GB, tulpen beside its peers."""

from __future__ import annotations

from functools import partial

from benchmarks.amount import amount
from benchmarks.case import Case, Reading
from benchmarks.peers import gvisor, iperf, lwip, pytcp, slirp
from benchmarks.place import Enter, Place, at, loopback, tulpen, uvloop

MB = 1_000_000


async def moved(place: Place, program: str, octets: int) -> Reading:
    """Have the client move so many octets."""
    octets = amount(octets)
    before = place.cpu()
    seconds = await place.client(program, octets)
    return Reading(octets / MB / seconds, (place.cpu() - before) / octets * 1e9)


def case(group: str, name: str, enter: Enter, program: str, octets: int, ours: str = "") -> Case:
    work = partial(moved, program=program, octets=octets)
    return Case(group, name, "MB/s", at(enter, work), ours=ours)


def with_offload(group: str, program: str) -> list[Case]:
    """Let the device cut, as the kernel's loopback does."""
    mine = "tulpen"
    work = partial(moved, program=program, octets=400 * MB)
    large = partial(tulpen, offload=True)
    return [
        case(group, mine, large, program, 400 * MB),
        Case(group, "tulpen on uvloop", "MB/s", at(large, work, uvloop), beside=mine),
        case(group, "tulpen over veth", partial(tulpen, offload=True, device="veth"), program, 400 * MB),
        case(group, "asyncio over loopback", loopback, program, 800 * MB, mine),
        Case(
            group,
            "uvloop over loopback",
            "MB/s",
            at(loopback, partial(moved, program=program, octets=800 * MB), uvloop),
            ours=mine,
        ),
        Case(group, "iperf3 over loopback", "MB/s", partial(iperf.measure, program), ours=mine),
        case(group, "gVisor, host GSO", gvisor.with_gso, program, 400 * MB, mine),
        case(group, "slirp4netns, MTU 65520", partial(slirp.slirp4netns, 65_520), program, 60 * MB, mine),
        case(group, "passt, MTU 65520", partial(slirp.pasta, 65_520), program, 40 * MB, mine),
        case(group, "PyTCP", pytcp.pytcp, program, 1 * MB, mine),
    ]


def without_offload(group: str, program: str) -> list[Case]:
    """Every packet of 1500 octets goes through the TCP by itself."""
    mine = "tulpen"
    return [
        case(group, mine, tulpen, program, 40 * MB),
        case(group, "gVisor", gvisor.plain, program, 100 * MB, mine),
        case(group, "lwIP", lwip.lwip, program, 40 * MB, mine),
        case(group, "slirp4netns, MTU 1500", partial(slirp.slirp4netns, 1500), program, 40 * MB, mine),
    ]


BULK = [
    *with_offload("bulk out, MTU 1500 with offload", "out"),
    *with_offload("bulk in, MTU 1500 with offload", "into"),
    *without_offload("bulk out, MTU 1500", "out"),
    *without_offload("bulk in, MTU 1500", "into"),
]
