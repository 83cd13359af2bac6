"""The examination: looks some seconds apart, every check over them, what was found in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from tulpen.doctor.change import Change
from tulpen.doctor.checks import (
    accept_queue,
    bind_ports,
    close_wait,
    conntrack,
    ephemeral_ports,
    fin_wait,
    idle_resets,
    keep_alive,
    memory,
    pending_data,
    resets,
    restart,
    retransmissions,
    syn_queue,
    sysctls,
    zero_window,
)
from tulpen.doctor.events import Events
from tulpen.doctor.finding import Finding, ranked
from tulpen.doctor.limits import Limits
from tulpen.doctor.look import look
from tulpen.doctor.place import Place
from tulpen.doctor.sample import Sample
from tulpen.doctor.words import count
from tulpen.errors import TulpenError
from tulpen.kernel.processes import Processes, processes
from tulpen.watch.ended import Ended

_RIGHT: Final = "/proc/PID/fd may not be read; root may read that of every user"

_OFTEN: Final = 0.05  # of the time between looks: a pass over all processes that takes longer is made twice only

Check = Callable[[Change], Iterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    ephemeral_ports.find,
    bind_ports.find,
    restart.find,
    close_wait.find,
    fin_wait.find,
    syn_queue.find,
    accept_queue.find,
    keep_alive.find,
    pending_data.find,
    idle_resets.find,
    resets.find,
    zero_window.find,
    retransmissions.find,
    conntrack.find,
    memory.find,
    sysctls.find,
)


class Examination(NamedTuple):
    """What came of it."""

    findings: tuple[Finding, ...]
    missing: tuple[str, ...]  # what could not be seen
    places: int
    sockets: int
    seconds: float


def findings(samples: Sequence[Sample], limits: Limits | None = None, ended: Sequence[Ended] = ()) -> list[Finding]:
    """Return what is wrong in one namespace, the worst first.

    ``samples`` are at least two, in order; ``ended`` are connections, of any namespace,
    that ended meanwhile.
    """
    change = Change(samples, limits, ended)
    found = [finding for check in CHECKS for finding in check(change)]
    return ranked([replace(finding, namespace=change.after.place) for finding in found])


def examine(
    places: Sequence[Place],
    *,
    seconds: float = 5.0,
    interval: float = 1.0,
    limits: Limits | None = None,
    tell: Callable[[float], None] | None = None,
    events: bool = True,
) -> Examination:
    """Look at namespaces for so many seconds, every ``interval``, and return what is wrong.

    ``tell`` hears between looks how many seconds are left; ``events``: listen to the
    kernel's tracepoints as well, where that is allowed.  Raises TulpenError where the only
    namespace cannot be looked at.
    """
    with Events(wanted=events) as heard:
        return _examine(places, seconds, interval, limits, tell, heard)


def _examine(
    places: Sequence[Place],
    seconds: float,
    interval: float,
    limits: Limits | None,
    tell: Callable[[float], None] | None,
    heard: Events,
) -> Examination:
    taken: list[list[Sample]] = [[] for _ in places]
    missing: dict[str, None] = {}
    holders, cost = _holders()
    began = time.monotonic()
    left = seconds
    while True:
        for place, samples in zip(places, taken, strict=True):
            _add(place, samples, holders, missing, alone=len(places) == 1)
        if left <= 0:
            break
        if tell is not None:
            tell(left)
        heard.wait(min(interval, left))
        left = began + seconds - time.monotonic()
        if left <= 0 or cost < interval * _OFTEN:
            holders, cost = _holders()
    heard.finish()
    seen = [samples for samples in taken if len(samples) > 1]
    for samples in seen:
        missing |= dict.fromkeys(samples[-1].missing)
    missing |= dict.fromkeys(heard.missing)
    if holders.unseen:
        missing[f"the sockets of {count(holders.unseen, 'process', 'processes')}, by name: {_RIGHT}"] = None
    return Examination(
        tuple(ranked([found for samples in seen for found in findings(samples, limits, heard.ended)])),
        tuple(missing),
        len(seen),
        sum(len(samples[-1].sockets) for samples in seen),
        time.monotonic() - began,
    )


def _holders() -> tuple[Processes, float]:
    """Return whose descriptors are whose, and the seconds it took to see."""
    began = time.monotonic()
    return processes(), time.monotonic() - began


def _add(place: Place, samples: list[Sample], holders: Processes, missing: dict[str, None], *, alone: bool) -> None:
    """Look once more; a namespace that may not be looked at, or has ended, is said to be missing."""
    try:
        samples.append(look(place, holders.holders))
    except (TulpenError, OSError) as error:
        if alone and not samples:
            raise
        missing[f"network namespace {place.name}: {error}"] = None
