"""What the two SYNs agree on: MSS, window scale, SACK, timestamps (RFC 9293 §3.7.1, 7323, 2018)."""

from __future__ import annotations

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
    """What holds on a connection once both SYNs are known."""

    __slots__ = ("mss", "plain", "rcv_shift", "sack", "scaling", "signed", "snd_shift", "timestamps", "ts_recent")

    def __init__(
        self,
        mss: int,
        scaling: bool = False,
        snd_shift: int = 0,
        rcv_shift: int = 0,
        sack: bool = False,
        timestamps: bool = False,
        ts_recent: int = 0,
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
        self.ts_recent = ts_recent  # the peer's latest TSval (TS.Recent)
        self.signed = signed  # octets of every segment's options that its signature takes

    def clone(self) -> Terms:
        """Return an independent copy."""
        return Terms(
            self.mss, self.scaling, self.snd_shift, self.rcv_shift, self.sack, self.timestamps, self.ts_recent,
            self.plain, self.signed,
        )  # fmt: skip


def agree(seen: Options, options: SocketOptions, settings: Settings, *, ipv6: bool, signed: int = 0) -> Terms:
    """Return the terms that the peer's SYN, the socket and our settings allow.

    ``signed``: octets that a signature takes.
    """
    if options.tcp_noopt:
        return Terms(mss=DEFAULT_MSS_6 if ipv6 else DEFAULT_MSS_4, plain=True, signed=signed)
    mss = max(seen.mss or (DEFAULT_MSS_6 if ipv6 else DEFAULT_MSS_4), settings.tcp_min_snd_mss)
    sack = seen.sack_permitted and settings.tcp_sack
    timestamps = seen.tsval is not None and settings.tcp_timestamps != 0 and not (sack and signed and crowded(signed))
    terms = Terms(mss, sack=sack, timestamps=timestamps, signed=signed)
    if timestamps and seen.tsval is not None:
        terms.ts_recent = seen.tsval
    if seen.wscale is not None and settings.tcp_window_scaling:
        terms.scaling = True
        terms.snd_shift = min(seen.wscale, MAX_SHIFT)
        terms.rcv_shift = window_shift(options, settings)
    return terms


def crowded(signed: int) -> bool:
    """Whether timestamps and a signature of so many octets leave no room for SACK beside them."""
    return LONGEST - signed - TIMESTAMPS_ROOM < SACK_HEADER + SACK_BLOCK


def most_blocks(terms: Terms) -> int:
    """Return how many SACK blocks find room beside the options of every segment (RFC 2018 §3)."""
    return (LONGEST - terms.signed - TIMESTAMPS_ROOM * terms.timestamps - SACK_HEADER) // SACK_BLOCK


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


def accept(terms: Terms, mss: int, clock: int) -> Options:
    """Return the options of a SYN,ACK: only what the SYN offered (RFC 7323 §1.3)."""
    if terms.plain:
        return NO_OPTIONS
    wscale = terms.rcv_shift if terms.scaling else None
    if terms.timestamps:
        return Options(mss, wscale, terms.sack, clock, terms.ts_recent)
    return Options(mss, wscale, terms.sack)


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


def effective_mss(terms: Terms, path_mss: int) -> int:
    """Return Eff.snd.MSS: octets of text a full segment carries (RFC 9293 §3.7.1 MUST-16)."""
    return min(terms.mss, path_mss) - (TIMESTAMPS_ROOM if terms.timestamps else 0) - terms.signed
