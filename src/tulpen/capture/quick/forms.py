"""The two forms of captures, each with its compiled walk and the exact reader for what is not plain."""

from __future__ import annotations

from struct import error, unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple, final

from tulpen.capture import pcap, pcapng
from tulpen.capture.frames import refused
from tulpen.capture.quick.walk import interface_array, pcap_records, pcapng_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tulpen.capture.frame import Frame
    from tulpen.capture.quick.window import Window


class Section(NamedTuple):
    """What is known inside a section of pcapng."""

    order: str
    interfaces: tuple[pcapng.Interface, ...]


#: What has to be known to read on from the middle of a file.
Known = pcap.Header | Section


@final
class Pcap:
    """A file of pcap behind its header."""

    def __init__(self, window: Window, header: pcap.Header) -> None:
        self._window = window
        self.known = header

    def walk(self, records: NDArray[Any]) -> tuple[int, int]:
        """Find the next frames; return how many, and why no more (see ``walk``)."""
        window, (order, unit, extra, link) = self._window, self.known
        count, window.at, why = pcap_records(
            window.memory, window.at, window.end, order == "<", unit, extra, link, records
        )
        return count, why

    def step(self) -> bool:
        """Nothing but records follow a header."""
        return False

    def rest(self, number: int) -> Iterator[Frame]:
        """Yield what is left, after ``number`` frames.  Raises Damaged."""
        return pcap.records(self._window, self.known, number)


@final
class Pcapng:
    """A file of pcapng."""

    def __init__(self, window: Window, section: Section) -> None:
        self._window = window
        self._blocks = pcapng.Blocks(window, order=section.order, interfaces=section.interfaces)
        self._interfaces = interface_array(section.interfaces)

    @property
    def known(self) -> Section:
        """What is known where the window stands."""
        return Section(self._blocks.order, tuple(self._blocks.interfaces))

    def walk(self, records: NDArray[Any]) -> tuple[int, int]:
        """Find the next frames; return how many, and why no more (see ``walk``)."""
        window, little = self._window, self._blocks.order == "<"
        count, window.at, why = pcapng_records(window.memory, window.at, window.end, little, self._interfaces, records)
        return count, why

    def step(self) -> bool:
        """Read a block that says something of the frames behind it; False where there is none.  Raises Damaged."""
        window = self._window
        try:
            kind: int = unpack_from(f"{self._blocks.order}I", window.data.data, window.at)[0]
        except error:
            return False
        if kind not in (pcapng.SECTION, pcapng.INTERFACE):
            return False
        self.read(window.take(4))
        return True

    def read(self, kind_octets: bytes) -> None:
        """Read the block that begins with ``kind_octets``.  Raises Damaged."""
        self._blocks.step(kind_octets, self._window.offset - len(kind_octets))
        self._interfaces = interface_array(self._blocks.interfaces)

    def rest(self, number: int) -> Iterator[Frame]:
        """Yield what is left, after ``number`` frames.  Raises Damaged."""
        self._blocks.number = number
        start = self._window.offset
        return self._blocks.frames(self._window.take(4), start)


Form = Pcap | Pcapng


def begun(window: Window, name: str) -> Form:
    """Read what a file begins with.  Raises TulpenError where it is no capture, Damaged where its header is."""
    magic = window.take(4)
    if magic == pcapng.MAGIC:
        form = Pcapng(window, Section("<", ()))
        form.read(magic)
        return form
    order = pcap.order_of(magic)
    if not order:
        raise refused(name, magic)
    return Pcap(window, pcap.header(window, magic, order))


def resumed(window: Window, known: Known) -> Form:
    """Return the form of a file that is read on from its middle."""
    return Pcap(window, known) if isinstance(known, pcap.Header) else Pcapng(window, known)
