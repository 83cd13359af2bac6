"""What stands after ``--``: a command that runs in the private network, its {url}, {host} and {port} filled in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tulpen.link.namespace import Command

REST: Final = "tulpen.cli.inside"


class TakesCommand(click.Command):
    """A click command whose arguments end at ``--``; what follows is somebody else's command line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what follows ``--`` for ``rest``."""
        if "--" in args:
            at = args.index("--")
            args, ctx.meta[REST] = args[:at], args[at + 1 :]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Say in the usage line that a command may follow."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def rest(ctx: click.Context) -> list[str]:
    """Return the command line after ``--``; empty where there is none."""
    found: list[str] = ctx.meta.get(REST, [])
    return found


def filled(words: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """Return ``words`` with ``{name}`` replaced for every name in ``places``; other braces stay."""
    done = list(words)
    for name, value in places.items():
        done = [word.replace(f"{{{name}}}", value) for word in done]
    return done


async def ended(command: Command) -> int:
    """Wait until ``command`` has ended; return its status."""
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()

    def look(*_: Any) -> None:
        if not over.done():
            over.set_result(None)

    if command.poll() is None:
        loop.add_reader(command.fileno(), look)
        try:
            await over
        finally:
            loop.remove_reader(command.fileno())
    status = command.poll()
    return 0 if status is None else status
