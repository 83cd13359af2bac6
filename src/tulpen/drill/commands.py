"""Commands in backticks.  They are understood and applied to the host, or refused by name; run only if asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tulpen.drill import ip_route, proc, shell, sysctl_bsd, sysctl_linux
from tulpen.drill.descriptor import TcpFile
from tulpen.drill.nstat import nstat
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.shell import Pipeline, lines_of, pipelines
from tulpen.tcp.config import Settings
from tulpen.tcp.state import TIME_WAIT

if TYPE_CHECKING:
    from tulpen.drill.world import World

_SECOND: Final = 1_000_000_000
_RESTORE: Final = re.compile(r".*/sysctl_restore_[^/]*\.sh")
#: Files of a kernel that choose between heuristics the host has not.
_UNUSED: Final = frozenset(("/sys/module/tcp_cubic/parameters/hystart_detect",))
#: Of netstat's names for states, those that are not the RFC's with an underscore.
_STATES: Final = {"SYN_RCVD": "SYN_RECEIVED", "SYN_RECV": "SYN_RECEIVED"}


def run_command(world: World, text: str) -> None:
    """Do what a command asks for; Mismatch where it fails."""
    for line in lines_of(text):
        try:
            for alternatives in pipelines(line):
                _run_one_of(world, alternatives)
        except Unsupported:
            if not world.shell:
                raise
            status = shell.run(line)
            if status:
                raise Mismatch(f"the command {line.strip()!r} ended with status {status}") from None


def _run_one_of(world: World, alternatives: list[Pipeline]) -> None:
    """Run the first; where it fails, or asks for what is not there, the one behind it."""
    for pipeline in alternatives[:-1]:
        try:
            return _run(world, pipeline)
        except (Mismatch, Unsupported):
            continue
    return _run(world, alternatives[-1])


def _run(world: World, pipeline: list[list[str]]) -> None:
    words = pipeline[0]
    name = words[0].rsplit("/", 1)[-1] if words else ""
    if name == "sysctl":
        _sysctl(world, words[1:])
    elif name == "set_sysctls.py":
        for each in words[1:]:
            _assign(world, each)
    elif name == "defaults.sh":
        _usual(world, selftests=words[0] == "./defaults.sh")
    elif name in ("ip", "tc") and world.set_sysctl is None and _network(world, name, words):
        pass
    elif name == "nstat":
        nstat(world, pipeline)
    elif name == "grep":
        proc.grep(world.host, pipeline)
    elif name == "sockstat":
        _sockstat(world, pipeline)
    elif name == "tcpdrop":
        _tcpdrop(world, words[1:])
    elif name == "sleep" and len(words) == 2:
        world.stage.run_until(world.now + int(float(words[1]) * _SECOND))
    elif not _without_effect(words, name):
        raise Unsupported(f"the command '{' | '.join(' '.join(each) for each in pipeline)}'")


def _without_effect(words: list[str], name: str) -> bool:
    """Say whether a command changes nothing on a host that is new and has no device."""
    if _RESTORE.fullmatch(words[0]) or name == "true":
        return True
    if name == "ethtool":
        return "-K" in words
    if name == "tc":
        return words[1:2] == ["qdisc"] and _is_fifo(words)
    if name == "echo":
        return words[-2:-1] == [">"] and words[-1] in _UNUSED
    return False


def _network(world: World, name: str, words: list[str]) -> bool:
    """Do what ip and tc ask for; say whether that was understood."""
    if name == "ip" and words[1:3] == ["tcp_metrics", "flush"]:
        world.host.metrics.flush()
    elif name == "ip" and ip_route.is_ip_route(words):
        world.host.set_route(*ip_route.prefix_and_route(words))
    elif name == "tc" and words[1:2] == ["qdisc"]:
        _qdisc(world, words)
    else:
        return False
    return True


def _qdisc(world: World, words: list[str]) -> None:
    """Let the device queue in order, pace what it sends, or take nothing."""
    world.settings.default_qdisc = Settings().default_qdisc
    kind = words[words.index("root") + 1 :] if "root" in words else []
    world.host.choke(on=kind[-2:] == ["limit", "0"])
    if kind == ["fq"]:
        world.settings.default_qdisc = "fq"
    elif kind[-2:] != ["limit", "0"] and not _is_fifo(words):
        raise Unsupported(f"the command '{' '.join(words)}'")


def _is_fifo(words: list[str]) -> bool:
    """Say whether the device queues in order afterwards: as it is told to, or because nothing is said any more."""
    if words[2:3] in (["delete"], ["del"]):
        return True
    return "limit" not in words and ("pfifo" in words or "bfifo" in words or "pfifo_fast" in words)


def _sysctl(world: World, words: list[str]) -> None:
    for word in words:
        if not word.startswith("-"):
            _assign(world, word)


def _assign(world: World, word: str) -> None:
    name, equals, value = word.partition("=")
    if not equals:
        raise Unsupported(f"the command 'sysctl {word}'")
    if world.set_sysctl is not None:
        world.set_sysctl(name.removeprefix("/proc/sys/").replace("/", "."), value)
        return
    apply = sysctl_bsd.apply if name.startswith(("net.inet.", "kern.", "net.inet6.")) else sysctl_linux.apply
    apply(world.settings, name, value)


def _usual(world: World, *, selftests: bool) -> None:
    if world.set_sysctl is None:
        sysctl_linux.usual(world.settings)
    else:
        for name, value in sysctl_linux.USUAL_ON_LINUX:
            try:
                world.set_sysctl(f"net.ipv4.{name}", value)
            except Unsupported as refused:
                world.remarks.append(str(refused))
    for name, value in sysctl_linux.OF_SELFTESTS if selftests else ():
        _assign(world, f"net.ipv4.{name}={value}")


def _sockstat(world: World, pipeline: list[list[str]]) -> None:
    """Count sockets in a state, as ``sockstat ... | grep -c STATE | grep N``."""
    own = any(words == ["grep", "packetdril"] for words in pipeline)
    counts = [words[2] for words in pipeline if words[:2] == ["grep", "-c"] and len(words) == 3]
    wanted = pipeline[-1]
    if len(counts) != 1 or wanted[:1] != ["grep"] or len(wanted) != 2:
        raise Unsupported(f"the command '{' | '.join(' '.join(each) for each in pipeline)}'")
    state = _STATES.get(counts[0], counts[0])
    files = [each for each in world.files.values() if isinstance(each, TcpFile)]
    if own:
        found = sum(1 for each in files if each.state.name == state)
    else:
        found = sum(1 for row in world.host.status() if row.state.name == state)
    if wanted[1] not in str(found):
        raise Mismatch(f"sockstat: sockets in {counts[0]}", expected=wanted[1], got=str(found))


def _tcpdrop(world: World, words: list[str]) -> None:
    """As tcpdrop -s STATE: end the connections in a state."""
    if words != ["-s", "TIME_WAIT"]:
        raise Unsupported(f"the command 'tcpdrop {' '.join(words)}'")
    for file in world.files.values():
        if isinstance(file, TcpFile) and file.socket is not None and file.state is TIME_WAIT:
            file.socket.abort(world.now)
    world.stage.collect()
    world.stage.sent.clear()
