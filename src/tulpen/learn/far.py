"""Any TCP at the other end of a link as a subject: segments alone, and real time.

What a server's program does when it accepts and when it reads is part of the machine,
for nobody here can tell it what to do.  Its states have no names.
"""

from __future__ import annotations

import select
import time
from typing import Final, final

from tulpen.learn.alphabet import LETTERS, Kind
from tulpen.learn.peer import Peer
from tulpen.link.link import Link
from tulpen.wire.address import text
from tulpen.wire.ip import Packet, build_packet, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import Segment

WAIT: Final = 0.02  # seconds of silence that end an answer

_PORTS: Final = range(1024, 65_000)


@final
class Far:
    """A server at ``remote``, asked from ``local`` over a link; every query is from a port of its own."""

    def __init__(self, link: Link, local: bytes, remote: bytes, port: int, *, wait: float = WAIT) -> None:
        self.name = f"{text(remote)} port {port}"
        self._link = link
        self._local = local
        self._remote = remote
        self._port = port
        self._wait = wait
        self._queries = 0
        self.begin()

    def begin(self) -> None:
        """Take a port that was not used before."""
        self._peer = Peer(_PORTS[self._queries % len(_PORTS)], self._port)
        self._queries += 1

    def step(self, letter: str) -> str:
        """Send a segment, and return what came until nothing more did."""
        row = LETTERS[letter]
        if row.kind is not Kind.SEGMENT:
            raise ValueError(f"{letter} is no segment: learn it with the alphabet 'far'")
        self._write(self._peer.segment(row))
        return self._peer.words(self._answers())

    def state(self) -> str:
        """Nobody can tell."""
        return ""

    def end(self) -> None:
        """Reset what is left of the connection."""
        if self._peer.seen:
            self._write(self._peer.segment(LETTERS["RST"]))

    def close(self) -> None:
        """Close the link."""
        self._link.close()

    def _write(self, segment: Segment) -> None:
        self._link.write(build_packet(Packet(self._local, self._remote, segment)))

    def _answers(self) -> list[Segment]:
        answers: list[Segment] = []
        until = time.monotonic() + self._wait
        while (left := until - time.monotonic()) > 0:
            if not select.select([self._link.fileno()], [], [], left)[0]:
                break
            for buffer, offload in self._link.read():
                try:
                    packet = parse_packet(buffer, offload=offload)
                except Malformed:
                    continue
                segment = packet.payload
                if isinstance(segment, Segment) and self._is_ours(packet, segment):
                    answers.append(segment)
                    until = time.monotonic() + self._wait
        return answers

    def _is_ours(self, packet: Packet, segment: Segment) -> bool:
        return (
            packet.src == self._remote and segment.sport == self._port and segment.dport == self._peer.sport
        )  # fmt: skip
