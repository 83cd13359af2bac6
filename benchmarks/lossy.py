"""One connection's goodput through 100 Mbit/s, 50 ms and 1 % loss: tulpen's, and Linux's over the same path.

The receiver is a tulpen host both times, so that the two senders are what differs.  Tulpen's runs
in virtual time, Linux's in a private network in real time, through the same filters.
"""

from __future__ import annotations

import sys
from itertools import count

from benchmarks.case import Case, Unavailable
from benchmarks.pair import CLIENT, MS, PORT, SERVER
from benchmarks.stream import Drain, Push
from tulpen.breaker.drive import Drive
from tulpen.host.host import Host
from tulpen.link.namespace import OUTSIDE, NotPermitted, PrivateNetwork
from tulpen.sim.application import Client, Server
from tulpen.sim.chance import Chance
from tulpen.sim.filters import Chain, Delay, Filter, Loss, Passed
from tulpen.sim.rate import Rate
from tulpen.sim.station import Station
from tulpen.sim.world import World
from tulpen.tcp.config import SECOND, Settings
from tulpen.wire.address import address
from tulpen.wire.ip import Packet

LASTS = 20 * SECOND
CUBIC = Settings(tcp_congestion_control="cubic")

SENDER = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
while True: connection.sendall(bytes(65536))
"""


def there(seed: int) -> Filter:
    """The way of the text."""
    return Chain(Rate(100_000_000, packets=1000), Loss(Chance(f"lossy {seed}"), 0.01), Delay(25 * MS))


def back() -> Filter:
    """The way of the ACKs."""
    return Delay(25 * MS)


TULPEN, LINUX = count(), count()


def tulpen() -> float:
    """Return kilooctets a second."""
    world, drain = World(start=SECOND), Drain()
    world.station("server", SERVER, runs=Server(PORT, lambda: drain), settings=CUBIC, out=back())
    world.station("client", CLIENT, runs=Client(SERVER, PORT, Push()), settings=CUBIC, out=there(next(TULPEN)))
    world.run(unless=lambda: drain.lasts(world.now) >= LASTS)
    return drain.octets / (LASTS / SECOND) / 1000


def linux() -> float:
    """Return the same of the kernel's."""
    drain, text, acks = Drain(), there(next(LINUX)), back()
    ours = address(OUTSIDE[0])

    def path(packet: Packet, now: int) -> Passed:
        return text(packet, now) if packet.dst == ours else acks(packet, now)

    try:
        private = PrivateNetwork(offload=False)
    except NotPermitted as reason:
        raise Unavailable(str(reason)) from None
    with private:
        drive = Drive(private.link, path)
        host = Host(OUTSIDE, settings=CUBIC, secret=b"0123456789abcdef")
        drive.add(Station(host, Server(PORT, lambda: drain)), *host.addresses)
        sender = private.start([sys.executable, "-I", "-c", SENDER, OUTSIDE[0], str(PORT)], deadline=120)
        if not drive.run(lambda: drain.lasts(drive.clock()) >= LASTS, drive.clock() + 2 * LASTS):
            raise Unavailable("the kernel's sender did not connect")
        sender.kill()
        sender.wait()
    return drain.octets / (LASTS / SECOND) / 1000


LOSSY = [
    Case("goodput through 1 % loss and 50 ms, cubic", "Linux", "kB/s", linux),
    Case("goodput through 1 % loss and 50 ms, cubic", "tulpen", "kB/s", tulpen, "Linux"),
]
