"""A TUN device: whole IP packets, read and written by one descriptor (``tuntap.rst``)."""

from __future__ import annotations

import os
from errno import EINVAL, EIO, EMSGSIZE, ENETDOWN, ENOBUFS
from typing import Final, final

from tulpen.link import virtio
from tulpen.link.buffers import SMALL, Buffers
from tulpen.link.link import BATCH, Arrival
from tulpen.wire.ip import Offload

LOST: Final = frozenset((EINVAL, EIO, EMSGSIZE, ENETDOWN, ENOBUFS))  # the device is down, or refuses the packet

LARGEST: Final = 65_536  # octets of a packet that is not cut yet


@final
class Tun:
    """A link over the descriptor of a TUN device, opened with IFF_NO_PI."""

    __slots__ = ("_buffers", "_fd", "_header", "_size", "lost", "mtu", "offload")

    def __init__(self, fd: int, mtu: int = 1500, *, offload: bool = False) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._size = LARGEST if offload else max(mtu, 1500) + 64
        self._header = bytearray(virtio.SIZE)
        self._buffers = Buffers(LARGEST) if offload else None
        self.mtu = mtu
        self.offload = offload  # the device was opened with IFF_VNET_HDR
        self.lost = 0  # packets the device did not take

    def read(self) -> list[Arrival]:
        """Return the packets that are there now."""
        arrivals: list[Arrival] = []
        fd, size, buffers = self._fd, self._size, self._buffers
        try:
            if buffers is not None:
                self._read_into(buffers, arrivals)
            else:
                for _ in range(BATCH):
                    arrivals.append((os.read(fd, size), None))
        except BlockingIOError:
            pass
        return arrivals

    def _read_into(self, buffers: Buffers, arrivals: list[Arrival]) -> None:
        """Read until nothing is there, or every buffer is full."""
        fd, header = self._fd, self._header
        while len(arrivals) < BATCH:
            buffer = buffers.free()
            if buffer is None:
                if arrivals:
                    return
                buffer = bytearray(LARGEST)  # whoever holds the others will not let go before the next wake
            octets = memoryview(buffer)[: os.readv(fd, (header, buffer)) - virtio.SIZE]
            arrivals.append((octets if len(octets) > SMALL else bytes(octets), virtio.parse(header)))

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None, text: bytes | memoryview = b"") -> None:
        """Hand one packet to the kernel."""
        try:
            if self.offload:
                os.writev(self._fd, (virtio.build(buffer, offload), buffer, text))
            elif text:
                os.writev(self._fd, (buffer, text))
            else:
                os.write(self._fd, buffer)
        except BlockingIOError:
            self.lost += 1
        except OSError as error:
            if error.errno not in LOST:
                raise
            self.lost += 1

    def fileno(self) -> int:
        """Return the device's descriptor."""
        return self._fd

    def close(self) -> None:
        """Close the descriptor; a device that nobody else holds is gone with it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
