"""Packets: what is injected (``<``) and what is expected (``>``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tulpen.drill.lexer import Kind
from tulpen.drill.parse_call import parse_labels
from tulpen.drill.parse_ip import parse_ip_info
from tulpen.drill.parse_option import parse_options
from tulpen.drill.problems import Unsupported
from tulpen.drill.script import IcmpPacket, IpInfo, Layer, Packet, TcpPacket, UdpPacket
from tulpen.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

if TYPE_CHECKING:
    from tulpen.drill.cursor import Cursor
    from tulpen.drill.lexer import Token

_WORD_32: Final = 0xFFFF_FFFF
_LETTERS: Final = {
    "F": FIN, "S": SYN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": ECE, "W": CWR, "A": AE,
}  # fmt: skip
_FLAGS: Final = "TCP flags (letters of FSRPEWAU, '.' for ACK, '-' for none)"
_OTHERS: Final = ("sctp", "udplite")  # which nplab's packetdrill has too
_ECN_LETTERS: Final = frozenset("EWA")


def parse_packet(cursor: Cursor) -> Packet:
    """Read what follows the time."""
    outbound = cursor.now.text == ">"
    start = cursor.next()
    layers = _layers(cursor)
    ip = parse_ip_info(cursor)
    if ip.ect01 and not outbound:
        cursor.error("[ect01] is for packets that are expected, '>'", start)
    if cursor.at_word("udp") and cursor.ahead().text != ":":
        return _udp(cursor, outbound, ip, layers)
    if cursor.skip_word("icmp"):
        return _icmp(cursor, outbound, ip, layers)
    for name in _OTHERS:
        if cursor.at_word(name):
            raise Unsupported(f"{name} packets")
    return _tcp(cursor, outbound, ip, layers, start)


def _layers(cursor: Cursor) -> tuple[Layer, ...]:
    """Read the headers around the packet: ``ipv4 a > b:``, ``gre:``, ``mpls (...):``."""
    layers = []
    while True:
        if cursor.at_word("ipv4", "ipv6"):
            layers.append(_internet_layer(cursor))
        elif cursor.at_word("gre", "GREv0"):
            layers.append(_gre_layer(cursor))
        elif cursor.at_word("mpls"):
            cursor.next()
            layers.append(Layer("mpls", str(parse_labels(cursor))))
            cursor.sign(":")
        else:
            return tuple(layers)


def _internet_layer(cursor: Cursor) -> Layer:
    name = cursor.next().text
    parse_ip_info(cursor)
    src = cursor.take(Kind.ADDRESS, "an address").text
    cursor.sign(">")
    dst = cursor.take(Kind.ADDRESS, "an address").text
    cursor.sign(":")
    return Layer(name, f"{src} > {dst}")


def _gre_layer(cursor: Cursor) -> Layer:
    """A GRE header; what it says is kept as words."""
    cursor.next()
    words = []
    while not cursor.at_sign(":"):
        if cursor.at(Kind.END):
            cursor.fail("':'")
        words.append(cursor.next().text)
    cursor.sign(":")
    return Layer("gre", " ".join(words))


def _ports(cursor: Cursor) -> tuple[int, int] | None:
    if not (cursor.at(Kind.NUMBER) and cursor.ahead().text == ">"):
        return None
    source = cursor.number("a source port", 0xFFFF)
    cursor.sign(">")
    return source, cursor.number("a destination port", 0xFFFF)


def _tcp(cursor: Cursor, outbound: bool, ip: IpInfo, layers: tuple[Layer, ...], start: Token) -> TcpPacket:
    if cursor.skip_word("encap"):
        layers += (_psp(cursor),)
    ports = _ports(cursor)
    flags, ace = _flags(cursor)
    seq, length, absolute = parse_sequence(cursor)
    ack = cursor.number("an acknowledgment number", _WORD_32) if cursor.skip_word("ack") else 0
    wnd = cursor.number("a window", 0xFFFF) if cursor.skip_word("win") else None
    urg = cursor.number("an urgent pointer", 0xFFFF) if cursor.skip_word("urg") else 0
    options = parse_options(cursor)
    if not outbound:
        if options is None:
            cursor.error("<...> is for packets that are expected, '>'", start)
        if seq is None:
            cursor.error("a sequence number '...' is for packets that are expected, '>'", start)
        if wnd is None:
            cursor.fail("'win': a packet to inject needs a window")
    layers += _udp_around(cursor)
    return TcpPacket(outbound, flags, seq, length, ack, wnd, urg, options, ip, ports, absolute, ace, layers)


def _psp(cursor: Cursor) -> Layer:
    cursor.word("'psp'", ("psp",))
    cursor.word("'spi'", ("spi",))
    return Layer("psp", f"spi {cursor.number('a security parameter index')}")


def _udp_around(cursor: Cursor) -> tuple[Layer, ...]:
    """``/udp(1 > 2)``: TCP inside UDP."""
    if not (cursor.at_sign("/") and cursor.ahead().text == "udp"):
        return ()
    cursor.next()
    cursor.next()
    cursor.sign("(")
    ports = _ports(cursor)
    if ports is None:
        cursor.fail("ports, source > destination")
    cursor.sign(")")
    return (Layer("udp", f"{ports[0]} > {ports[1]}"),)


def _flags(cursor: Cursor) -> tuple[int, bool]:
    """Read the flags; a digit among them is AccECN's counter, in the three ECN bits."""
    start = cursor.now
    if cursor.skip_sign("-"):
        return 0, False
    letters = ""
    end = start.column
    while cursor.at_sign(".") or (
        cursor.at(Kind.WORD, Kind.DECIMAL)
        and (not letters or (cursor.now.line == start.line and cursor.now.column == end))
    ):
        token = cursor.now
        if token.kind is Kind.DECIMAL and not _is_counter(token.text):
            break
        letters += cursor.next().text
        end = token.column + len(token.text)
    if not letters:
        cursor.fail(f"{_FLAGS}, 'icmp' or 'udp'")
    flags = 0
    counter: int | None = None
    for letter in letters:
        if letter in "01234567" and counter is None:
            counter = int(letter)
        elif letter in _LETTERS:
            flags |= _LETTERS[letter]
        else:
            cursor.error(f"expected {_FLAGS}, found '{letters}'", start)
    if counter is None:
        return flags, False
    if _ECN_LETTERS & set(letters):
        cursor.error("E, W and A are the bits that AccECN's counter is made of: give one or the other", start)
    bits = (ECE if counter & 1 else 0) | (CWR if counter & 2 else 0) | (AE if counter & 4 else 0)
    return flags | bits, counter > 0


def _is_counter(text: str) -> bool:
    return len(text) == 2 and text[0] == "." and text[1] in "01234567"


def parse_sequence(cursor: Cursor) -> tuple[int | None, int, bool]:
    """Read ``start:end(length)``, with ``!`` if it is as on the wire, or ``...(length)``."""
    if cursor.skip(Kind.ELLIPSIS):
        return None, _length(cursor), False
    token = cursor.now
    start = cursor.number("a sequence number", _WORD_32)
    cursor.sign(":")
    end = cursor.number("a sequence number", _WORD_32)
    length = _length(cursor)
    if (start + length) & _WORD_32 != end & _WORD_32:
        cursor.error(f"{start}:{end}({length}): the range is not {length} octets long", token)
    return start, length, cursor.skip_sign("!")


def _length(cursor: Cursor) -> int:
    cursor.sign("(")
    length = cursor.number("a length", 0xFFFF)
    cursor.sign(")")
    return length


def _udp(cursor: Cursor, outbound: bool, ip: IpInfo, layers: tuple[Layer, ...]) -> UdpPacket:
    cursor.next()
    ports = _ports(cursor)
    return UdpPacket(outbound, _length(cursor), ip, ports, layers)


def _icmp(cursor: Cursor, outbound: bool, ip: IpInfo, layers: tuple[Layer, ...]) -> IcmpPacket:
    type = cursor.word("an ICMP type")
    code = cursor.next().text if cursor.at(Kind.WORD) and not cursor.at_word("mtu", "id") else None
    mtu = cursor.number("an MTU") if cursor.skip_word("mtu") else None
    ident = cursor.number("an identifier", 0xFFFF) if cursor.skip_word("id") else 0
    if not cursor.skip_sign("["):
        return IcmpPacket(outbound, type, code, mtu, ident, ip=ip, layers=layers)
    protocol, seq, length = "tcp", 0, 0
    if cursor.at_word("udp", "raw"):
        protocol = cursor.next().text
        length = _length(cursor)
    else:
        given, length, _ = parse_sequence(cursor)
        seq = given or 0
    layers += _udp_around(cursor)
    cursor.sign("]")
    return IcmpPacket(outbound, type, code, mtu, ident, protocol, seq, length, ip, layers)
