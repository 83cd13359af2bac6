"""What counts as one connection: the rules that the documentation writes out, with their options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, final

#: Nanoseconds, 2 MSL (RFC 9293 §3.4.2): of a connection that is over, and was silent for so long, no more is expected.
SILENCE: Final = 240_000_000_000


class Checksums(Enum):
    """What a wrong TCP checksum means."""

    AUTO = "auto"  # it counts, once that sender has written a right one in the same connection
    STRICT = "strict"  # it always counts: the segment is dropped
    IGNORE = "ignore"  # it never does


@final
@dataclass(frozen=True, slots=True)
class Policy:
    """The options."""

    checksums: Checksums = Checksums.AUTO
    vlans: bool = False  # the same addresses and ports in two VLANs are two connections
    idle: float = 0.0  # seconds of silence after which the same name is another connection; 0: never
    most: int = 250_000  # connections followed at once; beyond it one that is over, or else was silent longest, is told
