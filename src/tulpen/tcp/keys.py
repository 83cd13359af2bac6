"""Keys with which segments are signed: those of TCP_MD5SIG (RFC 2385) and master keys of TCP-AO (RFC 5925 §3.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.wire.address import address as packed

HMAC_SHA1: Final = "hmac(sha1)"  # Linux's names
HMAC_SHA256: Final = "hmac(sha256)"
CMAC_AES128: Final = "cmac(aes128)"
ALGORITHMS: Final = (HMAC_SHA1, HMAC_SHA256, CMAC_AES128)

LONGEST_KEY: Final = 80  # octets, as Linux has it
MAC_96: Final = 12  # octets of a MAC (RFC 5926 §3.2)
MOST_MAC: Final = 16  # more finds no room beside the other options of a SYN


class Md5Key(NamedTuple):
    """The key shared with the hosts of a prefix; without ``prefix``, with one."""

    address: str | bytes
    key: bytes
    prefix: int | None = None  # bits


class AoKey(NamedTuple):
    """A master key tuple shared with the hosts of a prefix."""

    address: str | bytes
    key: bytes
    send_id: int
    receive_id: int
    prefix: int | None = None  # bits
    algorithm: str = HMAC_SHA1
    mac_length: int = MAC_96
    covers_options: bool = True  # the other options are signed too


def covers(key: Md5Key | AoKey, address: str | bytes) -> bool:
    """Say whether ``key`` is for the host ``address``."""
    host, network = packed(address), packed(key.address)
    if len(host) != len(network):
        return False
    free = 8 * len(host) - key.prefix if key.prefix is not None else 0
    return int.from_bytes(host, "big") >> free == int.from_bytes(network, "big") >> free


def md5_key(keys: tuple[Md5Key, ...], address: bytes) -> Md5Key | None:
    """Return the key for a host: that of the longest prefix."""
    fitting = [key for key in keys if covers(key, address)]
    return max(fitting, key=_bits, default=None)


def _bits(key: Md5Key) -> int:
    return 8 * len(packed(key.address)) if key.prefix is None else key.prefix


def ao_keys(keys: tuple[AoKey, ...], address: bytes) -> list[AoKey]:
    """Return the master keys for a host."""
    return [key for key in keys if covers(key, address)]


def ao_room(keys: list[AoKey]) -> int:
    """Return the octets that the option takes at most, aligned."""
    return max(-(-(4 + key.mac_length) // 4) * 4 for key in keys)


def why_no_keys(md5: tuple[Md5Key, ...], ao: tuple[AoKey, ...]) -> str:
    """Return what is wrong with keys; empty for nothing."""
    shared = [key[:3] for key in md5] + [(key.address, key.key, key.prefix) for key in ao]
    for address, octets, prefix in shared:
        if not 0 < len(octets) <= LONGEST_KEY:
            return f"a key has 1 to {LONGEST_KEY} octets"
        if prefix is not None and not 0 <= prefix <= 8 * len(packed(address)):
            return "the prefix is longer than the address"
    for key in ao:
        if key.algorithm not in ALGORITHMS:
            return f"{key.algorithm} is none of {', '.join(ALGORITHMS)}"
        if not (0 <= key.send_id <= 255 and 0 <= key.receive_id <= 255):
            return "an identifier has 8 bits"
        if not 0 < key.mac_length <= MOST_MAC:
            return f"a MAC has 1 to {MOST_MAC} octets"
    return _clash(ao)


def _clash(keys: tuple[AoKey, ...]) -> str:
    """§3.1: a segment must match one master key alone."""
    for index, key in enumerate(keys):
        for other in keys[:index]:
            if not (covers(key, other.address) or covers(other, key.address)):
                continue
            if key.send_id == other.send_id or key.receive_id == other.receive_id:
                return "two keys for a host have the same identifier"
    return ""
