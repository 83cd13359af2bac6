"""A finding: what is wrong, what proves it, whose it is, what would mend it, and what would show it false."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Severity(Enum):
    """How bad it is; in the order in which findings are told."""

    CRITICAL = "critical"  # connections fail now
    WARNING = "warning"  # they will, or something is leaking
    NOTICE = "notice"  # a setting that hurts, or will


RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One figure: the name under which anybody can look it up, its value, and what it grew by."""

    name: str  # a counter as nstat names it, a sysctl, a queue
    value: int | float | str
    grew: int | None = None  # between the looks
    note: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process with the sockets that are meant."""

    pid: int | None  # None: not to be seen without privilege, or nobody's any more
    name: str
    uid: int | None
    fds: tuple[int, ...]
    sockets: int

    def __str__(self) -> str:
        """Say who it is: ``nginx (pid 812)``."""
        return self.name if self.pid is None else f"{self.name} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Fix:
    """What would mend it.  Nothing is ever applied."""

    what: str
    command: str = ""  # to type, where it is a setting
    cost: str = ""  # what the setting costs


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in one network namespace."""

    check: str  # which check found it, and where the guide explains it
    severity: Severity
    sentence: str
    evidence: tuple[Evidence, ...]
    since: str  # since when, and how fast
    fixes: tuple[Fix, ...]  # the application's first
    unless: str  # what would show it false
    lab: str = ""  # the lab that reproduces it
    weight: float = 0.0  # among findings of one severity, the heavier comes first
    holders: tuple[Holder, ...] = ()
    listener: str = ""
    destination: str = ""
    per_second: float | None = None
    age: float | None = None  # seconds since it began, as far as can be seen
    namespace: str = field(default="", kw_only=True)


def ranked(findings: list[Finding]) -> list[Finding]:
    """Return findings with the worst first."""
    return sorted(findings, key=lambda found: (RANK[found.severity], -found.weight, found.check, found.namespace))
