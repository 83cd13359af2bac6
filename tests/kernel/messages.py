"""Netlink messages as sock_diag sends them, made of numbers."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

MULTI = 2
SEQUENCE = 0x5EED_1234


def message(body: bytes, *, kind: int = 20, flags: int = MULTI, sequence: int = SEQUENCE, length: int = -1) -> bytes:
    """Return a message, padded; a ``length`` that is given is claimed instead of the true one."""
    size = 16 + len(body) if length < 0 else length
    return struct.pack("=IHHII", size, kind, flags, sequence, 77) + body + bytes(-len(body) % 4)


def record(
    *,
    family: int = 2,
    state: int = 1,
    timer: int = 0,
    local: bytes = b"\x7f\0\0\1",
    local_port: int = 80,
    remote: bytes = b"\x7f\0\0\1",
    remote_port: int = 5000,
    interface: int = 0,
    recv_q: int = 0,
    send_q: int = 0,
    uid: int = 0,
    inode: int = 0,
    cookie: int = 1,
    expires: int = 0,
) -> bytes:
    """Return an ``inet_diag_msg``."""
    ports = local_port.to_bytes(2, "big") + remote_port.to_bytes(2, "big")
    return struct.pack(
        "=4B4s16s16sIQ5I",
        family, state, timer, 0, ports, local, remote, interface, cookie, expires, recv_q, send_q, uid, inode,
    )  # fmt: skip


def attribute(kind: int, value: bytes) -> bytes:
    """Return a netlink attribute, padded."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


records = st.binary(min_size=72, max_size=72)
attribute_bytes = st.builds(attribute, st.integers(0, 30), st.binary(max_size=300))
