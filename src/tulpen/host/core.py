"""What one host remembers: passive data, as a TCB is for one connection.

The modules beside it act on it: ``arrivals`` (packets), ``listening`` and ``stateless``
(SYNs and what completes them), ``lingering`` (TIME-WAIT), ``opening`` (the user's opens),
``clock`` (deadlines), ``departures`` (packets to send), and ``settling``, which all of
them end with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from tulpen.host import pmtu
from tulpen.host.cookies import Cookies
from tulpen.host.deadlines import Deadlines
from tulpen.host.fast_listening import key_from
from tulpen.host.isn import Numbers
from tulpen.host.listeners import Listeners
from tulpen.host.metrics import Metrics
from tulpen.host.packing import Packing
from tulpen.host.paths import Paths
from tulpen.host.ports import Ports
from tulpen.host.syn_queue import SynQueue
from tulpen.host.time_wait import TimeWaitTable
from tulpen.tcp.config import SocketOptions
from tulpen.tcp.option_sets import OptionSets
from tulpen.tcp.resting import Dormitory
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import CLOSED, State
from tulpen.tcp.trace import Dropped, FourTuple, Reason, Record
from tulpen.wire.ip import Packet
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.host.listener import Listener
    from tulpen.host.socket import Socket
    from tulpen.tcp.config import SocketOptions

HEADERS_4: Final = 40  # octets of IP and TCP header without options
HEADERS_6: Final = 60


@final
class Core:
    """The tables of a host, and what new connections need."""

    __slots__ = (
        "addresses", "connections", "cookies", "deadlines", "dormitory", "fast_open_key", "gso_max", "held",
        "last_stamps", "listeners", "metrics", "mtu", "numbers", "option_sets", "ours", "outbox", "paths", "ports",
        "ready", "requests", "stack", "stirred", "time_wait", "unseen", "wakeful",
    )  # fmt: skip

    def __init__(self, addresses: Sequence[bytes], stack: Stack, secret: bytes, mtu: int, gso_max: int) -> None:
        self.addresses = tuple(addresses)
        self.ours = frozenset(addresses)
        self.mtu = mtu
        self.gso_max = gso_max
        self.stack = stack
        self.unseen = Stack(stack.settings)  # without a trace: for SYNs that leave the listener in LISTEN
        self.numbers = Numbers(secret)
        self.option_sets = OptionSets()
        # where a segment is looked up, in this order
        self.connections: dict[tuple[bytes, int, bytes, int], Socket] = {}  # by FourTuple
        packing = Packing(self.addresses, self.numbers)
        self.time_wait = TimeWaitTable(stack, packing)
        self.requests = SynQueue(packing)
        self.listeners = Listeners(secret)
        # who has something to do
        self.deadlines: Deadlines[Socket] = Deadlines()
        self.ready: dict[Socket, None] = {}  # may have segments to send
        self.stirred: deque[Socket | Listener] = deque()  # may have something to tell
        self.outbox: list[Packet] = []
        self.held: dict[FourTuple, Socket] = {}  # in TIME-WAIT, and the application has not closed
        # who has nothing to do
        self.dormitory = Dormitory(stack, self.option_sets)
        self.wakeful: list[Socket] = []  # to be asked whether they rest
        # what a new connection needs
        self.ports = Ports(stack.settings, secret)
        self.cookies = Cookies(stack.settings, secret)
        self.paths = Paths(mtu, stack.settings)
        self.metrics = Metrics()
        self.fast_open_key = key_from(secret)  # unless tcp_fastopen_key gives one
        self.last_stamps: dict[bytes, tuple[int, int]] = {}  # tcp_tw_recycle: a host's last timestamp, and when

    def mss(self, name: FourTuple, options: SocketOptions) -> int:
        """Return the octets of the MSS to tell the peer: of the link, the route, and the socket (TCP_MAXSEG)."""
        most = self.mtu - headers(name)
        if self.paths.differ:
            route = self.paths.route(name.remote)
            most = route.advmss or min(route.mtu or self.mtu, self.mtu) - headers(name)
        return most if options.tcp_maxseg is None else min(most, options.tcp_maxseg)

    def path_mss(self, name: FourTuple, options: SocketOptions, now: int) -> int:
        """Return the octets of the largest segment that the path takes, as far as that is known and asked for."""
        mtu = self.mtu if pmtu.ignores_routers(options) else self.paths.mtu(name.remote, now)
        return mtu - headers(name)

    def ts_offset(self, name: FourTuple) -> int:
        """Return what is added to the timestamp clock (tcp_timestamps)."""
        return self.numbers.ts_offset(name.local, name.remote) if self.stack.settings.tcp_timestamps == 1 else 0

    def drop(
        self, name: FourTuple | None, seg: Segment | None, reason: Reason, now: int, state: State = CLOSED
    ) -> None:
        """Count and write down what is dropped before a connection sees it."""
        if reason.counter:
            self.stack.count(reason.counter)
        if self.stack.records is not None:
            self.stack.records.append((name, Dropped(now, seg, state, reason)))

    def write(self, name: FourTuple | None, record: Record) -> None:
        """Write to the trace on behalf of what is no ``Connection``: a closed port, a listener, a request."""
        if self.stack.records is not None:
            self.stack.records.append((name, record))


def headers(name: FourTuple) -> int:
    """Return the octets of internet and TCP header, without options."""
    return HEADERS_4 if len(name.local) == 4 else HEADERS_6
