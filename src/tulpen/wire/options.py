"""TCP options as values (RFC 9293 §3.2).

``Options`` holds those the engine understands by name and keeps every other one as
``(kind, octets)``, so that nothing is lost between parsing and building.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple, final

END: Final = 0
NOP: Final = 1
MSS: Final = 2  # RFC 9293 §3.7.1
WINDOW_SCALE: Final = 3  # RFC 7323 §2
SACK_PERMITTED: Final = 4  # RFC 2018 §2
SACK: Final = 5  # RFC 2018 §3
TIMESTAMPS: Final = 8  # RFC 7323 §3
MD5: Final = 19  # RFC 2385 §3.0
USER_TIMEOUT: Final = 28  # RFC 5482 §3
AUTHENTICATION: Final = 29  # RFC 5925 §2.2
FAST_OPEN: Final = 34  # RFC 7413 §4.1.1
ACC_ECN_0: Final = 172  # RFC 9768 §3.2.3: the counter of ECT(0) first
ACC_ECN_1: Final = 174  # ... that of ECT(1)
EXPERIMENT: Final = 254  # RFC 6994
FAST_OPEN_MAGIC: Final = b"\xf9\x89"  # behind EXPERIMENT: Fast Open before it had a kind of its own

LONGEST: Final = 40  # octets of options that the data offset leaves room for
MD5_DIGEST: Final = 16
MOST_SECONDS: Final = 0x7FFF * 60  # the longest user timeout that can be said

_NOP_NOP_TIMESTAMPS: Final = 0x0101_080A  # RFC 7323 appendix A
_TIMESTAMPS_ALONE: Final = Struct("!III")
_BLOCK: Final = Struct("!II")
# What Linux's SYNs carry; no two have the same timestamps.
_OF_A_SYN: Final = Struct("!HHIIII")
_MSS: Final = 0x0204
_SACK_AND_TIMESTAMPS: Final = 0x0402_080A
_NOP_SCALE: Final = 0x01_0303


class EcnCounters(NamedTuple):
    """An AccECN option (RFC 9768 §3.2.3): octets received with each mark, 24 bits each, and none after the last known.

    In order ECT(0), CE, ECT(1) if ``kind`` is ACC_ECN_0, and the other way round if it is ACC_ECN_1.
    """

    kind: int
    counters: tuple[int, ...]


class Authentication(NamedTuple):
    """TCP-AO (RFC 5925 §2.2)."""

    key_id: int
    next_id: int  # RNextKeyID
    mac: bytes


@final
class Options:
    """The options of one segment; never changed once built."""

    __slots__ = (
        "_built", "acc_ecn", "authentication", "fast_open", "fast_open_experimental", "malformed", "md5", "mss",
        "octets", "others", "sack", "sack_permitted", "tsecr", "tsval", "user_timeout", "wscale",
    )  # fmt: skip

    def __init__(
        self,
        mss: int | None = None,  # by position where they are very many, as with Segment
        wscale: int | None = None,
        sack_permitted: bool = False,
        tsval: int | None = None,
        tsecr: int = 0,
        sack: tuple[tuple[int, int], ...] = (),
        user_timeout: int | None = None,
        fast_open: bytes | None = None,
        fast_open_experimental: bool = False,
        acc_ecn: EcnCounters | None = None,
        others: tuple[tuple[int, bytes], ...] = (),
        malformed: bool = False,
        md5: bytes | None = None,
        authentication: Authentication | None = None,
    ) -> None:
        self.mss = mss
        self.wscale = wscale
        self.sack_permitted = sack_permitted
        self.tsval = tsval  # None: no timestamps option
        self.tsecr = tsecr
        self.sack = sack  # (left edge, right edge) as on the wire
        self.user_timeout = user_timeout  # seconds
        self.fast_open = fast_open  # a cookie; empty: a request for one; None: no such option
        self.fast_open_experimental = fast_open_experimental  # written as an experiment, with its magic number
        self.acc_ecn = acc_ecn
        self.others = others  # (kind, octets after the length)
        self.malformed = malformed  # a length was illegal; what could be read is here
        self.md5 = md5  # the digest of RFC 2385
        self.authentication = authentication  # RFC 5925
        self.octets = b""  # as they came, where a signature covers them
        self._built = b""  # as they go; empty: not built yet

    def with_fast_open(self, cookie: bytes, *, experimental: bool) -> Options:
        """Return these options and a Fast Open cookie, or a request for one, in place of any that is there."""
        return Options(
            mss=self.mss, wscale=self.wscale, sack_permitted=self.sack_permitted, tsval=self.tsval, tsecr=self.tsecr,
            sack=self.sack, user_timeout=self.user_timeout, fast_open=cookie, fast_open_experimental=experimental,
            acc_ecn=self.acc_ecn, others=self.others, malformed=self.malformed, md5=self.md5,
            authentication=self.authentication,
        )  # fmt: skip

    def signed(self, *, md5: bytes | None = None, authentication: Authentication | None = None) -> Options:
        """Return these options with a signature."""
        return Options(
            mss=self.mss, wscale=self.wscale, sack_permitted=self.sack_permitted, tsval=self.tsval, tsecr=self.tsecr,
            sack=self.sack, user_timeout=self.user_timeout, fast_open=self.fast_open,
            fast_open_experimental=self.fast_open_experimental, acc_ecn=self.acc_ecn, others=self.others,
            malformed=self.malformed, md5=md5, authentication=authentication,
        )  # fmt: skip

    def _values(self) -> tuple[object, ...]:
        return (
            self.mss, self.wscale, self.sack_permitted, self.tsval, self.tsecr,
            self.sack, self.user_timeout, self.fast_open, self.fast_open_experimental, self.acc_ecn, self.others,
            self.malformed, self.md5, self.authentication,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return self._values() == other._values() if isinstance(other, Options) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"<{', '.join(_words(self))}>"


NO_OPTIONS: Final = Options()


def timestamps(tsval: int, tsecr: int) -> Options:
    """Return timestamps and no other options: what nearly every segment of an open connection carries."""
    return Options(None, None, False, tsval, tsecr)


def _words(options: Options) -> list[str]:
    """Return the options as tcpdump writes them."""
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.sack_permitted:
        words.append("sackOK")
    if options.tsval is not None:
        words.append(f"TS val {options.tsval} ecr {options.tsecr}")
    if options.wscale is not None:
        words.append(f"wscale {options.wscale}")
    if options.sack:
        words.append("sack " + " ".join(f"{{{left}:{right}}}" for left, right in options.sack))
    if options.user_timeout is not None:
        words.append(f"uto {options.user_timeout}s")
    if options.fast_open is not None:
        words.append(f"{'exp-' * options.fast_open_experimental}tfo {options.fast_open.hex() or 'cookiereq'}")
    if options.acc_ecn is not None:
        words.append(acc_ecn_words(options.acc_ecn))
    if options.md5 is not None:
        words.append(f"md5 {options.md5.hex()}")
    if options.authentication is not None:
        key_id, next_id, mac = options.authentication
        words.append(f"tcp-ao keyid {key_id} rnextkeyid {next_id} mac 0x{mac.hex()}")
    words.extend(f"unknown-{kind} 0x{octets.hex()}" for kind, octets in options.others)
    if options.malformed:
        words.append("malformed")
    return words


def acc_ecn_words(option: EcnCounters) -> str:
    """Return an AccECN option as packetdrill writes it."""
    names = ("e0b", "ceb", "e1b") if option.kind == ACC_ECN_0 else ("e1b", "ceb", "e0b")
    return " ".join(["ECN", *(f"{name} {count}" for name, count in zip(names, option.counters, strict=False))])


def parse_options(view: bytes | memoryview) -> Options:
    """Read the octets between the fixed header and the data; whatever they are, this never raises.

    A length that reaches beyond the end, or is below 2, ends the reading (MUST-7).  A known
    option of a length that is not its own is kept among the others.  Both set ``malformed``.
    """
    octets = bytes(view)
    if not octets:
        return NO_OPTIONS
    if len(octets) == _OF_A_SYN.size:
        head, mss, between, tsval, tsecr, scale = _OF_A_SYN.unpack(octets)
        if head == _MSS and between == _SACK_AND_TIMESTAMPS and scale >> 8 == _NOP_SCALE:
            return Options(mss, scale & 0xFF, True, tsval, tsecr)
    return _parse_known(octets)


@lru_cache(maxsize=256)
def _parse_known(octets: bytes) -> Options:
    """Read options, which are often those of a segment just before, and then the same object."""
    if len(octets) == 12:
        first, tsval, tsecr = _TIMESTAMPS_ALONE.unpack(octets)
        if first == _NOP_NOP_TIMESTAMPS:
            return timestamps(tsval, tsecr)
    return _parse_each(octets, len(octets))


def _parse_each(octets: bytes, size: int) -> Options:
    options = Options()
    others: list[tuple[int, bytes]] = []
    at = 0
    while at < size:
        kind = octets[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        length = octets[at + 1] if at + 1 < size else 0
        if length < 2 or at + length > size:
            options.malformed = True
            break
        body = octets[at + 2 : at + length]
        at += length
        if not _read_known(options, kind, body):
            options.malformed |= kind in _KNOWN
            others.append((kind, body))
    options.others = tuple(others)
    if options.md5 is not None or options.authentication is not None:
        options.octets = octets
    return options


_KNOWN: Final = frozenset((MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMPS, USER_TIMEOUT, MD5, AUTHENTICATION))


def _read_known(options: Options, kind: int, body: bytes) -> bool:
    """Put one option into its attribute; False if the kind is unknown or its length is not its own."""
    length = len(body)
    if kind == MSS and length == 2:
        options.mss = int.from_bytes(body, "big")
    elif kind == WINDOW_SCALE and length == 1:
        options.wscale = body[0]
    elif kind == SACK_PERMITTED and length == 0:
        options.sack_permitted = True
    elif kind == SACK and length and length % 8 == 0:
        options.sack = tuple((left, right) for left, right in _BLOCK.iter_unpack(body))
    elif kind == TIMESTAMPS and length == 8:
        options.tsval, options.tsecr = _BLOCK.unpack(body)
    elif kind == USER_TIMEOUT and length == 2:
        options.user_timeout = _seconds(int.from_bytes(body, "big"))
    elif kind == MD5 and length == MD5_DIGEST:
        options.md5 = body
    elif kind == AUTHENTICATION and length >= 2:
        options.authentication = Authentication(body[0], body[1], body[2:])
    elif kind == FAST_OPEN or (kind == EXPERIMENT and body.startswith(FAST_OPEN_MAGIC)):
        options.fast_open_experimental = kind == EXPERIMENT
        options.fast_open = body[len(FAST_OPEN_MAGIC) :] if options.fast_open_experimental else body
    elif kind in (ACC_ECN_0, ACC_ECN_1) and length <= 9 and length % 3 == 0:
        counters = tuple(int.from_bytes(body[at : at + 3], "big") for at in range(0, length, 3))
        options.acc_ecn = EcnCounters(kind, counters)
    else:
        return False
    return True


def _seconds(field: int) -> int:
    """Return a user timeout in seconds: its top bit says that the rest are minutes (RFC 5482 §3)."""
    return (field & 0x7FFF) * 60 if field & 0x8000 else field


def build_options(options: Options) -> bytes:
    """Return the options' octets, a multiple of 4 of them, in Linux's order; ValueError if they are more than 40.

    They are aligned where there is room.  What ``parse_options`` has read can always be built.
    """
    if options._built or options is NO_OPTIONS:
        return options._built
    built = b"".join(_aligned(options))
    if len(built) > LONGEST:
        built = b"".join(word.lstrip(b"\x01") for word in _aligned(options))
    built += bytes(-len(built) % 4)
    if len(built) > LONGEST:
        raise ValueError(f"{len(built)} octets of options; {LONGEST} is the most that fits")
    options._built = built
    return built


def _aligned(options: Options) -> list[bytes]:
    """Return each option, behind the NOPs that align it."""
    words: list[bytes] = []
    if options.md5 is not None:
        words.append(bytes((NOP, NOP, MD5, 2 + MD5_DIGEST)) + options.md5)
    if options.authentication is not None:
        key_id, next_id, mac = options.authentication
        words += [bytes((AUTHENTICATION, 4 + len(mac), key_id, next_id)) + mac, bytes((NOP,)) * (-len(mac) % 4)]
    if options.mss is not None:
        words.append(b"\x02\x04" + options.mss.to_bytes(2, "big"))
    if options.tsval is not None:
        head = b"\x04\x02\x08\x0a" if options.sack_permitted else b"\x01\x01\x08\x0a"
        words.append(head + _BLOCK.pack(options.tsval, options.tsecr))
    if options.acc_ecn is not None:
        words.append(_acc_ecn(options.acc_ecn))
    if options.tsval is None and options.sack_permitted:
        words.append(b"\x01\x01\x04\x02")
        _close_up(words)
    if options.wscale is not None:
        words.append(bytes((NOP, WINDOW_SCALE, 3, options.wscale)))
        _close_up(words)
    if options.fast_open is not None:
        word = _fast_open(options.fast_open, experimental=options.fast_open_experimental)
        words += [word, bytes((NOP,)) * (-len(word) % 4)]
    if options.sack:
        head = bytes((NOP, NOP, SACK, 2 + 8 * len(options.sack)))
        words.append(head + b"".join([_BLOCK.pack(left, right) for left, right in options.sack]))
        _close_up(words)
    if options.user_timeout is not None:
        words.append(bytes((USER_TIMEOUT, 4)) + _user_timeout(options.user_timeout).to_bytes(2, "big"))
    for kind, octets in options.others:
        words.append(bytes((kind, 2 + len(octets))) + octets)
    return words


def _acc_ecn(option: EcnCounters) -> bytes:
    body = b"".join([counter.to_bytes(3, "big") for counter in option.counters])
    word = bytes((option.kind, 2 + len(body))) + body
    return word + bytes((NOP,)) * (-len(word) % 4 if len(word) > 5 else 0)


def _close_up(words: list[bytes]) -> None:
    """A short AccECN option stands in the place of the NOPs that would align what follows it."""
    if len(words) > 1 and len(words[-2]) % 4:
        extra, nops = len(words[-2]) % 4, len(words[-1]) - len(words[-1].lstrip(b"\x01"))
        words[-1] = words[-1][extra if nops >= extra else 0 :]


def _fast_open(cookie: bytes, *, experimental: bool) -> bytes:
    body = FAST_OPEN_MAGIC + cookie if experimental else cookie
    return bytes((EXPERIMENT if experimental else FAST_OPEN, 2 + len(body))) + body


def _user_timeout(seconds: int) -> int:
    """Return the field of a user timeout; what is too long for seconds is rounded up to minutes."""
    if seconds > MOST_SECONDS:
        raise ValueError(f"a user timeout of {seconds} s; {MOST_SECONDS} s is the most that can be said")
    return seconds if seconds <= 0x7FFF else 0x8000 | -(-seconds // 60)
