"""``tulpen connect``: connect from a tulpen host, and show the connection's states as they change."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from tulpen.cli.endpoint import Endpoint, Plan, bracketed, common, endpoint, settings_of, to_stderr
from tulpen.cli.group import examples
from tulpen.cli.inside import TakesCommand, ended, filled, rest
from tulpen.cli.streams import Stdin, relay
from tulpen.errors import TulpenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tulpen.link.namespace import Command

PAUSE: Final = 0.05  # seconds between looks whether the server listens


@click.command(
    "connect",
    cls=TakesCommand,
    epilog=examples(
        ("Talk to a server by hand, as with nc", "tulpen connect -- python3 -m http.server -b {host} {port}"),
        ("A request of your own", r"tulpen connect --send 'GET /\r\n\r\n' -- python3 -m http.server {port}"),
        ("Send a file", "tulpen connect < file -- sh -c 'nc -l {port} | sha256sum'"),
        ("A shell inside, to start a server in", "tulpen connect 7000"),
        ("TIME-WAIT to its end", "tulpen connect --wait --set tcp_timewait_len=2 < file -- nc -l {port}"),
    ),
)
@click.argument("port", type=click.IntRange(1, 65535), default=8000)
@click.option("--send", metavar="TEXT", help=r"Send TEXT first; \r, \n, \t and \xNN in it are escapes.")
@click.option("--patience", type=click.FloatRange(0), default=10.0, show_default=True, metavar="SECONDS",
              help="How long to wait for a server to listen.")  # fmt: skip
@common
@click.pass_context
def command(
    ctx: click.Context,
    port: int,
    send: str | None,
    patience: float,
    six: bool,
    sets: tuple[str, ...],
    segments: bool,
    wait: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Connect from a tulpen host to PORT (8000) in a private network.

    COMMAND, a server, runs in that network; {url}, {host} and {port} in it become where
    tulpen will connect to, as soon as something listens there. Without a COMMAND a shell
    runs there to start one in. What arrives goes to stdout and stdin is sent, as with nc;
    the end of stdin is our FIN. The states go to stderr.

    Exit status: that the connection ended well (0), that it did not (1).
    """
    plan = Plan(port, settings_of(sets), six, as_json, segments, quiet, wait)
    first = b"" if send is None else _unescaped(send)
    argv = rest(ctx)
    if not argv and not sys.stdin.isatty():
        raise click.UsageError("give a COMMAND that listens after --, or run it in a terminal for a shell")
    if argv:
        return asyncio.run(_with_command(plan, argv, first, patience))
    return asyncio.run(_with_shell(plan, first))


def _unescaped(text: str) -> bytes:
    try:
        return text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise click.BadParameter(f"{text!r} has an escape that is none", param_hint="--send") from None


async def _with_command(plan: Plan, argv: list[str], first: bytes, patience: float) -> int:
    async with endpoint(plan, to_stderr) as end:
        server = end.start(filled(argv, places(end)), stdout=2)
        await _listening(end, server, patience)
        stdin = Stdin()
        over = asyncio.create_task(_stop_when_over(server, stdin))
        with contextlib.suppress(OSError):  # the narrator tells of it
            await _talk(end, None if first and sys.stdin.isatty() else stdin, first)
        over.cancel()
        await asyncio.gather(over, return_exceptions=True)
        await end.closed()
    return 1 if end.narrator.errors else 0


async def _with_shell(plan: Plan, first: bytes) -> int:
    from tulpen.cli.shell import Terminal

    with Terminal() as terminal:
        async with endpoint(plan, terminal.say) as end:
            where = places(end)
            terminal.say(
                f"tulpen connects to {where['host']} port {where['port']} once something in this shell listens."
            )
            env = os.environ | {f"TULPEN_{name.upper()}": value for name, value in where.items()}
            shell = asyncio.create_task(terminal.run(end.private, env))
            talking = asyncio.create_task(_when_it_listens(end, first, terminal.say))
            try:
                await shell
            finally:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
    return 0


async def _when_it_listens(end: Endpoint, first: bytes, say: Callable[[str], None]) -> None:
    while not _somebody_listens(end):  # noqa: ASYNC110 the kernel tells nobody
        await asyncio.sleep(PAUSE)
    reader, writer = await end.net.open_connection(end.inside, end.plan.port)
    writer.write(first)
    while data := await reader.read(65_536):
        say(f"{len(data)} octets: {data[:60]!r}{'...' if len(data) > 60 else ''}")
    writer.close()


def places(end: Endpoint) -> dict[str, str]:
    """Return what {url}, {host} and {port} become."""
    url = f"http://{bracketed(end.inside)}:{end.plan.port}/"
    return {"url": url, "host": end.inside, "port": str(end.plan.port)}


async def _talk(end: Endpoint, stdin: Stdin | None, first: bytes) -> None:
    reader, writer = await end.net.open_connection(end.inside, end.plan.port)
    await relay(stdin, reader, writer, first=first)


async def _stop_when_over(server: Command, stdin: Stdin) -> None:
    await ended(server)
    stdin.stop()


async def _listening(end: Endpoint, server: Command, patience: float) -> None:
    """Wait until something listens on the port; TulpenError if it does not come to that."""
    gone = asyncio.create_task(ended(server))
    try:
        async with asyncio.timeout(patience):
            while not _somebody_listens(end):
                if gone.done():
                    raise TulpenError(f"{server.argv[0]} ended with status {gone.result()} before it listened")
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise TulpenError(
            f"nothing listens on port {end.plan.port} after {patience:g} s", "Is {port} in the command's arguments?"
        ) from None
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


def _somebody_listens(end: Endpoint) -> bool:
    """Look in the private network's table of sockets (proc(5)); no packet is sent for it."""
    wanted = f"{end.plan.port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in end.private.read_file(table).splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == "0A" and local.rpartition(":")[2] == wanted:
                    return True
    return False
