"""Linux with other settings than its defaults: each side must make do with what the other offers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.peers.beside import TULPEN, TULPEN_6, Beside, run
from tests.peers.test_linux import SINK, SOURCE, Sink, bad_weather, hash_of, send
from tulpen.tcp.config import Settings

pytestmark = [pytest.mark.kernel, pytest.mark.root]

OCTETS = 3_000_000

DIALECTS: dict[str, dict[str, Any]] = {
    "no timestamps there": {"sysctls": {"net.ipv4.tcp_timestamps": 0}},
    "no window scaling there": {"sysctls": {"net.ipv4.tcp_window_scaling": 0}},
    "no SACK there": {"sysctls": {"net.ipv4.tcp_sack": 0}},
    "no options there": {
        "sysctls": {"net.ipv4.tcp_timestamps": 0, "net.ipv4.tcp_window_scaling": 0, "net.ipv4.tcp_sack": 0}
    },
    "no options here": {"settings": Settings(tcp_timestamps=0, tcp_window_scaling=False, tcp_sack=False)},
    "ECN asked for there": {"sysctls": {"net.ipv4.tcp_ecn": 1}},
    "small buffers there": {"sysctls": {"net.ipv4.tcp_rmem": "4096 8192 8192", "net.ipv4.tcp_wmem": "4096 8192 8192"}},
    "small buffers here": {"settings": Settings(tcp_rmem=(4096, 8192, 8192), tcp_wmem=(4096, 8192, 8192))},
    "large buffers here": {
        "settings": Settings(tcp_rmem=(4096, 6_291_456, 6_291_456), tcp_wmem=(4096, 4_194_304, 4_194_304))
    },
    "MTU 1280": {"mtu": 1280},
    "MTU 9000": {"mtu": 9000},
    "MTU 65535": {"mtu": 65_535},
    "MTU 9000 with offload": {"mtu": 9000, "offload": True},
    "veth": {"device": "veth"},
    "veth with offload": {"device": "veth", "offload": True},
    "cookies there": {"sysctls": {"net.ipv4.tcp_syncookies": 2}},
    "cookies here": {"settings": Settings(tcp_syncookies=2)},
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_both_ways(dialect: str) -> None:
    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(lambda _, writer: send(writer, OCTETS), None, 80)
        await beside.net.create_server(Sink, None, 81)
        down, up = await asyncio.gather(
            beside.python(SINK, TULPEN, 80),
            beside.python(SOURCE, TULPEN_6, 81, OCTETS),
        )
        assert down.stdout.text.strip() == up.stdout.text == hash_of(OCTETS)

    run(scenario, **DIALECTS[dialect])


@pytest.mark.parametrize("dialect", ["no SACK there", "no options there"])
def test_through_loss_and_reordering(dialect: str) -> None:
    octets = 300_000
    ways = iter(("in", "out"))

    async def scenario(beside: Beside) -> None:
        await beside.net.start_server(lambda _, writer: send(writer, octets), None, 80)
        await beside.net.create_server(Sink, None, 81)
        down, up = await asyncio.gather(beside.python(SINK, TULPEN, 80), beside.python(SOURCE, TULPEN, 81, octets))
        assert down.stdout.text.strip() == up.stdout.text == hash_of(octets)

    run(scenario, weather=lambda: bad_weather(next(ways)), **DIALECTS[dialect])
