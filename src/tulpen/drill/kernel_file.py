"""What a file descriptor of the script stands for in Linux."""

from __future__ import annotations

import errno
import select
import socket
import struct
from typing import TYPE_CHECKING, Final, final

from tulpen.drill.evaluate import integer
from tulpen.drill.tcp_info import INFINITE_SSTHRESH
from tulpen.drill.world import CallFailed, World
from tulpen.kernel.sock_diag import read_tcp_info

if TYPE_CHECKING:
    from tulpen.drill.script import Call

_INFO_SIZE: Final = 255


@final
class KernelFile:
    """A socket of Linux, or (None) an epoll instance."""

    def __init__(self, sock: socket.socket | None, *, nonblocking: bool = False) -> None:
        self.sock = sock
        self.epoll = select.epoll() if sock is None else None
        self.marks: dict[int, int] = {}  # epoll's data, by the descriptor
        self.nonblocking = nonblocking
        self.connects = False  # connect() is under way, or done
        if sock is not None:
            sock.setblocking(False)

    @property
    def lingers(self) -> bool:
        """Whether close() waits for what is not acknowledged."""
        if self.sock is None:
            return False
        on, seconds = struct.unpack("=ii", self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        return bool(on and seconds)

    def close(self) -> None:
        """close(2)."""
        if self.sock is not None:
            self.sock.close()
        if self.epoll is not None:
            self.epoll.close()

    def fields(self, now: int) -> dict[str, int]:
        """Return struct tcp_info under the names that scripts use."""
        assert self.sock is not None
        info = read_tcp_info(self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_SIZE))
        fields = {f"tcpi_{name}": int(value) for name, value in info._asdict().items()}
        fields["tcpi_snd_wscale"], fields["tcpi_rcv_wscale"] = info.wscale & 15, info.wscale >> 4
        fields["tcpi_delivery_rate_app_limited"] = info.app_limited & 1
        fields["tcpi_snd_ssthresh"] = min(info.snd_ssthresh, INFINITE_SSTHRESH)
        return fields


def file_of(world: World, call: Call, index: int = 0) -> KernelFile:
    """Return what an argument stands for."""
    file = world.files.get(integer(call.arguments[index]))
    if not isinstance(file, KernelFile):
        raise CallFailed(errno.EBADF)
    return file


def sock_of(file: KernelFile) -> socket.socket:
    """Return the socket."""
    if file.sock is None:
        raise CallFailed(errno.ENOTSOCK)
    return file.sock
