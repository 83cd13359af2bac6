"""Opening the two devices that a link can stand on, inside the namespace they are to live in."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
from typing import Final

from tulpen.link.rtnetlink import Rtnetlink
from tulpen.link.syscalls import CLONE_NEWNET, unshare

NEAR: Final = b"\x02\x00\x00\x00\x00\x02"  # the tulpen end's Ethernet address, locally administered
FAR: Final = b"\x02\x00\x00\x00\x00\x01"  # the kernel end's

_TUN: Final = "/dev/net/tun"
_TUNSETIFF: Final = 0x4004_54CA
_TUNSETOFFLOAD: Final = 0x4004_54D0
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_IFF_VNET_HDR: Final = 0x4000
_TUN_F_CSUM: Final = 0x01
_TUN_F_TSO4: Final = 0x02
_TUN_F_TSO6: Final = 0x04
_TUN_F_TSO_ECN: Final = 0x08
_TUN_F_USO: Final = 0x20 | 0x40  # of both families, or of none; since Linux 6.2

_SOL_PACKET: Final = 263
_PACKET_VNET_HDR: Final = 15
_PACKET_QDISC_BYPASS: Final = 20
_PACKET_IGNORE_OUTGOING: Final = 23
_ETH_P_ALL: Final = 0x0003
_SO_SNDBUFFORCE: Final = 32
_SO_RCVBUFFORCE: Final = 33
_ROOM: Final = 4 * 1024 * 1024

_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_STXCSUM: Final = 0x17


def tun(name: str, *, offload: bool = False) -> int:
    """Make or attach to the TUN device ``name`` and return its descriptor."""
    fd = os.open(_TUN, os.O_RDWR | os.O_CLOEXEC)
    try:
        flags = _IFF_TUN | _IFF_NO_PI | (_IFF_VNET_HDR if offload else 0)
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        if offload:
            _leave_uncut(fd)
    except OSError:
        os.close(fd)
        raise
    return fd


def _leave_uncut(fd: int) -> None:
    """Let the kernel hand over what it has not cut and summed, and leave it to us."""
    tcp = _TUN_F_CSUM | _TUN_F_TSO4 | _TUN_F_TSO6 | _TUN_F_TSO_ECN
    try:
        fcntl.ioctl(fd, _TUNSETOFFLOAD, tcp | _TUN_F_USO)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        fcntl.ioctl(fd, _TUNSETOFFLOAD, tcp)


def veth(name: str, mtu: int, *, offload: bool = False) -> socket.socket:
    """Make the veth ``name`` in a new network namespace; return a packet socket on its other end.

    The other end stays in the namespace that the caller leaves behind, where nothing else is.
    """
    outer = Rtnetlink()
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    left = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        tap.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        # A queue would drop all until the kernel has noticed the carrier, which takes it a moment.
        tap.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        _widen(tap)
        if offload:
            tap.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
        unshare(CLONE_NEWNET)
        inner = Rtnetlink()
        inner.veth((name, FAR), ("tap", NEAR), left, mtu)
        inner.close()
        if not offload:
            _finish_checksums(name)
        index = outer.index("tap")
        outer.quiet(index)
        outer.up(index)
        tap.bind(("tap", _ETH_P_ALL))
    except OSError:
        tap.close()
        raise
    finally:
        outer.close()
        os.close(left)
    return tap


def _widen(tap: socket.socket) -> None:
    """Give the socket room for a burst; what the system allows an ordinary user holds ninety packets."""
    for option in (_SO_RCVBUFFORCE, _SO_SNDBUFFORCE):
        with contextlib.suppress(PermissionError):
            tap.setsockopt(socket.SOL_SOCKET, option, _ROOM)


def _finish_checksums(name: str) -> None:
    """Switch transmit checksum offload off, and segmentation with it (``ethtool -K NAME tx off``)."""
    value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP16x", name.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCETHTOOL, request)
