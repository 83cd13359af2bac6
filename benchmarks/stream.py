"""Two conversations that measure: one sends for ever, the other counts what comes."""

from __future__ import annotations

from tulpen.host.socket import Socket
from tulpen.sim.application import Conversation
from tulpen.tcp.signals import Signal

CHUNK = bytes(65_536)


class Push(Conversation):
    """Sends for ever."""

    def on(self, signal: Signal, now: int) -> None:
        if signal in (Signal.CONNECTED, Signal.WRITABLE):
            while self.socket.send(CHUNK, now):
                pass


class Drain(Conversation):
    """Takes what comes, and counts it; ``since``: when it began."""

    def __init__(self) -> None:
        self.octets = 0
        self.since = 0

    def begin(self, socket: Socket, now: int) -> None:
        super().begin(socket, now)
        self.since = now

    def on(self, signal: Signal, now: int) -> None:
        while size := len(self.socket.receive(len(CHUNK), now)):
            self.octets += size

    def lasts(self, now: int) -> int:
        """Return the nanoseconds since the connection was accepted; 0 before."""
        return now - self.since if self.since else 0
