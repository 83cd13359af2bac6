"""``tulpen check``: every interleaving of two connections and the worst network, on the real engine."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tulpen.cli.group import examples
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tulpen.prove.mutants import Verdict
    from tulpen.prove.scenario import Outcome, Scenario


@click.command(
    "check",
    epilog=examples(
        ("Is it right? Within a minute", "tulpen check"),
        (
            "Every scenario, on all processors; go on where it was interrupted",
            "tulpen check --deep --keep known.jsonl",
        ),
        ("One scenario, and what is in it", 'tulpen check "both open"'),
        ("What does a violation look like?", 'tulpen check "numbers used again"'),
        ("Would it see a mistake? Break the engine on purpose", "tulpen check --mutants"),
        ("A test for what was found", 'tulpen check --write-test found_test.py "numbers used again"'),
    ),
)
@click.argument("names", nargs=-1, metavar="[SCENARIO]...")
@click.option("--deep", is_flag=True, help="Every scenario: an hour of processor time and more.")
@click.option("--list", "listed", is_flag=True, help="List the scenarios and end.")
@click.option("--mutants", is_flag=True, help="Which check finds which mistake put into the engine?")
@click.option("--wrap", is_flag=True, help="Is the graph the same where sequence numbers wrap?")
@click.option(
    "-j", "--jobs", type=click.IntRange(1), metavar="N", help="Scenarios at a time. [1; processors with --deep]"
)
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Keep outcomes, and use them."
)
@click.option(
    "--write-test",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what is found as a test.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(names: tuple[str, ...], **options: Any) -> int:
    """Explore every order of events of two real connections.

    What was ever sent may arrive at any time, in any order, any number of times, or
    never; timers may run out whenever they like; users open, send, close and abort
    when they like; some scenarios have an attacker, some connect twice. No transition
    is impossible, nothing is lost or invented, and from every state there is a way to
    the end; or the shortest way to where that fails is drawn.

    Exit status: nothing found (0), a violation or a mutant that lives (1).
    """
    from tulpen.prove.catalogue import DEEP, KNOWN_TO_FAIL, QUICK, everything

    if options["listed"]:
        for scenario in (*QUICK, *DEEP, *KNOWN_TO_FAIL):
            sort = "quick" if scenario in QUICK else "deep" if scenario in DEEP else "fails"
            click.echo(f"{sort:6} {scenario.name}")
        return 0
    if options["mutants"]:
        return _mutants(names, options["jobs"], options["as_json"])
    scenarios = [_named(name) for name in names] or list(everything() if options["deep"] else QUICK)
    if options["wrap"]:
        return _wrap(scenarios, options["as_json"])
    return _check(scenarios, options)


def _named(name: str) -> Scenario:
    from tulpen.prove.catalogue import named

    try:
        return named(name)
    except KeyError:
        raise TulpenError(f"there is no scenario {name!r}", "tulpen check --list shows them.") from None


def _check(scenarios: Sequence[Scenario], options: dict[str, Any]) -> int:
    from concurrent.futures import ProcessPoolExecutor
    from os import cpu_count

    from rich.console import Console

    from tulpen.prove.run import run

    quiet = options["as_json"]
    notes = Console(stderr=True)
    jobs = options["jobs"] or ((cpu_count() or 1) if options["deep"] else 1)
    outcomes: list[Outcome] = []
    with (
        ProcessPoolExecutor(jobs) if jobs > 1 else nullcontext() as executor,
        nullcontext() if quiet else notes.status("") as status,
    ):

        def word(name: str, looked_at: int, waiting: int, megabytes: float) -> None:
            if status is not None:
                status.update(f"{name}: {looked_at:,} states, {waiting:,} wait; {megabytes:,.0f} MB")

        for outcome in run(scenarios, executor=executor, kept=options["keep"], word=word):
            outcomes.append(outcome)
            if status is not None:
                status.update(f"{len(outcomes)} of {len(scenarios)} scenarios")
            if not quiet:
                _tell(outcome)
    _tell_all(outcomes, options)
    return 0 if all(outcome.clean for outcome in outcomes) else 1


def _tell(outcome: Outcome) -> None:
    from rich.console import Console

    from tulpen.prove.catalogue import named
    from tulpen.prove.story import ladder

    verdict = "ok" if outcome.clean else "too large" if outcome.too_large else "VIOLATION"
    click.echo(
        f"{verdict:9} {outcome.name}: {outcome.states:,} states at {outcome.places:,} places, {outcome.edges:,} edges, "
        f"{outcome.seconds:.1f} s, {outcome.megabytes:,.0f} MB"
    )
    if outcome.violation is not None:
        Console().print(ladder(named(outcome.name), outcome.violation))
        click.echo(str(outcome.violation))


def _tell_all(outcomes: list[Outcome], options: dict[str, Any]) -> None:
    from tulpen.prove.run import as_dict
    from tulpen.prove.scenario import rows_not_taken

    found = [outcome for outcome in outcomes if outcome.violation is not None]
    if found and options["write_test"]:
        _write_test(found[0], options["write_test"])
    missing = rows_not_taken(outcomes)
    if options["as_json"]:
        json.dump({"scenarios": [as_dict(outcome) for outcome in outcomes], "rows_not_taken": len(missing)}, sys.stdout)
        click.echo()
        return
    states, edges = sum(each.states for each in outcomes), sum(each.edges for each in outcomes)
    click.echo(
        f"{len(outcomes)} scenario{'s' * (len(outcomes) != 1)}, {states:,} states, {edges:,} edges; "
        f"{sum(not each.clean for each in outcomes)} not clean; "
        f"{len(missing)} rows of the table not taken; {max(each.megabytes for each in outcomes):,.0f} MB"
    )


def _write_test(outcome: Outcome, path: Path) -> None:
    from tulpen.prove.catalogue import named
    from tulpen.prove.story import as_test

    if outcome.violation is not None:
        path.write_text(as_test(named(outcome.name), outcome.violation))


def _wrap(scenarios: Sequence[Scenario], as_json: bool) -> int:
    from tulpen.prove.scenario import check

    alike = {}
    for scenario in scenarios:
        low = check(scenario.shifted(100), drawn=True)
        high = check(scenario.shifted(2**32 - 3), drawn=True)
        alike[scenario.name] = low.fingerprint == high.fingerprint
        if not as_json:
            click.echo(f"{'the same' if alike[scenario.name] else 'DIFFERS':9} {scenario.name}: {low.states:,} states")
    if as_json:
        click.echo(json.dumps(alike))
    return 0 if all(alike.values()) else 1


def _mutants(names: tuple[str, ...], jobs: int | None, as_json: bool) -> int:
    from os import cpu_count

    from tulpen.prove.mutant_list import MUTANTS
    from tulpen.prove.mutants import judge

    known = {mutant.name: mutant for mutant in MUTANTS}
    for name in names:
        if name not in known:
            raise TulpenError(f"there is no mutant {name!r}", "tulpen check --mutants tries them all, by name.")
    chosen = [known[name] for name in names] or list(MUTANTS)
    verdicts: list[Verdict] = []
    for verdict in judge(chosen, jobs or cpu_count() or 1):
        verdicts.append(verdict)
        if not as_json:
            click.echo(str(verdict))
    counted = [verdict for verdict in verdicts if not verdict.mutant.harmless]
    dead = sum(verdict.dead for verdict in counted)
    if as_json:
        click.echo(json.dumps([verdict.as_dict() for verdict in verdicts]))
    else:
        click.echo(f"{dead} of {len(counted)} die; {len(verdicts) - len(counted)} more are harmless")
    return 0 if dead == len(counted) else 1
