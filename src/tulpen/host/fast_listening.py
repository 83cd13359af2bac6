"""The server's side of TCP Fast Open (RFC 7413 §4.1.2, §4.2.2): cookies, and the limit of fast opens under way.

Cookies and limits are Linux's: SipHash of both addresses, and a reset of an accepted
connection counts against the listener's limit for a minute more (§5.1).
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from struct import pack
from typing import TYPE_CHECKING, Final, NamedTuple, final

from tulpen.host.siphash import KEY, siphash
from tulpen.tcp.config import SECOND
from tulpen.tcp.errors import TcpError
from tulpen.tcp.fast_open import cookie_in

if TYPE_CHECKING:
    from tulpen.host.core import Core
    from tulpen.host.listener import Listener
    from tulpen.tcp.config import Settings, SocketOptions
    from tulpen.tcp.trace import FourTuple
    from tulpen.wire.segment import Segment

SERVER: Final = 0x2  # bits of tcp_fastopen
NO_COOKIE: Final = 0x200
EVERY_LISTENER: Final = 0x400

RESET_COUNTS: Final = 60 * SECOND
MOST_KEYS: Final = 2
WORDS: Final = 4  # of a key as tcp_fastopen_key writes it


@final
class FastOpens:
    """What a listener counts: connections made at once whose handshake has not ended (§5.1)."""

    __slots__ = ("_resets", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self._resets: deque[int] = deque()  # until when each counts

    def may_begin(self, most: int, now: int) -> bool:
        """Say whether there is room for one more; one reset whose time is over makes room."""
        if self.under_way + len(self._resets) < most:
            return True
        if not self._resets or self._resets[0] > now:
            return False
        self._resets.popleft()
        return True

    def ended(self, now: int, *, reset: bool) -> None:
        """One has ended its handshake, or come to nothing: by a RST, which costs whoever forged its SYN."""
        self.under_way -= 1
        if reset:
            self._resets.append(now + RESET_COUNTS)


class Verdict(NamedTuple):
    """What a SYN is due."""

    opens: bool = False  # a connection at once
    cookie: bytes | None = None  # to be given in the SYN,ACK
    experimental: bool = False  # in an option of this kind


NOTHING: Final = Verdict()


def judge(core: Core, listener: Listener, name: FourTuple, syn: Segment, now: int) -> Verdict:
    """Say what a SYN is due that the listener has room for (§4.2.2)."""
    settings, options, stack = core.stack.settings, listener.options, core.stack
    cookie, experimental = cookie_in(syn.options), syn.options.fast_open_experimental
    if cookie == b"":
        stack.count("TCPFastOpenCookieReqd")
    if not settings.tcp_fastopen & SERVER or not (syn.data or cookie is not None) or not options.tcp_fastopen:
        return NOTHING
    if not listener.fast_opens.may_begin(options.tcp_fastopen, now):
        stack.count("TCPFastOpenListenOverflow")
        return NOTHING
    if settings.tcp_fastopen & NO_COOKIE or options.tcp_fastopen_no_cookie:
        return _open(core)
    if cookie is None:
        return NOTHING
    good = [cookie_for(key, name) for key in keys_of(core, options)]
    if cookie == good[0]:
        return _open(core)
    if cookie in good:
        stack.count("TCPFastOpenPassiveAltKey")
        return _open(core, good[0], experimental=experimental)
    if cookie:
        stack.count("TCPFastOpenPassiveFail")
    return Verdict(cookie=good[0], experimental=experimental)


def _open(core: Core, cookie: bytes | None = None, *, experimental: bool = False) -> Verdict:
    core.stack.count("TCPFastOpenPassive")
    return Verdict(opens=True, cookie=cookie, experimental=experimental)


def limit_for(options: SocketOptions, settings: Settings, backlog: int) -> int:
    """Return the limit of a new listener: its own, or its backlog where every listener takes part."""
    everyone = SERVER | EVERY_LISTENER
    if not options.tcp_fastopen and settings.tcp_fastopen & everyone == everyone:
        return backlog
    return min(options.tcp_fastopen, settings.somaxconn)


def cookie_for(key: bytes, name: FourTuple) -> bytes:
    """Return the cookie of a client's address."""
    return siphash(key, name.remote + name.local).to_bytes(8, "little")


def keys_of(core: Core, options: SocketOptions) -> list[bytes]:
    """Return the keys whose cookies are good, the first being that of those given out."""
    if options.tcp_fastopen_key:
        return _split(options.tcp_fastopen_key)
    written = core.stack.settings.tcp_fastopen_key
    return [parse_key(each) for each in written.split(",")] if written else [core.fast_open_key]


def _split(keys: bytes) -> list[bytes]:
    return [keys[at : at + KEY] for at in range(0, len(keys), KEY)]


def parse_key(written: str) -> bytes:
    """Return a key written as tcp_fastopen_key has it: four numbers of 32 bits in hexadecimal digits."""
    words = written.strip().split("-")
    if len(words) != WORDS:
        raise ValueError(f"{written}: a key is {WORDS} groups of hexadecimal digits")
    return pack("<4I", *(int(word, 16) for word in words))


def check_keys(keys: bytes) -> None:
    """EINVAL for what is no key, nor two (TCP_FASTOPEN_KEY)."""
    from errno import EINVAL

    if len(keys) % KEY or not KEY <= len(keys) <= MOST_KEYS * KEY:
        raise TcpError(EINVAL, "a Fast Open key has 16 octets, a pair of them 32")


def key_from(secret: bytes) -> bytes:
    """Return the key of a host that was given none."""
    return blake2b(secret, digest_size=KEY, person=b"fast open").digest()
