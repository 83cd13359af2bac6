"""AES-128 (FIPS 197) and AES-CMAC (RFC 4493), for TCP-AO: the standard library has no cipher.

Encryption alone, a block at a time and with tables.  It is meant for a few signatures of
routing protocols, and does not hide from an observer of its timing.
"""

from __future__ import annotations

from typing import Final

BLOCK: Final = 16  # octets, and of a key
_ROUNDS: Final = 10
_POLYNOMIAL: Final = 0x11B
_CMAC_POLYNOMIAL: Final = 0x87
_MASK: Final = (1 << 128) - 1


def _double(octet: int) -> int:
    """Multiply by x in AES's field."""
    octet <<= 1
    return octet ^ _POLYNOMIAL if octet & 0x100 else octet


def _substitutions() -> bytes:
    """Return the S-box: the inverse in the field, and an affine map of it (FIPS 197 §5.1.1)."""
    powers, logarithm = [], {}
    value = 1
    for exponent in range(255):
        powers.append(value)
        logarithm[value] = exponent
        value ^= _double(value)  # times 3, which generates them all
    box = bytearray(256)
    for octet in range(256):
        inverse = powers[-logarithm[octet] % 255] if octet else 0
        turned = inverse * 0x0101  # twice beside itself: a rotation is a shift
        box[octet] = (inverse ^ turned >> 7 ^ turned >> 6 ^ turned >> 5 ^ turned >> 4) & 0xFF ^ 0x63
    return bytes(box)


_BOX: Final = _substitutions()
_DOUBLED: Final = bytes(_double(octet) & 0xFF for octet in range(256))
#: Where each octet of the state comes from when its rows are shifted (§5.1.2).
_SHIFTED: Final = tuple(5 * place % BLOCK for place in range(BLOCK))


def expand(key: bytes) -> list[bytes]:
    """Return the round keys of a key of 16 octets (§5.2)."""
    if len(key) != BLOCK:
        raise ValueError(f"a key of {len(key)} octets; AES-128 takes {BLOCK}")
    words = [key[at : at + 4] for at in range(0, BLOCK, 4)]
    constant = 1
    for index in range(4, 4 * (_ROUNDS + 1)):
        word = words[-1]
        if index % 4 == 0:
            word = bytes(_BOX[octet] for octet in word[1:] + word[:1])
            word = bytes((word[0] ^ constant,)) + word[1:]
            constant = _double(constant)
        words.append(_xor(word, words[-4]))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def encrypt(round_keys: list[bytes], block: bytes) -> bytes:
    """Return a block of 16 octets encrypted (§5.1)."""
    state = _xor(block, round_keys[0])
    for round_key in round_keys[1:_ROUNDS]:
        state = _xor(_mixed(bytes(_BOX[state[place]] for place in _SHIFTED)), round_key)
    return _xor(bytes(_BOX[state[place]] for place in _SHIFTED), round_keys[_ROUNDS])


def _mixed(state: bytes) -> bytes:
    """Mix each column (§5.1.3)."""
    out = bytearray()
    for at in range(0, BLOCK, 4):
        column = state[at : at + 4]
        every = column[0] ^ column[1] ^ column[2] ^ column[3]
        for row in range(4):
            out.append(column[row] ^ every ^ _DOUBLED[column[row] ^ column[(row + 1) % 4]])
    return bytes(out)


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the AES-CMAC of a message, 16 octets (RFC 4493 §2.4)."""
    round_keys = expand(key)
    subkey = _next_subkey(encrypt(round_keys, bytes(BLOCK)))
    whole = bool(message) and len(message) % BLOCK == 0
    if not whole:
        message += b"\x80"
        message += bytes(-len(message) % BLOCK)
        subkey = _next_subkey(subkey)
    state = bytes(BLOCK)
    for at in range(0, len(message) - BLOCK, BLOCK):
        state = encrypt(round_keys, _xor(state, message[at : at + BLOCK]))
    return encrypt(round_keys, _xor(_xor(state, message[-BLOCK:]), subkey))


def _next_subkey(before: bytes) -> bytes:
    """Double in the field of blocks (RFC 4493 §2.3)."""
    number = int.from_bytes(before, "big") << 1
    if number >> 128:
        number ^= _CMAC_POLYNOMIAL
    return (number & _MASK).to_bytes(BLOCK, "big")
