"""A whole siege: the control first, then every kind of bad client, side by side."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tulpen import __version__
from tulpen.breaker import crew
from tulpen.breaker.judge import ended
from tulpen.breaker.place import folder, kernel, permitted, terminable
from tulpen.breaker.siege.report import SiegeReport, SiegeResult
from tulpen.breaker.siege.trial import SiegeTrial
from tulpen.errors import TulpenError
from tulpen.faults.clients.catalogue import CONTROL, ClientChoice
from tulpen.faults.fault import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.breaker.siege.plan import SiegePlan

_CONTROL: Final = ClientChoice(CONTROL, {})


def run(plan: SiegePlan, tell: Callable[[SiegeResult], None]) -> SiegeReport:
    """Run the control and every bad client; ``tell`` is given each result as it comes.

    Raises TulpenError where there can be no private network, or the server is no server even alone.
    """
    report = SiegeReport(
        command=plan.command,
        program=plan.program,
        port=plan.port,
        version=__version__,
        kernel=kernel(),
        device="",
        started=datetime.now().astimezone().isoformat(timespec="seconds"),
        seed=plan.seed,
        family=plan.family,
    )
    began = time.monotonic()
    choices = [_CONTROL, *(choice for choice in plan.choices if choice.client is not CONTROL)]
    with terminable(), folder(plan.pcap) as where, permitted():
        done: dict[int, SiegeResult] = {}
        for trial in crew.run((partial(SiegeTrial, plan, choice, where) for choice in choices), plan.jobs):
            _check(trial)
            report.device = trial.device
            done[next(i for i, choice in enumerate(choices) if choice is trial.choice)] = trial.result
            tell(trial.result)
        report.results = [done[i] for i in sorted(done)][len(choices) > len(plan.choices) :]
        if plan.pcap is None:
            for result in report.results:
                result.pcap = None
    report.seconds = time.monotonic() - began
    return report


def _check(trial: SiegeTrial) -> None:
    """See that it is a server at all: it listens, and serves a healthy client who is alone."""
    _listened(trial)
    result = trial.result
    if trial.choice is _CONTROL and (result.outcome is not Outcome.OK or not result.before.answered):
        raise TulpenError(
            f"{trial.plan.program} does not serve a healthy client: {result.says or 'no answer'}",
            "It is asked over HTTP; --request FILE asks something else.",
        )


def _listened(trial: SiegeTrial) -> None:
    if trial.listened:
        return
    result, plan = trial.result, trial.plan
    if result.status is not None:
        words = f": {result.last_words}" if result.last_words else ""
        raise TulpenError(f"{plan.program} ended before it listened ({ended(result.status)}{words})")
    raise TulpenError(
        f"{plan.program} does not listen on port {plan.port} of {plan.host} after {plan.deadline:g} s: {result.says}",
        "{host} and {port} in its command become where it has to listen, 0.0.0.0 will do; --deadline is its time.",
    )
