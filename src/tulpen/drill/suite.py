"""Many scripts: found in folders, run side by side in processes, each verdict given as it comes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.drill.conditions import IPV4, IPV6, MAPPED, ONLY_IPV6, conditions_of
from tulpen.drill.drill import Plan, drill
from tulpen.drill.problems import ScriptError, Unsupported
from tulpen.drill.script import Script
from tulpen.drill.sysctl_linux import USUAL_KEY
from tulpen.errors import TulpenError
from tulpen.host.fast_listening import cookie_for, parse_key
from tulpen.tcp.trace import FourTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tulpen.drill.verdict import Verdict

SUFFIX: Final = ".pkt"

#: What scripts may take as defined for a version of IP: the names of what differs between them.
CUSTOMARY: Final[dict[str, dict[str, str]]] = {
    IPV4: {"CMSG_LEVEL_IP": "SOL_IP", "CMSG_TYPE_RECVERR": "IP_RECVERR", "CODE": "host_unreachable"},
    MAPPED: {"CMSG_LEVEL_IP": "SOL_IPV6", "CMSG_TYPE_RECVERR": "IPV6_RECVERR", "CODE": "host_unreachable"},
    IPV6: {"CMSG_LEVEL_IP": "SOL_IPV6", "CMSG_TYPE_RECVERR": "IPV6_RECVERR", "CODE": "address_unreachable"},
}


def find(paths: Iterable[str]) -> list[str]:
    """Return the scripts: files as they are named, and every ``.pkt`` below a folder."""
    found: list[str] = []
    for each in paths:
        path = Path(each)
        if path.is_dir():
            below = sorted(map(str, path.rglob(f"*{SUFFIX}")))
            if not below:
                raise TulpenError(f"no script below {each}", f"Scripts are files called *{SUFFIX}.")
            found += below
        elif path.exists():
            found.append(each)
        else:
            raise TulpenError(f"{each}: no such file or folder")
    return found


def plan_for(plan: Plan, script: str) -> Plan:
    """Return the plan with what is customary for the version of IP; the user's own definitions outdo it."""
    options = dict(plan.options)
    if script.endswith(ONLY_IPV6):
        options.setdefault("ip_version", IPV6)
    customary = {**CUSTOMARY[options.get("ip_version", IPV4)], **_cookies(options)}
    return replace(plan, options=options, defined={**customary, **plan.defined})


def _cookies(options: Mapping[str, str]) -> dict[str, str]:
    """Return the Fast Open cookies that scripts know by name: of the usual key, and of one all zeros."""
    try:
        here = conditions_of(Script("", (), None, (), None), options)
    except (ScriptError, Unsupported):
        return {}  # the script's verdict will say why
    name = FourTuple(here.local, 0, here.remote, 0)
    keys = {"TFO_COOKIE": USUAL_KEY, "TFO_COOKIE_ZERO": "0-0-0-0"}
    return {word: cookie_for(parse_key(key), name).hex() for word, key in keys.items()}


def run(scripts: list[str], plan: Plan, jobs: int) -> Iterator[Verdict]:
    """Give the verdicts, in the order in which they come."""
    if jobs == 1 or len(scripts) == 1:
        for script in scripts:
            yield drill(script, plan_for(plan, script))
        return
    with ProcessPoolExecutor(min(jobs, len(scripts))) as pool:
        begun = [pool.submit(partial(drill, script, plan_for(plan, script))) for script in scripts]
        try:
            for done in as_completed(begun):
                yield done.result()
        finally:
            for each in begun:
                each.cancel()
