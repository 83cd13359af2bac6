"""Back-pressure in both directions: pause_writing and resume_writing, and a window that closes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.aio.nets import Tulpen, on_the_kernel, on_tulpen
from tests.aio.recorder import BufferedRecorder, Recorder, connected
from tulpen.tcp.config import Settings

MEGABYTE = 1 << 20
MUCH = 12 * MEGABYTE  # more than both ends' buffers hold
SMALL = Settings(tcp_rmem=(4096, 16_384, 16_384), tcp_wmem=(4096, 16_384, 16_384))


async def a_reader_that_stops(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"x" * MUCH)
    await asyncio.sleep(0.05)
    before = list(pair.client.log), pair.server.log[-1][0], pair.client.transport.get_write_buffer_size() > 0
    pair.server.transport.resume_reading()
    await pair.server.has(MUCH)
    after = list(pair.client.log), pair.client.transport.get_write_buffer_size()
    pair.client.transport.close()
    await pair.end()
    return before, after, pair.server.received == b"x" * MUCH, [entry[0] for entry in pair.server.log]


async def closing_sends_what_waits(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"y" * MUCH)
    pair.client.transport.close()
    await asyncio.sleep(0.02)
    before = list(pair.client.log)
    pair.server.transport.resume_reading()
    await pair.end()
    return before, pair.client.log, len(pair.server.received)


async def write_eof_after_what_waits(net: Any) -> Any:
    pair = await connected(net, Recorder, lambda: Recorder(keep_open=True))
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"z" * MUCH)
    pair.client.transport.write_eof()
    await asyncio.sleep(0.02)
    pair.server.transport.resume_reading()
    await pair.server.logged("eof")
    pair.server.transport.close()
    await pair.end()
    return pair.client.log, len(pair.server.received), [entry[0] for entry in pair.server.log]


async def abort_forgets_what_waits(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"y" * MUCH)
    pair.client.transport.abort()
    await pair.client.ended
    size = pair.client.transport.get_write_buffer_size()
    pair.server.transport.resume_reading()
    await pair.end()
    return pair.client.log, size, 0 < len(pair.server.received) < MUCH


async def limits_of_zero(net: Any) -> Any:
    pair = await connected(net, Recorder, Recorder)
    pair.client.transport.set_write_buffer_limits(0)
    pair.server.transport.pause_reading()
    pair.client.transport.write(b"x" * MUCH)
    await asyncio.sleep(0.02)
    pair.server.transport.resume_reading()
    await pair.server.has(MUCH)
    pair.client.transport.close()
    await pair.end()
    return pair.client.log


@pytest.mark.parametrize(
    "scenario",
    [
        a_reader_that_stops,
        closing_sends_what_waits,
        write_eof_after_what_waits,
        abort_forgets_what_waits,
        limits_of_zero,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_the_same_as_asyncio(scenario: Any) -> None:
    assert on_tulpen(scenario) == on_the_kernel(scenario)


def test_not_reading_closes_the_window() -> None:
    async def scenario(net: Tulpen) -> None:
        pair = await connected(net, Recorder, Recorder)
        pair.server.transport.pause_reading()
        pair.client.transport.write(b"x" * MEGABYTE)
        waiting = pair.client.transport.get_write_buffer_size()
        await asyncio.sleep(0.1)
        stuck = pair.client.transport.get_write_buffer_size()
        assert 0 < stuck <= waiting
        assert stuck >= MEGABYTE - 64 * 1024  # what two buffers of 16 KiB do not hold, with some slack
        assert pair.server.received == b""
        pair.server.transport.resume_reading()
        await pair.server.has(MEGABYTE)
        pair.client.transport.close()
        await pair.end()

    on_tulpen(scenario, settings=SMALL)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_buffered_protocol_gets_everything_whatever_its_buffer(size: int) -> None:
    async def scenario(net: Tulpen) -> None:
        data = bytes(range(256)) * 40
        pair = await connected(net, Recorder, lambda: BufferedRecorder(size))
        pair.client.transport.write(data)
        pair.client.transport.close()
        await pair.end()
        assert pair.server.received == data

    on_tulpen(scenario)


def test_drain_waits_for_the_reader() -> None:
    async def scenario(net: Tulpen) -> None:
        gate = asyncio.Event()
        total: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gate.wait()
            total.set_result(len(await reader.read(-1)))
            writer.close()

        server = await net.start_server(serve)
        _, writer = await net.open_connection(server.sockets[0].getsockname()[1])
        sent = 0
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(0.1):
                while True:
                    writer.write(b"d" * 65_536)
                    sent += 65_536
                    await writer.drain()
        assert sent < 2 * MEGABYTE
        gate.set()
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await total == sent
        server.close()

    on_tulpen(scenario, settings=SMALL)


def test_both_directions_at_once() -> None:
    async def scenario(net: Tulpen) -> None:
        size = 2 * MEGABYTE

        async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
            async def send() -> None:
                for _ in range(32):
                    writer.write(bytes(size // 32))
                    await writer.drain()
                writer.write_eof()

            sending = asyncio.create_task(send())
            got = len(await reader.read(-1))
            await sending
            writer.close()
            return got

        served: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.set_result(await both(reader, writer))

        server = await net.start_server(serve)
        port = server.sockets[0].getsockname()[1]
        assert await both(*await net.open_connection(port)) == size
        assert await served == size
        server.close()

    on_tulpen(scenario)
