"""TCP_MD5SIG, TCP_MD5SIG_EXT and TCP_AO_ADD_KEY: keys as Linux's structures carry them (linux/tcp.h)."""

from __future__ import annotations

import errno
import socket
from struct import Struct
from typing import TYPE_CHECKING, Final

from tulpen.aio.failures import os_error
from tulpen.tcp.keys import AoKey, Md5Key, why_no_keys

if TYPE_CHECKING:
    from tulpen.tcp.config import SocketOptions

TCP_MD5SIG: Final = 14
TCP_MD5SIG_EXT: Final = 32
TCP_AO_ADD_KEY: Final = 38

_PREFIX: Final = 1  # TCP_MD5SIG_FLAG_PREFIX
_EXCLUDES_OPTIONS: Final = 2  # TCP_AO_KEYF_EXCLUDE_OPT
_USUAL_MAC: Final = 12
_FAMILY: Final = Struct("=H")
_MD5: Final = Struct("=128sBBHi80s")  # address, flags, prefix length, key length, interface, key
_AO: Final = Struct("=128s64siIHBBBBBB80s")  # ..., name, interface, bits, reserved, prefix, ids, lengths, key


def set_key(options: SocketOptions, name: int, value: int | bytes) -> None:
    """Add a key, or take one of the same host and prefix out of use if its length is 0; OSError for what is none."""
    if isinstance(value, int):
        raise os_error(errno.EINVAL)
    if name == TCP_AO_ADD_KEY:
        _add_master_key(options, bytes(value))
    else:
        _set_md5(options, bytes(value), prefixed=name == TCP_MD5SIG_EXT)


def _set_md5(options: SocketOptions, value: bytes, *, prefixed: bool) -> None:
    if len(value) < _MD5.size:
        raise os_error(errno.EINVAL)
    storage, flags, prefix, length, _, octets = _MD5.unpack_from(value)
    key = Md5Key(_address(storage), octets[:length], prefix if prefixed and flags & _PREFIX else None)
    others = tuple(each for each in options.tcp_md5sig if (each.address, each.prefix) != (key.address, key.prefix))
    if not length:
        if len(others) == len(options.tcp_md5sig):
            raise os_error(errno.ENOENT)
        options.tcp_md5sig = others
        return
    if length > len(octets) or why_no_keys((key,), ()):
        raise os_error(errno.EINVAL)
    options.tcp_md5sig = (*others, key)


def _add_master_key(options: SocketOptions, value: bytes) -> None:
    if len(value) < _AO.size:
        raise os_error(errno.EINVAL)
    storage, name, _, _, _, prefix, send, receive, mac, flags, length, octets = _AO.unpack_from(value)
    key = AoKey(
        _address(storage), octets[:length], send, receive, prefix, name.rstrip(b"\0").decode("ascii", "replace"),
        mac or _USUAL_MAC, covers_options=not flags & _EXCLUDES_OPTIONS,
    )  # fmt: skip
    if length > len(octets) or why_no_keys((), (key,)):
        raise os_error(errno.EINVAL)
    if why_no_keys((), (*options.tcp_ao, key)):
        raise os_error(errno.EEXIST)
    options.tcp_ao = (*options.tcp_ao, key)


def _address(storage: bytes) -> bytes:
    (family,) = _FAMILY.unpack_from(storage)
    if family == socket.AF_INET:
        return storage[4:8]
    if family == socket.AF_INET6:
        return storage[8:24]
    raise os_error(errno.EINVAL)
