"""TCP-AO's keys and codes (RFC 5926): traffic keys from a master key, and a segment's MAC."""

from __future__ import annotations

import hashlib
import hmac
from struct import pack
from typing import Final, NamedTuple

from tulpen.host import aes
from tulpen.tcp.keys import CMAC_AES128, HMAC_SHA1, AoKey
from tulpen.tcp.trace import FourTuple
from tulpen.wire.seq import wrap

_LABEL: Final = b"\x01TCP-AO"  # the first and only round of the key derivation (§3.1.1)
_DIGESTS: Final = {HMAC_SHA1: "sha1"}
_OTHERS: Final = "sha256"


class Course(NamedTuple):
    """What a traffic key and a sequence number's extension depend on; numbers do not wrap."""

    name: FourTuple
    iss: int
    irs: int | None  # None: not known yet
    snd_nxt: int
    rcv_nxt: int


def sending_key(key: AoKey, course: Course, *, syn: bool) -> bytes:
    """Return the key of what we send (RFC 5925 §5.2); ``syn``: of a SYN without ACK."""
    name, irs = course.name, 0 if syn or course.irs is None else course.irs
    context = name.local + name.remote + pack("!HHII", name.local_port, name.remote_port, wrap(course.iss), wrap(irs))
    return _derived(key, context)


def receiving_key(key: AoKey, course: Course, irs: int, *, syn: bool) -> bytes:
    """Return the key of what we receive from a peer whose initial sequence number is ``irs``."""
    name, iss = course.name, 0 if syn else course.iss
    context = name.remote + name.local + pack("!HHII", name.remote_port, name.local_port, wrap(irs), wrap(iss))
    return _derived(key, context)


def _derived(key: AoKey, context: bytes) -> bytes:
    """KDF_HMAC_SHA1 and KDF_AES_128_CMAC (RFC 5926 §3.1.1)."""
    if key.algorithm == CMAC_AES128:
        master = key.key if len(key.key) == aes.BLOCK else aes.cmac(bytes(aes.BLOCK), key.key)
        return aes.cmac(master, _LABEL + context + pack("!H", 8 * aes.BLOCK))
    digest = _digest(key)
    bits = 8 * hashlib.new(digest).digest_size
    return hmac.digest(key.key, _LABEL + context + pack("!H", bits), digest)


def mac(key: AoKey, traffic_key: bytes, octets: bytes) -> bytes:
    """Return the MAC, cut to the length that the master key says (RFC 5926 §3.2)."""
    if key.algorithm == CMAC_AES128:
        return aes.cmac(traffic_key, octets)[: key.mac_length]
    return hmac.digest(traffic_key, octets, _digest(key))[: key.mac_length]


def _digest(key: AoKey) -> str:
    return _DIGESTS.get(key.algorithm, _OTHERS)
