"""What is sent and not yet acknowledged: the retransmission queue and SACK scoreboard (RFC 6675 §2).

One ``Sent`` for each segment that went out, in order; SYN and FIN are the octets of
sequence space they occupy.  Every figure is in octets.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, NamedTuple, final

DUP_THRESH: Final = 3  # RFC 6675 §2
CUTS: Final = 4  # stretches a full segment may fall into
FEW: Final = 64


@final
class Sent:
    """A stretch of sequence space that one segment carried."""

    __slots__ = ("at", "end", "first_at", "lost", "push", "resent", "sacked", "seq", "times")

    def __init__(self, seq: int, end: int, now: int) -> None:
        self.seq = seq
        self.end = end
        self.at = now  # last sent
        self.first_at = now
        self.times = 1
        self.sacked = False
        self.lost = False  # deemed lost (IsLost)
        self.resent = False  # sent again, so in the network once more
        self.push = False  # its last octet goes out with PSH

    def clone(self) -> Sent:
        """Return an independent copy."""
        twin = Sent(self.seq, self.end, self.first_at)
        twin.at = self.at
        twin.times = self.times
        twin.sacked = self.sacked
        twin.lost = self.lost
        twin.resent = self.resent
        twin.push = self.push
        return twin


class Acked(NamedTuple):
    """What an acknowledgment took out of flight."""

    pieces: list[Sent]  # newly acknowledged, without those known from a SACK
    sent_at: int  # when any of them was last sent; -1: none
    resent: bool  # any of them was sent more than once: which is acknowledged is not known (Karn)


@final
class Flight:
    """The stretches in order, and how much of them is sacked, lost, and sent again."""

    __slots__ = ("lost_octets", "resent_octets", "sacked_octets", "sent")

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.sacked_octets = 0
        self.lost_octets = 0
        self.resent_octets = 0

    @property
    def octets(self) -> int:
        """Sequence space outstanding: SND.NXT - SND.UNA."""
        sent = self.sent
        return sent[-1].end - sent[0].seq if sent else 0

    @property
    def pipe(self) -> int:
        """Octets thought to be in the network (RFC 6675 §4, SetPipe)."""
        return self.octets - self.sacked_octets - self.lost_octets + self.resent_octets

    def transmitted(self, seq: int, end: int, now: int, *, push: bool = False) -> Sent:
        """Note new sequence space sent."""
        piece = Sent(seq, end, now)
        piece.push = push
        self.sent.append(piece)
        return piece

    def retransmitted(self, piece: Sent, now: int) -> None:
        """Note that ``piece`` was sent again.  Not deemed lost, it is in the network twice (RFC 6675 §4).

        What is known to have arrived takes no room there, however often it is sent.
        """
        piece.at = now
        piece.times += 1
        if not (piece.resent or piece.sacked):
            piece.resent = True
            self.resent_octets += piece.end - piece.seq

    def acknowledge(self, ack: int) -> Acked:
        """Take out what lies before ``ack``, splitting a stretch it falls into."""
        sent = self.sent
        count = 0
        pieces: list[Sent] = []
        sent_at = -1
        resent = False
        for piece in sent:
            if piece.end > ack:
                if piece.seq < ack:
                    self._split(count, ack)
                    piece = sent[count]
                else:
                    break
            self._discount(piece)
            if not piece.sacked:
                pieces.append(piece)
                sent_at = max(sent_at, piece.at)
                resent = resent or piece.times > 1
            count += 1
            if piece.end == ack:
                break
        del sent[:count]
        return Acked(pieces, sent_at, resent)

    def _discount(self, piece: Sent) -> None:
        size = piece.end - piece.seq
        if piece.sacked:
            self.sacked_octets -= size
        if piece.lost:
            self.lost_octets -= size
        if piece.resent:
            self.resent_octets -= size

    def split(self, piece: Sent, seq: int) -> None:
        """Divide ``piece`` at ``seq``; it keeps the first part."""
        self._split(bisect_left(self.sent, piece.seq, key=_seq), seq)

    def _split(self, index: int, seq: int) -> None:
        piece = self.sent[index]
        rest = piece.clone()
        rest.seq = seq
        piece.end = seq
        piece.push = False
        self.sent.insert(index + 1, rest)

    def sack(self, left: int, right: int, mss: int) -> list[Sent]:
        """Mark what lies in [left, right) as received; return what was not known before.

        A device may have cut a stretch, so a block may end inside one.  A peer that has
        blocks end everywhere is not followed into ever smaller stretches.
        """
        sent = self.sent
        may_cut = len(sent) < CUTS * (self.octets // mss) + FEW
        index = bisect_left(sent, left, key=_seq)
        if index and sent[index - 1].end > left and may_cut:
            self._split(index - 1, left)
        news: list[Sent] = []
        while index < len(sent) and sent[index].seq < right:
            piece = sent[index]
            if piece.end > right:
                if not may_cut:
                    break
                self._split(index, right)
            if not piece.sacked:
                self._discount(piece)
                piece.lost = piece.resent = False
                piece.sacked = True
                self.sacked_octets += piece.end - piece.seq
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
        if piece.resent:
            piece.resent = False
            self.resent_octets -= size

    def mark_lost(self, mss: int) -> bool:
        """Apply IsLost (RFC 6675 §4) to all; say whether anything new is deemed lost."""
        if self.sacked_octets == 0:
            return False
        sent = self.sent
        above = 0  # octets sacked above
        runs = 0  # discontiguous sacked sequences above
        inside = False
        index = len(sent)
        while index and not (runs >= DUP_THRESH or above > (DUP_THRESH - 1) * mss):
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

    def all_lost(self) -> None:
        """After a retransmission timeout: nothing unsacked is in the network (RFC 6298 §5.4)."""
        for piece in self.sent:
            self.deem_lost(piece)

    def forget_sacks(self) -> None:
        """The receiver has reneged (RFC 2018 §8): what it reported is not to be trusted."""
        for piece in self.sent:
            piece.sacked = False
        self.sacked_octets = 0

    def to_resend(self) -> Sent | None:
        """Return the first stretch deemed lost and not sent again (RFC 6675 §4, NextSeg rule 1)."""
        if not self.lost_octets:
            return None
        for piece in self.sent:
            if piece.lost and not piece.resent:
                return piece
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
        if self.sacked_octets:
            for piece in reversed(self.sent):
                if piece.sacked:
                    return piece.end
        return 0

    def last_unsacked(self) -> Sent | None:
        """Return the highest stretch not reported as received."""
        for piece in reversed(self.sent):
            if not piece.sacked:
                return piece
        return None

    def clone(self) -> Flight:
        """Return an independent copy."""
        twin = Flight()
        twin.sent = [piece.clone() for piece in self.sent]
        twin.sacked_octets = self.sacked_octets
        twin.lost_octets = self.lost_octets
        twin.resent_octets = self.resent_octets
        return twin


@final
class Episode:
    """What a loss recovery remembers."""

    __slots__ = ("backed_off", "dupacks", "force_resend", "over_at", "partial", "recover", "rescued", "resized")

    def __init__(self) -> None:
        self.over_at = -1  # RecoveryPoint of the last one; below it there is no fast retransmit (RFC 6582 §3.2)
        self.partial = False  # a partial acknowledgment has come (RFC 6582 §3.2)
        self.rescued = -1  # RescueRxt (RFC 6675 §4)
        self.recover = -1  # RecoveryPoint (RFC 6675 §5); -1: not in recovery
        self.backed_off = False  # the recovery began with a timeout
        self.resized = False  # it began with a path that takes less, and not with a loss
        self.dupacks = 0
        self.force_resend = False  # the first retransmission of a recovery waits for no window

    def clone(self) -> Episode:
        """Return an independent copy."""
        twin = Episode()
        twin.over_at = self.over_at
        twin.partial = self.partial
        twin.rescued = self.rescued
        twin.recover = self.recover
        twin.backed_off = self.backed_off
        twin.resized = self.resized
        twin.dupacks = self.dupacks
        twin.force_resend = self.force_resend
        return twin


def _seq(piece: Sent) -> int:
    return piece.seq
