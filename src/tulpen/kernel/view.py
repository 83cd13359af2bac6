"""One network namespace's sockets as people and filters see them: columns that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, final

from tulpen.kernel.attributes import SocketMemory
from tulpen.kernel.namespaces import Namespace
from tulpen.kernel.processes import Processes
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.kernel.table import Table

LISTEN: Final = 10  # net/tcp_states.h


@final
class View:
    """Columns of ``table``, each made once; ``rows`` are the indices that were selected."""

    def __init__(
        self, table: Table, namespace: Namespace | None = None, processes: Processes | None = None, *, detailed: bool
    ) -> None:
        self.table = table
        self.namespace = namespace  # None: our own, and nothing was asked about others
        self.processes = processes  # None: they were not asked for
        self.rows: Sequence[int] = range(len(table))
        self.listeners: list[KernelSocket] = []  # with their memory, also where they are not among the rows
        self.detailed = detailed

    @cached_property
    def families(self) -> bytes:
        """See ``Table``; so the next ones."""
        return self.table.families()

    @cached_property
    def states(self) -> bytes:
        return self.table.states()

    @cached_property
    def local_ports(self) -> list[int]:
        return self.table.local_ports()

    @cached_property
    def remote_ports(self) -> list[int]:
        return self.table.remote_ports()

    @cached_property
    def receive_queues(self) -> list[int]:
        return self.table.receive_queues()

    @cached_property
    def send_queues(self) -> list[int]:
        return self.table.send_queues()

    @cached_property
    def timers(self) -> bytes:
        return self.table.timers()

    @cached_property
    def retransmits(self) -> bytes:
        return self.table.retransmits()

    @cached_property
    def expiries(self) -> list[int]:
        return self.table.expiries()

    @cached_property
    def uids(self) -> list[int]:
        """-1: nobody's; of what has no inode, TIME-WAIT above all, the kernel says 0 and means nothing by it."""
        return [uid if uid or inode else -1 for uid, inode in zip(self.table.uids(), self.inodes, strict=True)]

    @cached_property
    def inodes(self) -> list[int]:
        return self.table.inodes()

    @cached_property
    def interfaces(self) -> list[int]:
        return self.table.interfaces()

    @cached_property
    def cookies(self) -> list[bytes]:
        return self.table.cookies()

    @cached_property
    def local_addresses(self) -> list[bytes]:
        return self.table.local_addresses()

    @cached_property
    def remote_addresses(self) -> list[bytes]:
        return self.table.remote_addresses()

    @cached_property
    def details(self) -> list[KernelSocket]:
        """What was asked for beside the fixed fields."""
        return self.table.sockets()

    def memory(self, row: int) -> SocketMemory | None:
        """Return the buffers of a socket: of a listener always, of others where they were asked for."""
        if self.detailed:
            return self.details[row].memory
        return self._listeners_memory.get(self.cookies[row])

    @property
    def place(self) -> str:
        """The name of the network namespace; ``.`` is our own."""
        return self.namespace.name if self.namespace is not None and self.namespace.name else "."

    @cached_property
    def both_families(self) -> frozenset[int]:
        """The rows of the listeners that take connections of both families."""
        cookies = {each.cookie for each in self.listeners if each.both_families}
        if not cookies:
            return frozenset()
        column = self.cookies
        return frozenset(row for row, number in enumerate(self.states) if number == LISTEN and column[row] in cookies)

    @cached_property
    def _listeners_memory(self) -> dict[bytes, SocketMemory | None]:
        return {each.cookie: each.memory for each in self.listeners}
