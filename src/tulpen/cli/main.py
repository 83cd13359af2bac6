"""``tulpen``: the commands by name, and what becomes of an error.

Exit status: 0 good, 1 something was found, 2 usage or environment, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

import click

from tulpen import __version__
from tulpen.cli.group import Entry, LazyGroup, examples
from tulpen.errors import TulpenError

COMMANDS = (
    Entry("break", "tulpen.cli.break_", "Run a program against a TCP that misbehaves, and see what it does."),
    Entry("lab", "tulpen.cli.lab", "Make an incident of TCP's life happen, on tulpen or on Linux, with its fix."),
    Entry("ss", "tulpen.cli.ss", "List the kernel's TCP sockets, whose they are, and count them."),
    Entry("watch", "tulpen.cli.watch", "Tell how each TCP connection of this machine ends, as it happens."),
    Entry("doctor", "tulpen.cli.doctor", "Say what is wrong with this machine's TCP, whose it is, and what mends it."),
    Entry("read", "tulpen.cli.read", "Tell what happened to every connection of a capture: states, who, and why."),
    Entry("serve", "tulpen.cli.serve", "Listen on a tulpen host and show each connection's states."),
    Entry("connect", "tulpen.cli.connect", "Connect from a tulpen host and show the connection's states."),
    Entry("drill", "tulpen.cli.drill", "Run packetdrill scripts against tulpen's TCP, in virtual time."),
    Entry("check", "tulpen.cli.check", "Explore every interleaving of two connections, on the real engine."),
    Entry("learn", "tulpen.cli.learn", "Find out what automaton a TCP is: tulpen's, Linux's, any other's."),
    Entry("compare", "tulpen.cli.compare", "Put the same words to tulpen and to Linux, and explain every difference."),
    Entry("explain", "tulpen.cli.explain", "Say what a state, event, fault, errno, setting or counter means."),
)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        ("What does curl do when TCP goes wrong?", "tulpen break -- curl -sS {url}"),
        ("What is TIME-WAIT, and what leads out of it?", "tulpen explain time-wait"),
    ),
)
@click.version_option(__version__, "-V", "--version", message="tulpen %(version)s")
def tulpen() -> None:
    """Run a complete TCP written in Python, break programs with it, watch the kernel's, read captures, prove it."""


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    sys.exit(run(args))


def run(args: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        status = _invoke(sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except TulpenError as error:
        return _fail(str(error), error.remedy)
    except (KeyboardInterrupt, click.Abort):
        click.echo("tulpen: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader has gone (tulpen ... | head): that is no error, and the flush at exit must not report one.
        _discard()
        return 0
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # rich would end with 1, as if something was found
            return 0
        raise
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise
        if error.filename is None:
            _discard()
        return _fail(f"{error.filename or 'what was to be said cannot be written'}: {error.strerror}")
    return status if isinstance(status, int) else 0


def _discard() -> None:
    """Let go of what stdout still holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(args: list[str]) -> object:
    """Do what ``click.Group.main`` does, and leave every exception to the caller."""
    if "_TULPEN_COMPLETE" in os.environ:  # a shell asks for completions
        tulpen.main(args, prog_name="tulpen")
    color = False if os.environ.get("NO_COLOR") else None
    with tulpen.make_context("tulpen", list(args), color=color) as context:
        return tulpen.invoke(context)


def _fail(message: str, remedy: str = "") -> int:
    click.echo(f"tulpen: {message}", err=True)
    if remedy:
        click.echo(f"  {remedy}", err=True)
    return 2
