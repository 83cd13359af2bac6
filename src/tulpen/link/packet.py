"""One end of a veth pair through AF_PACKET, for where /dev/net/tun cannot be opened (packet(7)).

Both ends are NOARP, so that no neighbour is ever asked for and every frame bears the same
Ethernet header.  A veth hands over packets whose checksums nobody has filled in: either
its transmit checksums were switched off where it was made, or ``offload`` is set and each
frame comes with a virtio header that says so.
"""

from __future__ import annotations

import socket
from typing import Final, final

from tulpen.link import virtio
from tulpen.link.link import BATCH, Arrival
from tulpen.link.tun import LOST
from tulpen.wire.ip import Offload

_ETHERNET: Final = 14
_IPV4: Final = b"\x08\x00"
_IPV6: Final = b"\x86\xdd"
_IP: Final = (_IPV4, _IPV6)


@final
class PacketSocket:
    """A link over a raw packet socket that is bound to its end of the pair."""

    __slots__ = ("_before_ipv4", "_before_ipv6", "_size", "_skip", "_socket", "lost", "mtu", "offload")

    def __init__(self, sock: socket.socket, near: bytes, far: bytes, mtu: int = 1500, *, offload: bool = False) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._before_ipv4 = far + near + _IPV4
        self._before_ipv6 = far + near + _IPV6
        self._skip = virtio.SIZE if offload else 0
        self._size = _ETHERNET + self._skip + (65_536 if offload else max(mtu, 1500) + 64)
        self.mtu = mtu
        self.offload = offload  # the socket was opened with PACKET_VNET_HDR
        self.lost = 0  # packets the device did not take

    def read(self) -> list[Arrival]:
        """Return the packets that are there now; frames that are not IP are left out."""
        arrivals: list[Arrival] = []
        skip = self._skip
        start = skip + _ETHERNET
        try:
            for _ in range(BATCH):
                frame = memoryview(self._socket.recv(self._size))
                if bytes(frame[start - 2 : start]) in _IP:
                    arrivals.append((frame[start:], virtio.parse(frame) if skip else None))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in LOST:
                raise
        return arrivals

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None) -> None:
        """Hand one packet to the other end."""
        ethernet = self._before_ipv4 if buffer[0] >> 4 == 4 else self._before_ipv6
        try:
            if self._skip:
                self._socket.sendmsg((virtio.build(buffer, offload, _ETHERNET), ethernet, buffer))
            else:
                self._socket.sendmsg((ethernet, buffer))
        except BlockingIOError:
            self.lost += 1
        except OSError as error:
            if error.errno not in LOST:
                raise
            self.lost += 1

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
