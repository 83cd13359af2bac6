"""What is sent and not yet acknowledged: the retransmission queue and SACK scoreboard (RFC 6675 §2).

One ``Sent`` for each segment that went out, in order; SYN and FIN are the octets of
sequence space they occupy.  Every figure is in octets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import final

from tulpen.tcp.nothing import NOTHING
from tulpen.tcp.ranges import Ranges
from tulpen.tcp.rate import Moment, Rate


@final
class Sent:
    """A stretch of sequence space that went out at once, as one segment or as one that a device cut."""

    __slots__ = (
        "at",
        "cut",
        "end",
        "first_at",
        "lost",
        "moment",
        "push",
        "resent",
        "sacked",
        "seq",
        "times",
        "turn",
        "written_off",
    )

    def __init__(self, seq: int, end: int, cut: int, now: int, moment: Moment) -> None:
        self.seq = seq
        self.end = end
        self.cut = cut  # octets of each of its segments, but for the last
        self.at = now  # last sent
        self.first_at = now
        self.moment = moment  # when it was last sent
        self.turn = 0  # what went out before it was last sent; of two at the same instant it tells the later
        self.times = 1
        self.sacked = False
        self.lost = False  # deemed lost (IsLost)
        self.resent = False  # sent again, so in the network once more
        self.written_off = False  # RACK deemed it lost, and asks no more before it is sent again
        self.push = False  # its last octet goes out with PSH

    @property
    def segments(self) -> int:
        """How many segments it makes."""
        return -(-(self.end - self.seq) // self.cut)

    def clone(self) -> Sent:
        """Return an independent copy."""
        twin = Sent(self.seq, self.end, self.cut, self.first_at, self.moment)
        twin.at = self.at
        twin.turn = self.turn
        twin.times = self.times
        twin.sacked = self.sacked
        twin.lost = self.lost
        twin.resent = self.resent
        twin.written_off = self.written_off
        twin.push = self.push
        return twin


@final
class Flight:
    """The stretches in order, and how much of them is sacked, lost, and sent again."""

    __slots__ = (
        "lost_octets",
        "lost_total",
        "rate",
        "resend_from",
        "resent_octets",
        "sacked_octets",
        "sacks",
        "sent",
        "turns",
    )

    def __init__(self) -> None:
        self.sent: list[Sent] = NOTHING
        self.rate = Rate()
        self.turns = 0
        self.sacks: Ranges | None = None  # what is sacked of them; None: nothing
        self.sacked_octets = 0
        self.lost_octets = 0
        self.lost_total = 0  # ever deemed lost
        self.resent_octets = 0
        self.resend_from = 0  # nothing before it is lost and not sent again

    @property
    def octets(self) -> int:
        """Sequence space outstanding: SND.NXT - SND.UNA."""
        sent = self.sent
        return sent[-1].end - sent[0].seq if sent else 0

    @property
    def pipe(self) -> int:
        """Octets thought to be in the network (RFC 6675 §4, SetPipe)."""
        sent = self.sent
        octets = sent[-1].end - sent[0].seq if sent else 0
        return octets - self.sacked_octets - self.lost_octets + self.resent_octets

    def transmitted(self, seq: int, end: int, cut: int, now: int, *, push: bool = False) -> Sent:
        """Note new sequence space sent, to be cut into segments of ``cut`` octets."""
        if not self.sent:
            self.sent = []
            self.rate.begins(now)
        piece = Sent(seq, end, cut, now, self.rate.moment())
        self.turns += 1
        piece.turn = self.turns
        piece.push = push
        self.sent.append(piece)
        return piece

    def probed(self, piece: Sent, now: int) -> None:
        """Note that ``piece`` was sent again as a probe: it takes no room in the network (RFC 8985 §7.3)."""
        self.turns += 1
        piece.turn = self.turns
        piece.at = now
        piece.moment = self.rate.moment()
        piece.times += 1
        piece.written_off = False

    def retransmitted(self, piece: Sent, now: int) -> None:
        """Note that ``piece`` was sent again.  Not deemed lost, it is in the network twice (RFC 6675 §4).

        What is known to have arrived takes no room there, however often it is sent.
        """
        self.probed(piece, now)
        if not (piece.resent or piece.sacked):
            piece.resent = True
            self.resent_octets += piece.end - piece.seq

    def acknowledge(self, ack: int) -> list[Sent]:
        """Take out and return what lies before ``ack``, splitting a stretch it falls into."""
        sent = self.sent
        count = 0
        for piece in sent:
            if piece.seq >= ack:
                break
            if piece.end > ack:
                self._split(count, ack)
                piece = sent[count]
            if piece.sacked or piece.lost or piece.resent:
                self._discount(piece)
            count += 1
        if count == len(sent):
            taken, self.sent = sent, NOTHING
        else:
            taken = sent[:count]
            del sent[:count]
        if self.sacks is not None:
            self.sacks.forget_before(ack)
            if not len(self.sacks):
                self.sacks = None
        return taken

    def _discount(self, piece: Sent) -> None:
        size = piece.end - piece.seq
        if piece.sacked:
            self.sacked_octets -= size
        if piece.lost:
            self.lost_octets -= size
        if piece.resent:
            self.resent_octets -= size

    def split(self, piece: Sent, seq: int) -> Sent:
        """Divide ``piece`` at ``seq``; it keeps the first part, and the other is returned."""
        return self._split(bisect_left(self.sent, piece.seq, key=_seq), seq)

    def _split(self, index: int, seq: int) -> Sent:
        piece = self.sent[index]
        rest = piece.clone()
        rest.seq = seq
        piece.end = seq
        piece.push = False
        self.sent.insert(index + 1, rest)
        return rest

    def sack(self, left: int, right: int) -> list[Sent]:
        """Mark what lies in [left, right) as received; return what was not known before.

        A stretch that a device has cut is divided, only where it was cut: part of a segment is no news.
        """
        news: list[Sent] = []
        if self.sacks is None:
            self.sacks = Ranges()
        for start, stop in self.sacks.gaps(left, right):
            news += self._sack_gap(self.sacks, start, stop)
        return news

    def _sack_gap(self, sacks: Ranges, left: int, right: int) -> list[Sent]:
        """Mark what lies in [left, right), of which nothing is marked."""
        sent = self.sent
        index = bisect_left(sent, left, key=_seq)
        if index and sent[index - 1].end > left:
            piece = sent[index - 1]
            border = piece.seq + -(-(left - piece.seq) // piece.cut) * piece.cut
            if border < piece.end:
                self._split(index - 1, border)
        news: list[Sent] = []
        while index < len(sent) and sent[index].seq < right:
            piece = sent[index]
            if piece.end > right:
                border = piece.seq + (right - piece.seq) // piece.cut * piece.cut
                if border == piece.seq:
                    break
                self._split(index, border)
            self._discount(piece)
            piece.lost = piece.resent = False
            piece.sacked = True
            self.sacked_octets += piece.end - piece.seq
            sacks.add(piece.seq, piece.end)
            news.append(piece)
            index += 1
        return news

    def deem_lost(self, piece: Sent) -> None:
        """Mark one stretch lost, and no longer in the network."""
        if piece.sacked or (piece.lost and not piece.resent):
            return
        size = piece.end - piece.seq
        if not piece.lost:
            piece.lost = True
            self.lost_octets += size
        self.lost_total += size
        self.resend_from = min(self.resend_from, piece.seq)
        if piece.resent:
            piece.resent = False
            self.resent_octets -= size

    def unsacked(self) -> Iterator[Sent]:
        """Yield what is not reported as received, in order, and pass over the rest by whole ranges."""
        sent = self.sent
        if not sent or self.sacks is None:
            yield from sent
            return
        for left, right in self.sacks.gaps(sent[0].seq, sent[-1].end):
            index = bisect_left(sent, left, key=_seq)
            while index < len(sent) and sent[index].seq < right:
                yield sent[index]
                index += 1

    def mark_lost(self, mss: int, dup_thresh: int) -> bool:
        """Apply IsLost (RFC 6675 §4) to all; say whether anything new is deemed lost."""
        if self.sacked_octets == 0:
            return False
        sent = self.sent
        above = 0  # octets sacked above
        runs = 0  # discontiguous sacked sequences above
        inside = False
        index = len(sent)
        while index and not (runs >= dup_thresh or above > (dup_thresh - 1) * mss):
            index -= 1
            piece = sent[index]
            if piece.sacked:
                above += piece.end - piece.seq
                runs += not inside
            inside = piece.sacked
        found = False
        while index:
            index -= 1
            piece = sent[index]
            if piece.sacked or piece.lost:
                continue
            if piece.resent:  # before it was deemed lost: once more is enough
                piece.lost = True
                self.lost_octets += piece.end - piece.seq
            else:
                self.deem_lost(piece)
                found = True
        return found

    def unmark_lost(self) -> None:
        """Nothing is deemed lost any more: it had only been late."""
        for piece in self.sent:
            piece.lost = False
        self.lost_octets = 0

    def forget_sacks(self) -> None:
        """The receiver has reneged (RFC 2018 §8): what it reported is not to be trusted."""
        for piece in self.sent:
            piece.sacked = False
        self.sacked_octets = 0
        self.sacks = None

    def to_resend(self) -> Sent | None:
        """Return the first stretch deemed lost and not sent again (RFC 6675 §4, NextSeg rule 1)."""
        if not self.lost_octets:
            return None
        sent = self.sent
        index = bisect_left(sent, self.resend_from, key=_seq)
        while index < len(sent):
            piece = sent[index]
            if piece.lost and not piece.resent:
                self.resend_from = piece.seq
                return piece
            index += 1
        self.resend_from = sent[-1].end if sent else 0
        return None

    def below_a_sack(self) -> Sent | None:
        """Return the first stretch that may be lost, only not surely (RFC 6675 §4, NextSeg rule 3)."""
        if not self.sacked_octets:
            return None
        found = None
        for piece in self.sent:
            if piece.sacked and found is not None:
                return found
            if found is None and not (piece.sacked or piece.lost or piece.resent):
                found = piece
        return None

    def highest_sacked(self) -> int:
        """Return the end of the highest stretch reported as received; 0 for none."""
        return self.sacks.end if self.sacks is not None else 0

    def last_unsacked(self) -> Sent | None:
        """Return the highest stretch not reported as received."""
        for piece in reversed(self.sent):
            if not piece.sacked:
                return piece
        return None

    def clone(self) -> Flight:
        """Return an independent copy."""
        twin = Flight()
        twin.sent = [piece.clone() for piece in self.sent] or NOTHING
        twin.rate = self.rate.clone()
        twin.sacked_octets = self.sacked_octets
        twin.turns = self.turns
        twin.lost_octets = self.lost_octets
        twin.lost_total = self.lost_total
        twin.resent_octets = self.resent_octets
        twin.resend_from = self.resend_from
        twin.sacks = None if self.sacks is None else self.sacks.clone()
        return twin


def _seq(piece: Sent) -> int:
    return piece.seq
