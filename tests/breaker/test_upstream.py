"""A real server behind the faults."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.breaker.running import broken, needs_kernel, outcomes, program
from tests.link.rights import NOBODY

pytestmark = needs_kernel


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(port: int, *argv: str, user: int | None = None, cwd: Path | None = None) -> Iterator[None]:
    """Run a server until the test is over."""
    process = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, group=user, cwd=cwd
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, f"{argv[0]} has ended"
                assert time.monotonic() < until
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_an_http_server(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(b"0123456789" * 2000)
    port = free_port()
    with running(port, sys.executable, "-m", "http.server", str(port), "-b", "127.0.0.1", cwd=tmp_path):
        results = broken(
            ["rst-at-byte", "fin-at-byte", "loss", "no-options", "half-open-mid-response", "refused"],
            *program("naive", "{host}", "{port}"),
            upstream=("127.0.0.1", port),
            deadline=8,
        )
    assert outcomes(results) == {
        "healthy": "ok",
        "rst-at-byte": "error",
        "fin-at-byte": "wrong",
        "loss": "ok",
        "no-options": "ok",
        "half-open-mid-response": "hang",
        "refused": "error",
    }
    assert results["healthy"].stdout is not None
    assert results["healthy"].stdout.size == 20_000


def postgres() -> str | None:
    """Where PostgreSQL's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    where = shutil.which("postgres") or (str(found[-1]) if found else None)
    return str(Path(where).resolve().parent) if where else None


@pytest.mark.skipif(postgres() is None or shutil.which("psql") is None, reason="PostgreSQL is not installed")
def test_postgresql() -> None:
    port = free_port()
    user = NOBODY if os.geteuid() == 0 else None  # PostgreSQL refuses to be root's
    where = postgres()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if user:
            os.chown(home, user, user)
        argv = [f"{where}/initdb", "-D", f"{home}/data", "-A", "trust", "-U", "postgres", "-N"]
        made = subprocess.run(argv, user=user, group=user, capture_output=True, text=True, check=False, cwd=home)
        if made.returncode:
            pytest.skip(f"initdb fails here: {made.stderr.strip().splitlines()[-1]}")
        _psql_under_faults(home, port, user)


def _psql_under_faults(home: Path, port: int, user: int | None) -> None:
    where = postgres()
    server = (f"{where}/postgres", "-D", f"{home}/data", "-p", str(port), "-k", str(home), "-h", "127.0.0.1")
    query = "select g, repeat('x', 100) from generate_series(1, 500) g"
    psql = ("psql", "-X", "-h", "{host}", "-p", "{port}", "-U", "postgres", "-Atc", query, "postgres")
    with running(port, *server, user=user, cwd=home):
        results = broken(
            [
                "refused",
                "rst-on-request",
                "rst-at-byte",
                "fin-at-byte",
                "rst-wrong-seq",
                "byte-at-a-time",
                "never-accepted",
            ],
            *psql,
            upstream=("127.0.0.1", port),
            deadline=12,
        )
    assert outcomes(results) == {
        "healthy": "ok",
        "refused": "error",
        "rst-on-request": "error",
        "rst-at-byte": "error",
        "fin-at-byte": "error",
        "rst-wrong-seq": "ok",
        "byte-at-a-time": "ok",
        "never-accepted": "hang",
    }


@pytest.mark.skipif(
    shutil.which("nginx") is None and not Path("/usr/sbin/nginx").exists(), reason="nginx is not installed"
)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_nginx_and_curl(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "page").write_bytes(b"x" * 300_000)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; {'user root;' if os.geteuid() == 0 else ''}\n"
        f"events {{}} http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;\n"
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"server {{ listen 127.0.0.1:{port}; root {tmp_path}; }} }}\n"
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    with running(port, nginx, "-c", str(conf), "-p", str(tmp_path)):
        results = broken(
            ["fin-at-byte:bytes=200000", "rst-at-byte", "reordering"],
            "curl", "-sS", "-m", "20", "{url}page",
            upstream=("127.0.0.1", port), deadline=30,
        )  # fmt: skip
    assert {name: result.status for name, result in results.items()} == {
        "healthy": 0,
        "fin-at-byte:bytes=200000": 18,
        "rst-at-byte": 56,
        "reordering": 0,
    }


@pytest.mark.skipif(
    shutil.which("redis-server") is None or shutil.which("redis-cli") is None, reason="Redis is not installed"
)
def test_redis(tmp_path: Path) -> None:
    port = free_port()
    server = ("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    with running(port, *server):
        results = broken(
            ["rst-on-request", "half-open-after-request", "byte-at-a-time"],
            "redis-cli", "-h", "{host}", "-p", "{port}", "echo", "hello",
            upstream=("127.0.0.1", port),
            deadline=8,
        )  # fmt: skip
    assert outcomes(results)["healthy"] == outcomes(results)["byte-at-a-time"] == "ok"
    assert outcomes(results)["half-open-after-request"] == "hang"
