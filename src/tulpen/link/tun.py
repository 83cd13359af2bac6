"""A TUN device: whole IP packets, read and written by one descriptor (``tuntap.rst``)."""

from __future__ import annotations

import os
from errno import EINVAL, EIO, EMSGSIZE, ENETDOWN, ENOBUFS
from typing import Final, final

from tulpen.link import virtio
from tulpen.link.link import BATCH, Arrival
from tulpen.wire.ip import Offload

LOST: Final = frozenset((EINVAL, EIO, EMSGSIZE, ENETDOWN, ENOBUFS))  # the device is down, or refuses the packet


@final
class Tun:
    """A link over the descriptor of a TUN device, opened with IFF_NO_PI."""

    __slots__ = ("_fd", "_size", "lost", "mtu", "offload")

    def __init__(self, fd: int, mtu: int = 1500, *, offload: bool = False) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._size = 65_536 + virtio.SIZE if offload else max(mtu, 1500) + 64
        self.mtu = mtu
        self.offload = offload  # the device was opened with IFF_VNET_HDR
        self.lost = 0  # packets the device did not take

    def read(self) -> list[Arrival]:
        """Return the packets that are there now."""
        arrivals: list[Arrival] = []
        fd, size = self._fd, self._size
        try:
            for _ in range(BATCH):
                buffer = os.read(fd, size)
                if self.offload:
                    view = memoryview(buffer)
                    arrivals.append((view[virtio.SIZE :], virtio.parse(view)))
                else:
                    arrivals.append((buffer, None))
        except BlockingIOError:
            pass
        return arrivals

    def write(self, buffer: bytes | memoryview, offload: Offload | None = None) -> None:
        """Hand one packet to the kernel."""
        try:
            if self.offload:
                os.writev(self._fd, (virtio.build(buffer, offload), buffer))
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
