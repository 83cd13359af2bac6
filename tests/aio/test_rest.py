"""An interface lets quiet connections rest; the streams over them notice nothing."""

from __future__ import annotations

import asyncio
import time

from tests.aio.nets import CLIENT, SERVER
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.pipe import pipe


def test_a_stream_outlasts_rest() -> None:
    passed = 0  # nanoseconds that the hosts' clocks are ahead

    async def main() -> None:
        nonlocal passed
        left, right = pipe()

        def clock() -> int:
            return time.monotonic_ns() + passed

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(data)
            writer.close()

        async with (
            Interface(Host([SERVER]), right, clock=clock) as server,
            Interface(Host([CLIENT]), left, clock=clock) as client,
        ):
            await server.start_server(echo, SERVER, 80)
            reader, writer = await client.open_connection(SERVER, 80)
            for text in (b"before", b"after"):
                writer.write(text)
                assert await reader.readexactly(len(text)) == text
                ends = [*server.host.sockets(), *client.host.sockets()]
                assert len(ends) == 2
                while not all(end.resting for end in ends):
                    await asyncio.sleep(0.2)
                    passed += 100 * 10**9
            writer.close()
            await writer.wait_closed()
        left.close()
        right.close()

    async def in_time() -> None:
        async with asyncio.timeout(120):
            await main()

    asyncio.run(in_time())
