"""Which segment belongs to which connection, and when a connection is told of.

A name, two addresses and ports in either order, is one connection until a SYN with a new initial sequence number begins
another.  Where the old one still lives, both are kept: segments go to the one whose numbers they fit.  One that is over
and then silent for 2 MSL is told and forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Final, final

from tulpen.capture.conversation import Conversation
from tulpen.capture.hosts import Facts, Hosts
from tulpen.capture.policy import SILENCE, Checksums, Policy
from tulpen.capture.seen import IcmpError, Seen, Sum
from tulpen.tcp.state import CLOSED, TIME_WAIT
from tulpen.wire.segment import ACK, RST, SYN
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from collections.abc import Callable

Name = tuple[bytes, int, bytes, int, int]

NEAR: Final = 1 << 22  # sequence numbers that may belong to one connection
LOOKED_AT: Final = 64  # connections, where one has to be let go of
LEAST: Final = 4096  # names that may wait for it


@final
class Follower:
    """Follows every connection; gives each to ``done`` when no more is expected of it, or at the end."""

    __slots__ = (
        "_clock",
        "_done",
        "_full",
        "_keep",
        "_live",
        "_older",
        "_policy",
        "count",
        "hosts",
        "wrong",
    )

    def __init__(
        self,
        done: Callable[[Conversation], None],
        policy: Policy | None = None,
        *,
        keep: Callable[[int, int], bool] | None = None,
        facts: Facts | None = None,
    ) -> None:
        self._done = done
        self._policy = policy or Policy()
        self._keep = keep  # whether the segments of a connection are kept, by its number and first frame
        self._live: OrderedDict[Name, Conversation] = OrderedDict()
        self._older: dict[Name, Conversation] = {}  # replaced, and perhaps not over
        self._full = LEAST  # names, whereupon those are looked for of which no more is expected
        self._clock = 0  # when the segment before passed
        self.hosts = Hosts(self._policy, facts)
        self.count = 0
        self.wrong = 0

    def take(self, seg: Seen | IcmpError) -> None:
        """Take the next segment, or ICMP error about one."""
        if isinstance(seg, IcmpError):
            self._told(seg)
            return
        name = name_of(seg, vlans=self._policy.vlans)
        conversation = self._whose(name, seg)
        if seg.checksum is Sum.WRONG and self._counts(conversation, seg):
            self.wrong += 1
            conversation.ignored(seg)
            return
        self.hosts.take(name, conversation, seg)
        conversation.segment(seg)

    def _counts(self, conversation: Conversation, seg: Seen) -> bool:
        if self._policy.checksums is Checksums.AUTO:
            return conversation.ends[conversation.side_of(seg)].right
        return self._policy.checksums is Checksums.STRICT

    def _whose(self, name: Name, seg: Seen) -> Conversation:
        conversation = self._live.get(name)
        now, self._clock = min(seg.when, self._clock), seg.when
        if conversation is not None and self._is_past(name, conversation, seg.when):
            self._forget(name)
            conversation = None
        if conversation is None:
            if len(self._live) >= self._full:
                self._sweep(now)
            return self._begin(name, seg)
        self._live.move_to_end(name)
        if self._is_another(conversation, seg):
            return self._replace(name, conversation, seg)
        return self._better(name, conversation, seg) if name in self._older else conversation

    def finish(self) -> None:
        """Give what is left, in the order in which it began."""
        left = [*self._live.values(), *self._older.values()]
        self._live.clear()
        self._older.clear()
        for conversation in sorted(left, key=lambda each: each.number):
            self._done(conversation)

    def _begin(self, name: Name, seg: Seen) -> Conversation:
        self.count += 1
        conversation = Conversation(self.count, seg, keep=self._keep is not None and self._keep(self.count, seg.frame))
        self._live[name] = conversation
        if len(self._live) > self._policy.most:
            self._evict(name)
        return conversation

    def _is_past(self, name: Name, conversation: Conversation, now: int) -> bool:
        """Say whether it is over, and 2 MSL have passed in silence: what comes now is another connection."""
        if now - conversation.last_when <= SILENCE or not is_over(conversation):
            return False
        older = self._older.get(name)
        return older is None or now - older.last_when > SILENCE

    def _forget(self, name: Name) -> None:
        self._done(self._live.pop(name))
        older = self._older.pop(name, None)
        if older is not None:
            self._done(older)

    def _sweep(self, now: int) -> None:
        # Of a capture whose times go back by less than 2 MSL, nothing is told otherwise because of this.
        past = [name for name, each in self._live.items() if self._is_past(name, each, now - SILENCE)]
        for name in past:
            self._forget(name)
        self._full = max(2 * len(self._live), LEAST)

    def _evict(self, newest: Name) -> None:
        """Let go of one that is over, among those that were silent longest; else of the first of these."""
        silent = list(islice(self._live, LOOKED_AT))
        name = next((name for name in silent if name != newest and is_over(self._live[name])), silent[0])
        self._forget(name)

    def _replace(self, name: Name, old: Conversation, seg: Seen) -> Conversation:
        older = self._older.pop(name, None)
        if older is not None:
            self._done(older)
        for end in old.ends:
            if is_over(old):
                end.machine.reopened(seg)
        self._older[name] = old
        del self._live[name]
        conversation = self._begin(name, seg)
        conversation.reused = old.number
        conversation.findings.add("reused", -1, seg.frame, detail=f"it began in frame {old.first_frame}")
        return conversation

    def _is_another(self, conversation: Conversation, seg: Seen) -> bool:
        if self._policy.idle and seg.when - conversation.last_when > self._policy.idle * 1e9:
            return True
        if seg.flags & (SYN | ACK | RST) != SYN:
            return False
        sender = conversation.ends[conversation.side_of(seg)]
        if sender.isn is not None:
            return sender.isn != seg.seq
        if is_over(conversation):
            return True
        # In midstream, or the other end's SYN came first: is it far from what this end has sent?
        return (
            sender.nxt is not None
            and sender.packets > 0
            and (seg.seq + 1 - sender.nxt) & MASK > 1
            and bool(sender.data_packets or sender.acked_first)
        )

    def _better(self, name: Name, new: Conversation, seg: Seen) -> Conversation:
        """Where an older connection lives on under a new SYN, choose the one that the numbers fit."""
        old = self._older[name]
        if is_over(old) or _answered(new):
            if _answered(new):
                self._done(self._older.pop(name))
            return new
        side = new.side_of(seg)
        if seg.flags & SYN or _fits(new, side, seg):
            return new
        if not _fits(old, old.side_of(seg), seg):
            return new
        first = new.first_syn
        if first >= 0 and side != first and not new.stray:
            new.stray = True
            old.findings.add("challenged", 1 - old.side_of(seg), new.first_frame, "SYN inside of the connection")
        return old

    def _told(self, error: IcmpError) -> None:
        name = name_of(error)  # in which VLAN the segment went is not known
        conversation = self._live.get(name)
        if conversation is not None and not self._is_past(name, conversation, error.when):
            conversation.told(error)


def name_of(seg: Seen | IcmpError, *, vlans: bool = False) -> Name:
    """Return the name of the connections that a segment, or an error about one, may belong to."""
    vlan = seg.vlan if vlans and isinstance(seg, Seen) else 0
    return _name(seg.src, seg.sport, seg.dst, seg.dport, vlan)


def _name(src: bytes, sport: int, dst: bytes, dport: int, vlan: int) -> Name:
    return (src, sport, dst, dport, vlan) if (src, sport) <= (dst, dport) else (dst, dport, src, sport, vlan)


def is_over(conversation: Conversation) -> bool:
    """Say whether no more of it is expected."""
    states = [end.machine.state for end in conversation.ends]
    return all(state in (CLOSED, TIME_WAIT) for state in states) or bool(conversation.resets and CLOSED in states)


def _answered(conversation: Conversation) -> bool:
    opener = conversation.first_syn
    return opener >= 0 and conversation.ends[1 - opener].isn is not None


def _fits(conversation: Conversation, side: int, seg: Seen) -> bool:
    sender, receiver = conversation.ends[side], conversation.ends[1 - side]
    near_seq = sender.nxt is not None and (seg.seq - sender.nxt + NEAR) & MASK < 2 * NEAR
    near_ack = receiver.nxt is not None and (seg.ack - receiver.nxt + NEAR) & MASK < 2 * NEAR
    if sender.nxt is None:
        return bool(seg.flags & ACK) and near_ack
    return near_seq and (near_ack or not seg.flags & ACK)
