"""A click group that knows its commands by name and loads the module of the one that is called."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """A command that is loaded when it is called: ``module`` has a click command named ``command``."""

    name: str
    module: str
    summary: str  # its line in ``tulpen --help``


class LazyGroup(click.Group):
    """Lists ``entries`` without importing them; an entry whose module is not installed is left out."""

    def __init__(self, *args: Any, entries: tuple[Entry, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = {entry.name: entry for entry in entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of ``entries``."""
        return [name for name, entry in self.entries.items() if importlib.util.find_spec(entry.module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return its command."""
        entry = self.entries.get(cmd_name)
        if entry is None or importlib.util.find_spec(entry.module) is None:
            return None
        command = importlib.import_module(entry.module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries."""
        names = self.list_commands(ctx)
        if names:
            with formatter.section("Commands"):
                formatter.write_dl([(name, self.entries[name].summary) for name in names])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none, name the one that was perhaps meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), 1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise


def examples(*lines: tuple[str, str]) -> str:
    """Return an epilog of commands, each under the sentence that says what it does."""
    blocks = [f"  {says}\n    $ {command}" for says, command in lines]
    return "\b\nExamples:\n" + "\n".join(blocks)
