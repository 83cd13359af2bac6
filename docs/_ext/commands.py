"""A directive that writes the help of every command, as the command itself prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class CommandsDirective(SphinxDirective):
    """``{commands}``: a section a command."""

    def run(self) -> list[nodes.Node]:
        """Write the sections."""
        from tulpen.cli.main import tulpen

        with tulpen.make_context("tulpen", [], resilient_parsing=True, terminal_width=80) as context:
            parts: list[nodes.Node] = [_literal(tulpen.get_help(context))]
            for name in tulpen.list_commands(context):
                command = tulpen.get_command(context, name)
                if command is not None:
                    parts.append(_section(context, name, command))
        return parts


def _section(parent: click.Context, name: str, command: click.Command) -> nodes.section:
    section = nodes.section(ids=[f"tulpen-{name}"], names=[f"tulpen {name}"])
    section += nodes.title(text=f"tulpen {name}")
    with command.make_context(name, [], parent, resilient_parsing=True, terminal_width=80) as context:
        section += _literal(command.get_help(context))
    return section


def _literal(text: str) -> nodes.literal_block:
    block = nodes.literal_block(text, text)
    block["language"] = "text"
    return block


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("commands", CommandsDirective)
    return {"parallel_read_safe": True}
