"""Scripts against a host: what passes, what fails and what is said of it, what is skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tulpen.drill.drill import Plan, drill, drill_text
from tulpen.drill.profile import BSD
from tulpen.drill.verdict import Outcome, Verdict

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.pkt"))

LISTEN = """
`sysctl -w net.ipv4.tcp_timestamps=0`
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
"""
OPEN = (
    LISTEN
    + """
+0 < S 0:0(0) win 32000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32000
+0 accept(3, ..., ...) = 4
"""
)


def run(text: str, plan: Plan | None = None) -> Verdict:
    return drill_text(text, "s.pkt", plan or Plan())


def passes(text: str, plan: Plan | None = None) -> None:
    verdict = run(text, plan)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "")


def fails(text: str, plan: Plan | None = None) -> Verdict:
    verdict = run(text, plan)
    assert verdict.outcome is Outcome.FAIL
    return verdict


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_our_scripts(path: Path) -> None:
    verdict = drill(str(path), Plan())
    assert (verdict.outcome, verdict.reason, verdict.expected, verdict.got) == (Outcome.PASS, "", "", "")


def test_the_same_answer_every_time() -> None:
    first, second = (drill(str(SCRIPTS[0]), Plan()) for _ in range(2))
    assert first.virtual == second.virtual


def test_a_failure_says_what_was_expected_and_what_came() -> None:
    verdict = fails(OPEN + "+0 write(4, ..., 100) = 100\n+0 > P. 1:201(200) ack 1 win 9\n")
    assert verdict.line == 12
    assert verdict.text == "+0 > P. 1:201(200) ack 1 win 9"
    verdict = fails(OPEN + "+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 2\n")
    assert verdict.reason == "PSH: expected clear; ack: expected 2, got 1"
    assert verdict.expected == ". 1:101(100) ack 2"
    assert verdict.got == "P. 1:101(100) ack 1 win 64240"
    assert verdict.at == pytest.approx(0.1)
    assert any("SYN 0 win 32000" in line for line in verdict.ladder)


def test_nothing_came() -> None:
    verdict = fails(OPEN + "+0 > P. 1:101(100) ack 1\n")
    assert (verdict.reason, verdict.got) == ("no packet was sent", "nothing")


def test_segments_are_joined_up_to_the_expected_length() -> None:
    text = OPEN + "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n"
    passes(text)
    assert fails("--strict_segments\n" + text).reason == "PSH: expected set; length: expected 3000, got 1000"


def test_more_came_than_one_segment_could_be() -> None:
    text = OPEN + "+0 write(4, ..., 2000) = 2000\n+0 > . 1:1501(1500) ack 1\n"
    assert "length: expected 1500, got 2000" in fails(text).reason


@pytest.mark.parametrize(
    ("line", "fine"),
    [
        ("+.3 > P. 1:101(100) ack 1", True),
        ("+.302 > P. 1:101(100) ack 1", True),  # within 12.5 percent
        ("+.2 > P. 1:101(100) ack 1", False),
        ("+.25~+.35 > P. 1:101(100) ack 1", True),
        ("+.1~+.2 > P. 1:101(100) ack 1", False),
        ("* > P. 1:101(100) ack 1", True),
        (".4 > P. 1:101(100) ack 1", True),
        (".39~.41 > P. 1:101(100) ack 1", True),
    ],
)
def test_times_of_what_is_expected(line: str, fine: bool) -> None:
    text = OPEN + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n" + line
    if fine:
        passes(text)
    else:
        assert "did not come in time" in fails(text).reason


def test_tolerance() -> None:
    text = OPEN + "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1\n"
    fails(text)
    passes("--tolerance_usecs=100000\n" + text)
    passes("--tolerance_percent=60\n" + text)


def test_calls_fail_as_linux_fails() -> None:
    passes(
        """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 accept(3, ..., ...) = -1 EINVAL (Invalid argument)
+0 read(3, ..., 10) = -1 ENOTCONN (Transport endpoint is not connected)
+0 write(3, ..., 10) = -1 EPIPE (Broken pipe)
+0 shutdown(3, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)
+0 read(9, ..., 10) = -1 EBADF (Bad file descriptor)
+0 fcntl(3, F_GETFL) = 2
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)
+0 poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLOUT|POLLHUP}], 1, 0) = 1
+0 bind(3, ..., ...) = 0
+0 bind(3, ..., ...) = -1 EINVAL (Invalid argument)
+0 listen(3, 1) = 0
+0 accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)
+0 connect(3, ..., ...) = -1 EISCONN (Transport endpoint is already connected)
"""
    )


def test_a_port_is_bound_once() -> None:
    passes(
        """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4
+0 bind(4, ..., ...) = -1 EADDRINUSE (Address already in use)
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 setsockopt(4, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(4, ..., ...) = 0
+0 listen(3, 1) = 0
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5
+0 setsockopt(5, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(5, ..., ...) = -1 EADDRINUSE (Address already in use)
"""
    )


def test_another_result_or_error() -> None:
    verdict = fails(OPEN + "+0 write(4, ..., 100) = 99\n")
    assert (verdict.expected, verdict.got) == ("99", "100")
    verdict = fails(OPEN + "+0 close(4) = 0\n+0 read(4, ..., 9) = -1 EAGAIN (Resource temporarily unavailable)\n")
    assert (verdict.expected, verdict.got) == ("EAGAIN", "EBADF")


def test_a_call_that_waits_for_ever() -> None:
    assert fails(LISTEN + "+0 accept(3, ..., ...) = 4\n").reason == "accept() waits for ever"


def test_a_call_that_returns_at_another_time() -> None:
    text = (
        LISTEN
        + """
+0...0.5 accept(3, ..., ...) = 4
+.1 < S 0:0(0) win 32000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32000
"""
    )
    assert fails(text).reason == (
        "the return of accept() did not come in time: at 0.500000 s was expected, 0.200000 s it was"
    )


def test_epoll_tells_of_edges_once() -> None:
    passes(
        OPEN
        + """
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0
+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0
+0 < P. 1:101(100) ack 1 win 32000
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0
+0 < P. 101:201(100) ack 1 win 32000
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 epoll_ctl(5, EPOLL_CTL_MOD, 4, {events=EPOLLOUT|EPOLLONESHOT, u64=77}) = 0
+0 epoll_wait(5, {events=EPOLLOUT, u64=77}, 1, 0) = 1
+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0
+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, ...) = 0
+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, ...) = -1 ENOENT (No such file or directory)
"""
    )


def test_options_of_sockets() -> None:
    passes(
        OPEN
        + """
+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [10000], 4) = 0
+0 getsockopt(4, SOL_SOCKET, SO_SNDBUF, [20000], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0
+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, [8]) = 0
+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [1], [4]) = 0
+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0
+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, ["reno"], [16]) = 0
+0 close(4) = 0
+0 > R. 1:1(0) ack 1
"""
    )
    assert "differs" in fails(OPEN + "+0 getsockopt(4, IPPROTO_TCP, TCP_KEEPCNT, [3], [4]) = 0\n").reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("--udp_encapsulation=tcp\n0 close(3) = 0", "needs --udp_encapsulation: TCP over UDP"),
        ("0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "needs a socket of SOCK_DGRAM"),
        ("0 splice(1, 2, 3, 4, 5, 6) = 0", "needs splice(), which only a kernel has"),
        ("0 frobnicate(1) = 0", "needs the system call frobnicate()"),
        ("`make mischief`\n0 close(3) = 0", "needs the command 'make mischief'"),
        ("`sysctl -w net.ipv4.tcp_no_such_thing=1`\n0 close(3) = 0", "needs sysctl tcp_no_such_thing=1"),
        ("0 > udp (100)", "needs sockets of UDP"),
        ("0 < gre: . 1:1(0) win 5", "needs packets inside gre"),
        (OPEN + "+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0", "needs SO_ZEROCOPY"),
        (OPEN + "+0 send(4, ..., 1, MSG_ZEROCOPY) = 1", "needs zero copy"),
        (OPEN + "+0 %{ import os }%", "needs code with Import"),
        (OPEN + "+0 %{ assert print.__self__ }%", "needs code with Attribute"),
        (OPEN + "+0 %{ assert tcpi_no_such_field }%", "needs the field tcpi_no_such_field of struct tcp_info"),
    ],
)
def test_what_is_skipped_says_why(text: str, reason: str) -> None:
    verdict = run(text)
    assert (verdict.outcome, verdict.reason) == (Outcome.SKIP, reason)


def test_code() -> None:
    passes(
        OPEN
        + """
+0 %{
mine = 3
assert tcpi_state == TCP_ESTABLISHED, tcpi_state
assert tcpi_snd_cwnd == 10 and tcpi_snd_ssthresh == TCP_INFINITE_SSTHRESH
}%
+0 %{ mine += 1; assert mine == 4 }%
+0 %{ assert min(mine, 9) == 4, 'mine=%d' % mine }%
"""
    )
    passes(
        OPEN
        + """
+.5 < P. 2001:3001(1000) ack 1 win 1000
+.2 < P. 1:1001(1000) ack 1 win 1000
+.1 %{ assert (tcpi_last_data_recv, tcpi_last_ack_recv, tcpi_last_data_sent) == (100, 100, 800) }%
+0 %{ assert (tcpi_segs_in, tcpi_data_segs_in, tcpi_rcv_ooopack, tcpi_bytes_received) == (3, 2, 1, 1000) }%
"""
    )
    verdict = fails(OPEN + "+0 %{ assert tcpi_snd_cwnd == 11, 'cwnd=%d' % tcpi_snd_cwnd }%")
    assert verdict.reason == "the assertion does not hold (it says: cwnd=10)"
    assert "no Python" in fails(OPEN + "+0 %{ assert assert }%").reason
    assert "ZeroDivisionError" in fails(OPEN + "+0 %{ 1 / 0 }%").reason


def test_commands_of_set_up() -> None:
    passes('`sysctl -q net.ipv4.tcp_rmem="4096 50000 70000"\n../common/defaults.sh`\n0 `sleep 3`\n3 `true`')
    passes(
        """`./defaults.sh
../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 \\
    /proc/sys/net/ipv4/tcp_retries2=3
ip tcp_metrics flush all > /dev/null 2>&1; ethtool -K tun0 tso off`
0 `nstat > /dev/null`
+0 < S 0:0(0) win 5
+0 > R. 0:0(0) ack 1
+0 `nstat | grep TcpOutRsts`
`/tmp/sysctl_restore_${PPID}.sh`"""
    )
    passes("0 `nstat | grep TcpOutRsts ||\n  true || unheard_of\nsysctl net.ipv4.unheard_of=1 || true`")
    assert run("0 `true; unheard_of || unheard_of_too`").outcome is Outcome.SKIP
    assert fails("0 `nstat | grep TcpOutRsts`").reason == "nstat: TcpOutRsts has not gone up"


@pytest.mark.parametrize(("path", "bits"), [("../common/defaults.sh", 0x70403), ("./defaults.sh", 3)])
def test_the_usual_set_up_of_two_suites(path: str, bits: int) -> None:
    """Scripts for a fast open take it for granted; it lies in another place in each."""
    listens = bits & 0x400 > 0
    passes(
        f"""`{path}`
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:10(10) win 32000 <mss 1000,FO 3021b9d889017eeb,nop,nop>
+0 > S. 0:0(0) ack {11 if listens else 1} <mss 1460>
"""
    )


def test_the_table_of_sockets() -> None:
    text = """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 `grep " 0A " /proc/net/tcp /proc/net/tcp6 | grep ":1F90"`
+0 `grep "0: 0100A8C0:1F90 00000000:0000 0A" /proc/net/tcp`
+0 < S 0:0(0) win 32000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+0 `grep " 03 " /proc/net/tcp`
"""
    passes(text)
    assert fails(text + "+0 `grep ' 01 ' /proc/net/tcp`").reason == "grep: nothing in /proc/net/tcp fits"
    assert run("0 `grep x /etc/passwd`").outcome is run("0 `grep -c x /proc/net/tcp`").outcome is Outcome.SKIP


def test_freebsd() -> None:
    passes(
        """
 0.00 `sysctl -w net.inet.tcp.rfc1323=0`
+0.00 `sysctl -w net.inet.tcp.recvspace=65536`
+0.00 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0.00 bind(3, ..., ...) = 0
+0.00 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [65536], [4]) = 0
+0.00 listen(3, 1) = 0
+0.00 < S 0:0(0) win 32000 <mss 1460,sackOK,eol,eol>
+0.00 > S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol,eol>
+0.00 `sockstat -4 -P tcp -s -p 8080 | grep -c SYN_RCVD | grep 1`
#ifdef FreeBSD
+0.00 `sockstat -4 -P tcp -s -p 8080 | grep -c CLOSED | grep 0`
#endif
""",
        Plan(BSD),
    )


def test_faults_that_are_not_fatal() -> None:
    text = OPEN + "+0 write(4, ..., 100) = 99\n+0 > P. 1:101(100) ack 1\n"
    fails(text)
    verdict = run("--non_fatal=syscall\n" + text)
    assert verdict.outcome is Outcome.PASS
    assert verdict.remarks == ["line 12: write() returned another value"]


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--frobnicate=1", "--frobnicate: an option nobody knows"),
        ("--mtu", "--mtu: it takes a value"),
        ("--strict_segments=1", "--strict_segments: it takes no value"),
        ("--mtu=many", "--mtu=many: that is no value for it"),
        ("--ip_version=ipv5", "--ip_version=ipv5: that is no value for it"),
    ],
)
def test_what_is_no_option(option: str, complaint: str) -> None:
    verdict = run(f"--tolerance_usecs=5000\n{option}\n0 < S 0:0(0) win 5")
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, f"s.pkt:2:1: {complaint}")


def test_the_command_line_outdoes_the_script() -> None:
    text = "--ip_version=ipv4\n0 < S 0:0(0) win 5\n+0 > R. 0:0(0) ack 1\n"
    verdict = drill_text(text, "s.pkt", Plan(options={"ip_version": "ipv6"}))
    assert (verdict.outcome, verdict.ip_version) == (Outcome.PASS, "ipv6")


@pytest.mark.parametrize("version", ["ipv4", "ipv6"])
def test_an_icmp_message_of_the_other_version_is_an_error(version: str) -> None:
    wrong = "packet_too_big" if version == "ipv4" else "unreachable frag_needed"
    verdict = run(f"--ip_version={version}\n0 socket(..., SOCK_STREAM, 0) = 3\n+0 < icmp {wrong} [0:0(0)]\n")
    assert (verdict.outcome, verdict.line) == (Outcome.ERROR, 3)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("+.1 socket(..., SOCK_STREAM, 0) = 3\n", 1, "the first event is not at time 0"),
        ("0 socket(..., SOCK_STREAM, 0) = 3\n1 close(3) = 0\n.999 close(3) = -1\n", 3, "time goes backward"),
        ("0 socket(..., SOCK_STREAM, 0) = 3\n0 socket(..., SOCK_STREAM, 0) = 3\n", 2,
         "file descriptor 3 is open already"),
        (LISTEN + "+0 < S 0:0(0) win 9 <mss 1000>\n+0 < . 1:1(0) ack 1 win 9\n* > S. 0:0(0) ack 1 <...>\n", 0, ""),
    ],
)  # fmt: skip
def test_what_packetdrill_does_not_take(text: str, line: int, reason: str) -> None:
    verdict = run(text)
    assert (verdict.outcome, verdict.line, verdict.reason) == (
        (Outcome.FAIL, line, reason) if line else (Outcome.PASS, 0, "")
    )


def test_what_is_accepted_must_be_known() -> None:
    fast = "+0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [2], 4) = 0\n+0 < S 0:10(10) win 9 <mss 1460>\n"
    text = LISTEN.replace("sysctl -w", "sysctl -w net.ipv4.tcp_fastopen=0x602") + fast
    answer, accept = "+0 > S. 0:0(0) ack 11 <mss 1460>\n", "+0 accept(3, ..., ...) = 4\n"
    passes(text + answer + accept)
    assert fails(text + accept).reason == "accept() returned a connection whose SYN,ACK the script does not expect"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 3) = -1 EINVAL", ""),
        ("setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 4) = -1 EINVAL", ""),
        ("setsockopt(4, SOL_IP, IP_TOS, [16], 1) = 0", ""),
        ("getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [4]) = 0", ""),
        ("getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [8]) = 0", "getsockopt TCP_NODELAY's length differs"),
        ("setsockopt(4, SOL_TCP, TCP_NOTSENT_LOWAT, [-1], 4) = 0", ""),
    ],
)
def test_options_have_a_length(call: str, reason: str) -> None:
    assert run(OPEN + f"+0 {call}\n").reason == reason


def test_shutdown_again_changes_nothing() -> None:
    text = OPEN + "+0 < F. 1:1(0) ack 1 win 9\n* > . 1:1(0) ack 2\n+0 shutdown(4, SHUT_WR) = 0\n* > F. 1:1(0) ack 2\n"
    passes(text + "+0 shutdown(4, SHUT_WR) = 0\n+0 < . 2:2(0) ack 2 win 9\n+0 shutdown(4, SHUT_WR) = -1 ENOTCONN\n")


def test_a_segment_for_a_socket_that_is_new() -> None:
    """packetdrill gives it no ports; nplab's, which FreeBSD's scripts are for, does."""
    text = "0 socket(..., SOCK_STREAM, 0) = 3\n+0 < . 1:1(0) ack 9 win 9\n+0 > R 9:9(0)\n"
    assert fails(text).reason == "no packet was sent"
    passes(text, Plan(profile=BSD))


def test_a_call_that_blocks_is_waited_for_a_second() -> None:
    late = OPEN + "+0...1.5 read(4, ..., 10) = 1\n"
    verdict = fails(late)
    assert verdict.reason == "read() did not return within a second, and the script ends"
    verdict = fails(late + "+.1...0.2 read(4, ..., 10) = 1\n")
    assert verdict.reason == "read() did not return within a second, and another call blocks"
    passes(late + "+1.5 < . 1:2(1) ack 1 win 5\n")
    passes(OPEN + "+0...0.6 read(4, ..., 10) = 1\n+.6 < . 1:2(1) ack 1 win 5\n+0 close(4) = 0\n")


def test_parts_are_of_one_length_and_it_left_with_the_last() -> None:
    text = OPEN + "+0 setsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0\n+0 write(4, ..., 500) = 500\n"
    verdict = fails(text + "+0 write(4, ..., 1500) = 1500\n+0 > P. 1:2001(2000) ack 1\n")
    assert verdict.reason == "the segments that make up the expected one are not of one length"
    text += "+.1 write(4, ..., 500) = 500\n"
    passes(text + ".2 > P. 1:1001(1000) ack 1\n")
    assert "0.200000 s it was" in fails(text + ".1 > P. 1:1001(1000) ack 1\n").reason


@pytest.mark.parametrize("version", ["ipv4", "ipv4-mapped-ipv6", "ipv6"])
def test_versions_of_ip(version: str) -> None:
    mss = 1440 if version == "ipv6" else 1460
    passes(
        LISTEN + f"+0 < S 0:0(0) win 9 <mss 500>\n+0 > S. 0:0(0) ack 1 <mss {mss}>",
        Plan(options={"ip_version": version}),
    )


def test_timestamps_are_compared_when_asked_for() -> None:
    text = """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32000 <mss 1000,nop,nop,TS val 10 ecr 0>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 10>
+.5 < . 1:1(0) ack 1 win 32000 <nop,nop,TS val 20 ecr 100>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 1 <nop,nop,TS val 900 ecr 20>
"""
    passes(text)
    verdict = fails("--tcp_ts_tick_usecs=1000\n" + text)
    assert verdict.reason == "TS val: expected 900, got 600"
    verdict = fails(text + "+0 < . 1:1(0) ack 11 win 32000 <nop,nop,TS val 30 ecr 950>")
    assert "echoes no timestamp" in verdict.reason
    passes("--tcp_ts_ecr_scaled\n" + text + "+0 < . 1:1(0) ack 11 win 32000 <nop,nop,TS val 30 ecr 610>")
