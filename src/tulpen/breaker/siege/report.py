"""What came of a siege: values alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from tulpen.faults.fault import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tulpen.faults.asker import Asked
    from tulpen.faults.clients.catalogue import ClientChoice
    from tulpen.link.command import Output


@dataclass(frozen=True, slots=True)
class Service:
    """How a healthy client was served over some time; times are in seconds."""

    asked: int = 0
    answered: int = 0
    gave_up: int = 0  # not answered in time
    failed: int = 0  # refused, reset, or cut short
    wrong: int = 0  # answered otherwise than before
    median: float = 0.0
    worst: float = 0.0

    @staticmethod
    def of(asked: Sequence[Asked], digest: str) -> Service:
        """Sum up; ``digest`` is that of the right answer, "" for any."""
        answered = [each for each in asked if each.whole]
        wrong = sum(bool(digest) and each.digest != digest for each in answered)
        times = [each.latency / 1e9 for each in answered]
        gave_up = sum(each.gave_up for each in asked)
        return Service(
            asked=len(asked),
            answered=len(answered) - wrong,
            gave_up=gave_up,
            failed=len(asked) - len(answered) - gave_up,
            wrong=wrong,
            median=median(times) if times else 0.0,
            worst=max(times, default=0.0),
        )


@dataclass(frozen=True, slots=True)
class Leak:
    """Sockets that their program has not closed after their peer had."""

    count: int
    owner: str  # ``python3 (1234)``


@dataclass(slots=True)
class SiegeResult:
    """What became of the server under one kind of bad client."""

    choice: ClientChoice
    outcome: Outcome = Outcome.OK
    says: str = ""
    opened: int = 0  # connections of the bad clients
    before: Service = field(default_factory=Service)
    during: Service = field(default_factory=Service)
    after: Service = field(default_factory=Service)
    left: dict[str, int] = field(default_factory=dict)  # sockets after all clients had gone, by state
    leaks: list[Leak] = field(default_factory=list)  # those of them in CLOSE-WAIT
    status: int | None = None  # the server's exit status, if it ended
    stderr: Output | None = None
    last_words: str = ""
    seconds: float = 0.0
    pcap: Path | None = None

    @property
    def found(self) -> bool:
        """Whether something is to be looked at."""
        return self.outcome is not Outcome.OK or bool(self.leaks)


@dataclass(slots=True)
class SiegeReport:
    """What came of all of it."""

    command: tuple[str, ...]
    program: str
    port: int
    version: str
    kernel: str
    device: str
    started: str
    seed: int
    family: int
    seconds: float = 0.0
    results: list[SiegeResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def found(self) -> list[SiegeResult]:
        """The results to be looked at."""
        return [each for each in self.results if each.found]


def judge(result: SiegeResult) -> tuple[Outcome, str]:
    """Return the outcome, by how the healthy client fared while the bad ones were there and afterwards."""
    if result.status is not None:
        how = f"exit {result.status}" if result.status >= 0 else f"signal {-result.status}"
        return Outcome.ERROR, f"the server ended ({how})" + (f": {result.last_words}" if result.last_words else "")
    for when, service in (("after they had gone", result.after), ("while they were there", result.during)):
        if service.gave_up:
            return Outcome.HANG, f"{service.gave_up} of {service.asked} healthy requests hung {when}"
        if service.wrong:
            return Outcome.WRONG, f"{service.wrong} of {service.asked} healthy requests were answered otherwise {when}"
        if service.failed:
            return Outcome.ERROR, f"{service.failed} of {service.asked} healthy requests failed {when}"
        if not service.asked:
            return Outcome.HANG, f"the healthy client could not even ask {when}"
    return Outcome.OK, ""
