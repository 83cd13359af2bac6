"""What the octets of a half-open connection and of one in TIME-WAIT have in common: a key, terms, and times."""

from __future__ import annotations

from struct import Struct
from typing import Final, final

from tulpen.host.isn import Numbers
from tulpen.tcp.negotiate import Terms, shared_terms
from tulpen.tcp.trace import FourTuple

KEY_4: Final = Struct("<4sHHB")  # remote address and port, local port, which local address
KEY_6: Final = Struct("<16sHHB")

# flags of terms, above two shifts of four bits
SCALING: Final = 1 << 8
SACK: Final = 1 << 9
TIMESTAMPS: Final = 1 << 10
OFFSET: Final = 1 << 11  # our timestamps have the host's offset for this peer; without: none
PLAIN: Final = 1 << 12


@final
class Packing:
    """Writes and reads them for one host."""

    __slots__ = ("_addresses", "_numbered", "_numbers")

    def __init__(self, addresses: tuple[bytes, ...], numbers: Numbers) -> None:
        self._addresses = addresses[:256]
        self._numbered = {address: number for number, address in enumerate(self._addresses)}
        self._numbers = numbers

    def key(self, name: FourTuple) -> bytes | None:
        """Return the key of a connection; None if there can be none."""
        local = self._numbered.get(name.local)
        if local is None or not name.remote_port:
            return None
        form = KEY_4 if len(name.remote) == 4 else KEY_6
        return form.pack(name.remote, name.remote_port, name.local_port, local)

    def name(self, key: bytes) -> FourTuple:
        """Return whose key it is."""
        form = KEY_4 if len(key) == KEY_4.size else KEY_6
        remote, remote_port, local_port, local = form.unpack(key)
        return FourTuple(self._addresses[local], local_port, remote, remote_port)

    def flags(self, name: FourTuple, terms: Terms, ts_offset: int) -> int | None:
        """Return what holds on a connection as 13 bits, without its numbers; None if they cannot say it."""
        if terms.signed or (ts_offset and ts_offset != self._numbers.ts_offset(name.local, name.remote)):
            return None
        return (
            terms.snd_shift | terms.rcv_shift << 4 | SCALING * terms.scaling | SACK * terms.sack
            | TIMESTAMPS * terms.timestamps | OFFSET * (ts_offset != 0) | PLAIN * terms.plain
        )  # fmt: skip

    def ts_offset(self, name: FourTuple, flags: int) -> int:
        """Return what is added to the clock of our timestamps."""
        return self._numbers.ts_offset(name.local, name.remote) if flags & OFFSET else 0


def terms_of(flags: int, mss: int) -> Terms:
    """Return what holds on a connection."""
    return shared_terms(
        mss, bool(flags & SCALING), flags & 0xF, flags >> 4 & 0xF, bool(flags & SACK), bool(flags & TIMESTAMPS),
        bool(flags & PLAIN), 0,
    )  # fmt: skip
