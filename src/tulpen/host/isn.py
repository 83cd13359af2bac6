"""Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323 §5.4)."""

from __future__ import annotations

from typing import Final, final

from tulpen.host.prf import Prf, octets
from tulpen.tcp.trace import FourTuple
from tulpen.wire.seq import MASK

TICK: Final = 4_000  # nanoseconds: RFC 9293 §3.4.1's clock counts every 4 microseconds


@final
class Numbers:
    """What a new connection starts counting from."""

    __slots__ = ("_isn", "_last_ends", "_last_offset", "_timestamps")

    def __init__(self, secret: bytes) -> None:
        self._isn = Prf(secret, b"isn")
        self._timestamps = Prf(secret, b"timestamps")
        self._last_ends = b""  # whom it was last asked about
        self._last_offset = 0

    def isn(self, name: FourTuple, now: int) -> int:
        """ISN = M + F(localip, localport, remoteip, remoteport, secret) (RFC 6528 §3)."""
        offset = self._isn(name.local + name.remote + octets(name.local_port, name.remote_port))
        return (now // TICK + offset) & MASK

    def ts_offset(self, local: bytes, remote: bytes) -> int:
        """Return what is added to the timestamp clock for one peer.

        It leaves the ports out: timestamps have to grow from one incarnation of a
        connection to the next, and from one port to another, for RFC 6191 to hold.
        """
        ends = local + remote
        if ends != self._last_ends:
            self._last_ends, self._last_offset = ends, self._timestamps(ends) & MASK
        return self._last_offset
