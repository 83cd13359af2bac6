"""The watch without privileges: each socket's last numbers, which the kernel tells everybody.

It sees its own network namespace.  A connection that its own end reset has forgotten its
numbers and the other end; who reset one that remembers them is not to be known.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.kernel.destroyed import Destroyed, Last, read_last
from tulpen.kernel.dump import Dump
from tulpen.kernel.processes import Holder, processes
from tulpen.kernel.sock_diag import SockDiag
from tulpen.show.ladder import Standing
from tulpen.tcp.routes import ORDERLY, route
from tulpen.tcp.state import State
from tulpen.watch.ended import Ended
from tulpen.watch.tally import Tally
from tulpen.watch.verdict import Ending, Opened, Verdict
from tulpen.watch.who import Who

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.tcp.trace import FourTuple

_LOOKED: Final = 2_000_000_000  # ns between two looks at all sockets
_PATIENCE: Final = 20  # a look that took long is paid for with so many times its length without another
_QUESTIONS: Final = 2_000  # asked about TIME-WAIT at a time
_NOTE: Final = (
    "the kernel tells everybody of closes alone, and in this network namespace: no transitions,"
    " and not who reset a connection"
)


class Seen(NamedTuple):
    """What a look at the living sockets told of one."""

    since: int  # ns of CLOCK_MONOTONIC
    certain: bool  # it was not there at the look before
    holder: Holder | None


def _any(_: Verdict) -> bool:
    return True


@final
class Closes:
    """Watches from when it is constructed until it is closed; a context manager."""

    __slots__ = ("_destroyed", "_diag", "_due", "_dump", "_listening", "_looks", "_seen", "notes", "tally")

    def __init__(self) -> None:
        self.tally = Tally()
        self.notes = [_NOTE]
        self._destroyed = Destroyed()
        self._diag = SockDiag()
        self._dump = Dump()
        self._due = 0
        self._looks = 0
        self._seen: dict[bytes, Seen] = {}
        self._listening: frozenset[int] = frozenset()
        self._look()

    @property
    def descriptors(self) -> list[int]:
        """What is ready to read when there is something to poll: the kernel keeps little for an ordinary user."""
        return [self._destroyed.fileno()]

    def poll(self, wanted: Callable[[Verdict], bool] = _any) -> list[Ended]:
        """Return the connections that ended since the last call."""
        messages: dict[int, bytes] = {}
        self.tally.events += self._destroyed.read(messages)
        ended = [self._tell(message, place < _QUESTIONS) for place, message in enumerate(messages.values())]
        if time.monotonic_ns() >= self._due:
            self._look()
        return [each for each in ended if each is not None and wanted(each.verdict)]

    def finish(self, wanted: Callable[[Verdict], bool] = _any) -> list[Ended]:
        """Return the rest."""
        return self.poll(wanted)

    def refresh(self) -> None:
        """Bring the number of closes that were lost up to date."""
        self.tally.lost = self._destroyed.lost()

    def close(self) -> None:
        """End the watch."""
        self._destroyed.close()
        self._diag.close()
        self._dump.close()

    def __enter__(self) -> Closes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self) -> None:
        """Look at the living sockets: who listens, and whose they are."""
        now = time.monotonic_ns()
        table = self._dump.take()
        holders = processes()
        listening = {port for state, port in zip(table.states(), table.local_ports(), strict=True) if state == _LISTEN}
        seen = {}
        for cookie, inode in zip(table.cookies(), table.inodes(), strict=True):
            holder = next(iter(holders.holders(inode)), None)
            before = self._seen.get(cookie)
            if before is None:
                seen[cookie] = Seen(now, self._looks > 0, holder)
            else:
                seen[cookie] = before if holder is None else before._replace(holder=holder)
        self._seen, self._listening = seen, frozenset(listening)
        self._looks += 1
        self._due = now + max(_LOOKED, _PATIENCE * (time.monotonic_ns() - now))

    def _tell(self, message: bytes, ask: bool) -> Ended | None:
        last = read_last(message)
        if last is None or not last.name.local_port:
            return None  # it was never bound
        cookie = message[60:68]
        if last.name.remote_port == 0 and last.name.local_port in self._listening:
            return None  # a listener
        verdict = self._judge(last, ask)
        self.tally.ended(verdict.ending)
        seen = self._seen.pop(cookie, None)
        lived = (time.monotonic_ns() - seen.since) / 1e9 if seen is not None and seen.certain else None
        info = last.info
        known = info is not None and info.segs_in > 0
        fin = verdict.ending is Ending.ORDERLY
        return Ended(
            time.time(),
            last.name,
            verdict,
            lived if lived is not None and lived > 10 * _LOOKED / 1e9 else None,
            None,
            info.bytes_sent - info.bytes_retrans if info and known else None,
            max(info.bytes_received - fin, 0) if info and known else None,
            info.total_retrans if info and known else None,
            Who(seen.holder.pid, seen.holder.command, None) if seen and seen.holder else None,
            None,
            "",
        )

    def _judge(self, last: Last, ask: bool) -> Verdict:
        info = last.info
        opened = Opened.PASSIVE if last.name.local_port in self._listening else Opened.ACTIVE
        if info is None or last.name.remote_port == 0:
            return Verdict(opened, Ending.UNKNOWN, "", "aborted from this end, or its connect() failed", ())
        if not info.segs_in:
            ending = Ending.UNANSWERED if info.total_retrans else Ending.ABANDONED
            return Verdict(opened, ending, "", "", _path(opened, State.SYN_SENT))
        # Of what was acknowledged the SYN of an active open is one, and our FIN.
        beyond = info.bytes_acked - (info.bytes_sent - info.bytes_retrans)
        if beyond > (opened is Opened.ACTIVE):
            if ask and self._waits(last.name):
                return Verdict(opened, Ending.ORDERLY, "us", "", _path(opened, State.TIME_WAIT))
            return Verdict(opened, Ending.ORDERLY, "peer" if ask else "", "", _path(opened, State.LAST_ACK))
        if info.retransmits or info.probes:
            return Verdict(opened, Ending.GAVE_UP, "", "nothing was acknowledged any more", _path(opened, None))
        return Verdict(opened, Ending.RESET, "", "", _path(opened, None))

    def _waits(self, name: FourTuple) -> bool:
        return self._diag.state(name) in (State.TIME_WAIT, State.FIN_WAIT_2)


_LISTEN: Final = 10  # net/tcp_states.h


def _path(opened: Opened, last: State | None) -> tuple[Standing, ...]:
    """Return the states that it must have gone through."""
    first = State.SYN_SENT if opened is Opened.ACTIVE else State.SYN_RECEIVED
    path = [first]
    if last is not State.SYN_SENT:
        path.append(State.ESTABLISHED)
        if last is not None:
            path += [row.target for row in route(State.ESTABLISHED, last, ORDERLY) or ()]
    if last is not State.TIME_WAIT:
        path.append(State.CLOSED)
    return tuple(Standing(state, True) for state in path)
