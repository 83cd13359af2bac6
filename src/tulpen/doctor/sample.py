"""Everything that is seen at one moment in one network namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tulpen.kernel.counters import Conntrack
from tulpen.kernel.processes import Holder
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.kernel.sockstat import SocketTotals
from tulpen.kernel.sysctls import Sysctls, parse_ports
from tulpen.tcp.state import State

DEFAULT_PORTS = range(32_768, 61_000)


@dataclass(frozen=True)
class Sample:
    """What was read; ``missing`` says in sentences what could not be."""

    place: str
    when: float  # seconds on a clock that never goes back
    sockets: tuple[KernelSocket, ...]
    counters: Mapping[str, int]
    totals: SocketTotals  # the orphans and the memory are the whole machine's
    conntrack: Conntrack | None
    sysctls: Sysctls
    owners: Callable[[int], Sequence[Holder]]  # of an inode
    missing: tuple[str, ...] = ()
    inode: int = 0  # of the namespace, as in /proc/PID/ns/net

    @cached_property
    def by_cookie(self) -> dict[bytes, KernelSocket]:
        """The sockets by the cookie that the kernel gave them; it outlives every change of state but TIME-WAIT's."""
        return {sock.cookie: sock for sock in self.sockets}

    @cached_property
    def listeners(self) -> tuple[KernelSocket, ...]:
        """The sockets in LISTEN."""
        return tuple(sock for sock in self.sockets if sock.state is State.LISTEN)

    @cached_property
    def connections(self) -> tuple[KernelSocket, ...]:
        """The sockets that have another end, TIME-WAIT and the SYN queue among them."""
        return tuple(sock for sock in self.sockets if sock.name.remote_port and sock.state is not State.LISTEN)

    @cached_property
    def own_addresses(self) -> frozenset[bytes]:
        """Every address at which a connection of this namespace ends."""
        return frozenset(sock.name.local for sock in self.connections)

    @cached_property
    def ephemeral(self) -> range:
        """The ports that connect() chooses from."""
        numbers = self.sysctls.numbers("net.ipv4.ip_local_port_range")
        if len(numbers) == 2 and 0 < numbers[0] <= numbers[1] < 65_536:
            return range(numbers[0], numbers[1] + 1)
        return DEFAULT_PORTS

    @cached_property
    def ephemeral_count(self) -> int:
        """How many they are, without the reserved ones."""
        reserved = parse_ports(self.sysctls.text("net.ipv4.ip_local_reserved_ports") or "")
        return max(1, len(self.ephemeral) - sum(port in self.ephemeral for port in reserved))

    def listener_of(self, sock: KernelSocket) -> KernelSocket | None:
        """Return the listener that a connection came in by, as far as ports and addresses tell; None: it went out."""
        for each in self._by_port.get(sock.name.local_port, ()):
            if not any(each.name.local) or each.name.local == sock.name.local:
                return each
        return None

    @cached_property
    def _by_port(self) -> dict[int, list[KernelSocket]]:
        found: dict[int, list[KernelSocket]] = {}
        for each in self.listeners:
            found.setdefault(each.name.local_port, []).append(each)
        return found

    @cached_property
    def outgoing(self) -> tuple[KernelSocket, ...]:
        """The connections from an ephemeral port that no listener has."""
        return tuple(
            sock
            for sock in self.connections
            if sock.name.local_port in self.ephemeral and sock.name.local_port not in self._by_port
        )
