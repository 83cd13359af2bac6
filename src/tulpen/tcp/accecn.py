"""More accurate feedback of marks (RFC 9768): counters in the ACE field and in the AccECN option.

The receiver counts the segments and the octets that came with each mark, duplicates too,
and tells the counts on everything it sends; the sender takes the differences.  ACE has
three bits, so an ACK for many segments leaves open how often it has wrapped: the option's
counters of octets decide, or how many segments the peer's ACKs usually cover.
"""

from __future__ import annotations

from typing import Final

from tulpen.tcp.ecn_state import (
    ACE_UNHEARD,
    ACE_UNSENT,
    NONE_SEEN,
    OPTION_UNHEARD,
    OPTION_UNSENT,
    SEEN,
    SEEN_EMPTY,
    SEEN_ZEROED,
    Ecn,
    Mode,
)
from tulpen.tcp.incoming import Incoming
from tulpen.tcp.negotiate import SACK_BLOCK, SACK_HEADER, TIMESTAMPS_ROOM, USER_TIMEOUT_ROOM
from tulpen.tcp.state import TIME_WAIT
from tulpen.tcp.tcb import Tcb
from tulpen.wire.options import ACC_ECN_0, ACC_ECN_1, LONGEST, NO_OPTIONS, EcnCounters, Options
from tulpen.wire.segment import AE, CE, CWR, ECE, ECT_0, ECT_1, NOT_ECT, Segment
from tulpen.wire.seq import before

FIRST_ACE: Final = 5  # where the counters begin (§3.2.1), so that a field that was zeroed shows
FIRST_OCTETS: Final = (1, 1, 0)  # of ECT(1), ECT(0), CE
ACE_MASK: Final = 7
OCTETS_MASK: Final = 0xFF_FFFF
MOST_UNTOLD: Final = 6  # marks that may come before an ACK has to tell of them (§3.2.2.5.1)
TOO_LATE: Final = (1 << 23) - 1  # octets sent without an option seen, after which a wrapped counter could mislead
BEACON: Final = 22  # bits: the option goes each time a counter passes a multiple of this power of 2

#: §3.1.2, table 2: how the mark of a SYN or SYN,ACK is told in its acknowledgment.
_HANDSHAKE: Final = {NOT_ECT: 0b010, ECT_1: 0b011, ECT_0: 0b100, CE: 0b110}
_TOLD: Final = {field: mark for mark, field in _HANDSHAKE.items()}
#: The place of each mark in an option of kind 174, counted from one.
_PLACE: Final = {ECT_1: 1, CE: 2, ECT_0: 3}
#: The counters of each kind of option, as indices.
_ORDER: Final = {ACC_ECN_0: (1, 2, 0), ACC_ECN_1: (0, 2, 1)}

SMOOTHING: Final = 6  # bits: of the weight of the past, and of the fraction kept
COMPRESSED: Final = 4  # segments that an ACK covers where ACKs are thinned out on the way

OPTION_HEADER: Final = 2
COUNTER: Final = 3
MSS_ROOM: Final = 4
MOST_ROOM: Final = 12  # of the option and a NOP


def ace(flags: int) -> int:
    """Return the ACE field that three flags make (§3.2)."""
    return (4 if flags & AE else 0) | (2 if flags & CWR else 0) | (1 if flags & ECE else 0)


def _flags(field: int) -> int:
    return (AE if field & 4 else 0) | (CWR if field & 2 else 0) | (ECE if field & 1 else 0)


# The handshake


def handshake_field(mark: int) -> int:
    """Return the flags that tell the other end what mark its SYN or SYN,ACK bore."""
    return _flags(_HANDSHAKE[mark])


def agreed(seg: Incoming, *, asked: bool) -> bool:
    """Whether a SYN,ACK agrees to what we ``asked``: 101, which nobody uses yet, counts as yes (§3.1.3)."""
    return asked and ace(seg.flags) not in (0b000, 0b001, 0b111)


def syn_acknowledged(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """Their SYN,ACK has come: check what it says of our SYN, and tell of its mark (§3.2.2.1)."""
    _check_handshake(tcb, ecn, ace(seg.flags))
    _reflect(ecn, seg)
    if seg.segment.ecn == CE:
        ecn.received_ce += 1
    _see_option(ecn, seg.options.acc_ecn, due=2)


def known_syn_again(ecn: Ecn, seg: Incoming) -> None:
    """Their SYN,ACK came again: our last ACK was lost, so its mark is told once more."""
    _reflect(ecn, seg)
    _see_option(ecn, seg.options.acc_ecn, due=1)


def _reflect(ecn: Ecn, seg: Incoming) -> None:
    ecn.reflect = True
    ecn.syn_mark = seg.segment.ecn


def _see_option(ecn: Ecn, option: EcnCounters | None, *, due: int) -> None:
    if option is not None and ecn.option_seen < SEEN:
        ecn.option_seen = _first_seen(option)
        if ecn.option_seen == SEEN_ZEROED:
            ecn.failures |= OPTION_UNHEARD
        ecn.option_due = max(ecn.option_due, due)


def third_ack(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """The handshake's last ACK: it tells what mark our SYN,ACK bore (§3.2.2.1, table 3)."""
    field = ace(seg.flags)
    if field == 0:
        ecn.failures |= ACE_UNHEARD
    elif not seg.segment.data and _check_handshake(tcb, ecn, field) and _TOLD.get(field) == CE:
        ecn.delivered_ce = max(ecn.delivered_ce, 1)
    _see_option(ecn, seg.options.acc_ecn, due=1)
    ecn.option_due = max(ecn.option_due, 1)


def _check_handshake(tcb: Tcb, ecn: Ecn, field: int) -> bool:
    """We send no mark on a SYN or SYN,ACK: one that arrives with a mark was tampered with (§3.2.2.3)."""
    if _TOLD.get(field, NOT_ECT) == NOT_ECT or not tcb.stack.settings.tcp_ecn_fallback:
        return True
    ecn.failures |= ACE_UNHEARD
    return False


# What comes in


def arrived(tcb: Tcb, ecn: Ecn, seg: Incoming) -> None:
    """Count the mark of a segment (§3.2.1); where it differs from the last, acknowledge at once (§3.2.2.5.1)."""
    mark, octets = seg.segment.ecn, len(seg.segment.data)
    if mark != NOT_ECT:
        ecn.seen = True
        if mark == CE:
            ecn.received_ce += segments_in(seg.segment)
        if octets:
            _count(ecn, mark, octets)
    changed = mark != ecn.last_mark
    if changed or mark == CE:
        ecn.last_mark = mark
        ecn.option_due = 2
        ecn.hasten |= changed
    if octets and (ecn.hasten or ecn.received_ce - ecn.told_ce >= MOST_UNTOLD):
        tcb.ack_now = True


def _count(ecn: Ecn, mark: int, octets: int) -> None:
    before = ecn.received[mark - 1]
    ecn.received[mark - 1] = before + octets
    ecn.fields = max(ecn.fields, _PLACE[mark])
    if before >> BEACON != ecn.received[mark - 1] >> BEACON:
        ecn.option_due = max(ecn.option_due, 1)


def segments_in(segment: Segment) -> int:
    """Return how many packets a device has put together."""
    return max(1, -(-len(segment.data) // segment.gso_size)) if segment.gso_size else 1


def came_twice(ecn: Ecn, seg: Incoming) -> None:
    """Text came again that an option and a DSACK had answered: what carries the option is lost (§3.2.3.2)."""
    if seg.seq == ecn.told_duplicate:
        ecn.failures |= OPTION_UNSENT


# What goes out


def marks(tcb: Tcb, ecn: Ecn, flags: int, text: int) -> tuple[int, int]:
    """Return flags with the ACE field, and ECT(0) on whatever it is, while marks are to be trusted (§3.2.2.3)."""
    mark = NOT_ECT if ecn.failures & (ACE_UNSENT | ACE_UNHEARD) else ECT_0
    ecn.hasten = False
    if tcb.state is TIME_WAIT:
        return flags, mark  # its record keeps no counters, as on Linux
    if ecn.reflect:
        ecn.reflect = False
        if not text:
            return flags | handshake_field(ecn.syn_mark), mark
    ecn.told_ce = ecn.received_ce
    return flags | _flags(ecn.received_ce + FIRST_ACE), mark


def syn_ack_option(mode: int, options: Options, signed: int) -> Options:
    """Return a SYN,ACK's options and, as far as there is room, counters where they begin (§3.2.3.2.1).

    ``mode``: tcp_ecn_option.  ``signed``: octets that a signature will take.
    """
    if mode and options is not NO_OPTIONS:
        used = signed + MSS_ROOM + (4 if options.wscale is not None else 0)
        used += TIMESTAMPS_ROOM if options.tsval is not None else 4 * options.sack_permitted
        if options.fast_open is not None:
            used += len(options.fast_open) + 2 + 2 * options.fast_open_experimental + 3 & ~3
        count, _ = _fit(LONGEST - used, 0, 0, shared=2 * options.sack_permitted * (options.tsval is None))
        if count >= 0:
            options.acc_ecn = EcnCounters(ACC_ECN_1, (1, 0, 1)[:count])
    return options


def sends_option(tcb: Tcb, ecn: Ecn) -> bool:
    """Whether segments carry the option: always, or those alone that have news to tell (tcp_ecn_option)."""
    mode = tcb.stack.settings.tcp_ecn_option
    if ecn.mode is not Mode.ACCURATE or not mode or ecn.option_seen == NONE_SEEN or ecn.failures & OPTION_UNSENT:
        return False
    return mode >= 2 or ecn.option_due > 0


def beacon_due(tcb: Tcb, ecn: Ecn, now: int) -> bool:
    """Whether the option goes because it has not for part of a round trip (tcp_ecn_option_beacon)."""
    settings = tcb.stack.settings
    if ecn.mode is not Mode.ACCURATE or ecn.option_seen == NONE_SEEN or ecn.failures & OPTION_UNSENT:
        return False
    if not settings.tcp_ecn_option or not settings.tcp_ecn_option_beacon:
        return False
    return (now - ecn.option_at) * settings.tcp_ecn_option_beacon >= tcb.rtt.srtt


def room_for_option(tcb: Tcb, ecn: Ecn, blocks: int) -> int:
    """Return the octets that text leaves for the option, beside so many SACK blocks."""
    if not sends_option(tcb, ecn):
        return 0
    return max(0, min(MOST_ROOM, _left(tcb) - (SACK_HEADER + SACK_BLOCK * blocks if blocks else 0) & ~3))


def option(tcb: Tcb, ecn: Ecn, blocks: int, text: int, now: int) -> tuple[EcnCounters | None, int]:
    """Return the option of a segment, if it carries one, and how many SACK blocks stay beside it."""
    if not (sends_option(tcb, ecn) or beacon_due(tcb, ecn, now)):
        return None, blocks
    sack = SACK_HEADER + SACK_BLOCK * blocks if blocks else 0
    room = _left(tcb) - sack
    if text:
        room = min(room, tcb.smss - min(text, tcb.smss) - sack)
    count, blocks = _fit(room, ecn.fields, blocks, shared=2 * (blocks > 0))
    if count < 0:
        return None, blocks
    ecn.fields = 0
    ecn.option_at = now
    ecn.option_due = max(0, ecn.option_due - 1)
    duplicate = tcb.receive_queue.duplicate
    ecn.told_duplicate = duplicate[0] if blocks and duplicate is not None else -1
    counters = [(ecn.received[index] + FIRST_OCTETS[index]) & OCTETS_MASK for index in _ORDER[ACC_ECN_1]]
    return EcnCounters(ACC_ECN_1, tuple(counters[:count])), blocks


def _left(tcb: Tcb) -> int:
    """Octets of options beside those that every segment may carry."""
    taken = tcb.terms.signed + (TIMESTAMPS_ROOM if tcb.terms.timestamps else 0)
    return LONGEST - taken - (USER_TIMEOUT_ROOM if tcb.stack.settings.tcp_user_timeout_option else 0)


def _fit(room: int, needed: int, blocks: int, *, shared: int) -> tuple[int, int]:
    """Return how many counters fit in ``room`` octets, -1 for no option, and how many SACK blocks are left beside them.

    ``shared``: octets of padding that an option behind it saves.  The counters that are
    ``needed`` may cost SACK blocks, as long as two of those stay.
    """
    left, spare = blocks, room
    while True:
        for count in range(3, needed - 1, -1):
            size = OPTION_HEADER + COUNTER * count
            size = size & ~3 if size & 3 <= shared else size + 3 & ~3
            if size <= spare:
                return count, left
        if left <= 2 or not needed:
            return -1, blocks
        left -= 1
        spare += SACK_BLOCK


# What an acknowledgment says


def feedback(tcb: Tcb, ecn: Ecn, seg: Incoming, packets: int, octets: int) -> int:
    """Return how many segments more the peer has seen marked CE (§3.2.2.5.2).

    ``packets`` of ours, ``octets`` in all, are newly known to have arrived.
    """
    if not (octets or _later(tcb, seg)):
        return 0  # it may have been overtaken by a later one
    first, ecn.first_feedback = ecn.first_feedback, False
    if first and ace(seg.flags) == 0 and packets <= ACE_MASK - FIRST_ACE:
        ecn.failures |= ACE_UNHEARD  # §3.2.2.4: with more marks than that it may have wrapped
    if ecn.failures & ACE_UNHEARD:
        return 0
    marked_before = ecn.delivered[CE - 1]
    exact = _take_option(tcb, ecn, seg.options.acc_ecn, octets)
    if packets:
        now_64ths = packets << SMOOTHING
        past = ecn.packets_acked
        ecn.packets_acked = past + ((now_64ths - past) >> SMOOTHING) if past else now_64ths
    delta = (ace(seg.flags) - FIRST_ACE - ecn.delivered_ce) & ACE_MASK
    if packets <= ACE_MASK:
        return delta
    most = packets - ((packets - delta) & ACE_MASK)  # the field may have wrapped that often
    if not exact:
        return delta if ecn.packets_acked > COMPRESSED << SMOOTHING else most
    marked = ecn.delivered[CE - 1] - marked_before
    return _wrapped(tcb, delta, most, marked, packets, octets)


def _later(tcb: Tcb, seg: Incoming) -> bool:
    """Whether its timestamp says that it was sent after what came before it."""
    tsval = seg.options.tsval
    if tsval is None or not tcb.terms.timestamps or seg.begin > tcb.last_ack_sent:
        return False
    return before(tcb.ts_recent, tsval)


def _wrapped(tcb: Tcb, delta: int, most: int, marked: int, packets: int, octets: int) -> int:
    """Choose by the octets that were marked between the least and the most that an ACE field can mean."""
    if marked == 0:
        return delta
    if packets >= 2 * (ACE_MASK + 1):
        if octets <= marked:
            return most
        estimate = -(-marked * packets // octets)
        return min(most, delta + (estimate & ~ACE_MASK))
    if marked > delta * tcb.smss:
        return most
    return delta if marked < most * tcb.smss // 2 else most


def _take_option(tcb: Tcb, ecn: Ecn, option: EcnCounters | None, octets: int) -> bool:
    """Take the counters of octets; say whether they tell for sure what ``octets`` newly arrived bore."""
    if ecn.failures & OPTION_UNHEARD:
        return False
    if option is None:
        return _estimate(tcb, ecn, octets)
    _see_option(ecn, option, due=0)
    guess, sure, changed = ecn.estimate, ecn.estimate >= 0, False
    ambiguous = False
    for index, value in zip(_ORDER[option.kind], option.counters, strict=False):
        delta = (value - FIRST_OCTETS[index] - ecn.delivered[index]) & OCTETS_MASK
        if delta > OCTETS_MASK >> 1:
            delta -= OCTETS_MASK + 1
        ecn.delivered[index] += delta
        if delta < 0:
            ambiguous = True
        if delta and index != guess:
            ambiguous |= changed
            changed = True
            ecn.estimate = index
    if ambiguous:
        ecn.estimate = -1
    return sure and not ambiguous


def _estimate(tcb: Tcb, ecn: Ecn, octets: int) -> bool:
    if ecn.option_seen == NONE_SEEN:
        if tcb.snd.nxt - tcb.snd.iss > TOO_LATE:
            ecn.option_seen = SEEN_ZEROED
            ecn.failures |= OPTION_UNHEARD
        return False
    if ecn.estimate < 0:
        return False
    ecn.delivered[ecn.estimate] += octets
    return True


def _first_seen(option: EcnCounters) -> int:
    """What the first option with counters says: the first and the last of them begin above zero (§3.2.3.2.4)."""
    counters = option.counters
    if not counters:
        return SEEN_EMPTY
    return SEEN_ZEROED if counters[0] == 0 or (len(counters) == 3 and counters[2] == 0) else SEEN
