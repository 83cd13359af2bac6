"""What became of a namespace between looks: the growth of counters, and each socket then and now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, final

from tulpen.doctor.finding import Evidence, Holder
from tulpen.doctor.limits import Limits
from tulpen.doctor.sample import Sample
from tulpen.kernel.sock_diag import KernelSocket, TcpInfo
from tulpen.tcp.state import State
from tulpen.watch.ended import Ended
from tulpen.wire.address import is_loopback

_FDS_SHOWN = 8


class Pair(NamedTuple):
    """One socket in the first look and in the last."""

    then: KernelSocket
    now: KernelSocket


class Departure(NamedTuple):
    """A connection that was up in one look and gone without closing in the next."""

    sock: KernelSocket
    idle: float  # seconds since text last went either way: at least
    until: float  # and at most
    step: int


@final
class Change:
    """Two looks or more at one namespace, in order."""

    def __init__(self, samples: Sequence[Sample], limits: Limits | None = None, ended: Sequence[Ended] = ()) -> None:
        self.samples = tuple(samples)
        self.before = samples[0]
        self.after = samples[-1]
        self.limits = limits or Limits()
        self.ended = tuple(each for each in ended if each.namespace == self.after.inode)  # as far as was heard
        self.seconds = max(self.after.when - self.before.when, 1e-3)

    def grew(self, name: str) -> int:
        """Return by how much a counter grew; 0 where this kernel does not have it."""
        return growth(self.before, self.after, name)

    def counted(self, name: str, note: str = "") -> Evidence:
        """Return a counter as evidence."""
        return Evidence(name, self.after.counters.get(name, 0), self.grew(name), note)

    def setting(self, name: str, note: str = "") -> Evidence:
        """Return a sysctl as evidence."""
        return Evidence(name, self.after.sysctls.text(name) or "not shown here", None, note)

    def number(self, name: str, default: int) -> int:
        """Return a sysctl that is one number."""
        value = self.after.sysctls.number(name)
        return default if value is None else value

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every socket that was there in both looks."""
        then = self.before.by_cookie
        return tuple(Pair(then[sock.cookie], sock) for sock in self.after.sockets if sock.cookie in then)

    def holders(self, socks: Iterable[KernelSocket]) -> tuple[Holder, ...]:
        """Return whose sockets these are, who has most of them first."""
        groups: dict[tuple[int | None, str, int | None], list[int]] = {}
        numbers: Counter[tuple[int | None, str, int | None]] = Counter()
        for sock in socks:
            for key, fd in self._owners(sock):
                numbers[key] += 1
                groups.setdefault(key, []).extend(() if fd is None else (fd,))
        return tuple(
            Holder(*key, tuple(sorted(groups[key])[:_FDS_SHOWN]), number) for key, number in numbers.most_common()
        )

    def _owners(self, sock: KernelSocket) -> list[tuple[tuple[int | None, str, int | None], int | None]]:
        """Return who holds a socket, or did when it was last seen; else whose the listener is that it came in by."""
        for sample in reversed(self.samples):
            known = sock if sock.inode else sample.by_cookie.get(sock.cookie, sock)
            owners = sample.owners(known.inode) if known.inode else ()
            if owners:
                fds = [owner.fd if sock.inode else None for owner in owners]
                return [((owner.pid, owner.command, known.uid), fd) for owner, fd in zip(owners, fds, strict=True)]
        listener = None if sock.state is State.LISTEN else self.after.listener_of(sock)
        if sock.inode and listener is not None:  # it lived too briefly to be seen
            return [(key, None) for key, _ in self._owners(listener)]
        if not sock.inode:
            return [((None, "nobody's any more", None), None)]
        return [((None, f"a process of uid {sock.uid}", sock.uid), None)]

    def inside(self, sock: KernelSocket) -> bool:
        """Say whether both ends of a connection are in this namespace."""
        return is_loopback(sock.name.remote) or sock.name.remote in self.after.own_addresses

    @cached_property
    def departures(self) -> tuple[Departure, ...]:
        """The connections that went from ESTABLISHED or CLOSE-WAIT to nothing within one step."""
        return self.left_from(State.ESTABLISHED, State.CLOSE_WAIT)

    def left_from(self, *states: State) -> tuple[Departure, ...]:
        """Return the connections that went from one of these states to nothing within one step."""
        found = []
        for step, (then, now) in enumerate(pairwise(self.samples)):
            left = {sock.name for sock in now.sockets}
            for sock in then.connections:
                if sock.state in states and sock.cookie not in now.by_cookie and sock.name not in left:
                    idle = idle_of(sock.info)
                    found.append(Departure(sock, idle, idle + now.when - then.when, step))
        return tuple(found)

    def step_grew(self, step: int, name: str) -> int:
        """Return by how much a counter grew in one step between looks."""
        return growth(self.samples[step], self.samples[step + 1], name)


def growth(before: Sample, after: Sample, name: str) -> int:
    """Return by how much a counter grew between two looks; never less than 0, whatever a kernel says."""
    return max(0, after.counters.get(name, 0) - before.counters.get(name, 0))


def idle_of(info: TcpInfo | None) -> float:
    """Return for how many seconds no text has gone either way."""
    return 0.0 if info is None else min(info.last_data_sent, info.last_data_recv) / 1000
