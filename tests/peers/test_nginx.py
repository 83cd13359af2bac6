"""tulpen as the client of a real server, nginx on Linux's TCP."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.peers.beside import LINUX, LINUX_6, Beside, pattern, run, sha256

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.root,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

CONFIGURATION = """
daemon off; master_process off; pid {where}/pid; error_log {where}/error;
events {{ worker_connections 2000; }}
http {{
    access_log off; keepalive_timeout 5;
    client_body_temp_path {where}/body; proxy_temp_path {where}/proxy; fastcgi_temp_path {where}/fastcgi;
    uwsgi_temp_path {where}/uwsgi; scgi_temp_path {where}/scgi;
    server {{ listen 8080; listen [::]:8080; root {where}/root; }}
}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration of nginx, and what it serves."""
    root = tmp_path / "root"
    root.mkdir(mode=0o755)
    (root / "index.html").write_text("<p>from nginx")
    (root / "large").write_bytes(pattern(5_000_000))
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(where=tmp_path))
    return configuration


async def serving(beside: Beside, site: Path) -> Any:
    command = beside.private.start([str(NGINX), "-c", str(site), "-e", str(site.parent / "error")])
    async with asyncio.timeout(60):
        await beside.listening(8080)
    return command


async def fetch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: nginx\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return await reader.readexactly(length)


@pytest.mark.parametrize("address", [LINUX, LINUX_6])
def test_fetching(site: Path, address: str) -> None:
    async def scenario(beside: Beside) -> None:
        await serving(beside, site)
        reader, writer = await beside.net.open_connection(address, 8080)
        assert await fetch(reader, writer, "/index.html") == b"<p>from nginx"
        assert sha256(await fetch(reader, writer, "/large")) == sha256(pattern(5_000_000))
        writer.close()
        await writer.wait_closed()

    run(scenario)


def test_fetching_with_offload(site: Path) -> None:
    async def scenario(beside: Beside) -> None:
        await serving(beside, site)
        reader, writer = await beside.net.open_connection(LINUX, 8080)
        assert sha256(await fetch(reader, writer, "/large")) == sha256(pattern(5_000_000))
        writer.close()

    run(scenario, offload=True)


def test_many_fetches_side_by_side(site: Path) -> None:
    async def scenario(beside: Beside) -> None:
        await serving(beside, site)

        async def one() -> bytes:
            reader, writer = await beside.net.open_connection(LINUX, 8080)
            body = await fetch(reader, writer, "/")
            writer.close()
            return body

        assert set(await asyncio.gather(*(one() for _ in range(100)))) == {b"<p>from nginx"}

    run(scenario)


def test_the_server_closes_an_idle_connection(site: Path) -> None:
    site.write_text(site.read_text().replace("keepalive_timeout 5", "keepalive_timeout 1"))

    async def scenario(beside: Beside) -> None:
        await serving(beside, site)
        reader, writer = await beside.net.open_connection(LINUX, 8080)
        await fetch(reader, writer, "/")
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    run(scenario)
