"""What one interface sends and receives, written down as tcpdump there would."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tulpen.link.tee import INBOUND, OUTBOUND, PcapngWriter
from tulpen.wire.ip import build_packet

if TYPE_CHECKING:
    from tulpen.sim.network import Interface
    from tulpen.wire.ip import Packet


class Capture:
    """A tap for ``World.taps`` that writes a pcapng file; ``epoch`` is when the virtual time 0 was."""

    def __init__(self, interface: Interface, path: str | os.PathLike[str], *, epoch: int = 0) -> None:
        self.interface = interface
        self.epoch = epoch
        self._writer = PcapngWriter(path, name=interface.name)

    def __call__(self, now: int, interface: Interface, outgoing: bool, packet: Packet) -> None:
        if interface is self.interface:
            self._writer.packet(build_packet(packet), self.epoch + now, OUTBOUND if outgoing else INBOUND)

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
