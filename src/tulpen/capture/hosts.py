"""What is known of addresses across their connections: their clocks, and SYN cookies.

All of it follows from the segments alone, whichever connections they belong to.  So a connection can be told without
the others of its capture, where the facts that they brought are given.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from tulpen.capture.listeners import Listeners
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.seen import Seen, Sum
from tulpen.wire.segment import ACK, RST, SYN
from tulpen.wire.seq import before

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation
    from tulpen.capture.follower import Name

CLOCK: Final = 60_000_000_000  # nanoseconds for which a server remembers a client's timestamp


@final
@dataclass(slots=True)
class Facts:
    """What other connections say of one, by frames."""

    behind: set[int] = field(default_factory=set)  # a SYN whose timestamp is behind an earlier one of its address
    cookies: set[int] = field(default_factory=set)  # a SYN,ACK that looks like a SYN cookie


@final
class Hosts:
    """Finds the facts from every segment; where they are given, it finds them there."""

    __slots__ = ("_clocks", "_given", "_listeners", "_policy", "facts")

    def __init__(self, policy: Policy, facts: Facts | None = None) -> None:
        self._policy = policy
        self._given = facts is not None
        self.facts = Facts() if facts is None else facts
        #: By source and destination: the latest timestamp, when it passed, and ports and number of its segment.
        self._clocks: OrderedDict[tuple[bytes, bytes], tuple[int, int, tuple[int, int, int]]] = OrderedDict()
        self._listeners = Listeners(self.facts.cookies)

    def take(self, name: Name, talk: Conversation, seg: Seen) -> None:
        """Take a segment that is not dropped, before its connection does."""
        if self._given:
            self._know(talk, seg)
            return
        if seg.checksum is Sum.WRONG and self._policy.checksums is not Checksums.IGNORE:
            return  # its numbers are not to be trusted so far
        if seg.options.tsval is not None:
            self._clock(talk, seg)
        if seg.flags & SYN:
            self._listeners.syn(name, talk, seg)

    def _know(self, talk: Conversation, seg: Seen) -> None:
        if seg.flags & SYN:
            if seg.frame in self.facts.behind:
                talk.findings.add("timestamps-behind", talk.side_of(seg), seg.frame)
            if seg.frame in self.facts.cookies:
                talk.findings.add("cookie", talk.side_of(seg), seg.frame, "SYN cookie?")

    def _clock(self, talk: Conversation, seg: Seen) -> None:
        # tcp_tw_recycle compared a SYN's timestamp with the last of the same address, whoever sent it behind a NAT.
        pair = (seg.src, seg.dst)
        tsval = seg.options.tsval
        assert tsval is not None
        whose = (seg.sport, seg.dport, seg.seq)
        last = self._clocks.get(pair)
        if last is None:
            self._forget(seg.when)
        elif seg.when - last[1] < CLOCK and before(tsval, last[0]):
            if seg.flags & (SYN | ACK | RST) == SYN and last[2] != whose:
                self.facts.behind.add(seg.frame)
                talk.findings.add("timestamps-behind", talk.side_of(seg), seg.frame)
            return
        self._clocks[pair] = (tsval, seg.when, whose)
        self._clocks.move_to_end(pair)

    def _forget(self, now: int) -> None:
        while self._clocks:
            pair, last = next(iter(self._clocks.items()))
            if now - last[1] < 2 * CLOCK:
                break
            del self._clocks[pair]
