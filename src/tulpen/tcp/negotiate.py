"""What the two SYNs agree on: MSS, window scale, SACK, timestamps (RFC 9293 §3.7.1, 7323, 2018)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, final

from tulpen.tcp.config import MS, Settings, SocketOptions
from tulpen.wire.options import LONGEST, NO_OPTIONS, Options
from tulpen.wire.seq import wrap

MAX_SHIFT: Final = 14  # RFC 7323 §2.3
LEAST_RCVBUF: Final = 2304  # memory for a full segment
DEFAULT_MSS_4: Final = 536  # RFC 9293 §3.7.1 MUST-15
DEFAULT_MSS_6: Final = 1220
LEAST_USER_TIMEOUT: Final = 100_000  # milliseconds that a peer can ask for (RFC 5482 §3.1, L_LIMIT)
MOST_USER_TIMEOUT: Final = 86_400_000  # U_LIMIT
TIMESTAMPS_ROOM: Final = 12  # the option and its two NOPs
SACK_HEADER: Final = 4  # octets, with two NOPs before it
SACK_BLOCK: Final = 8
USER_TIMEOUT_ROOM: Final = 4


@final
class Terms:
    """What holds on a connection once both SYNs are known, and does not change: most connections share one."""

    __slots__ = ("mss", "plain", "rcv_shift", "sack", "scaling", "signed", "snd_shift", "timestamps")

    def __init__(
        self,
        mss: int,
        scaling: bool = False,
        snd_shift: int = 0,
        rcv_shift: int = 0,
        sack: bool = False,
        timestamps: bool = False,
        plain: bool = False,
        signed: int = 0,
    ) -> None:
        self.mss = mss  # the largest segment the peer takes
        self.plain = plain  # no options at all, either way (TCP_NOOPT)
        self.scaling = scaling  # both SYNs carried the option
        self.snd_shift = snd_shift  # of the windows the peer sends (Snd.Wind.Shift)
        self.rcv_shift = rcv_shift  # of the windows we send (Rcv.Wind.Shift)
        self.sack = sack
        self.timestamps = timestamps
        self.signed = signed  # octets of every segment's options that its signature takes


@lru_cache(maxsize=1024)
def shared_terms(
    mss: int, scaling: bool, snd_shift: int, rcv_shift: int, sack: bool, timestamps: bool, plain: bool, signed: int
) -> Terms:
    """Return the terms, the same object for the same ones."""
    return Terms(mss, scaling, snd_shift, rcv_shift, sack, timestamps, plain, signed)


def default_terms(*, ipv6: bool, plain: bool = False, signed: int = 0) -> Terms:
    """Return what holds where the peer has offered nothing."""
    return shared_terms(DEFAULT_MSS_6 if ipv6 else DEFAULT_MSS_4, False, 0, 0, False, False, plain, signed)


def agree(seen: Options, options: SocketOptions, settings: Settings, *, ipv6: bool, signed: int = 0) -> Terms:
    """Return the terms that the peer's SYN, the socket and our settings allow.

    ``signed``: octets that a signature takes.
    """
    if options.tcp_noopt:
        return default_terms(ipv6=ipv6, plain=True, signed=signed)
    mss = max(seen.mss or (DEFAULT_MSS_6 if ipv6 else DEFAULT_MSS_4), settings.tcp_min_snd_mss)
    sack = seen.sack_permitted and settings.tcp_sack
    timestamps = seen.tsval is not None and settings.tcp_timestamps != 0 and not (sack and signed and crowded(signed))
    if seen.wscale is None or not settings.tcp_window_scaling:
        return shared_terms(mss, False, 0, 0, sack, timestamps, False, signed)
    snd_shift = min(seen.wscale, MAX_SHIFT)
    return shared_terms(mss, True, snd_shift, window_shift(options, settings), sack, timestamps, False, signed)


def first_timestamp(agreed: Terms, syn: Options) -> int:
    """Return TS.Recent to begin with: the TSval of their SYN."""
    return syn.tsval if agreed.timestamps and syn.tsval is not None else 0


def crowded(signed: int) -> bool:
    """Whether timestamps and a signature of so many octets leave no room for SACK beside them."""
    return LONGEST - signed - TIMESTAMPS_ROOM < SACK_HEADER + SACK_BLOCK


def most_blocks(agreed: Terms) -> int:
    """Return how many SACK blocks find room beside the options of every segment (RFC 2018 §3)."""
    return (LONGEST - agreed.signed - TIMESTAMPS_ROOM * agreed.timestamps - SACK_HEADER) // SACK_BLOCK


def offer(
    options: SocketOptions, settings: Settings, mss: int, clock: int, user_timeout: int | None, *,
    plain: bool = False, signed: int = 0,
) -> Options:  # fmt: skip
    """Return the options of a SYN: all that the settings allow, MSS alone if ``plain``; ``clock`` is our TSval.

    ``signed``: octets that a signature will take beside them.
    """
    if plain:
        return Options(mss=mss)
    return Options(
        mss=mss,
        wscale=window_shift(options, settings) if settings.tcp_window_scaling else None,
        sack_permitted=settings.tcp_sack,
        tsval=clock if settings.tcp_timestamps and not crowded(signed) else None,
        user_timeout=user_timeout,
    )


def accept(agreed: Terms, mss: int, clock: int, ts_recent: int) -> Options:
    """Return the options of a SYN,ACK: only what the SYN offered (RFC 7323 §1.3)."""
    if agreed.plain:
        return NO_OPTIONS
    wscale = agreed.rcv_shift if agreed.scaling else None
    if agreed.timestamps:
        return Options(mss, wscale, agreed.sack, clock, ts_recent)
    return Options(mss, wscale, agreed.sack)


def receive_buffer(options: SocketOptions, settings: Settings) -> int:
    """Return RCV.BUFF: what SO_RCVBUF asks for, twice that where memory counts; within limits."""
    wanted = options.so_rcvbuf
    if settings.tcp_rcvbuf_overhead:
        return max(settings.tcp_rmem[1] if wanted is None else 2 * wanted, LEAST_RCVBUF)
    return settings.tcp_rmem[1] if wanted is None else max(wanted, settings.tcp_rmem[0])


def whole_segments(octets: int, mss: int, settings: Settings) -> int:
    """Return RCV.BUFF once the MSS is known: whole segments of it, where the settings ask for that."""
    return -(-octets // mss) * mss if settings.tcp_rcvbuf_whole_segments and octets > mss else octets


def initial_window(options: SocketOptions, settings: Settings, buffer: int, mss: int) -> int:
    """Return the window to begin with, where memory counts half of the buffer, and whole segments."""
    if not settings.tcp_rcvbuf_overhead:
        return buffer
    window = min(window_clamp(options, settings), buffer // 2)
    return window - window % mss if window > mss else window


def window_clamp(options: SocketOptions, settings: Settings) -> int:
    """Return the most that is ever offered: TCP_WINDOW_CLAMP, and what a buffer holds that the user has chosen."""
    most = options.tcp_window_clamp or 0xFFFF << MAX_SHIFT
    return most if options.so_rcvbuf is None else min(most, receive_buffer(options, settings) // 2)


def window_shift(options: SocketOptions, settings: Settings) -> int:
    """Return the shift that lets 16 bits name the largest window there may be (RFC 7323 §2.3)."""
    if settings.tcp_rcvbuf_overhead:
        most = max(receive_buffer(options, settings) // 2, settings.tcp_rmem[2], settings.rmem_max)
        return max(0, min(MAX_SHIFT, min(most, window_clamp(options, settings)).bit_length() - 16))
    space = settings.tcp_rmem[2]
    shift = 0
    # The least buffer must be worth a unit of the window: else it could never be opened.
    while space >> shift > 0xFFFF and shift < MAX_SHIFT and settings.tcp_rmem[0] >> (shift + 1):
        shift += 1
    return shift


def timestamp(now: int, offset: int) -> int:
    """Return our TSval at ``now``: milliseconds from an offset of the connection's own (RFC 7323 §5.4)."""
    return wrap(now // MS + offset)


def effective_mss(agreed: Terms, path_mss: int) -> int:
    """Return Eff.snd.MSS: octets of text a full segment carries (RFC 9293 §3.7.1 MUST-16)."""
    return min(agreed.mss, path_mss) - (TIMESTAMPS_ROOM if agreed.timestamps else 0) - agreed.signed
