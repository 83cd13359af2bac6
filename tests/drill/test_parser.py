"""The language: what is written comes back as values, and what is wrong is named with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.drill import tcp_option as option
from tulpen.drill.expression import Any, Applied, Array, Field, Number, Or, Struct, Text, Word
from tulpen.drill.parser import parse_script
from tulpen.drill.problems import ScriptError, Unsupported
from tulpen.drill.script import Call, Code, Command, Event, IcmpPacket, IpInfo, TcpPacket, Time, UdpPacket
from tulpen.drill.tcp_option import TcpOption
from tulpen.drill.wording import packet_text
from tulpen.wire.options import ACC_ECN_0, ACC_ECN_1
from tulpen.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG

SECOND = 1_000_000_000


def only(text: str) -> Event:
    """Parse a script of one event."""
    (event,) = parse_script(text).events
    return event


def tcp(text: str) -> TcpPacket:
    action = only(f"0 {text}").action
    assert isinstance(action, TcpPacket)
    return action


def call(text: str) -> Call:
    action = only(f"0 {text}").action
    assert isinstance(action, Call)
    return action


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0", Time()),
        ("1.5", Time(1_500_000_000)),
        (".000001", Time(1_000)),
        ("+0", Time(relative=True)),
        ("+.1", Time(100_000_000, relative=True)),
        ("*", Time(any=True)),
        ("1~2", Time(SECOND, 2 * SECOND)),
        ("+1~+1.25", Time(SECOND, 1_250_000_000, relative=True)),
    ],
)
def test_times(text: str, time: Time) -> None:
    assert only(f"{text} > . 1:1(0) ack 1").time == time


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("S", SYN),
        ("S.", SYN | ACK),
        ("F.", FIN | ACK),
        ("P.", PSH | ACK),
        ("PU.", PSH | URG | ACK),
        ("R", RST),
        (".", ACK),
        ("-", 0),
        ("SEW", SYN | ECE | CWR),
        ("SEWA", SYN | ECE | CWR | AE),
        (".5", ACK | AE | ECE),
        ("P.2", PSH | ACK | CWR),
        ("F .", FIN | ACK),
    ],
)
def test_flags(text: str, flags: int) -> None:
    assert tcp(f"> {text} 1:1(0) ack 1").flags == flags


def test_a_segment_with_everything() -> None:
    assert tcp("< (tos 0x10) 1234 > 80 P. 1:11(10) ack 5 win 100 urg 3 <nop,nop,TS val 7 ecr 8>") == TcpPacket(
        outbound=False,
        flags=PSH | ACK,
        seq=1,
        length=10,
        ack=5,
        wnd=100,
        urg=3,
        options=(option.NO_OPERATION, option.NO_OPERATION, option.Timestamps(7, 8)),
        ip=IpInfo(tos=0x10),
        ports=(1234, 80),
    )


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("mss 1460", option.mss(1460)),
        ("nop,wscale 7", option.window_scale(7)),
        ("nop,nop,sackOK", option.sack_permitted()),
        ("nop,nop,sack 1:2 3:4", option.Sack(((1, 2), (3, 4)))),
        ("nop,nop,TS val 1 ecr 2", option.Timestamps(1, 2)),
        ("nop,nop,TS val ... ecr 2!", option.Timestamps(None, 2, absolute_ecr=True)),
        ("nop,nop,FO", option.fast_open(b"", experimental=False)),
        ("nop,nop,FO 0123456789abcdef", option.fast_open(bytes.fromhex("0123456789abcdef"), experimental=False)),
        ("FOEXP", option.fast_open(b"", experimental=True)),
        ("nop,nop,md5 valid", option.ValidMd5()),
        ("nop,nop,md5 000102030405060708090a0b0c0d0e0f", option.md5(bytes(range(16)))),
        ("ECN e0b 1 ceb 2 e1b 3,nop", option.acc_ecn(ACC_ECN_0, (1, 2, 3))),
        ("nop,nop,nop,ECN e1b 9", option.acc_ecn(ACC_ECN_1, (9,))),
        ("gen-30 0102", option.generic(30, b"\x01\x02")),
        ("eol,eol,eol,eol", option.END_OF_LIST),
    ],
)
def test_options(text: str, made: TcpOption) -> None:
    options = tcp(f"> . 1:1(0) ack 1 <{text}>").options
    assert options is not None
    assert made in options


def test_wildcards() -> None:
    packet = tcp("> S. ...(0) ack 1 <...>")
    assert (packet.seq, packet.wnd, packet.options) == (None, None, None)
    assert tcp("> R. 0:0(0)! ack 1").absolute


@pytest.mark.parametrize(
    ("text", "info"),
    [
        ("[ect0]", IpInfo(tos=2, mask=3)),
        ("[ect1]", IpInfo(tos=1, mask=3)),
        ("[ce]", IpInfo(tos=3, mask=3)),
        ("[noecn]", IpInfo(tos=0, mask=3)),
        ("[ect01]", IpInfo(ect01=True)),
        ("(tos 0xe0)", IpInfo(tos=0xE0)),
        ("(ttl 4)", IpInfo(ttl=4)),
        ("(hlim 4, class 0x20)", IpInfo(ttl=4, tos=0x20)),
        ("[dscp cs1, ecn ce]", IpInfo(tos=0x23)),
        ("[ect0,flowlabel 0x1]", IpInfo(tos=2, mask=3, flow_label=1)),
    ],
)
def test_internet_header(text: str, info: IpInfo) -> None:
    assert tcp(f"> {text} . 1:1(0) ack 1").ip == info


def test_other_packets() -> None:
    about = only("0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]").action
    assert about == IcmpPacket(False, "unreachable", "frag_needed", 1200, seq=1, length=1460)
    assert only("0 < icmp echo_request id 7").action == IcmpPacket(False, "echo_request", ident=7)
    assert only("0 > udp (100)").action == UdpPacket(True, 100)
    assert only("0 < udp 5 > 6 (100)").action == UdpPacket(False, 100, ports=(5, 6))


def test_headers_around_a_packet() -> None:
    packet = tcp("< ipv4 192.0.2.1 > 192.0.2.2: gre: mpls (label 3, tc 0, [S], ttl 9): . 1:1(0) ack 1 win 5/udp(1 > 2)")
    assert [layer.name for layer in packet.layers] == ["ipv4", "gre", "mpls", "udp"]
    assert [layer.name for layer in tcp("< ipv6 fd::1 > fd::2: . 1:1(0) win 5").layers] == ["ipv6"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", (Any(), Word("SOCK_STREAM"), Word("IPPROTO_TCP"))),
        ("f() = 0", ()),
        (
            "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
            (Number(3), Word("F_SETFL"), Or((Word("O_RDWR"), Word("O_NONBLOCK")))),
        ),
        ('f("a\\n" "b\\x41\\0"..., -5) = 0', (Text(b"a\nbA\0", more=True), Number(-5))),
        ("f([1], [], 0xff) = 0", (Array((Number(1),)), Array(()), Number(255, hex=True))),
        ("f([{..., 5}, {..., 6}]) = 0", (Array((Struct((Any(), Number(5))), Struct((Any(), Number(6))))),)),
        ("f({events=EPOLLIN, fd=4}) = 0", (Struct((Field("events", Word("EPOLLIN")), Field("fd", Number(4)))),)),
        ("f({onoff=1, linger=5}) = 0", (Struct((Field("onoff", Number(1)), Field("linger", Number(5)))),)),
        (
            'f({sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("192.0.2.1")}) = 0',
            (
                Struct(
                    (
                        Field("sa_family", Word("AF_INET")),
                        Field("sin_port", Applied("htons", (Number(80),))),
                        Field("sin_addr", Applied("inet_addr", (Text(b"192.0.2.1"),))),
                    )
                ),
            ),
        ),
        (
            "f({msg_name(...)=..., msg_iov(1)=[{..., 5}], msg_flags=0}) = 0",
            (
                Struct(
                    (
                        Field("msg_name", Any(), Any()),
                        Field("msg_iov", Array((Struct((Any(), Number(5))),)), Number(1)),
                        Field("msg_flags", Number(0)),
                    )
                ),
            ),
        ),
    ],
)  # fmt: skip
def test_arguments(text: str, expected: tuple[object, ...]) -> None:
    assert call(text).arguments == expected


def test_results() -> None:
    failed = call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
    assert (failed.result, failed.errno, failed.note) == (Number(-1), "EINPROGRESS", "Operation now in progress")
    flags = call("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)")
    assert (flags.result, flags.errno, flags.note) == (Number(2, hex=True), None, "flags O_RDWR")
    assert call("...0.25 accept(3, ..., ...) = 4").end == 250_000_000


def test_a_whole_script() -> None:
    script = parse_script(
        """
        // a comment
        --tolerance_usecs=5000  --remote_ip=192.0.2.7
        --strict_segments
        `sysctl -w a=1
         sysctl -w b=2`
        0 `true`   /* another, 1:1(0)
                      of two lines */
        +0 %{ assert 1 == 1
        if True: pass }%
        +0...1 close(3) = 0
        `clean-up`
        """
    )
    assert [(each.name, each.value) for each in script.options] == [
        ("tolerance_usecs", "5000"), ("remote_ip", "192.0.2.7"), ("strict_segments", None),
    ]  # fmt: skip
    assert script.set_up == Command("sysctl -w a=1\n         sysctl -w b=2")
    assert [type(event.action) for event in script.events] == [Command, Code, Call]
    assert script.clean_up == Command("clean-up")
    assert [event.line for event in script.events] == [7, 9, 11]


def test_names_that_are_defined() -> None:
    text = '--define=SIZE=1000\n--define=WORD="words"\n0 f(SIZE, WORD, COOKIE) = 0'
    action = parse_script(text, defined={"COOKIE": "0xab"}).events[0].action
    assert isinstance(action, Call)
    assert action.arguments == (Number(1000), Text(b"words"), Number(0xAB, hex=True))


def test_parts_for_a_name() -> None:
    text = "0 f() = 0\n#ifdef THIS\n+0 g() = 0\n#endif\n#ifdef THAT\n+0 h( = 0\n#endif\n+0 i() = 0"
    names = [
        event.action.name
        for event in parse_script(text, defined={"THIS": "1"}).events
        if isinstance(event.action, Call)
    ]
    assert names == ["f", "g", "i"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: expected an event, found the end of the script"),
        ("hello", "1:1: expected a time (seconds, '+' seconds, or '*'), found 'hello'"),
        ("0 !", "1:3: expected a packet ('<' or '>'), a system call, a command in backticks, or code in %{ }%, "
                "found '!'"),
        ("0 < S 0:0(0)", "1:13: expected 'win': a packet to inject needs a window, found the end of the script"),
        ("0 > X 0:0(0)", "1:5: expected TCP flags (letters of FSRPEWAU, '.' for ACK, '-' for none), found 'X'"),
        ("0 > S 0:5(0)", "1:7: 0:5(0): the range is not 0 octets long"),
        ("0 > S 0:0(0) <mss 70000>", "1:19: an MSS is out of range: 70000 (0 to 65535)"),
        ("0 > S 0:0(0) <wscale 7>", "1:14: 3 octets of TCP options are no multiple of 4: pad them with nop or eol"),
        ("0 > S 0:0(0) <mess 1>", "1:15: expected a TCP option (mss, wscale, sackOK, sack, TS, nop, eol, FO, FOEXP, "
                                  "md5, ECN, gen-KIND), found 'mess'"),
        ("0 socket(1, 2 = 3", "1:15: expected ',' or ')', found '='"),
        ("0 poll([{fd=3, revents=0}], 1, 0) = 0", "1:25: expected other members of a structure than fd, revents, or "
                                                  "another order of them, found '}'"),
        ("0 close(3)", "1:11: expected '=', found the end of the script"),
        ("\n  0 close(3) = 0\n +-1 close(3) = 0", "3:3: a time is not negative"),
        ("* close(3) = 0", "1:1: the time '*' is for packets that are expected, '>'"),
        ("1~0.5 > . 1:1(0)", "1:3: the time range runs backwards"),
        ("0 `never closed", "1:3: a command that does not end"),
        ('0 f("never closed', "1:5: a string that does not end"),
        ("/* never closed", "1:1: a comment that does not end"),
        ("0 %{ never closed", "1:3: code that does not end"),
        ("#ifdef X\n0 f() = 0", "1:1: #ifdef without an #endif"),
        ("0 > . 1:1(0) ack 1 <nop,nop,FO xyz>", "1:32: expected octets in hexadecimal digits, found 'xyz'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as error:
        parse_script(text, "s.pkt")
    assert str(error.value) == f"s.pkt:{message}"


@pytest.mark.parametrize("text", ["0 > sctp: INIT[...]", "0 < udplite (10, 8)"])
def test_what_is_not_tcp_is_lacking(text: str) -> None:
    with pytest.raises(Unsupported, match="packets"):
        parse_script(text)


flags = st.sets(st.sampled_from("FSRPU.EWA")).map(lambda letters: "".join(sorted(letters)) or "-")
numbers = st.integers(0, 0xFFFF_FFFF)
small = st.integers(0, 0xFFFF)


@st.composite
def segments(draw: st.DrawFn) -> str:
    seq, length = draw(st.integers(0, 1 << 31)), draw(small)
    text = f"> {draw(flags)} {seq}:{seq + length}({length})"
    text += f" ack {draw(numbers)}" if draw(st.booleans()) else ""
    text += f" win {draw(small)}" if draw(st.booleans()) else ""
    text += f" urg {draw(small)}" if draw(st.booleans()) else ""
    options = draw(
        st.lists(
            st.one_of(
                st.builds("mss {}".format, small),
                st.builds("nop,wscale {}".format, st.integers(0, 255)),
                st.just("nop,nop,sackOK"),
                st.builds("nop,nop,TS val {} ecr {}".format, numbers, numbers),
                st.builds("nop,nop,sack {}:{}".format, numbers, numbers),
            ),
            max_size=3,
        )
    )
    return text + (f" <{','.join(options)}>" if options else "")


@given(segments())
def test_what_was_read_can_be_written_and_read_again(text: str) -> None:
    packet = tcp(text)
    again = tcp(f"> {packet_text(packet)}")
    assert (again.seq, again.length, again.wnd, again.options) == (
        packet.seq, packet.length, packet.wnd, packet.options,
    )  # fmt: skip
    assert again.flags == packet.flags


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        parse_script(text)
    except ScriptError as found:
        error = found
    else:
        return
    assert error.line >= 1
    assert error.column >= 1


words = st.sampled_from(
    ["0", "+.1", "*", "<", ">", "S", ".", "1:1(0)", "ack", "win", "5", "<", "mss", ">", "f", "(", ")", "=", "[", "]",
     "{", "}", "...", "0.1", "~", "icmp", "udp", "`x`", "%{ y }%", '"s"', "|", ",", "-1", "EAGAIN", "nop", "--o=1",
     "//c\n", "ipv4", "\n"]
)  # fmt: skip


@given(st.lists(words, max_size=30).map(" ".join))
def test_no_mixture_of_its_words_does_either(text: str) -> None:
    try:
        parse_script(text)
    except ScriptError as found:
        error = found
    else:
        return
    assert error.line >= 1
