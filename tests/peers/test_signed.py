"""TCP_MD5SIG and TCP-AO with Linux's TCP at the other end, as client and as server."""

from __future__ import annotations

import asyncio
import errno

import pytest

from tests.peers.beside import LINUX, LINUX_6, TULPEN, TULPEN_6, Beside, pattern, run, sha256
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.keys import CMAC_AES128, HMAC_SHA1, AoKey, Md5Key
from tulpen.wire.address import address

pytestmark = [pytest.mark.kernel, pytest.mark.root]

OCTETS = 300_000

# How a socket of Linux is given a key: struct tcp_md5sig, and struct tcp_ao_add.
KEYS = """
import errno, hashlib, socket, struct, sys

def host(address):
    if ":" in address:
        octets = socket.inet_pton(socket.AF_INET6, address)
        return struct.pack("=HHI16s", socket.AF_INET6, 0, 0, octets).ljust(128, b"\\0")
    return struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(address)).ljust(128, b"\\0")

def set_md5(sock, peer, key):
    value = host(peer) + struct.pack("=BBHi", 0, 0, len(key), 0) + key.ljust(80, b"\\0")
    sock.setsockopt(socket.IPPROTO_TCP, 14, value)

def set_ao(sock, peer, key, algorithm):
    value = host(peer) + algorithm.encode().ljust(64, b"\\0") + struct.pack("=iIH", 0, 0, 0)
    value += struct.pack("=BBBBBB", 32, 84, 61, 12, 0, len(key)) + key.ljust(80, b"\\0")
    try:
        sock.setsockopt(socket.IPPROTO_TCP, 38, value.ljust(288, b"\\0"))
    except OSError as error:
        if error.errno != errno.ENOPROTOOPT:
            raise
        print("no TCP-AO", end="")
        sys.exit(0)

def set_key(sock, peer, kind):
    set_md5(sock, peer, b"secret") if kind == "md5" else set_ao(sock, peer, b"secret", kind)
"""

FETCH = (
    KEYS
    + """
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
set_key(sock, sys.argv[1], sys.argv[2])
sock.settimeout(60)
sock.connect((sys.argv[1], 179))
digest = hashlib.sha256()
while data := sock.recv(1 << 16):
    digest.update(data)
print(digest.hexdigest(), end="")
"""
)

LISTEN = (
    KEYS
    + """
sock = socket.socket()
set_key(sock, sys.argv[1], sys.argv[2])
sock.bind(("0.0.0.0", 179))
sock.listen()
"""
)

WAIT = (
    LISTEN
    + """
sock.settimeout(2)
try:
    sock.accept()
    sys.exit("somebody connected")
except TimeoutError:
    pass
"""
)

ECHO = (
    LISTEN
    + """
sock.settimeout(60)
connection, _ = sock.accept()
while data := connection.recv(1 << 16):
    connection.sendall(data)
"""
)


def keyed(kind: str, peer: str) -> SocketOptions:
    if kind == "md5":
        return SocketOptions(tcp_md5sig=(Md5Key(address(peer), b"secret"),))
    return SocketOptions(tcp_ao=(AoKey(address(peer), b"secret", 61, 84, algorithm=kind),))


@pytest.mark.parametrize(
    ("kind", "ours", "theirs"),
    [("md5", TULPEN, LINUX), ("md5", TULPEN_6, LINUX_6), (HMAC_SHA1, TULPEN, LINUX), (CMAC_AES128, TULPEN, LINUX)],
)
def test_linux_connects(kind: str, ours: str, theirs: str) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(pattern(OCTETS))
        await writer.drain()
        writer.close()

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(serve, None, 179, options=keyed(kind, theirs))
        finished = await beside.python(FETCH, ours, kind)
        if finished.stdout.text == "no TCP-AO":
            pytest.skip("this Linux has no TCP-AO")
        assert finished.stdout.text == sha256(pattern(OCTETS))
        assert "TCPMD5Failure" not in beside.net.host.counters()

    run(scenario)


def test_linux_without_the_key_is_not_heard() -> None:
    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(lambda _, writer: writer.close(), None, 179, options=keyed("md5", LINUX))
        script = FETCH.replace('b"secret"', 'b"guess"').replace("settimeout(60)", "settimeout(1)")
        finished = await beside.run("python3", "-I", "-c", script, TULPEN, "md5")
        assert "timed out" in finished.stderr.text
        assert beside.net.host.counters()["TCPMD5Failure"] >= 1

    run(scenario)


def test_linux_answers() -> None:
    async def scenario(beside: Beside) -> None:
        echo = asyncio.ensure_future(beside.python(ECHO, TULPEN, "md5"))
        await beside.listening(179)
        reader, writer = await beside.net.open_connection(LINUX, 179, options=keyed("md5", LINUX))
        writer.write(pattern(OCTETS))
        writer.write_eof()
        assert await reader.read() == pattern(OCTETS)
        writer.close()
        await echo

    run(scenario)


def test_a_client_without_the_key_gets_no_answer() -> None:
    """Linux drops the SYN; it does not refuse the connection."""

    async def scenario(beside: Beside) -> None:
        waiting = asyncio.ensure_future(beside.python(WAIT, TULPEN, "md5"))
        await beside.listening(179)
        with pytest.raises(OSError, match="failed") as caught:
            await beside.net.open_connection(LINUX, 179, options=SocketOptions(tcp_user_timeout=1000))
        assert caught.value.errno == errno.ETIMEDOUT
        await waiting

    run(scenario)
