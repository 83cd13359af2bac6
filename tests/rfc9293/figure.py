"""A figure of RFC 9293 §3.5 and §3.6, executed as it is printed, with a real engine at each end.

``-->`` and ``<--`` beside a state: the segment departs from that end, or arrives at it.
``...``: it is in the network.  A segment that arrives and never departed is an old
duplicate.  States hold after the line.  ``(Close)``, ``(2 MSL)``: the user closes, the
time passes; other words in parentheses say what a state's name says elsewhere.  A SYN or
text that departs without cause is the user's OPEN or SEND; otherwise a timer has run out.
"""

from __future__ import annotations

import re
from typing import Final

from tulpen.tcp.config import SECOND, Settings
from tulpen.tcp.connection import Connection
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import State
from tulpen.wire.segment import ACK, FIN, RST, SYN, Segment

LINE: Final = re.compile(
    r"^(?P<left>.*?)\s*(?P<out>-->|<--|\.\.\.)\s*(?P<seg><.*>)\s*(?P<arrow>-->|<--|\.\.\.)(?P<right>.*)$"
)
STATES: Final = {state.title: state for state in State}
NAMES: Final = ((SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (ACK, "ACK"))
TWO_MSL: Final = 60 * SECOND


def connection(iss: int) -> Connection:
    settings = Settings(tcp_timestamps=0, tcp_sack=False, tcp_window_scaling=False, tcp_quick_acks=0)
    return Connection(Stack(settings), iss=iss)


class Figure:
    """Two ends and the network between them."""

    def __init__(self, a: Connection, b: Connection) -> None:
        self.now = 0
        self.ends = {"A": a, "B": b}
        self.waiting: dict[str, list[Segment]] = {"A": [], "B": []}  # departed from neither's line yet
        self.network: list[tuple[str, Segment]] = []

    def run(self, text: str, **numbers: int) -> None:
        """Execute the lines; ``numbers``: what its letters stand for."""
        for name, number in numbers.items():
            text = text.replace(f"{name}+1", str(number + 1)).replace(f"={name}>", f"={number}>")
        middle = text.index("TCP Peer B") - text.rindex("\n", 0, text.index("TCP Peer B")) - 8
        for line in text.splitlines()[2:]:
            self._line(re.sub(r"^(\s*)\d+\.", lambda m: " " * len(m[0]), line), middle)

    def _line(self, line: str, middle: int) -> None:
        found = LINE.match(line)
        if found is None:
            left, right = line[:middle].strip(), line[middle:].strip()
        else:
            left, right = found["left"].strip(), found["right"].strip()
            self._segment(found["out"], found["seg"], found["arrow"])
        for name, words in (("A", left), ("B", right)):
            self._words(name, words, line)

    def _segment(self, left: str, text: str, right: str) -> None:
        if "-->" in (left, right):
            self._across("A", "B", text, departs=left != "...", arrives=right != "...")
        else:
            self._across("B", "A", text, departs=right != "...", arrives=left != "...")

    def _across(self, source: str, target: str, text: str, *, departs: bool, arrives: bool) -> None:
        if departs:
            self.network.append((text, self._departing(source, text)))
        if arrives:
            at = next((i for i, (known, _) in enumerate(self.network) if known == text), None)
            segment = _old_duplicate(text) if at is None else self.network.pop(at)[1]
            self.ends[target].segment_arrives(segment, self.now)

    def _departing(self, name: str, text: str) -> Segment:
        end = self.ends[name]
        if "SYN>" in text and end.state is State.CLOSED:
            end.open_active(self.now)
        if "DATA" in text:
            size = re.search(r"DATA=(\d+)", text)
            end.send(bytes(int(size[1]) if size else 1), self.now)
        waiting = self.waiting[name]
        waiting += end.segments_to_send(self.now)
        if not waiting:
            deadline = end.next_deadline()
            assert deadline is not None, f"{name} has nothing to send: {text}"
            self.now = deadline
            end.timeout(self.now)
            waiting += end.segments_to_send(self.now)
        segment = waiting.pop(0)
        assert written(segment, text) == text
        return segment

    def _words(self, name: str, words: str, line: str) -> None:
        end = self.ends[name]
        if words == "(Close)":
            end.shutdown(self.now)
        elif words == "(2 MSL)":
            end.timeout(self.now + TWO_MSL)
        elif words in STATES:
            assert end.state is STATES[words], line

    def is_quiet(self) -> bool:
        """Whether neither end has sent anything that the figure does not show."""
        return not any(self.waiting[name] or end.segments_to_send(self.now) for name, end in self.ends.items())


def written(segment: Segment, like: str) -> str:
    """The segment as the figures have it; ``like`` says where the text's length goes."""
    names = ",".join(name for bit, name in NAMES if segment.flags & bit)
    text = f"<SEQ={segment.seq}>"
    if segment.flags & ACK:
        text += f"<ACK={segment.ack}>"
    if "DATA=" in like:
        return f"{text}<DATA={len(segment.data)}><CTL={names}>"
    return f"{text}<CTL={names}>" + ("<DATA>" if segment.data else "")


def _old_duplicate(text: str) -> Segment:
    fields = dict(re.findall(r"(\w+)=([\w,]+)", text))
    flags = sum(bit for bit, name in NAMES if name in fields["CTL"].split(","))
    return Segment(int(fields["SEQ"]), int(fields.get("ACK", 0)), flags, 65535)


def converse(a: Connection, b: Connection, now: int) -> None:
    """Let two ends exchange what they have to send, without loss, until neither has anything."""
    busy = True
    while busy:
        busy = False
        for source, target in ((a, b), (b, a)):
            for segment in source.segments_to_send(now):
                busy = True
                target.segment_arrives(segment, now)
