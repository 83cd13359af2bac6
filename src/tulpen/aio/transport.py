"""An asyncio transport over a connection of a tulpen host.

It behaves as asyncio's own socket transport does, callback for callback, so that a
protocol cannot tell which of the two it runs on.  What differs is underneath: reading
and writing are calls into the engine, and readiness is the engine's signals.
"""

from __future__ import annotations

import asyncio
from asyncio.constants import _SendfileMode
from asyncio.transports import _FlowControlMixin
from collections import deque
from typing import TYPE_CHECKING, Any, Final, final

from tulpen.aio.failures import as_os_error, os_error
from tulpen.aio.names import local_name, peer_name
from tulpen.aio.reader import StreamProtocol
from tulpen.aio.views import SocketView
from tulpen.tcp.errors import TcpError
from tulpen.tcp.receiving import whole
from tulpen.tcp.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tulpen.aio.driver import Driver
    from tulpen.aio.server import Server
    from tulpen.host.socket import Socket

MOST_AT_ONCE: Final = 256 * 1024  # octets in one data_received, as asyncio reads
LOST_WRITES_LOGGED: Final = 5
_NO_EXTRA: Final[Mapping[str, Any]] = {}

Data = bytes | bytearray | memoryview


@final
class Transport(_FlowControlMixin):
    """One connection, seen by its protocol."""

    __slots__ = (
        "__weakref__",
        "_buffered",
        "_closing",
        "_deaf",
        "_driver",
        "_lost",
        "_paused",
        "_protocol",
        "_queue",
        "_queued",
        "_server",
        "_socket",
        "_streams",
        "_wrote_eof",
    )

    _start_tls_compatible = True  # asked for by loop.start_tls
    _sendfile_compatible = _SendfileMode.FALLBACK  # loop.sendfile reads and writes

    def __init__(
        self,
        driver: Driver,
        sock: Socket,
        protocol: asyncio.BaseProtocol,
        *,
        waiter: asyncio.Future[None] | None = None,
        server: Server | None = None,
    ) -> None:
        loop = driver.loop
        super().__init__(_NO_EXTRA, loop)
        self._driver = driver
        self._socket = sock
        self._server = server
        self._queue: deque[bytes | memoryview] | None = None  # what the engine had no room for
        self._queued = 0  # octets in it
        self._lost = 0  # connection_lost is on its way; then counts the writes since
        self._closing = False
        self._paused = False
        self._wrote_eof = False
        self._deaf = True  # not reading: before connection_made, and after their FIN
        self.set_protocol(protocol)
        if server is not None:
            server.attach(self)
        driver.serve(sock, self)
        loop.call_soon(self._begin)
        if waiter is not None:
            loop.call_soon(_wake, waiter)

    def __repr__(self) -> str:
        name = self._socket.name
        return f"<tulpen transport {local_name(name)} -> {peer_name(name)} {self._socket.state.title}>"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return ``peername``, ``sockname`` or ``socket``."""
        if name == "peername":
            return peer_name(self._socket.name)
        if name == "sockname":
            return local_name(self._socket.name)
        if name == "socket":
            return SocketView(self._driver, self._socket)
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self._protocol: Any = protocol  # None once it is over, so that the two do not keep each other
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)
        self._streams = isinstance(protocol, StreamProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol that is called."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    # what the engine says

    def signal(self, signal: Signal) -> None:
        """Take one signal of the connection from the host."""
        if self._lost:
            return
        if signal is Signal.WRITABLE:
            if self._queued:
                self._write_ready()
        elif signal is Signal.READABLE or signal is Signal.EOF:
            self._read_ready()
        elif signal is Signal.CLOSED:
            self._read_ready()
            if self._queued and not self._lost:
                self._write_ready()

    def _begin(self) -> None:
        try:
            self._protocol.connection_made(self)
        finally:
            self._start_reading()

    def _start_reading(self) -> None:
        self._deaf = False
        if self._socket.readable:
            self._driver.more_to_come()  # the answer of a task that connection_made has started
        self._read_ready()

    # reading

    def is_reading(self) -> bool:
        """Say whether data is delivered as it arrives."""
        return not self._closing and not self._paused

    def pause_reading(self) -> None:
        """Deliver nothing until resume_reading; the receive window fills and closes."""
        if not self._closing:
            self._paused = True

    def resume_reading(self) -> None:
        """Deliver again, what waits first."""
        if self._closing or not self._paused:
            return
        self._paused = False
        if not self._deaf:
            self._driver.loop.call_soon(self._read_ready)

    def _read_ready(self) -> None:
        """Deliver what has arrived, then their FIN or the error that ended the connection."""
        sock = self._socket
        while not (self._closing or self._paused or self._deaf):
            if sock.readable:
                if self._buffered:
                    self._fill_buffer()
                else:
                    self._deliver()
            elif sock.eof:
                self._deliver_eof()
                return
            else:
                if sock.error:
                    self._fatal_error(os_error(sock.error), "Fatal read error on socket transport")
                return

    def _deliver(self) -> None:
        pieces = self._receive(MOST_AT_ONCE)
        if not pieces:
            return
        try:
            if self._streams:
                self._protocol.pieces_received(pieces)
            else:
                self._protocol.data_received(bytes(whole(pieces)))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.data_received() call failed.")

    def _fill_buffer(self) -> None:
        try:
            buffer = self._protocol.get_buffer(-1)
            if not len(buffer):
                raise RuntimeError("get_buffer() returned an empty buffer")
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.get_buffer() call failed.")
            return
        view = memoryview(buffer).cast("B")
        filled = 0
        for piece in self._receive(len(view)):
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        if not filled:
            return
        try:
            self._protocol.buffer_updated(filled)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.buffer_updated() call failed.")

    def _receive(self, limit: int) -> list[bytes | memoryview]:
        try:
            pieces = self._socket.receive_pieces(limit, self._driver.now())
        except TcpError as error:
            self._fatal_error(as_os_error(error), "Fatal read error on socket transport")
            return []
        self._driver.changed()  # the window may have opened
        return pieces

    def _deliver_eof(self) -> None:
        try:
            keep_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fatal_error(error, "Fatal error: protocol.eof_received() call failed.")
            return
        if keep_open:
            self._deaf = True
        else:
            self.close()

    # writing

    def get_write_buffer_size(self) -> int:
        """Return the octets that wait outside the connection's own send buffer."""
        return self._queued

    def write(self, data: Data) -> None:
        """Send ``data``, or keep it until there is room."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._wrote_eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data:
            return
        if self._lost:
            self._write_after_end()
            return
        left: bytes | memoryview = data if isinstance(data, bytes) else _unchanging(data)
        if not self._queued:
            sent = self._send(left)
            if sent < 0 or sent == len(left):
                return
            left = memoryview(left)[sent:]
        if self._queue is None:
            self._queue = deque()
        self._queue.append(left)
        self._queued += len(left)
        self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def writelines(self, list_of_data: Iterable[Data]) -> None:
        """Send all of ``list_of_data``."""
        if self._wrote_eof:
            raise RuntimeError("Cannot call writelines() after write_eof()")
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """TCP has half-closed connections: True."""
        return True

    def write_eof(self) -> None:
        """Send our FIN after what is written; the other direction stays open."""
        if self._closing or self._wrote_eof:
            return
        self._wrote_eof = True
        if not self._queued:
            self._shutdown()

    def _send(self, data: bytes | memoryview) -> int:
        """Hand octets to the engine; return how many it took, -1 after an error."""
        try:
            taken = self._socket.send(data, self._driver.now())
        except TcpError as error:
            self._forget_queue()
            self._fatal_error(as_os_error(error), "Fatal write error on socket transport")
            return -1
        self._driver.written()
        return taken

    def _write_ready(self) -> None:
        """Hand over what waited, as far as there is room now."""
        queue = self._queue
        while queue:
            head = queue[0]
            taken = self._send(head)
            if taken < 0:
                return
            self._queued -= taken
            if taken < len(head):
                queue[0] = memoryview(head)[taken:]
                break
            queue.popleft()
        self._maybe_resume_protocol()  # type: ignore[attr-defined]  # it may write more
        if self._queued:
            return
        self._queue = None
        if self._closing:
            self._call_connection_lost(None)
        elif self._wrote_eof:
            self._shutdown()

    def _shutdown(self) -> None:
        try:
            self._socket.shutdown(self._driver.now())
        except TcpError as error:
            self._fatal_error(as_os_error(error), "Fatal write error on socket transport")
        self._driver.changed()

    def _write_after_end(self) -> None:
        if self._lost >= LOST_WRITES_LOGGED:
            self._driver.log.warning("write() on a connection that has ended.")
        self._lost += 1

    def _forget_queue(self) -> None:
        self._queue = None
        self._queued = 0

    # the end

    def is_closing(self) -> bool:
        """Say whether it is closed or about to be."""
        return self._closing

    def close(self) -> None:
        """Close once what is written is handed over; nothing more is delivered."""
        if self._closing:
            return
        self._closing = True
        if not self._queued:
            self._lost += 1
            self._driver.loop.call_soon(self._call_connection_lost, None)
            self._driver.more_to_come()  # the FIN

    def abort(self) -> None:
        """Close at once; what waits outside the send buffer is lost.

        As in asyncio the peer sees a FIN; set SO_LINGER to 0 first for a RST.
        """
        self._force_close(None)

    def fail(self, error: OSError) -> None:
        """End with ``error``: the link has failed."""
        self._force_close(error)

    def _force_close(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._forget_queue()
        self._closing = True
        self._lost += 1
        self._driver.loop.call_soon(self._call_connection_lost, error)

    def _fatal_error(self, error: BaseException, message: str) -> None:
        if not isinstance(error, OSError):
            self._driver.loop.call_exception_handler(
                {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
            )
        self._force_close(error)

    def _call_connection_lost(self, error: BaseException | None) -> None:
        self._lost = self._lost or 1
        try:
            self._protocol.connection_lost(error)
        finally:
            self._protocol = None
            self._driver.release(self._socket)
            if self._server is not None:
                self._server.detach(self)
                self._server = None


def _unchanging(data: bytearray | memoryview) -> bytes | memoryview:
    """Return ``data`` as octets that its owner cannot change while they wait."""
    if isinstance(data, memoryview) and isinstance(data.obj, bytes) and data.c_contiguous:
        return data.cast("B")
    return bytes(data)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
