"""What is known of addresses across their connections: who writes right checksums, their clocks, SYN cookies.

A connection can be told alone, without the others of its capture, where the facts that they brought are given.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from tulpen.capture.listeners import Listeners
from tulpen.capture.policy import Checksums, Policy
from tulpen.capture.seen import Seen, Sum
from tulpen.wire.segment import ACK, SYN
from tulpen.wire.seq import before

if TYPE_CHECKING:
    from tulpen.capture.conversation import Conversation

PAIRS: Final = 65_536  # of addresses, of which something is remembered
CLOCK: Final = 60_000_000_000  # nanoseconds for which a server remembers a client's timestamp


@final
@dataclass(slots=True)
class Facts:
    """What other connections say of one, by frames."""

    wrong: set[int] = field(default_factory=set)  # a wrong checksum that counts
    behind: set[int] = field(default_factory=set)  # a SYN whose timestamp is behind an earlier one of its address
    cookies: set[int] = field(default_factory=set)  # a SYN,ACK that looks like a SYN cookie


@final
class Hosts:
    """Finds the facts from every segment; where they are given, it finds them there."""

    __slots__ = ("_clocks", "_given", "_listeners", "_policy", "_right", "facts")

    def __init__(self, policy: Policy, facts: Facts | None = None) -> None:
        self._policy = policy
        self._given = facts is not None
        self.facts = Facts() if facts is None else facts
        self._right: set[tuple[bytes, bytes]] = set()  # source and destination of right checksums
        self._clocks: OrderedDict[tuple[bytes, bytes], tuple[int, int, int]] = OrderedDict()
        self._listeners = Listeners(self.facts.cookies)

    def drops(self, seg: Seen) -> bool:
        """Say whether the checksum of a segment is wrong, and counts."""
        if seg.checksum is not Sum.WRONG or self._policy.checksums is Checksums.IGNORE:
            return False
        if self._policy.checksums is Checksums.STRICT:
            return True
        if not self._given and (seg.src, seg.dst) in self._right:
            self.facts.wrong.add(seg.frame)
        return seg.frame in self.facts.wrong

    def take(self, talk: Conversation, seg: Seen) -> None:
        """Take a segment that is not dropped, before its connection does."""
        if self._given:
            self._know(talk, seg)
            return
        if seg.checksum is Sum.GOOD and len(self._right) < PAIRS:
            self._right.add((seg.src, seg.dst))
        if seg.options.tsval is not None:
            self._clock(talk, seg)
        if seg.flags & SYN:
            self._listeners.syn(talk, seg)

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
        last = self._clocks.get(pair)
        opens = seg.flags & (SYN | ACK) == SYN
        if last is not None and before(tsval, last[0]):
            if opens and last[2] != talk.number and seg.when - last[1] < CLOCK:
                self.facts.behind.add(seg.frame)
                talk.findings.add("timestamps-behind", talk.side_of(seg), seg.frame)
            return
        self._clocks[pair] = (tsval, seg.when, talk.number)
        self._clocks.move_to_end(pair)
        if len(self._clocks) > PAIRS:
            self._clocks.popitem(last=False)
