"""A whole run: the control first, then every fault, side by side."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tulpen import __version__
from tulpen.breaker import crew
from tulpen.breaker.judge import difference, ended, judge
from tulpen.breaker.place import folder, kernel, permitted, terminable
from tulpen.breaker.report import Report, Result
from tulpen.breaker.trial import Trial
from tulpen.errors import TulpenError
from tulpen.faults.catalogue import CONTROL, Choice
from tulpen.faults.fault import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tulpen.breaker.plan import Plan

_CONTROL: Final = Choice(CONTROL, {})


def run(plan: Plan, tell: Callable[[Result], None]) -> Report:
    """Run the control and every fault; ``tell`` is given each result as it comes, one of a healthy server first.

    Raises TulpenError where there can be no private network, or the program fails with a healthy server.
    """
    report = Report(
        command=plan.command,
        program=plan.program,
        built_in=plan.built_in,
        version=__version__,
        kernel=kernel(),
        device="",
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        seed=plan.seed,
        deadline=plan.deadline,
        family=plan.family,
        upstream=":".join(map(str, plan.upstream)) if plan.upstream else "",
    )
    began = time.monotonic()
    with terminable(), folder(plan.pcap) as where, permitted():
        control = _control(plan, where, report)
        report.control = control
        tell(report.sample or control)
        choices = [choice for choice in plan.choices if choice.fault is not CONTROL]
        if len(choices) < len(plan.choices):
            report.results.append(control)
        results: dict[int, Result] = {}
        for trial in crew.run((partial(Trial, plan, choice, where) for choice in choices), plan.jobs):
            result = _judged(trial.result, None if report.notes else control)
            results[next(i for i, choice in enumerate(choices) if choice is trial.choice)] = result
            tell(result)
        report.results += [results[i] for i in sorted(results)]
        if plan.pcap is None:
            for result in report.results:
                result.pcap = None
    report.seconds = time.monotonic() - began
    return report


def _control(plan: Plan, where: Path, report: Report) -> Result:
    """Run the program twice with a healthy server: it must succeed, and should say the same twice."""
    pages = {"healthy": plan.page, "healthy-again": plan.page}
    drawn = "healthy"
    if plan.sample is not None:
        drawn = "healthy-short"
        pages[drawn] = plan.sample
    begin = [
        partial(Trial, plan, _CONTROL, where, label, page, whole=plan.draw and label == drawn)
        for label, page in pages.items()
    ]
    trials = {trial.label: trial for trial in crew.run(begin, jobs=len(pages))}
    control, again = (_judged(trials[label].result, None) for label in ("healthy", "healthy-again"))
    report.device = trials["healthy"].device
    report.sample = trials[drawn].result
    for label, trial in trials.items():
        if label != "healthy":
            trial.pcap.unlink(missing_ok=True)
    for result in (control, again):
        if result.outcome is not Outcome.OK:
            raise TulpenError(_unfit(result, plan), _remedy(result, plan))
    if difference(again, control):
        report.notes.append("The program says something else each time: a wrong answer is not told from a right one.")
    elif not (control.stdout and control.stdout.size) and not (control.written and control.written.size):
        report.notes.append("The program writes nothing to stdout: an answer cut short would not be noticed.")
    if not control.connections:
        report.notes.append("The program never connected to the server: is {url}, {host} or {port} in its command?")
    return control


def _judged(result: Result, control: Result | None) -> Result:
    result.outcome = judge(result, control)
    if result.outcome is Outcome.WRONG and control is not None:
        result.last_words = difference(result, control)
    return result


def _unfit(result: Result, plan: Plan) -> str:
    if result.outcome is Outcome.HANG:
        return f"{plan.program} does not end with a healthy server within {plan.deadline:g} s"
    words = f": {result.last_words}" if result.last_words else ""
    return f"{plan.program} fails with a healthy server ({ended(result.status or 0)}{words})"


def _remedy(result: Result, plan: Plan) -> str:
    if result.outcome is Outcome.HANG:
        return "Give it more time with --deadline, or a command that ends by itself."
    if not result.connections:
        return f"It never connected. It has to connect to {plan.host} port {plan.port}: {{url}}, {{host}}, {{port}}."
    return "It connected: is the answer what it expects? See --body and --upstream."
