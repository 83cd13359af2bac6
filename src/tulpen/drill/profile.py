"""What sets one system's TCP apart from another's, as data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tulpen.tcp.config import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Profile:
    """``rcvbuf_factor``: what SO_RCVBUF and SO_SNDBUF tell, as a multiple of what was asked for."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    defined: Mapping[str, str] = field(default_factory=dict)  # what its scripts may take as defined
    rcvbuf_factor: int = 1
    option_order: str = "linux"
    sendto_connects: bool = False  # sendto() to somebody opens a connection, as TCP_FASTOPEN says with its text
    calls_closed: bool = False  # a segment for a socket that neither listens nor connects has ports, as nplab's program

    def make_settings(self) -> Settings:
        """Return fresh settings of such a host."""
        return replace(Settings(), **self.settings)  # type: ignore[arg-type]


LINUX: Final = Profile("linux", settings={"tcp_syn_linear_timeouts": 4, "tcp_tso_autosize": True}, rcvbuf_factor=2)
BSD: Final = Profile(
    "bsd",
    settings={
        "tcp_rmem": (16_384, 65_536, 2_097_152),
        "tcp_wmem": (4096, 32_768, 2_097_152),
        "tcp_rto_min_us": 230_000,
        "tcp_syn_retries": 12,
        "tcp_invalid_ratelimit": 0,
        "tcp_acks_in_duplicates": True,
        "tcp_paws_spares_acks": False,
        "tcp_delack_any": True,
        "tcp_quick_acks": 0,
        "tcp_nagle_small": False,
        "tcp_wmem_overhead": 0,
        "tcp_user_timeout_by_rto": False,
        "tcp_icmp_errors": "freebsd",
        "tcp_keepinit": 75,
        "tcp_queue_syn_text": True,
        "tcp_min_tso_segs": 0,
        "tcp_reset_epipe": False,
        "tcp_resets_second_syn": False,
        "tcp_rto_max_ms": 64_000,
        "tcp_rto_slop_ms": 200,
        "tcp_fastopen": 0,
        "tcp_fastopen_negative": True,
        "tcp_fin_again": True,
        "tcp_listen_resets_syn_ack": False,
        "tcp_reset_tells_window": False,
        "tcp_ecn_syn_retries": 1,
        "tcp_tw_by_ack": True,
        "tcp_drop_synfin": 0,
        "tcp_tolerate_missing_ts": False,
        "tcp_rcvbuf_overhead": False,
        "tcp_take_whole": False,
        "tcp_rcvbuf_whole_segments": True,
        "tcp_window_steps": False,
        "tcp_window_update_share": 4,
    },
    defined={"FreeBSD": "1"},
    option_order="bsd",
    sendto_connects=True,
    calls_closed=True,
)
PROFILES: Final = {profile.name: profile for profile in (LINUX, BSD)}
