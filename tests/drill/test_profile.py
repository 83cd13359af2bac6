"""The ``bsd`` profile: FreeBSD's settings, its sysctls, its order of options."""

from __future__ import annotations

import pytest

from tulpen.drill.drill import Plan, drill_text
from tulpen.drill.profile import BSD, LINUX, PROFILES
from tulpen.drill.sysctl_bsd import apply
from tulpen.drill.verdict import Outcome
from tulpen.tcp.config import Settings


def test_linux_is_what_the_settings_say_without_being_asked_but_for_what_departs_from_an_rfc_or_costs_much() -> None:
    assert LINUX.make_settings() == Settings(tcp_syn_linear_timeouts=4, tcp_tso_autosize=True)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_settings_are_fresh_every_time(profile: object) -> None:
    assert BSD.make_settings() is not BSD.make_settings()


@pytest.mark.parametrize(
    ("sysctl", "value", "setting", "expected"),
    [
        ("insecure_rst", "1", "tcp_insecure_rst", True),
        ("insecure_syn", "1", "tcp_insecure_syn", True),
        ("drop_synfin", "1", "tcp_drop_synfin", 2),
        ("drop_synfin", "0", "tcp_drop_synfin", 0),
        ("tolerate_missing_ts", "1", "tcp_tolerate_missing_ts", True),
        ("delacktime", "100", "tcp_delack_ms", 100),
        ("rexmit_drop_options", "1", "tcp_plain_syn_after", 2),
        ("rexmit_slop", "50", "tcp_rto_slop_ms", 50),
        ("icmp_may_rst", "0", "tcp_icmp_may_rst", False),
        ("keepinit", "15000", "tcp_keepinit", 15),
        ("recvspace", "8192", "tcp_rmem", (16_384, 8192, 2_097_152)),
    ],
)
def test_sysctls(sysctl: str, value: str, setting: str, expected: object) -> None:
    settings = BSD.make_settings()
    apply(settings, f"net.inet.tcp.{sysctl}", value)
    assert getattr(settings, setting) == expected


CONNECTED = """
--ip_version=ipv4
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 7 ecr 0>
+.1 < S. 0:0(0) ack 1 win 9000 <mss 1000,nop,wscale 2,sackOK,TS val 5 ecr 7>
+0 > . 1:1(0) ack 1 win 1032 <nop,nop,TS val 107 ecr 5>
+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [66000], [4]) = 0
"""


@pytest.mark.parametrize(
    "then",
    [
        "+.1 < P. 1:101(100) ack 1 win 9000 <nop,nop,TS val 9 ecr 107>\n"
        "+.04 > . 1:1(0) ack 101 win 1031 <nop,nop,TS val 247 ecr 9>\n",
        "+.1 < P. 1:101(100) ack 1 win 9000\n+.1 read(3, ..., 200) = -1 EAGAIN (Try again)\n",
        "+.1 < R 500:500(0) win 0\n+0 > . 1:1(0) ack 1 win 1032 <nop,nop,TS val 207 ecr 5>\n",
        "+0 `sysctl -w net.inet.tcp.insecure_rst=1`\n+.1 < R 500:500(0) win 0\n"
        "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n",
    ],
)
def test_what_a_script_sees(then: str) -> None:
    verdict = drill_text(CONNECTED + then, "s.pkt", Plan(profile=BSD))
    assert (verdict.outcome, verdict.reason, verdict.got) == (Outcome.PASS, "", "")


@pytest.mark.parametrize(
    ("fast", "syn"),
    [
        ("0", "S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,eol,eol>"),
        ("1", "S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,FO>"),
    ],
)
def test_sendto_opens(fast: str, syn: str) -> None:
    script = f"""
--ip_version=ipv4
 0 `sysctl -w net.inet.tcp.fastopen.client_enable={fast}`
+0 `sysctl -w net.inet.tcp.rfc1323=2`
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, [1], 4) = 0
+0 sendto(3, ..., 100, 0, ..., ...) = 100
+0 > {syn}
+.1 < S. 0:0(0) ack 1 win 9000 <mss 1000>
+0 > P. 1:101(100) ack 1 win 65535
"""
    verdict = drill_text(script, "s.pkt", Plan(profile=BSD))
    assert (verdict.outcome, verdict.reason, verdict.got) == (Outcome.PASS, "", "")
