"""This process's stdin and stdout as a connection's data, as nc has it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from typing import Final, final

CHUNK: Final = 65_536


@final
class Stdin:
    """Reads stdin in a thread, whatever it is: a terminal, a pipe or a file.

    The thread begins when somebody first reads, and waits for each piece to be taken.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._ended = False

    async def read(self) -> bytes:
        """Return the next piece; empty at the end."""
        if self._ended:
            return b""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, name="tulpen-stdin", daemon=True)
            self._thread.start()
        if self._pieces.empty():
            self._wanted.release()
        data = await self._pieces.get()
        self._ended = not data
        return data

    def stop(self) -> None:
        """End it: there is nobody left to send it to."""
        self._pieces.put_nowait(b"")

    def _read(self) -> None:
        while True:
            self._wanted.acquire()
            try:
                data = os.read(0, CHUNK)
            except OSError:
                data = b""
            try:
                self._loop.call_soon_threadsafe(self._pieces.put_nowait, data)
            except RuntimeError:  # the loop is closed: nobody reads any more
                return
            if not data:
                return


async def relay(
    stdin: Stdin | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first: bytes = b""
) -> None:
    """Send ``first`` and stdin, write what arrives to stdout; return when both sides have said all.

    The end of stdin becomes our FIN; with no stdin, or a terminal, the peer's end is the end.
    """
    sending = asyncio.create_task(_send(stdin, writer, first))
    try:
        while data := await reader.read(CHUNK):
            await asyncio.get_running_loop().run_in_executor(None, _write_all, data)
        if stdin is not None and not os.isatty(0):
            with contextlib.suppress(OSError):  # the narrator tells of it
                await sending
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()


async def _send(stdin: Stdin | None, writer: asyncio.StreamWriter, first: bytes) -> None:
    if first:
        writer.write(first)
        await writer.drain()
    if stdin is None:
        return
    while data := await stdin.read():
        writer.write(data)
        await writer.drain()
    writer.write_eof()


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
