"""What became of a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """The four ends of a script."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"  # it is no script


@dataclass(slots=True)
class Verdict:
    """``virtual`` and ``real`` are seconds; ``at`` is the script's time, in seconds."""

    path: str
    outcome: Outcome
    reason: str = ""
    line: int = 0
    text: str = ""  # the line of the script
    expected: str = ""
    got: str = ""
    at: float = 0.0
    ladder: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    virtual: float = 0.0
    real: float = 0.0
    profile: str = "linux"
    ip_version: str = "ipv4"

    @property
    def bad(self) -> bool:
        """Whether this is something found."""
        return self.outcome in (Outcome.FAIL, Outcome.ERROR)
