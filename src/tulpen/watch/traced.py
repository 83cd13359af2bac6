"""The watch with privileges: tracepoints tell what happens, the destruction of a socket its last numbers."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.kernel import tcp_codes as codes
from tulpen.kernel.destroyed import read_last, read_octets
from tulpen.kernel.socket_name import read_sockaddr
from tulpen.kernel.tcp_trace import BUFFERS, TcpTrace
from tulpen.tcp.state import State
from tulpen.tcp.trace import FourTuple
from tulpen.watch.ended import Ended
from tulpen.watch.life import Life, Lives
from tulpen.watch.places import Places
from tulpen.watch.tally import Tally
from tulpen.watch.verdict import REASONS, Ending, Opened, Verdict, judge
from tulpen.watch.who import Processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.kernel.tcp_batch import Batch

_RETRANSMITTED: Final = bytes([codes.RETRANSMITTED])
_AT_ONCE: Final = 2_000_000  # ns from CLOSED to destroyed, within one close()
_LONG: Final = 1_000_000_000  # ns in CLOSE-WAIT from which a connection was half-closed
_SYN_TIMEOUT: Final = 900_000_000  # ns: the least that a SYN is waited for is a second
_MANY: Final = 3  # retransmissions without an answer
_KEPT: Final = 200_000  # messages
_LONGEST: Final = 1.0  # seconds
_WORDS: Final = 5_000
_ABOUT: Final = 0.9
_NAMELESS: Final = FourTuple(b"", 0, b"", 0)


def _any(_: Verdict) -> bool:
    return True


@final
class Traced:
    """Watches every network namespace from when it is constructed until it is closed; a context manager.

    ``octets``: listen to the destruction of sockets too, for their last numbers.  Raises
    CannotTrace with the remedy.
    """

    __slots__ = (
        "_clock",
        "_last",
        "_layout",
        "_lives",
        "_meanings",
        "_places",
        "_resets",
        "_resets_before",
        "_settling",
        "_trace",
        "_where",
        "notes",
        "processes",
        "tally",
    )

    def __init__(
        self,
        *,
        ports: frozenset[int] = frozenset(),
        octets: bool = True,
        buffers: int = BUFFERS,
        bulk: bool | None = None,
    ) -> None:
        self.tally = Tally()
        self._last: dict[int, bytes] = {}
        self._settling: list[Life] = []
        self._meanings: dict[bytes, Meaning] = {}
        self._resets: dict[FourTuple, int] = {}
        self._resets_before: dict[FourTuple, int] = {}
        self._where: dict[int, int] = {}  # network namespaces by cookie, where there are several
        self._places = Places(octets=octets)
        self._clock = time.time_ns() - time.monotonic_ns()
        self._trace = TcpTrace(ports=ports, buffers=buffers, bulk=bulk)
        self._layout = self._trace.layout
        self._lives = Lives(self._layout)
        self.notes = self._trace.notes
        self.processes = Processes(self._trace.commands)
        if self.processes.blind:
            self.notes.append("in a PID namespace of its own, so the kernel's thread numbers say nothing: no processes")
        try:
            self._places.refresh(time.monotonic_ns())
        except BaseException:
            self.close()
            raise
        if octets and self._places.unseen:
            self.notes.append(f"{self._places.unseen} network namespaces may not be entered: no octets from there")

    @property
    def untold(self) -> tuple[str, ...]:
        """What the tracepoints of this kernel cannot tell, a sentence each."""
        return self._layout.missing

    @property
    def descriptors(self) -> list[int]:
        """None: the buffers hold what comes in a second."""
        return []

    def poll(self, wanted: Callable[[Verdict], bool] = _any, *, longest: float = _LONGEST) -> list[Ended]:
        """Return the connections that ended, a moment after they did; call it some times a second.

        It takes no more than so many seconds, and a little: where something happens all the time, it
        would never come to an end of it.
        """
        until = time.monotonic() + longest
        told = self._settling
        self._settling = []
        counted = self._unwanted(wanted)
        self._resets_before, self._resets = self._resets, {}
        while (batch := self._trace.poll()) is not None:
            self.tally.add(batch.counts)
            self._note_resets(batch)
            self._settling += self._lives.feed(batch, counted, _LONG)
            if time.monotonic() > until:
                break
        self._places.read(self._last, self._where)
        self._places.refresh(time.monotonic_ns())
        for word, number in counted.items():
            if number:
                self.tally.ended(self._meanings[word].verdict.ending, number)
        ended = [self._tell(life, wanted) for life in told]
        if len(self._last) > _KEPT:  # of sockets that were never connections, or that were told before they went
            self._last.clear()
            self._where.clear()
        return [each for each in ended if each is not None]

    def finish(self, wanted: Callable[[Verdict], bool] = _any) -> list[Ended]:
        """Let no more events come, and return the rest."""
        self._trace.stop()
        self.refresh()
        first = self.poll(wanted, longest=math.inf)
        time.sleep(0.02)  # the last numbers of a socket come from a work queue
        return first + self.poll(wanted)

    def refresh(self) -> None:
        """Bring the number of lost events up to date."""
        self.tally.lost = self._trace.lost()

    @property
    def octets_lost(self) -> int:
        """How many messages with a socket's last numbers the kernel had no room for."""
        return self._places.lost

    def close(self) -> None:
        """End the watch; nothing of it stays."""
        self._trace.close()
        self._places.close()

    def __enter__(self) -> Traced:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unwanted(self, wanted: Callable[[Verdict], bool]) -> dict[bytes, int]:
        """Return the words of which it is enough to count the lives, with nothing counted yet."""
        return {word: 0 for word, each in self._meanings.items() if each.plain and not wanted(each.verdict)}

    def _note_resets(self, batch: Batch) -> None:
        """Remember why resets were sent, by the connection as their receiver names it."""
        source, destination = self._layout.ends
        if source < 0 or not batch.resets:
            return
        for at, code in batch.resets:
            sender = read_sockaddr(batch.pages, at + source)
            receiver = read_sockaddr(batch.pages, at + destination)
            if sender is not None and receiver is not None:
                self._resets[FourTuple(*receiver, *sender)] = code

    def _tell(self, life: Life, wanted: Callable[[Verdict], bool]) -> Ended | None:
        word, times = life.word, life.times
        meaning = self._meanings.get(word)
        if meaning is None:
            if len(self._meanings) > _WORDS:
                self._meanings.clear()
            meaning = self._meanings[word] = _meaning(word)
        verdict, place, wait, plain, fin = meaning
        name = self._lives.names.name(life.name) if life.name else _NAMELESS
        waited = times[wait[1]] - times[wait[0]] if wait else None
        if not plain or (waited is not None and waited > _LONG):
            verdict = self._refine(life, verdict, place, waited, name)
        if verdict.listener:
            return None
        self.tally.ended(verdict.ending)
        if not wanted(verdict):
            return None
        pid = life.pid
        if verdict.ending is Ending.KILLED and verdict.opened is not Opened.ACTIVE:
            pid = 0  # it may be who killed it
        message = self._last.pop(life.cookie, None)
        inode = self._where.pop(life.cookie, None) if self._where else None
        if self.tally.lost and message is not None and not _tells_of(message, name):
            message, inode, pid = None, None, 0  # its own destruction was lost: this is the next socket's in its place
        who = self.processes.find(pid, times[-1])
        numbers = read_octets(message) if message is not None else None
        sent, received = numbers if numbers is not None else (None, None)
        inode = inode or (who.namespace if who else None)
        return Ended(
            (self._clock + times[place]) / 1e9,
            name,
            verdict,
            (times[place] - times[0]) / 1e9 if verdict.opened is not Opened.BEFORE else None,
            None if waited is None else waited / 1e9,
            sent,
            received - fin if received else received,
            word.count(_RETRANSMITTED),
            who,
            inode,
            self._places.label(inode) if inode else "",
        )

    def _refine(self, life: Life, verdict: Verdict, place: int, waited: int | None, name: FourTuple) -> Verdict:
        """Add what only the times and the other end can tell."""
        word, times = life.word, life.times
        verdict = judge(
            word.replace(_RETRANSMITTED, b""),
            unanswered=_unanswered(word, times, place),
            at_once=life.gone and times[-1] - times[place] < _AT_ONCE,
        )
        if verdict.ending in (Ending.RESET_BY_PEER, Ending.REFUSED) and not verdict.why:
            code = self._resets.get(name) or self._resets_before.get(name)
            reason = codes.reason_of(code) if code else None
            if reason:
                verdict = verdict._replace(why=REASONS.get(reason, reason))
        elif verdict.ending is Ending.GAVE_UP and not _orphan(verdict):
            silent = times_silent(word, times, place)
            if silent is not None and silent < self._places.patience() * _ABOUT:
                why = f"TCP_USER_TIMEOUT, or an error on the way: {silent:.3g} s is less than tcp_retries2 allows"
                verdict = verdict._replace(ending=Ending.USER_TIMEOUT, why=why)
        if verdict.ending is Ending.ORDERLY and verdict.by == "peer" and waited is not None and waited > _LONG:
            verdict = verdict._replace(ending=Ending.HALF_CLOSED, why="their FIN came long before ours")
        return verdict


def _tells_of(message: bytes, name: FourTuple) -> bool:
    """Whether the destruction of a socket is of the connection of this name, as far as its port tells."""
    last = read_last(message)
    return last is None or last.name.local_port in (0, name.local_port)


class Meaning(NamedTuple):
    """What a word says by itself."""

    verdict: Verdict
    place: int  # of the transition to CLOSED
    wait: tuple[int, int] | None  # the places of the transitions into and out of CLOSE-WAIT or FIN-WAIT-2
    plain: bool  # nothing else has a say
    fin: bool  # their FIN came, which the kernel counts among the octets


_PLAIN: Final = (Ending.ORDERLY, Ending.HALF_CLOSED, Ending.UNREAD, Ending.KEEPALIVE, Ending.KILLED, Ending.ABANDONED)


def _meaning(word: bytes) -> Meaning:
    verdict = judge(word.replace(_RETRANSMITTED, b""))
    plain = _RETRANSMITTED not in word and verdict.ending in _PLAIN
    fin = any(each.state in _FIN_CAME for each in verdict.path)
    return Meaning(verdict, _end(word), _waited(word), plain, fin)


_FIN_CAME: Final = (State.CLOSE_WAIT, State.CLOSING, State.TIME_WAIT)


def times_silent(word: bytes, times: list[int], place: int) -> float | None:
    """Return the seconds from the first of the last retransmissions to the end."""
    start = place
    while start and word[start - 1] == codes.RETRANSMITTED:
        start -= 1
    return (times[place] - times[start]) / 1e9 if start < place else None


def _unanswered(word: bytes, times: list[int], place: int) -> bool:
    """Whether the last thing before the end was to send again: of a SYN once, if the timer's time went by after it."""
    if not word[:place].endswith(_RETRANSMITTED):
        return False
    step = codes.STEPS[word[place]]
    if step is not None and step.before is State.SYN_SENT:
        return times[place] - times[place - 1] > _SYN_TIMEOUT
    return word[:place].endswith(_RETRANSMITTED * _MANY)


def _end(word: bytes) -> int:
    """Return where the transition to CLOSED stands, or else the last octet."""
    for place in range(len(word) - 1, -1, -1):
        step = codes.STEPS[word[place]]
        if step is not None and step.context:
            return place
    return len(word) - 1


def _orphan(verdict: Verdict) -> bool:
    """Whether the application had let go, so that tcp_orphan_retries holds."""
    states = [standing.state for standing in verdict.path]
    return State.FIN_WAIT_1 in states or State.LAST_ACK in states


def _waited(word: bytes) -> tuple[int, int] | None:
    """Return the places of the transitions into and out of CLOSE-WAIT or FIN-WAIT-2."""
    began = None
    for place, code in enumerate(word):
        step = codes.STEPS[code]
        if step is None:
            continue
        if began is not None:
            return began, place
        if step.after in (State.CLOSE_WAIT, State.FIN_WAIT_2):
            began = place
    return None
