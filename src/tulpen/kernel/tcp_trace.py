"""Every transition, reset and retransmission of this machine's TCP, from the kernel's tracepoints."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from types import TracebackType
from typing import Final, final

from tulpen.kernel.event_format import EventFormat, UnknownFormat, parse_fields, parse_format
from tulpen.kernel.ring_buffer import PageLayout, page_layout
from tulpen.kernel.tcp_batch import Batch, read_batch
from tulpen.kernel.tcp_layout import (
    RECEIVE_RESET,
    RETRANSMIT,
    SET_STATE,
    TRACEPOINTS,
    MissingField,
    TcpLayout,
    tcp_layout,
)
from tulpen.kernel.tracefs import CannotTrace, Instance, Tracefs

BUFFERS: Final = 64 << 20  # octets for all processors together
_LEAST: Final = 1 << 20  # octets for each
_MOST: Final = 16 << 20
_PAGES: Final = 2048  # read at once
_LOST: Final = re.compile(r"^(?:overrun|commit overrun|dropped events): (\d+)", re.MULTILINE)


@final
class TcpTrace:
    """Traces from when it is constructed until it is closed; a context manager, for one thread.

    ``ports``: only transitions of connections with one of these ports at either end.
    Raises CannotTrace with the remedy.
    """

    __slots__ = ("_bulk", "_cpus", "_instance", "_pages", "_pipes", "_tracefs", "layout", "notes", "page")

    def __init__(
        self, *, ports: frozenset[int] = frozenset(), buffers: int = BUFFERS, bulk: bool | None = None
    ) -> None:
        self.notes: list[str] = []
        self._bulk = importlib.util.find_spec("numpy") is not None if bulk is None else bulk
        if self._bulk:
            importlib.import_module("numpy")  # not by two threads at once, of which one reads and one looks
        self._pipes: list[int] = []
        self._tracefs = Tracefs()
        with contextlib.ExitStack() as undo:
            undo.callback(self._tracefs.close)
            for name in self._tracefs.remove_stale():
                self.notes.append(f"removed the trace instance {name}, which a killed process left behind")
            self._instance = undo.enter_context(Instance(self._tracefs))
            undo.callback(self._close_pipes)
            self._cpus = sorted(path.name for path in (self._instance.path / "per_cpu").iterdir())
            self.layout = self._layout()
            self.page = self._page()
            self._pages = memoryview(bytearray(_PAGES * self.page.size))
            self._prepare(ports, buffers)
            undo.pop_all()

    def poll(self) -> Batch | None:
        """Return what has happened since the last call, which is valid until the next; None: nothing has.

        At most ``_PAGES`` pages come at once: call again until there is nothing.
        """
        size = self.page.size
        filled = 0
        for pipe in self._pipes:
            with contextlib.suppress(BlockingIOError):
                while filled < len(self._pages) and os.readv(pipe, [self._pages[filled : filled + size]]) == size:
                    filled += size
        if not filled:
            return None
        return read_batch(self._pages[:filled], self.page, self.layout, bulk=self._bulk)

    def lost(self) -> int:
        """Return how many events the kernel had no room for, exactly, since the start."""
        stats = (self._instance.read(f"per_cpu/{cpu}/stats") for cpu in self._cpus)
        return sum(int(number) for each in stats for number in _LOST.findall(each))

    def commands(self) -> dict[int, str]:
        """Return the names that the kernel remembers of threads, also of some that have ended."""
        try:
            lines = (self._tracefs.root / "saved_cmdlines").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return {}
        pairs = (line.split(" ", 1) for line in lines if " " in line)
        return {int(number): name for number, name in pairs if number.isdecimal() and name != "<...>"}

    @property
    def processors(self) -> int:
        """How many buffers there are."""
        return len(self._pipes)

    def stop(self) -> None:
        """Let no more events come; those that came can still be read."""
        self._instance.write("tracing_on", "0")

    def close(self) -> None:
        """Remove the instance; what was not read is gone."""
        self._close_pipes()
        self._instance.close()
        self._tracefs.close()

    def __enter__(self) -> TcpTrace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _close_pipes(self) -> None:
        while self._pipes:
            os.close(self._pipes.pop())

    def _layout(self) -> TcpLayout:
        formats: dict[str, EventFormat] = {}
        for name in TRACEPOINTS:
            with contextlib.suppress(OSError, UnknownFormat):
                formats[name] = parse_format(self._instance.read(f"events/{name}/format"))
        try:
            layout = tcp_layout(formats)
        except MissingField as error:
            raise CannotTrace(f"this kernel lacks {error}", "use Linux 4.16 or later") from error
        self.notes += layout.missing
        return layout

    def _page(self) -> PageLayout:
        header = parse_fields(self._instance.read("events/header_page"))
        try:
            data = header["data"]
            return page_layout(header, data.offset + data.size)
        except KeyError as error:
            raise CannotTrace(f"this kernel's ring buffer has no {error.args[0]}", "use another kernel") from error

    def _prepare(self, ports: frozenset[int], buffers: int) -> None:
        each = min(max(buffers // len(self._cpus), min(buffers, _LEAST)), _MOST)
        self._instance.write("buffer_size_kb", str(max(each >> 10, 4)))
        self._instance.write("trace_clock", "mono")
        for name in self._cpus:
            path = self._instance.path / "per_cpu" / name / "trace_pipe_raw"
            self._pipes.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        for name in TRACEPOINTS:
            if not self._instance.has(f"events/{name}/enable"):
                continue
            chosen = _filter(name, ports, self.layout)
            if chosen:
                self._instance.write(f"events/{name}/filter", chosen)
            self._instance.write(f"events/{name}/enable", "1")


def _filter(name: str, ports: frozenset[int], layout: TcpLayout) -> str:
    """Return what the kernel is to leave out already."""
    terms = []
    if name == SET_STATE and layout.protocol is not None:
        terms.append("protocol == 6")
    if ports and name in (SET_STATE, RECEIVE_RESET, RETRANSMIT):
        terms.append("(" + " || ".join(f"sport == {port} || dport == {port}" for port in sorted(ports)) + ")")
    return " && ".join(terms)
