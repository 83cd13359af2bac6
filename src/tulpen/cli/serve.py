"""``tulpen serve``: listen on a tulpen host, and show each connection's states as they change."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from tulpen.cli.endpoint import Endpoint, Plan, bracketed, common, endpoint, settings_of, to_stderr
from tulpen.cli.group import examples
from tulpen.cli.inside import TakesCommand, ended, filled, rest
from tulpen.cli.streams import Stdin, relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Service = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PAGE: Final = b"<!doctype html>\n<title>tulpen</title>\n<p>This page came by a TCP written in Python.</p>\n"


@click.command(
    "serve",
    cls=TakesCommand,
    epilog=examples(
        ("What curl's connection goes through", "tulpen serve --http -- curl -sS {url}"),
        ("Talk to a client by hand, as with nc -l", "tulpen serve 7000 -- telnet {host} {port}"),
        ("Send a file, and keep its hash", "tulpen serve < big.iso -- sh -c 'nc {host} {port} | sha256sum'"),
        ("A shell inside, with a page to fetch", "tulpen serve"),
        ("SYN cookies, and every segment", "tulpen serve --http --set tcp_syncookies=2 --segments -- curl {url}"),
        ("TIME-WAIT to its end", "tulpen serve --wait --set tcp_timewait_len=2 < file -- nc {host} {port}"),
    ),
)
@click.argument("port", type=click.IntRange(1, 65535), default=8000)
@click.option("--echo", "service", flag_value="echo", help="Answer with what was sent.")
@click.option("--http", "service", flag_value="http", help="Answer HTTP requests with a small page.")
@click.option("--discard", "service", flag_value="discard", help="Take what is sent, and say nothing.")
@click.option("-k", "--keep-open", is_flag=True, help="Take one connection after another, as nc -k does.")
@common
@click.pass_context
def command(
    ctx: click.Context,
    port: int,
    service: str | None,
    keep_open: bool,
    six: bool,
    sets: tuple[str, ...],
    segments: bool,
    wait: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Listen on PORT (8000) of a tulpen host in a private network.

    COMMAND runs in that network; {url}, {host} and {port} in it become where tulpen
    listens. Without one, a shell runs there. What arrives goes to stdout and stdin is
    sent, as with nc, unless the tulpen host answers by itself (--echo, --http, --discard).
    The states go to stderr.

    Exit status: that COMMAND and every connection ended well (0), that one did not (1).
    """
    plan = Plan(port, settings_of(sets), six, as_json, segments, quiet, wait)
    argv = rest(ctx)
    if not argv and not sys.stdin.isatty():
        raise click.UsageError("give a COMMAND that talks to it after --, or run it in a terminal for a shell")
    if argv:
        return asyncio.run(_with_command(plan, argv, service, keep_open))
    return asyncio.run(_with_shell(plan, service or "http"))


async def _with_command(plan: Plan, argv: list[str], service: str | None, keep_open: bool) -> int:
    async with endpoint(plan, to_stderr) as end:
        stdin = Stdin()
        await _listen(end, _netcat(stdin, keep_open) if service is None else SERVICES[service])
        running = end.start(filled(argv, places(end)), stdout=2 if service is None else 1)
        status = await ended(running)
        stdin.stop()
        await end.closed()
    return 1 if status or end.narrator.errors else 0


async def _with_shell(plan: Plan, service: str) -> int:
    from tulpen.cli.shell import Terminal

    with Terminal() as terminal:
        async with endpoint(plan, terminal.say) as end:
            await _listen(end, SERVICES[service])
            where = places(end)
            terminal.say(f"A tulpen host answers at {where['url']} ({service}); leave this shell to end it.")
            env = os.environ | {f"TULPEN_{name.upper()}": value for name, value in where.items()}
            await terminal.run(end.private, env)
    return 0


async def _listen(end: Endpoint, service: Service) -> None:
    await end.net.start_server(service, end.address, end.plan.port)
    end.narrator.listens(f"{bracketed(end.address)}:{end.plan.port}", end.net.now())


def places(end: Endpoint) -> dict[str, str]:
    """Return what {url}, {host} and {port} become."""
    url = f"http://{bracketed(end.address)}:{end.plan.port}/"
    return {"url": url, "host": end.address, "port": str(end.plan.port)}


def _netcat(stdin: Stdin, keep_open: bool) -> Service:
    """One connection at a time is this process's stdin and stdout."""
    busy = asyncio.Lock()
    served = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        if served and not keep_open:
            writer.close()
            return
        served = True
        async with busy:
            await relay(stdin, reader, writer)

    return serve


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _discard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65_536):
        pass
    writer.close()


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request without a body; leave after one that says so (RFC 9112)."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            break
        last = head.split(b"\r\n", 1)[0].endswith(b"HTTP/1.0") or b"\r\nconnection: close\r\n" in head.lower()
        answer = [
            b"HTTP/1.1 200 OK",
            b"Content-Type: text/html",
            b"Content-Length: %d" % len(PAGE),
            *([b"Connection: close"] if last else []),
        ]
        body = b"" if head.startswith(b"HEAD ") else PAGE
        writer.write(b"\r\n".join((*answer, b"", b"")) + body)
        await writer.drain()
        if last:
            break
    writer.close()


SERVICES: Final[dict[str, Service]] = {"echo": _echo, "http": _http, "discard": _discard}
