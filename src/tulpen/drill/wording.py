"""Packets in packetdrill's own notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.drill.layout import each
from tulpen.drill.tcp_option import FAST_OPEN, MD5
from tulpen.wire.options import (
    ACC_ECN_0,
    ACC_ECN_1,
    END,
    MSS,
    NOP,
    SACK,
    SACK_PERMITTED,
    TIMESTAMPS,
    WINDOW_SCALE,
    EcnCounters,
    acc_ecn_words,
)
from tulpen.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

if TYPE_CHECKING:
    from tulpen.drill.script import IcmpPacket, TcpPacket

_LETTERS: Final = (
    (SYN, "S"), (FIN, "F"), (RST, "R"), (PSH, "P"), (URG, "U"), (ECE, "E"), (CWR, "W"), (AE, "A"), (ACK, "."),
)  # fmt: skip


def flags_text(flags: int) -> str:
    """Return TCP flags: ``S.``, ``P.``, ``-``."""
    return "".join(letter for bit, letter in _LETTERS if flags & bit) or "-"


def segment_text(
    flags: int, seq: int | None, length: int, ack: int, wnd: int | None, urg: int, options: str | None
) -> str:
    """Return a segment on one line."""
    words = [flags_text(flags), f"...({length})" if seq is None else f"{seq}:{seq + length}({length})"]
    if flags & ACK:
        words.append(f"ack {ack}")
    if wnd is not None:
        words.append(f"win {wnd}")
    if urg:
        words.append(f"urg {urg}")
    if options is None:
        words.append("<...>")
    elif options:
        words.append(f"<{options}>")
    return " ".join(words)


def icmp_text(packet: IcmpPacket) -> str:
    """Return an ICMP message as the script gives it, without what it quotes."""
    words = ["icmp", packet.type]
    if packet.code is not None:
        words.append(packet.code)
    if packet.mtu is not None:
        words.append(f"mtu {packet.mtu}")
    if packet.ident:
        words.append(f"id {packet.ident}")
    return " ".join(words)


def packet_text(packet: TcpPacket) -> str:
    """Return a segment as the script gives it."""
    options = None if packet.options is None else ",".join(map(str, packet.options))
    return segment_text(packet.flags, packet.seq, packet.length, packet.ack, packet.wnd, packet.urg, options)


def options_text(encoded: bytes) -> str:
    """Return options by their octets."""
    return ",".join(_option(kind, body) for kind, body in each(encoded))


def _option(kind: int, body: bytes) -> str:
    number = int.from_bytes(body, "big")
    if kind == END:
        return "eol"
    if kind == NOP:
        return "nop"
    if kind == MSS:
        return f"mss {number}"
    if kind == WINDOW_SCALE:
        return f"wscale {number}"
    if kind == SACK_PERMITTED:
        return "sackOK"
    if kind == TIMESTAMPS:
        return f"TS val {number >> 32} ecr {number & 0xFFFF_FFFF}"
    if kind == SACK:
        return "sack " + " ".join(
            f"{int.from_bytes(body[at : at + 4], 'big')}:{int.from_bytes(body[at + 4 : at + 8], 'big')}"
            for at in range(0, len(body), 8)
        )
    if kind == FAST_OPEN:
        return f"FO {body.hex()}".rstrip()
    if kind == MD5:
        return f"md5 {body.hex()}"
    if kind in (ACC_ECN_0, ACC_ECN_1) and len(body) in (0, 3, 6, 9):
        counters = tuple(int.from_bytes(body[at : at + 3], "big") for at in range(0, len(body), 3))
        return acc_ecn_words(EcnCounters(kind, counters))
    return f"gen-{kind} {body.hex()}".rstrip()
