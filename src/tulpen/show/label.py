"""The words on a rung: flags and numbers, options, times; the same in a terminal and in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.show.ladder import Arrow, Fate, Ladder
from tulpen.wire.options import acc_ecn_words
from tulpen.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG
from tulpen.wire.seq import MASK

if TYPE_CHECKING:
    from tulpen.show.moments import Traffic
    from tulpen.wire.options import Options

_NAMES: Final = (
    (SYN, "SYN"), (FIN, "FIN"), (RST, "RST"), (PSH, "PSH"), (URG, "URG"), (ECE, "ECE"), (CWR, "CWR"), (AE, "AE"),
)  # fmt: skip
RETRANSMISSION: Final = "retransmission"
MARKED: Final = "marked CE on the way"
KEEP_ALIVE: Final = "keep-alive"
WINDOW_PROBE: Final = "window probe"
PROBES: Final = frozenset({KEEP_ALIVE, WINDOW_PROBE})


def printable(text: str) -> str:
    """Return ``text`` on one line, with everything that could steer a terminal written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def ascii_text(text: str) -> str:
    """Return ``text`` for a terminal without UTF-8."""
    return text.replace("§", "section ").encode("ascii", "backslashreplace").decode("ascii")


def flag_words(flags: int) -> str:
    """Return the flags as the RFC names them: ``SYN,ACK``; beside other flags and data, ACK goes without saying."""
    names = [name for bit, name in _NAMES if flags & bit]
    if flags & ACK and (not names or flags & (SYN | RST)):
        names.append("ACK")
    return ",".join(names) or "no flags"


def numbers(ladder: Ladder, arrow: Arrow, *, absolute: bool = False, letters: bool = False) -> list[str]:
    """Return the arrow's label in parts, the most telling first: flags and octets, ack, window, length."""
    seq, ack = (arrow.seq, arrow.ack) if absolute else ladder.relative(arrow)
    first = f"[{arrow.letters}]" if letters else flag_words(arrow.flags)
    if arrow.length:
        first = f"{seq}:{seq + arrow.length}" if first == "ACK" else f"{first} {seq}:{seq + arrow.length}"
    elif arrow.flags & (SYN | FIN | RST) or not arrow.flags & ACK:
        first += f" {seq}"
    parts = []
    if first == "ACK":
        parts.append(f"ACK {ack}")
    else:
        parts.append(first)
        if arrow.flags & ACK:
            parts.append(f"ack {ack}")
    if not arrow.flags & RST:
        parts.append(f"win {arrow.window}")
    if arrow.flags & URG:
        parts.append(f"urg {arrow.urgent}")
    if arrow.length:
        parts.append(f"len {arrow.length}")
    elif first == "ACK" and (arrow.fate is Fate.REFUSED or PROBES.intersection(arrow.notes)):
        parts.append(f"seq {seq}")
    return parts


def option_words(ladder: Ladder, arrow: Arrow, *, absolute: bool = False, all_of_them: bool = False) -> list[str]:
    """Return the options in tcpdump's words; of timestamps, only that a SYN offers them unless all is asked for."""
    options = arrow.options
    words: list[str] = []
    if arrow.flags & SYN and RETRANSMISSION in arrow.notes and not (absolute or all_of_them):
        return words
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.sack_permitted:
        words.append("sackOK")
    if options.wscale is not None:
        words.append(f"wscale {options.wscale}")
    if options.tsval is not None and (all_of_them or absolute):
        words.append(f"TS {options.tsval}" + (f" ecr {options.tsecr}" if options.tsecr else ""))
    elif options.tsval is not None and arrow.flags & SYN:
        words.append("TS")
    words += _sack_words(ladder, arrow, options, absolute=absolute)
    if options.user_timeout is not None:
        words.append(f"user timeout {options.user_timeout} s")
    if options.acc_ecn is not None:
        words.append(acc_ecn_words(options.acc_ecn))
    words += [f"option {kind} ({len(octets)})" for kind, octets in options.others]
    if options.malformed:
        words.append("malformed options")
    return words


def _sack_words(ladder: Ladder, arrow: Arrow, options: Options, *, absolute: bool) -> list[str]:
    isn = ladder.end(arrow.sender.other).isn
    base = 0 if absolute or isn is None else isn
    return [f"sack {(left - base) & MASK}:{(right - base) & MASK}" for left, right in options.sack]


def fitted(parts: list[str], room: int) -> str:
    """Return as many of the parts as ``room`` columns take, the first in any case."""
    text = parts[0]
    for part in parts[1:]:
        if len(text) + 1 + len(part) <= room:
            text += " " + part
    return text


def wrapped(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` columns, broken between words where that is possible."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines += [word[i : i + width] for i in range(0, len(word), width)]
    return lines


def fate_words(arrow: Arrow) -> list[str]:
    """Return what is to be said of the arrow: its fate where it is not the ordinary one, then its notes."""
    silent = (Fate.ARRIVED, Fate.UNKNOWN)
    # The notes say why it was dropped, better than the bare word does.
    if arrow.fate in silent or (arrow.fate in (Fate.REFUSED, Fate.CORRUPTED) and arrow.notes):
        said: list[str] = []
    else:
        said = [arrow.fate.value]
    return said + list(arrow.notes)


def seconds(ns: int, digits: int = 6) -> str:
    """Return nanoseconds as seconds: ``0.000142``."""
    return f"{ns / 1e9:.{digits}f}"


def span(ns: int) -> str:
    """Return a length of time in the unit that suits it: ``142 us``, ``40 ms``, ``3.2 s``, ``2 h``."""
    for limit, unit, size in ((1_000_000, "us", 1e3), (1_000_000_000, "ms", 1e6), (120 * 10**9, "s", 1e9),
                              (7200 * 10**9, "min", 60e9)):  # fmt: skip
        if ns < limit:
            return f"{_short(ns / size)} {unit}"
    return f"{_short(ns / 3600e9)} h"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.1f}".removesuffix(".0")


def fold_words(way: Traffic, room: int = 80) -> str:
    """Return what a folded stretch carried one way: ``... 412 segments, 599,012 octets``; less in little room."""
    acks = [f"{way.acks:,} ACK{'s' * (way.acks > 1)}"] if way.acks else []
    segments = [f"{way.segments:,} segment{'s' * (way.segments > 1)}"] if way.segments else []
    octets = [f"{way.octets:,} octets"] if way.segments else []
    for words in (segments + octets + acks, segments + octets, octets):
        if words and len(text := "... " + ", ".join(words)) <= room:
            return text
    return "..."
