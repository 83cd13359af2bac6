"""A run of the program over one script, and its verdict."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.drill.conditions import conditions_of, outer_options
from tulpen.drill.genuine.build import shared_object
from tulpen.drill.genuine.service import Service
from tulpen.drill.problems import Mismatch, ScriptError, Unsupported
from tulpen.drill.script import Option, Script
from tulpen.drill.stage import START, Stage
from tulpen.drill.telling import ladder_of
from tulpen.drill.verdict import Outcome, Verdict
from tulpen.drill.world import World
from tulpen.errors import TulpenError
from tulpen.wire.address import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tulpen.drill.conditions import Conditions
    from tulpen.drill.drill import Plan

_PATIENCE: Final = 30.0  # seconds of the machine's time without a question
_OPTION: Final = re.compile(r"\s*--([a-z_]+)(?:=(\S+))?\s*(?://.*|#.*)?$")
_BESIDE: Final = re.compile(r"\s*(?://.*|#.*|/\*.*\*/\s*)?$")
_SAID: Final = re.compile(r"^(?P<path>.*?):(?P<line>\d+): (?P<what>.*)$", re.MULTILINE)
_PACKET: Final = re.compile(r"^(script|actual) packet: (.*)$", re.MULTILINE)
_UNKNOWN: Final = re.compile(r"unknown symbol: '(\w+)'|Unknown system call: '(\w+)'")
_SECOND: Final = 1e9


def judge(path: str, script: str, plan: Plan) -> Verdict:
    """Let the program judge a script against a tulpen host."""
    try:
        options = tuple(_options(script))
        top = Script(path, options, None, (), None)
        given = outer_options(top, plan.options, as_long=plan.as_long)
        conditions = conditions_of(top, given)
    except ScriptError as error:
        return Verdict(path, Outcome.ERROR, str(error), error.line, profile=plan.profile.name)
    except Unsupported as lacking:
        return Verdict(path, Outcome.SKIP, f"needs {lacking}", profile=plan.profile.name)
    settings = plan.profile.make_settings()
    world = World(Stage(conditions, settings), conditions, plan.profile, settings)
    world.shell = plan.shell
    verdict = Verdict(path, Outcome.PASS, profile=plan.profile.name, ip_version=conditions.ip_version)
    _run(world, _arguments(path, options, given, conditions, plan), verdict)
    if verdict.line:
        lines = script.splitlines()
        verdict.text = lines[verdict.line - 1].strip() if verdict.line <= len(lines) else ""
    verdict.virtual = verdict.at = (world.now - START) / _SECOND
    verdict.remarks = world.remarks
    if verdict.outcome is Outcome.FAIL and plan.ladder:
        verdict.ladder = ladder_of(world)
    return verdict


def _options(script: str) -> Iterator[Option]:
    """Give the option lines at the top, without reading the rest."""
    for number, line in enumerate(script.splitlines(), 1):
        found = _OPTION.match(line)
        if found is not None:
            yield Option(found[1], found[2], number, 1)
        elif not _BESIDE.match(line):
            return


def _arguments(
    path: str, options: tuple[Option, ...], given: Mapping[str, str], conditions: Conditions, plan: Plan
) -> list[str]:
    """Return the command; the host's address is told where nobody chose one, and would be a random one."""
    assert plan.program is not None
    command = [plan.program, f"--so_filename={shared_object()}"]
    named = {option.name for option in options} | set(given)
    if "local_ip" not in named:
        command.append(f"--local_ip={text(conditions.local)}")
    command += [f"--{name}={value}" if value else f"--{name}" for name, value in given.items()]
    command += [f"--define={name}={value}" for name, value in {**plan.profile.defined, **plan.defined}.items()]
    return [*command, path]


def _run(world: World, command: list[str], verdict: Verdict) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tulpen-") as folder,
        tempfile.TemporaryFile("w+", errors="replace") as said,
    ):
        socket = Path(folder) / "shim"
        service = Service(world, socket)
        try:
            with _started(command, socket, said.fileno()) as process:
                ended = _served(service, process, verdict)
            if ended:
                said.seek(0)
                _judge(service, process.returncode, said.read(), verdict)
        finally:
            service.close()


@contextmanager
def _started(command: list[str], socket: Path, said: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program; it does not outlive the block."""
    environment = {**os.environ, "LD_PRELOAD": command[1].partition("=")[2], "TULPEN_SHIM": str(socket)}
    try:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
    except OSError as error:
        raise TulpenError(f"{command[0]}: {error.strerror}", "--with takes the path of packetdrill.") from None
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _served(service: Service, process: subprocess.Popen[bytes], verdict: Verdict) -> bool:
    """Answer the program; True if it came to its own end, which is not so where the host gave up before."""
    pidfd = os.pidfd_open(process.pid)
    try:
        ended = service.serve(pidfd, _PATIENCE)
    except Unsupported as lacking:
        verdict.outcome, verdict.reason = Outcome.SKIP, f"needs {lacking}"
        return False
    except Mismatch as wrong:
        verdict.outcome, verdict.reason = Outcome.FAIL, wrong.what
        verdict.expected, verdict.got = wrong.expected, wrong.got
        line = service.world.variables.get("_line", 0)
        verdict.line = line if isinstance(line, int) else 0
        return False
    finally:
        os.close(pidfd)
    if not ended:
        verdict.outcome, verdict.reason = Outcome.FAIL, f"packetdrill asked for nothing in {_PATIENCE:g} seconds"
        return False
    process.wait()
    return True


def _judge(service: Service, status: int, said: str, verdict: Verdict) -> None:
    """Read the verdict off the program's end and what it said."""
    if status == 0 and service.began:
        return
    verdict.outcome = Outcome.FAIL if service.began else Outcome.ERROR
    verdict.reason = said.strip() or f"the program ended with status {status}"
    if status == 0:
        verdict.reason = "the program asked tulpen for nothing: it is no packetdrill that has --so_filename"
    found = _SAID.search(said)
    if found is None:
        return
    verdict.line = int(found["line"])
    if verdict.outcome is Outcome.ERROR:
        verdict.reason = f"{found['path']}:{found['line']}: {found['what']}"
        return
    if service.silent:
        verdict.reason, verdict.got = "no packet was sent", "nothing"
        return
    lacking = _UNKNOWN.search(found["what"])
    if lacking is not None:
        verdict.outcome, verdict.reason = Outcome.SKIP, f"needs a packetdrill that knows {lacking[1] or lacking[2]}"
        return
    verdict.reason = found["what"]
    packets = dict(_PACKET.findall(said))
    verdict.expected, verdict.got = packets.get("script", ""), packets.get("actual", "")
