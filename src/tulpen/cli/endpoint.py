"""What ``serve`` and ``connect`` share: a tulpen host in a private network, and its states told as they change."""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import click

from tulpen.aio.interface import Interface
from tulpen.cli.narrator import Narrator
from tulpen.errors import TulpenError
from tulpen.host.host import Host
from tulpen.link.namespace import OUTSIDE, NotPermitted, PrivateNetwork
from tulpen.tcp.config import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tulpen.link.namespace import Command

LINGER: Final = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The options that both commands have."""

    port: int
    settings: Settings
    six: bool
    as_json: bool
    segments: bool
    quiet: bool
    wait: bool


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a ``Plan``."""
    for option in reversed(
        (
            click.option("-6", "--ipv6", "six", is_flag=True, help="Use IPv6."),
            click.option("--set", "sets", multiple=True, metavar="NAME=VALUE",
                         help="Change a setting of the tulpen host, by its sysctl's name."),
            click.option("--segments", is_flag=True, help="Show every segment too."),
            click.option("--wait", is_flag=True, help="Stay until every connection is CLOSED, TIME-WAIT included."),
            click.option("--json", "as_json", is_flag=True, help="Write the states to stderr as JSON, one a line."),
            click.option("-q", "--quiet", is_flag=True, help="Show no states."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def settings_of(sets: Sequence[str]) -> Settings:
    """Return the settings that ``--set`` asks for."""
    settings = Settings()
    known = {field.name: field for field in fields(Settings)}
    for each in sets:
        name, equals, value = each.partition("=")
        name = name.rpartition(".")[2]
        if not equals or name not in known:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE with the name of a setting", param_hint="--set")
        try:
            setattr(settings, name, _value(value, known[name].default))
        except ValueError:
            raise click.BadParameter(f"{value!r} is no value for {name}", param_hint="--set") from None
    return settings


def _value(words: str, like: object) -> object:
    if isinstance(like, bool):
        return bool(int(words))
    if isinstance(like, int):
        return int(words)
    if isinstance(like, tuple):
        numbers = tuple(int(word) for word in re.split(r"[\s,]+", words.strip()))
        if len(numbers) != len(like):
            raise ValueError(words)
        return numbers
    return words


class Endpoint:
    """A tulpen host on the link of a private network."""

    def __init__(self, private: PrivateNetwork, net: Interface, narrator: Narrator, plan: Plan) -> None:
        self.private = private
        self.net = net
        self.narrator = narrator
        self.plan = plan
        self.address = OUTSIDE[plan.six]
        self.inside = private.addresses[1 if plan.six else 0]

    def start(self, argv: Sequence[str], *, stdout: int) -> Command:
        """Start a command inside, its output with ours; TulpenError where there is no such command."""
        try:
            return self.private.start(argv, stdout=stdout, stderr=2)
        except OSError as error:
            raise TulpenError(f"{argv[0]}: {error.strerror}") from None

    async def closed(self) -> None:
        """Wait until no connection is left, or with ``--wait`` none in TIME-WAIT either."""
        host = self.net.host
        while any(True for _ in host.sockets()) or (self.plan.wait and len(host.time_wait)):
            await self.net.turned()


@contextlib.asynccontextmanager
async def endpoint(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[Endpoint]:
    """Make the private network and put a tulpen host on it; all of it is gone afterwards."""
    try:
        private = PrivateNetwork()
    except NotPermitted as error:
        raise TulpenError(error.reason, error.remedy) from None
    with private:
        if plan.six and len(private.addresses) < 2:
            raise TulpenError("this kernel has no IPv6")
        host = Host(OUTSIDE, settings=plan.settings, secret=os.urandom(16), mtu=private.link.mtu, trace=True)
        records = host.stack.records
        assert records is not None
        began = time.monotonic_ns()
        narrator = Narrator(
            records, began, _silent if plan.quiet else say, as_json=plan.as_json, segments=plan.segments
        )
        net = Interface(host, private.link, linger=LINGER)
        net.after_turn = narrator.tell
        try:
            async with net:
                yield Endpoint(private, net, narrator, plan)
        finally:
            narrator.tell()


def _silent(line: str) -> None:
    """Say nothing."""


def to_stderr(line: str) -> None:
    """Write a line of states."""
    click.echo(line, err=True)


def bracketed(address: str) -> str:
    """Return an address as a URL has it."""
    return f"[{address}]" if ":" in address else address
