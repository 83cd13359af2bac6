"""TLS over a tulpen host, by asyncio's own SSLProtocol."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.aio.nets import SERVER, Tulpen, on_tulpen

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """A server's context and a client's that trusts it."""
    where: Path = tmp_path_factory.mktemp("tls")
    key, certificate = where / "key.pem", where / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=tulpen.test",
         "-addext", f"subjectAltName=DNS:tulpen.test,IP:{SERVER}"],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


def test_both_ends(contexts: Contexts) -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.start_server(shout, ssl=contexts[0], limit=1 << 20)
        port = server.sockets[0].getsockname()[1]
        for name in (None, "tulpen.test"):
            reader, writer = await net.open_connection(port, ssl=contexts[1], server_hostname=name, limit=1 << 20)
            writer.write(b"secret " * 10_000 + b"\n")
            assert await reader.readline() == b"SECRET " * 10_000 + b"\n"
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert writer.get_extra_info("peername") == (SERVER, port)
            writer.close()
            await writer.wait_closed()
        server.close()

    on_tulpen(scenario)


def test_a_certificate_that_is_not_trusted(contexts: Contexts) -> None:
    async def scenario(net: Tulpen) -> None:
        server = await net.start_server(shout, ssl=contexts[0])
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await net.open_connection(port, ssl=True)
        with pytest.raises(ssl.SSLCertVerificationError):
            await net.open_connection(port, ssl=contexts[1], server_hostname="someone.else")
        server.close()

    on_tulpen(scenario)


def test_start_tls_on_a_plain_connection(contexts: Contexts) -> None:
    async def scenario(net: Tulpen) -> None:
        async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go\n")
            await writer.start_tls(contexts[0])
            await shout(reader, writer)

        server = await net.start_server(upgrade)
        reader, writer = await net.open_connection(server.sockets[0].getsockname()[1])
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go\n"
        await writer.start_tls(contexts[1], server_hostname="tulpen.test")
        writer.write(b"hidden\n")
        assert await reader.readline() == b"HIDDEN\n"
        writer.close()
        server.close()

    on_tulpen(scenario)


def test_sendfile(tmp_path: Path) -> None:
    async def scenario(net: Tulpen) -> None:
        path = tmp_path / "file"
        path.write_bytes(bytes(range(256)) * 1000)
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            done.set_result(await reader.read(-1))
            writer.close()

        server = await net.start_server(take)
        transport, _ = await net.create_connection(asyncio.Protocol, server.sockets[0].getsockname()[1])
        with path.open("rb") as file:
            sent = await asyncio.get_running_loop().sendfile(transport, file)
        transport.close()
        assert sent == 256_000
        assert await done == path.read_bytes()
        server.close()

    on_tulpen(scenario)
