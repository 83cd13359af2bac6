"""A real client, curl on Linux's TCP, served by tulpen: web servers written for asyncio, unchanged."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.peers.beside import LINUX, LINUX_6, TULPEN, TULPEN_6, Beside, pattern, run, sha256
from tulpen.tcp.config import Settings

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


async def small_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = await reader.readuntil(b"\r\n\r\n")
    path = request.split(b" ")[1]
    body = b"you asked for " + path
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
    writer.close()


@pytest.mark.parametrize("device", ["tun", "veth"])
def test_curl_is_served(device: str) -> None:
    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(small_http, None, 80)
        for host in (TULPEN, f"[{TULPEN_6}]"):
            finished = await beside.run("curl", "-sS", f"http://{host}/page")
            assert (finished.status, finished.stdout.text) == (0, "you asked for /page"), finished.stderr.text

    run(scenario, device=device)


@pytest.mark.parametrize("device", ["tun", "veth"])
def test_curl_is_served_with_offload(device: str) -> None:
    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(small_http, None, 80)
        for host in (TULPEN, f"[{TULPEN_6}]"):
            finished = await beside.run("curl", "-sS", f"http://{host}/page")
            assert (finished.status, finished.stdout.text) == (0, "you asked for /page"), finished.stderr.text

    run(scenario, device=device, offload=True)


def test_aiohttp_is_served_to_curl() -> None:
    web = pytest.importorskip("aiohttp.web", reason="aiohttp is not installed")

    async def hello(request: Any) -> Any:
        return web.json_response({"from": request.remote, "name": request.match_info["name"]})

    async def upload(request: Any) -> Any:
        return web.Response(text=sha256(await request.read()))

    here = sha256(Path(__file__).read_bytes())

    def application() -> Any:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get("/hello/{name}", hello)
        app.router.add_put("/upload", upload)
        return app

    async def scenario(beside: Beside) -> None:
        runner = web.AppRunner(application())
        await runner.setup()
        await beside.net.create_server(runner.server, TULPEN, 80)
        finished = await beside.run("curl", "-sS", f"http://{TULPEN}/hello/tulip")
        assert finished.stdout.text == f'{{"from": "{LINUX}", "name": "tulip"}}'
        finished = await beside.run("curl", "-sS", "-T", __file__, f"http://{TULPEN}/upload")
        assert finished.stdout.text == here
        both = [f"http://{TULPEN}/hello/{name}" for name in ("one", "two")]
        finished = await beside.run("curl", "-sS", "-v", *both)
        assert "Re-using" in finished.stderr.text or "Reusing" in finished.stderr.text
        await runner.cleanup()

    run(scenario)


def test_uvicorn_is_served_to_curl() -> None:
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body = f"{scope['client'][0]} asked for {scope['path']}".encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def scenario(beside: Beside) -> None:
        config = uvicorn.Config(application, host=TULPEN_6, port=80, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        with beside.net.taking_over():
            serving = asyncio.create_task(server._serve())
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            finished = await beside.run("curl", "-sS", f"http://[{TULPEN_6}]/a/path")
            assert finished.stdout.text == f"{LINUX_6} asked for /a/path", finished.stderr.text
            server.should_exit = True
            await serving

    run(scenario)


def test_a_large_answer_to_a_slow_reader() -> None:
    """curl reads at 4 MB/s; the transport is paused and resumed, and nothing is lost."""
    data = pattern(6_000_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
        for start in range(0, len(data), 100_000):
            writer.write(data[start : start + 100_000])
            await writer.drain()
        writer.close()

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(serve, None, 80)
        finished = await beside.run("curl", "-sS", "--limit-rate", "4M", f"http://{TULPEN}/")
        assert finished.stdout.sha256 == sha256(data)

    run(scenario)


def test_every_connection_with_a_syn_cookie() -> None:
    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(small_http, None, 80)
        for _ in range(3):
            finished = await beside.run("curl", "-sS", f"http://{TULPEN}/cookie")
            assert finished.stdout.text == "you asked for /cookie", finished.stderr.text
        assert beside.net.host.stack.counters["SyncookiesRecv"] == 3

    run(scenario, settings=Settings(tcp_syncookies=2))


def test_nobody_listens() -> None:
    async def scenario(beside: Beside) -> None:
        finished = await beside.run("curl", "-sS", f"http://{TULPEN}:81/")
        assert finished.status == 7  # CURLE_COULDNT_CONNECT
        assert finished.seconds < 30  # refused, not unanswered

    run(scenario)


def test_ping_is_answered() -> None:
    if shutil.which("ping") is None:
        pytest.skip("ping is not installed")

    async def scenario(beside: Beside) -> None:
        for address in (TULPEN, TULPEN_6):
            finished = await beside.run("ping", "-c", "3", "-i", "0.01", "-s", "1000", address)
            assert finished.status == 0, finished.stderr.text
            assert " 0% packet loss" in finished.stdout.text

    run(scenario)
