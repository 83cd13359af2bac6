"""create_connection and open_connection: what they refuse, and what a failed handshake raises."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Any

import pytest

from tests.aio.nets import CLIENT, SERVER, SERVER_6, Kernel, Tulpen, on_the_kernel, on_tulpen, two_hosts
from tests.aio.recorder import Recorder, connected, until
from tulpen import aio
from tulpen.aio import Interface
from tulpen.host.host import Host
from tulpen.link.pipe import pipe
from tulpen.tcp.config import Settings, SocketOptions
from tulpen.tcp.state import State

FREE = 9  # a port nobody listens on


async def refused(net: Any) -> Any:
    try:
        await net.create_connection(Recorder, FREE)
    except OSError as error:
        return type(error), error.errno, str(error).replace(net.server_host, "HOST")


def test_refused_as_asyncio_says_it() -> None:
    assert on_tulpen(refused) == on_the_kernel(refused)


def test_all_errors_gives_a_group() -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await net.create_connection(Recorder, FREE, all_errors=True)
        assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError]

    on_tulpen(scenario)


def test_nobody_answers() -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(TimeoutError) as caught:
            await net.client.open_connection("10.9.9.9", 80, options=SocketOptions(tcp_syncnt=0, tcp_user_timeout=100))
        assert caught.value.errno == errno.ETIMEDOUT

    on_tulpen(scenario)


@pytest.mark.parametrize(
    ("host", "port", "kwds", "said"),
    [
        ("example.com", 80, {}, "resolves no names"),
        ("10.0.0.2", "http", {}, "a port is a number"),
        ("10.0.0.2", 80, {"family": socket.AF_INET6}, "not an address of AF_INET6"),
        ("10.0.0.2", 80, {"local_addr": ("localhost", 0)}, "resolves no names"),
    ],
)
def test_names_are_not_resolved(host: str, port: Any, kwds: Any, said: str) -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(socket.gaierror, match=said):
            await net.client.create_connection(Recorder, host, port, **kwds)

    on_tulpen(scenario)


CONTRADICTIONS: list[tuple[Any, dict[str, Any]]] = [
    ((), {}),
    (("10.0.0.2", 80), {"sock": object()}),
    (("10.0.0.2", 80), {"server_hostname": "a"}),
    (("10.0.0.2", 80), {"ssl_handshake_timeout": 1.0}),
    (("10.0.0.2", 80), {"ssl_shutdown_timeout": 1.0}),
    ((None, 80), {"ssl": True}),
]


@pytest.mark.parametrize(("args", "kwds"), CONTRADICTIONS)
def test_arguments_that_contradict_each_other(args: Any, kwds: Any) -> None:
    said = []

    async def on_asyncio(_: Kernel) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            await asyncio.get_running_loop().create_connection(Recorder, *args, **kwds)
        said.append(str(caught.value))

    async def on_a_host(net: Tulpen) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            await net.client.create_connection(Recorder, *args, **kwds)
        said.append(str(caught.value))

    if kwds.get("sock") is None:
        on_the_kernel(on_asyncio)
    on_tulpen(on_a_host)
    assert len(set(said)) == 1


def test_a_socket_of_the_kernel_is_refused() -> None:
    async def scenario(net: Tulpen) -> None:
        with socket.socket() as theirs, pytest.raises(TypeError, match="cannot run on a tulpen host"):
            await net.client.create_connection(Recorder, sock=theirs)  # type: ignore[arg-type]
        with socket.socket() as theirs, pytest.raises(TypeError, match="cannot run on a tulpen host"):
            await net.server.create_server(Recorder, sock=theirs)  # type: ignore[arg-type]

    on_tulpen(scenario)


def test_a_tulpen_socket_may_be_given() -> None:
    async def scenario(net: Tulpen) -> None:
        now = net.client.now()
        listener = net.server.host.listen(None, 7, now)
        server = await net.server.create_server(
            lambda: Recorder(on_data=lambda r, d: r.transport.write(d)), sock=listener
        )
        sock = net.client.host.connect(server_address(net), 7, now)
        net.client.changed()
        await until(lambda: sock.state is State.ESTABLISHED)
        _, protocol = await net.client.create_connection(Recorder, sock=sock)
        protocol.transport.write(b"adopted")
        await protocol.has(7)
        protocol.transport.close()
        server.close()

    on_tulpen(scenario)


def server_address(net: Tulpen) -> bytes:
    return net.server.host.addresses[0]


def test_the_local_end_may_be_chosen() -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.create_server(Recorder)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await net.create_connection(Recorder, port, local_addr=(CLIENT, 4321))
        assert transport.get_extra_info("sockname") == (CLIENT, 4321)
        assert transport.get_extra_info("peername") == (SERVER, port)
        with pytest.raises(OSError, match="Connect call failed") as caught:
            await net.create_connection(Recorder, port, local_addr=("10.0.0.77", 0))
        assert caught.value.errno == errno.EADDRNOTAVAIL
        server.close()

    on_tulpen(scenario)


def test_ports_run_out() -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.create_server(Recorder)
        port = server.sockets[0].getsockname()[1]
        for _ in range(2):
            await net.create_connection(Recorder, port)
        with pytest.raises(OSError, match="Connect call failed") as caught:
            await net.create_connection(Recorder, port)
        assert caught.value.errno == errno.EADDRNOTAVAIL
        server.close()

    on_tulpen(scenario, settings=Settings(ip_local_port_range=(40_000, 40_001)))


def test_ipv6() -> None:
    async def scenario(net: Tulpen) -> None:
        pair = await connected(net, Recorder, Recorder)
        assert pair.client.transport.get_extra_info("peername")[0] == SERVER_6
        assert pair.server.transport.get_extra_info("socket").family is socket.AF_INET6
        pair.client.transport.write(b"six")
        pair.client.transport.close()
        await pair.end()
        assert pair.server.received == b"six"

    on_tulpen(scenario, server_host=SERVER_6)


def test_cancelling_an_open_gives_it_up() -> None:
    async def scenario(net: Tulpen) -> None:
        opening = asyncio.create_task(net.client.open_connection("10.9.9.9", 80))
        await asyncio.sleep(0.02)
        assert [sock.state for sock in net.client.host.sockets()] == [State.SYN_SENT]
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert not list(net.client.host.sockets())

    on_tulpen(scenario)


def test_a_timeout_around_an_open() -> None:
    async def scenario(net: Tulpen) -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.05):
                await net.client.open_connection("10.9.9.9", 80)
        assert not list(net.client.host.sockets())

    on_tulpen(scenario)


def test_a_factory_that_fails_leaves_no_connection() -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.create_server(Recorder)

        def fail() -> asyncio.Protocol:
            raise LookupError("on purpose")

        with pytest.raises(LookupError):
            await net.create_connection(fail, server.sockets[0].getsockname()[1])
        await asyncio.sleep(0.05)
        assert all(sock.state is State.TIME_WAIT for sock in net.client.host.sockets())
        server.close()

    on_tulpen(scenario)


def test_the_functions_use_the_interface_around_them() -> None:
    async def main() -> None:
        left, right = pipe()
        async with asyncio.timeout(60), Interface(Host([SERVER]), left):
            answered = asyncio.Event()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(await reader.readline())
                writer.close()
                answered.set()

            server = await aio.start_server(serve, SERVER, 80)
            protocols = await aio.create_server(Recorder, SERVER, 81)
            async with Interface(Host([CLIENT]), right) as inner:
                assert aio.current() is inner
                reader, writer = await aio.open_connection(SERVER, 80)
                writer.write(b"line\n")
                assert await reader.readline() == b"line\n"
                writer.close()
                transport, _ = await aio.create_connection(Recorder, SERVER, 81)
                transport.close()
            server.close()
            protocols.close()
            with pytest.raises(OSError, match="Connect call failed"):
                await aio.open_connection(SERVER, 80, options=SocketOptions(tcp_user_timeout=50))
        with pytest.raises(RuntimeError, match="async with"):
            await aio.open_connection(SERVER, 80)
        left.close()
        right.close()

    asyncio.run(main())


def test_an_interface_opens_once() -> None:
    async def main() -> None:
        async with two_hosts() as net:
            with pytest.raises(RuntimeError, match="open already"):
                net.client.open()
        with pytest.raises(RuntimeError, match="not open"):
            _ = net.client.loop
        net.client.close()
        await net.client.aclose()

    asyncio.run(main())


def test_leaving_ends_what_waits_for_a_handshake() -> None:
    async def main() -> None:
        async with two_hosts() as net:
            opening = asyncio.create_task(net.client.open_connection("10.9.9.9", 80))
            await asyncio.sleep(0.02)
        with pytest.raises(OSError, match="interface is closed") as caught:
            await opening
        assert caught.value.errno == errno.ENETDOWN

    asyncio.run(main())


def test_leaving_delivers_what_was_written() -> None:
    async def main() -> None:
        left, right = pipe()
        got = b""
        async with asyncio.timeout(60), Interface(Host([SERVER]), left) as server_side:
            done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                done.set_result(await reader.read(-1))
                writer.close()

            server = await server_side.start_server(serve, None, 80)
            async with Interface(Host([CLIENT]), right) as net:
                _, writer = await net.open_connection(SERVER, 80)
                writer.write(b"x" * 2_000_000)
                writer.close()
            got = await done
            server.close()
        assert len(got) == 2_000_000
        left.close()
        right.close()

    asyncio.run(main())


def test_a_link_that_fails_ends_every_connection() -> None:
    class Failing:
        mtu = 1500
        offload = False
        broken = False

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def read(self) -> Any:
            if self.broken:
                raise OSError(errno.EBADFD, "File descriptor in bad state")
            return self.inner.read()

        def write(self, buffer: Any, *rest: Any) -> None:
            self.inner.write(buffer, *rest)

        def fileno(self) -> int:
            return int(self.inner.fileno())

        def close(self) -> None:
            self.inner.close()

    async def main() -> None:
        left, right = pipe()
        link = Failing(right)
        async with asyncio.timeout(60), Interface(Host([SERVER]), left, linger=0.1) as server_side:
            await server_side.create_server(Recorder, None, 80)
            net = Interface(Host([CLIENT]), link, linger=0.1)
            net.open()
            _, protocol = await net.create_connection(Recorder, SERVER, 80)
            link.broken = True
            left.write(b"wake up")
            error = await protocol.ended
            assert error.errno == errno.ENETDOWN
            with contextlib.suppress(OSError):
                await net.aclose()
        left.close()
        right.close()

    asyncio.run(main())


def test_closing_at_once_ends_every_connection() -> None:
    async def main() -> None:
        async with asyncio.timeout(60), two_hosts(linger=0.2) as net:
            pair = await connected(net, Recorder, Recorder)
            net.client.close()
            assert await pair.client.ended is None
            assert isinstance(await pair.server.ended, ConnectionResetError)
            pair.client.transport.write(b"nothing comes of this")
            pair.client.transport.close()

    asyncio.run(main())


def test_left_in_another_task_than_it_was_entered_in() -> None:
    async def main() -> None:
        left, right = pipe()
        interface = Interface(Host([SERVER]), left)
        await asyncio.create_task(interface.__aenter__())
        await asyncio.create_task(interface.__aexit__(None, None, None))
        left.close()
        right.close()

    asyncio.run(main())
