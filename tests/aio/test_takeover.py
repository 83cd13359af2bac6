"""Programs that ask the event loop for connections, moved onto a tulpen host without a change."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.aio.nets import CLIENT, SERVER, Tulpen, on_tulpen


async def program_that_knows_asyncio_alone() -> bytes:
    reader, writer = await asyncio.open_connection(SERVER, 80)
    writer.write(b"unchanged\n")
    answer = await reader.readline()
    assert writer.get_extra_info("sockname")[0] == CLIENT
    writer.close()
    await writer.wait_closed()
    return answer


def test_asyncio_itself_is_moved() -> None:
    async def scenario(net: Tulpen) -> None:
        async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            writer.close()

        with net.server.taking_over():
            server = await asyncio.start_server(shout, SERVER, 80)
        with net.client.taking_over():
            assert await program_that_knows_asyncio_alone() == b"UNCHANGED\n"
        server.close()
        free = await asyncio.start_server(shout, "127.0.0.1", 0)
        assert isinstance(free, asyncio.base_events.Server)
        free.close()

    on_tulpen(scenario)


def test_a_program_with_sockets_of_its_own_is_told() -> None:
    async def scenario(net: Tulpen) -> None:
        with (
            net.client.taking_over(),
            socket.socket() as theirs,
            pytest.raises(TypeError, match="cannot run on a tulpen"),
        ):
            await asyncio.open_connection(sock=theirs)

    on_tulpen(scenario)
