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
from tulpen.link.buffers import SMALL, Buffers
from tulpen.link.link import BATCH, Arrival
from tulpen.link.tun import LARGEST, LOST
from tulpen.wire.ip import Offload

_ETHERNET: Final = 14
_IPV4: Final = b"\x08\x00"
_IPV6: Final = b"\x86\xdd"
_IP: Final = (_IPV4, _IPV6)


@final
class PacketSocket:
    """A link over a raw packet socket that is bound to its end of the pair."""

    __slots__ = ("_before_ipv4", "_before_ipv6", "_buffers", "_size", "_skip", "_socket", "lost", "mtu", "offload")

    def __init__(self, sock: socket.socket, near: bytes, far: bytes, mtu: int = 1500, *, offload: bool = False) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._before_ipv4 = far + near + _IPV4
        self._before_ipv6 = far + near + _IPV6
        self._skip = virtio.SIZE if offload else 0
        self._size = _ETHERNET + self._skip + (LARGEST if offload else max(mtu, 1500) + 64)
        self._buffers = Buffers(self._size) if offload else None
        self.mtu = mtu
        self.offload = offload  # the socket was opened with PACKET_VNET_HDR
        self.lost = 0  # packets the device did not take

    def read(self) -> list[Arrival]:
        """Return the packets that are there now; frames that are not IP are left out."""
        arrivals: list[Arrival] = []
        try:
            if self._buffers is not None:
                self._read_into(self._buffers, arrivals)
            else:
                for _ in range(BATCH):
                    frame = self._socket.recv(self._size)
                    if frame[_ETHERNET - 2 : _ETHERNET] in _IP:
                        arrivals.append((memoryview(frame)[_ETHERNET:], None))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in LOST:
                raise
        return arrivals

    def _read_into(self, buffers: Buffers, arrivals: list[Arrival]) -> None:
        """Read until nothing is there, or every buffer is full."""
        start = self._skip + _ETHERNET
        for _ in range(BATCH):
            buffer = buffers.free()
            if buffer is None:
                if arrivals:
                    return
                buffer = bytearray(self._size)  # whoever holds the others will not let go before the next wake
            size = self._socket.recv_into(buffer)
            if bytes(buffer[start - 2 : start]) in _IP:
                octets = memoryview(buffer)[start:size]
                offload = virtio.parse(buffer[: self._skip])
                arrivals.append((octets if len(octets) > SMALL else bytes(octets), offload))

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None, text: bytes | memoryview = b"") -> None:
        """Hand one packet to the other end."""
        ethernet = self._before_ipv4 if buffer[0] >> 4 == 4 else self._before_ipv6
        try:
            if self._skip:
                self._socket.sendmsg((virtio.build(buffer, offload, _ETHERNET), ethernet, buffer, text))
            else:
                self._socket.sendmsg((ethernet, buffer, text))
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
