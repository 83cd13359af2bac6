"""ok, error, hang or wrong: what became of a program, by its control."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tulpen.faults.fault import Outcome

if TYPE_CHECKING:
    from tulpen.breaker.report import Result
    from tulpen.link.command import Output


def judge(result: Result, control: Result | None) -> Outcome:
    """Return the outcome; without a control, or where two controls differ, nothing is wrong."""
    if result.status is None:
        return Outcome.HANG
    if result.status != 0:
        return Outcome.ERROR
    if control is not None and difference(result, control):
        return Outcome.WRONG
    return Outcome.OK


def difference(result: Result, control: Result) -> str:
    """Say how the program's output differs from the control's; "" if it does not."""
    for mine, theirs in ((result.stdout, control.stdout), (result.written, control.written)):
        if mine is not None and theirs is not None and mine.sha256 != theirs.sha256:
            return _compared(mine, theirs)
    return ""


def _compared(mine: Output, theirs: Output) -> str:
    if mine.size < theirs.size and theirs.data.startswith(mine.data):
        return f"the first {mine.size} of {theirs.size} bytes, and no complaint"
    if mine.size != theirs.size:
        return f"{mine.size} bytes instead of {theirs.size}, and no complaint"
    return f"other bytes than the control's {theirs.size}, and no complaint"


def ended(status: int) -> str:
    """Say how a process ended: ``exit 56``, ``SIGSEGV``."""
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def says(result: Result) -> str:
    """Say in a line what the program did."""
    how = "stopped at the deadline" if result.status is None else ended(result.status) if result.status else ""
    return ": ".join(each for each in (how, result.last_words) if each)
