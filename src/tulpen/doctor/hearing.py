"""What passes while the doctor looks, written to a capture that ``tulpen read`` and its page read."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, final

from tulpen.capture.live import ANY, heard, listen
from tulpen.errors import TulpenError
from tulpen.link.tee import PcapngWriter

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.doctor.place import Place

_TCP_AND_ICMP: Final = frozenset((1, 6, 58))


@final
class Hearing:
    """Listens on every interface of one network namespace from when it is entered until it is left.

    Raises TulpenError where this user may not listen there, or the file cannot be written.
    """

    def __init__(self, place: Place, path: Path) -> None:
        self._place = place
        self._path = path
        self._over, self._end = -1, -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        with self._place.visit():
            listening = listen(ANY)
        try:
            writer = PcapngWriter(self._path, name=ANY)
        except OSError as error:
            listening.close()
            raise TulpenError(f"{self._path}: {error.strerror}") from None
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._listen, args=(listening, writer), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._end)
        assert self._thread is not None
        self._thread.join()
        os.close(self._over)

    def _listen(self, listening: socket.socket, writer: PcapngWriter) -> None:
        with contextlib.closing(listening), contextlib.closing(writer):
            hears, until = listening.fileno(), 0
            while True:
                ready = select.select([hears, self._over], [], [])[0]
                if self._over in ready:
                    until = until or time.time_ns()
                frame = heard(listening, 1, cooked=True) if hears in ready else None
                if until and (hears not in ready or (frame is not None and frame.when > until)):
                    return  # what came before the end was asked for has been heard
                if frame is not None and _protocol(frame.data) in _TCP_AND_ICMP:
                    writer.packet(frame.data, frame.when, frame.direction)


def _protocol(packet: bytes) -> int:
    version = packet[0] >> 4 if len(packet) >= 20 else 0
    return packet[9] if version == 4 else packet[6] if version == 6 else -1
