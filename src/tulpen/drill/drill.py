"""A script from its text to its verdict."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tulpen.drill.conditions import conditions_of, outer_options
from tulpen.drill.inject import icmp_numbers
from tulpen.drill.parser import parse_script
from tulpen.drill.problems import Mismatch, ScriptError, Unsupported
from tulpen.drill.profile import LINUX, Profile
from tulpen.drill.runner import Runner
from tulpen.drill.script import IcmpPacket
from tulpen.drill.stage import Stage
from tulpen.drill.telling import ladder_of
from tulpen.drill.verdict import Outcome, Verdict
from tulpen.drill.world import CallFailed, World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tulpen.drill.conditions import Conditions
    from tulpen.drill.script import Script


@dataclass(frozen=True, slots=True)
class Plan:
    """How scripts are run."""

    profile: Profile = LINUX
    defined: Mapping[str, str] = field(default_factory=dict)  # -D NAME=VALUE
    options: Mapping[str, str] = field(default_factory=dict)  # as ``--name=value`` in a script
    as_long: bool = False  # over IPv6, segments of IPv4's scripts stay as long as the scripts say
    ladder: bool = True
    kernel: bool = False  # against Linux's own TCP, in real time
    program: str | None = None  # packetdrill's, which judges in our stead
    shell: bool = False  # commands that are not understood are run


def drill(path: str, plan: Plan) -> Verdict:
    """Run a script by its path."""
    began = time.perf_counter()
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return Verdict(path, Outcome.ERROR, f"{path}: {error.strerror}", profile=plan.profile.name)
    verdict = drill_text(text, path, plan) if plan.program is None else _judged(text, path, plan)
    verdict.real = time.perf_counter() - began
    return verdict


def _judged(text: str, path: str, plan: Plan) -> Verdict:
    from tulpen.drill.genuine.program import judge

    return judge(path, text, plan)


def drill_text(text: str, path: str, plan: Plan) -> Verdict:
    """Run a script by its text."""
    profile = plan.profile.name
    try:
        script = parse_script(text, path, {**plan.profile.defined, **plan.defined})
        conditions = conditions_of(script, outer_options(script, plan.options, as_long=plan.as_long))
        _check_icmp(script, conditions)
    except ScriptError as error:
        return Verdict(path, Outcome.ERROR, str(error), error.line, profile=profile)
    except Unsupported as lacking:
        return Verdict(path, Outcome.SKIP, f"needs {lacking}", profile=profile)
    with _world(plan, conditions) as world:
        world.shell = plan.shell
        return _run(world, script, conditions, plan)


def _check_icmp(script: Script, conditions: Conditions) -> None:
    """A message that this version of IP has not makes the text no script."""
    for event in script.events:
        if isinstance(event.action, IcmpPacket):
            try:
                icmp_numbers(event.action, ipv6=conditions.ipv6)
            except Unsupported as unknown:
                raise ScriptError(
                    script.path, event.line, event.column, f"{unknown}, which {conditions.ip_version} has not"
                ) from None


@contextmanager
def _world(plan: Plan, conditions: Conditions) -> Iterator[World]:
    """Give a world with a tulpen host in it, or with Linux."""
    settings = plan.profile.make_settings()
    if not plan.kernel:
        yield World(Stage(conditions, settings), conditions, plan.profile, settings)
        return
    from tulpen.drill import kernel_calls
    from tulpen.drill.kernel_stage import KernelStage

    stage = KernelStage(conditions)
    world = World(stage, conditions, plan.profile, settings)
    world.system = kernel_calls.begin
    world.set_sysctl = stage.set_sysctl
    try:
        yield world
    finally:
        kernel_calls.close_all(world)
        stage.close()


def _run(world: World, script: Script, conditions: Conditions, plan: Plan) -> Verdict:
    profile = "kernel" if plan.kernel else plan.profile.name
    path = script.path
    runner = Runner(world, script)
    verdict = Verdict(path, Outcome.PASS, profile=profile, ip_version=conditions.ip_version, remarks=world.remarks)
    try:
        runner.run()
    except Unsupported as lacking:
        verdict.outcome = Outcome.SKIP
        verdict.reason = f"needs {lacking}"
    except Mismatch as wrong:
        verdict.outcome = Outcome.FAIL
        verdict.reason, verdict.expected, verdict.got = wrong.what, wrong.expected, wrong.got
    except CallFailed as failed:
        verdict.outcome = Outcome.FAIL
        verdict.reason = f"a call failed with errno {failed.errno}"
    verdict.virtual = verdict.at = runner.seconds
    if verdict.outcome is not Outcome.PASS and runner.event is not None:
        verdict.line, verdict.text = runner.event.line, runner.event.text
    if verdict.outcome is Outcome.FAIL and plan.ladder:
        verdict.ladder = ladder_of(world)
    return verdict
