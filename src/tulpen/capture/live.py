"""Frames from a network interface, as they pass (packet(7))."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Final

from tulpen.capture.frame import INBOUND, OUTBOUND, Frame
from tulpen.errors import TulpenError

ANY: Final = "any"

_ETH_P_ALL: Final = 0x0003
_SO_TIMESTAMPNS: Final = 35
_OUTGOING: Final = 4
_SNAP: Final = 262_144
_BUFFER: Final = 16 << 20

# ARPHRD of an interface, and the link type of its frames
_ETHERNET: Final = 1
_LINK_OF: Final = {
    1: 1,
    772: 1,
    512: 9,
    65534: 101,
    768: 101,
    769: 101,
    776: 101,
    778: 101,
    823: 101,
    801: 105,
    803: 127,
}
_RAW: Final = 101
_ARPHRD_LOOPBACK: Final = 772


def frames(interface: str, *, seconds: float = 0.0, count: int = 0) -> Iterator[Frame]:
    """Yield what passes an interface, ``any`` for all of them, for ``seconds`` or ``count`` frames (0: without end).

    Raises TulpenError where this user may not listen there, or there is no such interface.
    """
    with contextlib.closing(listen(interface)) as listening:
        until = time.monotonic() + seconds if seconds else None
        number = 0
        while True:
            wait = None if until is None else until - time.monotonic()
            if (wait is not None and wait <= 0) or (count and number >= count):
                return
            if not select.select([listening], [], [], 0.5 if wait is None else min(wait, 0.5))[0]:
                continue
            frame = heard(listening, number + 1, cooked=interface == ANY)
            if frame is not None:
                number += 1
                yield frame


def listen(interface: str) -> socket.socket:
    """Return a socket that hears what passes an interface of this thread's network namespace.

    Raises TulpenError where this user may not listen there, or there is no such interface.
    """
    every = interface == ANY
    kind, protocol = (socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) if every else (socket.SOCK_RAW, 0)
    try:
        listening = socket.socket(socket.AF_PACKET, kind, protocol)
    except PermissionError:
        raise TulpenError(
            f"this user may not listen on {'interfaces' if every else interface}",
            f"run it as root, or read what another heard: sudo tcpdump -i {interface} -U -w - tcp | tulpen read -",
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if not every:
            listening.bind((interface, _ETH_P_ALL))
    except OSError as error:
        listening.close()
        if error.errno == errno.ENODEV:
            raise TulpenError(f"there is no interface {interface}", "ip link lists them; any listens on all") from None
        raise TulpenError(f"{interface}: {error.strerror}") from None
    return listening


def heard(listening: socket.socket, number: int, *, cooked: bool) -> Frame | None:
    """Return the next frame, waiting for it; None where it is none to count.  ``cooked``: it listens on all."""
    try:
        data, ancillary, flags, address = listening.recvmsg(_SNAP, 256)
    except OSError as error:
        if error.errno == errno.ENETDOWN:
            return None
        raise
    when = time.time_ns()
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            whole, fraction = struct.unpack("qq", value[:16])
            when = whole * 1_000_000_000 + fraction
    _, _, packet_type, hardware, *_ = address
    if hardware == _ARPHRD_LOOPBACK and packet_type == _OUTGOING:
        return None  # it comes in again
    link = _RAW if cooked else _LINK_OF.get(hardware, _ETHERNET)
    direction = OUTBOUND if packet_type == _OUTGOING else INBOUND
    length = len(data) + (1 if flags & socket.MSG_TRUNC else 0)
    return Frame(number, when, link, data, length, 0, direction)
