"""How good the checks are: mistakes put into the engine on purpose, and which check finds each.

A mutant is one change to the source of one module.  It runs in a process of its own,
where that module is made from the changed source, through the quick scenarios and then
across the wrap of the sequence numbers, until something is found.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from tulpen.prove.mutant_list import MUTANTS, Mutant

LIMIT: Final = 250_000  # states: more than any quick scenario of the engine as it is has
PATIENCE: Final = 200  # seconds of processor time for one mutant; one that runs on for ever is found by that


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    check: str  # the scenario that found it; "" if none did
    what: str  # what was violated
    length: int  # steps of the counterexample
    seconds: float

    @property
    def dead(self) -> bool:
        """Whether a check found it."""
        return bool(self.check)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "mutant": self.mutant.name, "module": self.mutant.module, "harmless": self.mutant.harmless,
            "dead": self.dead, "check": self.check, "what": self.what, "steps": self.length, "seconds": self.seconds,
        }  # fmt: skip

    def __str__(self) -> str:
        if self.dead:
            return f"dies   {self.mutant.name}: {self.check}, {self.length} steps, {self.what}"
        if self.mutant.harmless:
            return f"lives  {self.mutant.name}: harmless, {self.mutant.harmless}"
        return f"LIVES  {self.mutant.name}"


def judge(mutants: Iterable[Mutant], jobs: int, scenarios: tuple[str, ...] = ()) -> Iterator[Verdict]:
    """Yield a verdict on each mutant, ``jobs`` at a time: by these scenarios, or by all quick ones and the wrap."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda mutant: _judge(mutant, scenarios), mutants)


def _judge(mutant: Mutant, scenarios: tuple[str, ...]) -> Verdict:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tulpen.prove.mutants", mutant.name, *scenarios],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGXCPU:
            return Verdict(mutant, "time", f"still running after {PATIENCE} s", 0, float(PATIENCE))
        raise RuntimeError(f"{mutant.name}: {error.stderr}") from None
    return Verdict(mutant, **json.loads(done.stdout))


class _Changed(Loader):
    """Makes one module from changed source."""

    def __init__(self, source: str, name: str) -> None:
        self._code = compile(source, name, "exec", dont_inherit=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, _Changed(self._mutant.source(), fullname))


def explore_mutant(name: str, *scenarios: str) -> dict[str, Any]:
    """Put the mutant into this process, before any of the engine is there, and return what finds it."""
    mutant = next(each for each in MUTANTS if each.name == name)
    for loaded in [module for module in sys.modules if module.startswith(("tulpen.tcp", "tulpen.wire"))]:
        del sys.modules[loaded]
    sys.meta_path.insert(0, _Finder(mutant))
    from tulpen.prove.catalogue import QUICK, named
    from tulpen.prove.scenario import check, shortest

    seconds = 0.0
    for scenario in tuple(map(named, scenarios)) or QUICK:
        found = check(replace(scenario, limit=LIMIT))
        seconds += found.seconds
        if found.violation is not None:
            steps = len(found.violation.path)
            return {"check": scenario.name, "what": found.violation.what, "length": steps, "seconds": seconds}
        if found.too_large:
            near = shortest(replace(scenario, limit=LIMIT))
            if near is not None:
                return {"check": scenario.name, "what": near.what, "length": len(near.path), "seconds": seconds}
            what = f"more than {LIMIT:,} states"
            return {"check": scenario.name, "what": what, "length": 0, "seconds": seconds}
    for scenario in () if scenarios else QUICK[:2]:
        low, high = (check(scenario.shifted(first), drawn=True) for first in (100, 2**32 - 3))
        seconds += low.seconds + high.seconds
        if low.fingerprint != high.fingerprint:
            return {
                "check": f"{scenario.name}, across the wrap",
                "what": "another graph",
                "length": 0,
                "seconds": seconds,
            }
    return {"check": "", "what": "", "length": 0, "seconds": seconds}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE + 1))
    json.dump(explore_mutant(*sys.argv[1:]), sys.stdout)
