"""create_server and its Server: starting, stopping, and who is still connected."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from typing import Any

import pytest

from tests.aio.nets import CLIENT, SERVER, SERVER_6, Tulpen, on_the_kernel, on_tulpen
from tests.aio.recorder import Recorder, connected
from tulpen.aio import Server


def test_many_connections_at_once() -> None:
    async def scenario(net: Tulpen) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(100))
            await writer.drain()
            writer.close()

        server = await net.start_server(serve, backlog=500)
        port = server.sockets[0].getsockname()[1]

        async def ask(number: int) -> bool:
            reader, writer = await net.open_connection(port)
            message = b"%100d" % number
            writer.write(message)
            answer = await reader.read(-1)
            writer.close()
            await writer.wait_closed()
            return answer == message

        assert all(await asyncio.gather(*(ask(number) for number in range(300))))
        server.close()
        await server.wait_closed()

    on_tulpen(scenario)


def test_a_closed_server_refuses_and_serves_on() -> None:
    async def scenario(net: Any) -> Any:
        pair = await connected(net, Recorder, lambda: Recorder(on_data=lambda r, d: r.transport.write(d)))
        port = pair.listening.sockets[0].getsockname()[1]
        pair.listening.close()
        pair.listening.close()
        seen = [pair.listening.sockets, pair.listening.is_serving()]
        try:
            await net.create_connection(Recorder, port)
        except OSError as error:
            seen.append(type(error))
        pair.client.transport.write(b"still")
        await pair.client.has(5)
        pair.client.transport.close()
        await pair.end()
        return seen

    assert on_tulpen(scenario) == on_the_kernel(scenario)


def test_wait_closed_waits_for_the_last_connection() -> None:
    async def scenario(net: Tulpen) -> None:
        pair = await connected(net, Recorder, Recorder)
        waiting = asyncio.create_task(pair.listening.wait_closed())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        pair.listening.close()
        await asyncio.sleep(0.02)
        assert not waiting.done()
        pair.client.transport.close()
        await waiting
        await pair.listening.wait_closed()

    on_tulpen(scenario)


def test_serve_forever_until_cancelled() -> None:
    async def scenario(net: Any) -> Any:
        server = await net.create_server(Recorder, start_serving=False)
        seen = [server.is_serving()]
        forever = asyncio.create_task(server.serve_forever())
        await asyncio.sleep(0.01)
        seen.append(server.is_serving())
        with pytest.raises(RuntimeError, match="already being awaited"):
            await server.serve_forever()
        forever.cancel()
        with pytest.raises(asyncio.CancelledError):
            await forever
        seen.append(server.is_serving())
        with pytest.raises(RuntimeError, match="is closed"):
            await server.serve_forever()
        return seen, isinstance(server, asyncio.AbstractServer), server.get_loop() is asyncio.get_running_loop()

    assert on_tulpen(scenario) == on_the_kernel(scenario)


def test_a_server_is_a_context() -> None:
    async def scenario(net: Any) -> Any:
        async with await net.create_server(Recorder) as server:
            serving = server.is_serving()
        return serving, server.is_serving()

    assert on_tulpen(scenario) == on_the_kernel(scenario)


def test_connections_wait_for_a_server_that_has_not_started() -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.create_server(
            lambda: Recorder(on_made=lambda r: r.transport.write(b"hi")), start_serving=False
        )
        transport, protocol = await net.create_connection(Recorder, server.sockets[0].getsockname()[1])
        await asyncio.sleep(0.02)
        assert server.sockets[0].listener.recv_q == 1
        assert not protocol.received
        await server.start_serving()
        await server.start_serving()
        await protocol.has(2)
        transport.close()
        server.close()

    on_tulpen(scenario)


@pytest.mark.parametrize("how", ["close_clients", "abort_clients"])
def test_ending_every_connection(how: str) -> None:
    async def scenario(net: Any) -> Any:
        pair = await connected(net, Recorder, Recorder)
        if isinstance(pair.listening, Server) or sys.version_info >= (3, 13):
            getattr(pair.listening, how)()
        else:
            pair.server.transport.close()
        return await pair.end()

    assert on_tulpen(scenario) == on_the_kernel(scenario)


def test_a_factory_that_fails_is_reported() -> None:
    """asyncio says so in debug mode alone, and leaves the connection open."""

    async def scenario(net: Tulpen) -> None:
        said = []

        def report(_: Any, context: dict[str, Any]) -> None:
            said.append((context["message"], type(context["exception"])))

        def fail() -> asyncio.Protocol:
            raise LookupError("on purpose")

        asyncio.get_running_loop().set_exception_handler(report)
        server = await net.create_server(fail)
        _, protocol = await net.create_connection(Recorder, server.sockets[0].getsockname()[1])
        await protocol.ended
        assert said == [("Error on transport creation for incoming connection", LookupError)]
        server.close()

    on_tulpen(scenario)


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        (None, ["0.0.0.0"]),
        ("", ["0.0.0.0"]),
        ("0.0.0.0", ["0.0.0.0"]),
        ([SERVER, SERVER_6, SERVER], [SERVER, SERVER_6]),
    ],
)
def test_where_it_listens(hosts: Any, names: list[str]) -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.server.create_server(Recorder, hosts, 8000)
        assert [view.getsockname()[0] for view in server.sockets] == names
        assert {view.getsockname()[1] for view in server.sockets} == {8000}
        transport, _ = await net.client.create_connection(Recorder, SERVER, 8000)
        transport.close()
        server.close()

    on_tulpen(scenario)


def test_the_address_is_taken() -> None:
    async def scenario(net: Any) -> Any:
        server = await net.create_server(Recorder)
        port = server.sockets[0].getsockname()[1]
        again = net.server.create_server if isinstance(net, Tulpen) else asyncio.get_running_loop().create_server
        try:
            await again(Recorder, net.server_host, port)
        except OSError as error:
            said = (
                error.errno,
                str(error).startswith(f"[Errno {error.errno}] error while attempting to bind on address"),
            )
        server.close()
        return said

    assert on_tulpen(scenario) == on_the_kernel(scenario) == (errno.EADDRINUSE, True)


def test_an_address_of_somebody_else() -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(OSError, match="bind on address") as caught:
            await net.server.create_server(Recorder, [SERVER, CLIENT], 8000)
        assert caught.value.errno == errno.EADDRNOTAVAIL
        server = await net.server.create_server(Recorder, SERVER, 8000)
        server.close()

    on_tulpen(scenario)


def test_servers_that_share_a_port() -> None:
    async def scenario(net: Tulpen) -> None:
        servers = [await net.server.create_server(Recorder, SERVER, 8000, reuse_port=True) for _ in range(2)]
        with pytest.raises(OSError, match="bind on address"):
            await net.server.create_server(Recorder, SERVER, 8000)
        servers[0].close()
        await servers[0].wait_closed()
        _, writer = await net.open_connection(8000)
        writer.close()
        servers[1].close()

    on_tulpen(scenario)


def test_what_cannot_be_asked_for() -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(TypeError, match="SSLContext"):
            await net.create_server(Recorder, ssl=True)
        with pytest.raises(ValueError, match="Neither host/port nor sock"):
            await net.server.create_server(Recorder)
        with pytest.raises(ValueError, match="can not be specified at the same time"):
            await net.server.create_server(Recorder, SERVER, 80, sock=object())  # type: ignore[arg-type]

    on_tulpen(scenario)


def test_what_libraries_ask_of_the_sockets() -> None:
    async def scenario(net: Tulpen) -> None:
        pair = await connected(net, Recorder, Recorder)
        listening = pair.listening.sockets[0]
        assert (listening.family, listening.type, listening.proto) == (
            socket.AF_INET,
            socket.SOCK_STREAM,
            socket.IPPROTO_TCP,
        )
        assert (listening.fileno(), listening.gettimeout()) == (-1, 0.0)
        with pytest.raises(OSError, match="Errno") as caught:
            listening.getpeername()
        assert caught.value.errno == errno.ENOTCONN
        sock = pair.client.transport.get_extra_info("socket")
        assert (
            sock.getpeername()
            == (SERVER, listening.getsockname()[1])
            == pair.server.transport.get_extra_info("sockname")
        )
        assert sock.getsockname() == pair.server.transport.get_extra_info("peername")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 4) == (30).to_bytes(4, sys.byteorder)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        with pytest.raises(OSError, match="Errno") as caught:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        assert caught.value.errno == errno.ENOPROTOOPT
        for call, value in ((sock.setblocking, True), (sock.settimeout, 5)):
            with pytest.raises(ValueError, match="transport sockets"):
                call(value)
        sock.setblocking(False)
        sock.settimeout(0)
        assert "ESTABLISHED" in repr(sock)
        assert "ESTABLISHED" in repr(pair.client.transport)
        sock.shutdown(socket.SHUT_RD)
        sock.shutdown(socket.SHUT_WR)
        await pair.end()

    on_tulpen(scenario)
