"""Protocols that write down what they are called with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Entry = tuple[Any, ...]


def told(error: BaseException | None) -> str:
    return "None" if error is None else type(error).__name__


async def until(true: Callable[[], bool]) -> None:
    """Look every 2 ms; the test around it has a deadline."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


class Recorder(asyncio.Protocol):
    """Writes down every callback; neighbouring pieces of data count as one."""

    def __init__(
        self,
        *,
        keep_open: bool = False,
        on_made: Callable[[Recorder], None] | None = None,
        on_data: Callable[[Recorder, bytes], None] | None = None,
        on_eof: Callable[[Recorder], None] | None = None,
    ) -> None:
        self.log: list[Entry] = []
        self.keep_open = keep_open
        self.on_made, self.on_data, self.on_eof = on_made, on_data, on_eof
        self.ended = asyncio.get_running_loop().create_future()
        self.transport: Any = None
        self.received = bytearray()
        self.arrived = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.log.append(("made", transport.is_closing(), self.transport.is_reading()))
        if self.on_made:
            self.on_made(self)

    def data_received(self, data: bytes) -> None:
        assert type(data) is bytes
        self.took(data)

    def took(self, data: bytes) -> None:
        self.received += data
        if self.log and self.log[-1][0] == "data":
            data = self.log.pop()[1] + data
        self.log.append(("data", data))
        self.arrived.set()
        if self.on_data:
            self.on_data(self, data)

    def eof_received(self) -> bool | None:
        self.log.append(("eof",))
        self.arrived.set()
        if self.on_eof:
            self.on_eof(self)
        return self.keep_open

    def pause_writing(self) -> None:
        self.log.append(("pause",))

    def resume_writing(self) -> None:
        self.log.append(("resume",))

    def connection_lost(self, error: Exception | None) -> None:
        self.log.append(("lost", told(error), self.transport.is_closing(), self.transport.is_reading()))
        if not self.ended.done():
            self.ended.set_result(error)

    async def has(self, octets: int) -> None:
        """Wait until that many octets have arrived."""
        while len(self.received) < octets:
            self.arrived.clear()
            await self.arrived.wait()

    async def logged(self, what: str) -> None:
        """Wait until a callback has been written down."""
        await until(lambda: any(entry[0] == what for entry in self.log))


class BufferedRecorder(asyncio.BufferedProtocol):
    """The same by way of get_buffer and buffer_updated."""

    def __init__(self, size: int = 1000) -> None:
        self.inner = Recorder()
        self.buffer = bytearray(size)
        self.sizes: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.inner.connection_made(transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.sizes.add(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.inner.took(bytes(self.buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self.inner.connection_lost(error)

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()


class Pair:
    """A client and a server's end that record, connected over ``net``."""

    def __init__(self, client: Any, server: Any, listening: Any, complaints: list[str]) -> None:
        self.client, self.server, self.listening, self.complaints = client, server, listening, complaints

    async def end(self) -> dict[str, Any]:
        """Wait for both connection_lost and return what was written down."""
        await self.client.ended
        await self.server.ended
        return await self.logs()

    async def logs(self) -> dict[str, Any]:
        self.listening.close()
        await asyncio.sleep(0)
        return {"client": self.client.log, "server": self.server.log, "complaints": self.complaints}


async def connected(net: Any, client: Callable[[], Any], server: Callable[[], Any]) -> Pair:
    """Connect ``client()`` to ``server()`` and wait until both know."""
    loop = asyncio.get_running_loop()
    complaints: list[str] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    made: asyncio.Future[Any] = loop.create_future()

    def factory() -> Any:
        protocol = server()
        loop.call_soon(made.set_result, protocol)
        return protocol

    listening = await net.create_server(factory)
    port = listening.sockets[0].getsockname()[1]
    _, one = await net.create_connection(client, port)
    other = await made
    await other.logged("made")
    return Pair(one, other, listening, complaints)
