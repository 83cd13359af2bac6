"""TCP options as a script writes them, in its order, and their octets."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack
from typing import Final, TypeAlias

from tulpen.wire.options import ACC_ECN_0, ACC_ECN_1, END, MSS, NOP, SACK, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE

MD5: Final = 19  # RFC 2385
FAST_OPEN: Final = 34  # RFC 7413
EXPERIMENT: Final = 254  # RFC 6994
FAST_OPEN_MAGIC: Final = b"\xf9\x89"
ACC_ECN_MAGIC: Final = {ACC_ECN_0: b"\xac\xce", ACC_ECN_1: b"\xac\xcf"}


@dataclass(frozen=True, slots=True)
class Single:
    """NOP or the end of the list."""

    kind: int

    def __str__(self) -> str:
        return "nop" if self.kind == NOP else "eol"

    def encode(self) -> bytes:
        """Return its octet."""
        return bytes((self.kind,))


@dataclass(frozen=True, slots=True)
class Plain:
    """An option whose octets say all: MSS, window scale, SACK permitted, MD5, fast open, AccECN, any other."""

    kind: int
    body: bytes
    words: str

    def __str__(self) -> str:
        return self.words

    def encode(self) -> bytes:
        """Return its octets."""
        return bytes((self.kind, 2 + len(self.body))) + self.body


@dataclass(frozen=True, slots=True)
class Sack:
    """SACK blocks, as the script counts octets."""

    blocks: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return "sack " + " ".join(f"{left}:{right}" for left, right in self.blocks)

    def encode(self) -> bytes:
        """Return its octets."""
        edges = b"".join(pack("!II", *block) for block in self.blocks)
        return bytes((SACK, 2 + len(edges))) + edges


@dataclass(frozen=True, slots=True)
class Timestamps:
    """The timestamps option, as the script counts time."""

    val: int | None  # None: any
    ecr: int | None
    absolute_ecr: bool = False

    def __str__(self) -> str:
        val = "..." if self.val is None else self.val
        ecr = "..." if self.ecr is None else f"{self.ecr}{'!' if self.absolute_ecr else ''}"
        return f"TS val {val} ecr {ecr}"

    def encode(self) -> bytes:
        """Return its octets."""
        return pack("!BBII", TIMESTAMPS, 10, self.val or 0, self.ecr or 0)


@dataclass(frozen=True, slots=True)
class ValidMd5:
    """The MD5 signature that is right for the segment."""

    def __str__(self) -> str:
        return "md5 valid"

    def encode(self) -> bytes:
        """Return octets of the right length."""
        return bytes((MD5, 18)) + bytes(16)


TcpOption: TypeAlias = Single | Plain | Sack | Timestamps | ValidMd5

NO_OPERATION: Final = Single(NOP)
END_OF_LIST: Final = Single(END)


def mss(octets: int) -> Plain:
    """Return the MSS option."""
    return Plain(MSS, pack("!H", octets), f"mss {octets}")


def window_scale(shift: int) -> Plain:
    """Return the window scale option."""
    return Plain(WINDOW_SCALE, bytes((shift,)), f"wscale {shift}")


def sack_permitted() -> Plain:
    """Return the SACK-permitted option."""
    return Plain(SACK_PERMITTED, b"", "sackOK")


def md5(digest: bytes) -> Plain:
    """Return a given MD5 signature."""
    return Plain(MD5, digest, f"md5 {digest.hex()}")


def fast_open(cookie: bytes, *, experimental: bool) -> Plain:
    """Return the fast open option, or its older experimental form."""
    name = "FOEXP" if experimental else "FO"
    words = f"{name} {cookie.hex()}".rstrip()
    return Plain(EXPERIMENT, FAST_OPEN_MAGIC + cookie, words) if experimental else Plain(FAST_OPEN, cookie, words)


def acc_ecn(kind: int, counters: tuple[int, ...], *, experimental: bool = False) -> Plain:
    """Return the AccECN option with its counters, of 24 bits each, in the order of its kind."""
    first, last = ("e0b", "e1b") if kind == ACC_ECN_0 else ("e1b", "e0b")
    words = " ".join(f"{name} {value}" for name, value in zip((first, "ceb", last), counters, strict=False))
    body = b"".join(value.to_bytes(3, "big") for value in counters)
    if experimental:
        return Plain(EXPERIMENT, ACC_ECN_MAGIC[kind] + body, f"ECN {words}")
    return Plain(kind, body, f"ECN {words}")


def generic(kind: int, body: bytes) -> Plain:
    """Return an option of any kind."""
    return Plain(kind, body, f"gen-{kind} {body.hex()}".rstrip())


def encode(options: tuple[TcpOption, ...]) -> bytes:
    """Return the octets of a list of options."""
    return b"".join(option.encode() for option in options)
