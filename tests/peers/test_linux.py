"""Linux's TCP at the other end: bulk, many connections, bad weather, and every way to end."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import resource
import socket
import struct
import sys

import pytest

from tests.peers.beside import LINUX, TULPEN, TULPEN_6, Beside, pattern, run, sha256
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, Delay, Filter, Loss, Reordering
from tulpen.tcp.config import SocketOptions

pytestmark = [pytest.mark.kernel, pytest.mark.root]

MEGABYTE = 1_000_000
MS = 1_000_000

SINK = """
import hashlib, socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
digest = hashlib.sha256()
while data := connection.recv(1 << 18):
    digest.update(data)
print(digest.hexdigest())
"""

SOURCE = """
import socket, sys
block = b"".join(number.to_bytes(4, "big") for number in range(65_536 * 4))
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
left = int(sys.argv[3])
while left:
    connection.sendall(block[:left])
    left -= len(block[:left])
connection.shutdown(socket.SHUT_WR)
print(connection.recv(100).decode(), end="")
"""


class Sink(asyncio.BufferedProtocol):
    """Takes octets without keeping them, and answers with their hash."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.buffer = bytearray(1 << 18)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.digest.update(memoryview(self.buffer)[:nbytes])

    def eof_received(self) -> bool:
        assert self.transport is not None
        self.transport.write(self.digest.hexdigest().encode())
        self.transport.close()
        return True


async def send(writer: asyncio.StreamWriter, octets: int) -> None:
    block = pattern(1 << 20)
    while octets:
        piece = block[:octets]
        writer.write(piece)
        await writer.drain()
        octets -= len(piece)
    writer.close()


def hash_of(octets: int) -> str:
    digest = hashlib.sha256()
    block = pattern(1 << 20)
    for _ in range(octets // len(block)):
        digest.update(block)
    digest.update(block[: octets % len(block)])
    return digest.hexdigest()


@pytest.mark.parametrize("offload", [False, True], ids=["plain", "offload"])
@pytest.mark.parametrize("address", [TULPEN, TULPEN_6], ids=["ipv4", "ipv6"])
def test_100_mb_out(address: str, offload: bool) -> None:
    octets = 100 * MEGABYTE if address == TULPEN else 10 * MEGABYTE

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(lambda _, writer: send(writer, octets), None, 80)
        finished = await beside.python(SINK, address, 80)
        assert finished.stdout.text.strip() == hash_of(octets)

    run(scenario, offload=offload)


@pytest.mark.parametrize("offload", [False, True], ids=["plain", "offload"])
@pytest.mark.parametrize("address", [TULPEN, TULPEN_6], ids=["ipv4", "ipv6"])
def test_100_mb_in(address: str, offload: bool) -> None:
    octets = 100 * MEGABYTE if address == TULPEN else 10 * MEGABYTE

    async def scenario(beside: Beside) -> None:
        await beside.net.create_server(Sink, None, 80)
        finished = await beside.python(SOURCE, address, 80, octets)
        assert finished.stdout.text == hash_of(octets)

    run(scenario, offload=offload)


def bad_weather(seed: str) -> Filter:
    chance = Chance(seed)
    return Chain(Loss(chance.split("loss"), 0.05), Delay(2 * MS), Reordering(chance.split("order"), 0.1, 4 * MS))


def test_both_ways_through_loss_and_reordering() -> None:
    """5 % of the packets of either direction are lost, and every tenth is overtaken."""
    octets = 1_500_000
    ways = iter(("in", "out"))

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(lambda _, writer: send(writer, octets), None, 80)
        await beside.net.create_server(Sink, None, 81)
        down, up = await asyncio.gather(beside.python(SINK, TULPEN, 80), beside.python(SOURCE, TULPEN, 81, octets))
        assert down.stdout.text.strip() == up.stdout.text == hash_of(octets)
        assert beside.net.host.stack.counters["RetransSegs"] > 10

    run(scenario, weather=lambda: bad_weather(next(ways)))


MANY = """
import resource, selectors, socket, sys
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
selector = selectors.DefaultSelector()
connections = []
for number in range(count):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex((host, port))
    connections.append(connection)
    selector.register(connection, selectors.EVENT_WRITE)
waiting = count
while waiting:
    for key, _ in selector.select(30) or sys.exit("nobody answers"):
        error = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            sys.exit(f"connect: {error}")
        selector.unregister(key.fileobj)
        waiting -= 1
print("connected", flush=True)
for number, connection in enumerate(connections):
    connection.setblocking(True)
    connection.sendall(b"%8d" % number)
for number, connection in enumerate(connections):
    data = b""
    while len(data) < 8:
        data += connection.recv(8 - len(data)) or sys.exit("closed early")
    assert data == b"%8d" % number, data
print("answered")
"""


def test_1000_connections_at_once() -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1100:
        pytest.skip("the hard limit of open files is below 1,100")
    count = 1000
    script = MANY.replace("host, port", "resource.setrlimit(resource.RLIMIT_NOFILE, (1100, 1100))\nhost, port", 1)

    async def scenario(beside: Beside) -> None:
        most = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal most
            data = await reader.readexactly(8)
            most = max(most, len(list(beside.net.host.sockets())))
            writer.write(data)
            await reader.read()
            writer.close()

        await beside.net.start_server(serve, None, 80, backlog=count)
        finished = await beside.python(script, TULPEN, 80, count)
        assert finished.stdout.text == "connected\nanswered\n"
        assert most == count

    run(scenario)


ECHO = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1100, 1100))
async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data)
    writer.close()
async def main():
    server = await asyncio.start_server(echo, sys.argv[1], 8000, backlog=1000)
    await server.serve_forever()
asyncio.run(main())
"""


def test_1000_connections_to_a_server_of_linux() -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 1100:
        pytest.skip("the hard limit of open files is below 1,100")

    async def scenario(beside: Beside) -> None:
        beside.private.start([sys.executable, "-I", "-c", ECHO, LINUX])
        await beside.listening(8000)
        pairs = await asyncio.gather(*(beside.net.open_connection(LINUX, 8000) for _ in range(1000)))
        for number, (_, writer) in enumerate(pairs):
            writer.write(b"%d\n" % number)
        assert [int(await reader.readline()) for reader, _ in pairs] == list(range(1000))
        for _, writer in pairs:
            writer.close()

    run(scenario)


HALF_CLOSE = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.sendall(b"all I have to say")
connection.shutdown(socket.SHUT_WR)
print(b"".join(iter(lambda: connection.recv(100), b"")).decode())
"""


def test_linux_closes_its_half() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = await reader.read()
        await asyncio.sleep(0.05)
        writer.write(b"heard: " + said)
        writer.close()

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(serve, None, 80)
        finished = await beside.python(HALF_CLOSE, TULPEN, 80)
        assert finished.stdout.text == "heard: all I have to say\n"

    run(scenario)


EXPECT_ERROR = """
import errno, socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.sendall(b"!")
try:
    while connection.recv(100):
        pass
    print("EOF")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def test_linux_is_reset() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(serve, None, 80)
        finished = await beside.python(EXPECT_ERROR, TULPEN, 80)
        assert finished.stdout.text == "ECONNRESET\n"

    run(scenario)


RESET = """
import socket, struct, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.sendall(b"and then")
connection.recv(1)
connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
connection.close()
"""


def test_linux_resets() -> None:
    async def scenario(beside: Beside) -> None:
        ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(8) == b"and then"
            writer.write(b"!")
            try:
                await reader.read()
            except OSError as error:
                ended.set_result(error)
            writer.close()

        await beside.net.start_server(serve, None, 80)
        await beside.python(RESET, TULPEN, 80)
        error = await ended
        assert isinstance(error, ConnectionResetError)
        assert error.errno == errno.ECONNRESET

    run(scenario)


def test_a_port_of_linux_that_nobody_listens_on() -> None:
    async def scenario(beside: Beside) -> None:
        with pytest.raises(ConnectionRefusedError):
            await beside.net.open_connection(LINUX, 9)

    run(scenario)


def test_an_address_that_nobody_has() -> None:
    """The kernel inside forwards nothing: its answer, or none, is no route."""

    async def scenario(beside: Beside) -> None:
        with pytest.raises(TimeoutError):
            await beside.net.open_connection("198.51.100.1", 80, options=SocketOptions(tcp_user_timeout=300))

    run(scenario)


def test_what_was_hashed_is_what_was_meant() -> None:
    assert hash_of(3_000_000) == sha256((pattern(1 << 20) * 3)[:3_000_000])
