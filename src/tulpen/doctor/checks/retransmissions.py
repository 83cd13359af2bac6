"""Retransmission storms, and whether the network, one peer, or an application is slow; connects that nobody answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tulpen.doctor.change import Change, Pair
from tulpen.doctor.finding import Evidence, Finding, Fix, Severity
from tulpen.doctor.words import count, lasting, pace, remote, share
from tulpen.kernel.sock_diag import KernelSocket
from tulpen.tcp.state import State
from tulpen.wire.address import text as address_text

_SEGMENTS_TWICE = "TcpExtTCPDSACKRecvSegs"
_SPURIOUS = 0.5
_UNANSWERED = 2  # SYNs sent again


class Sent(NamedTuple):
    """What connections sent between the looks, and what kept them from sending more (seconds)."""

    segments: int
    again: int
    busy: float
    window: float  # the peer's window was full
    buffer: float  # our send buffer was too small
    pairs: tuple[Pair, ...]


def find(change: Change) -> Iterator[Finding]:
    """Find a share of retransmissions that is too high, and destinations that do not answer SYNs."""
    again, out = change.grew("TcpRetransSegs"), change.grew("TcpOutSegs")
    syns = change.grew("TcpExtTCPSynRetrans")
    data = max(0, again - syns)
    if data >= change.limits.resent and data >= change.limits.resent_share * max(1, out):
        yield _storm(change, data, out)
    groups: dict[tuple[bytes, int], list[KernelSocket]] = defaultdict(list)
    for sock in change.after.sockets:
        if sock.state is State.SYN_SENT and sock.retransmits >= _UNANSWERED:
            groups[sock.name.remote, sock.name.remote_port].append(sock)
    yield from (_unanswered(change, socks) for socks in groups.values())


def sent_to(change: Change) -> dict[bytes, Sent]:
    """Return what was sent to each host, by the connections that were there in both looks."""
    groups: dict[bytes, list[Pair]] = defaultdict(list)
    for pair in change.pairs:
        if pair.then.info is not None and pair.now.info is not None and pair.now.name.remote_port:
            groups[pair.now.name.remote].append(pair)
    return {host: _sent(pairs) for host, pairs in groups.items()}


def _sent(pairs: list[Pair]) -> Sent:
    segments = again = busy = window = buffer = 0
    for then, now in pairs:
        if then.info is None or now.info is None:
            continue
        segments += now.info.data_segs_out - then.info.data_segs_out
        again += now.info.total_retrans - then.info.total_retrans
        busy += now.info.busy_time - then.info.busy_time
        window += now.info.rwnd_limited - then.info.rwnd_limited
        buffer += now.info.sndbuf_limited - then.info.sndbuf_limited
    return Sent(segments, again, busy / 1e6, window / 1e6, buffer / 1e6, tuple(pairs))


def _storm(change: Change, again: int, out: int) -> Finding:
    hosts = sent_to(change)
    worst = max(hosts, key=lambda host: hosts[host].again, default=None)
    sent = hosts[worst] if worst is not None and hosts[worst].again else None
    slow = [pair.now for pair in sent.pairs if _resent(pair)] if sent else []
    where = address_text(worst) if worst is not None and sent else ""
    verdict, fix = _verdict(change, hosts, worst, again)
    holders = change.holders(slow)
    return Finding(
        "retransmissions",
        Severity.CRITICAL if again >= 4 * change.limits.resent_share * out else Severity.WARNING,
        f"{share(again / max(1, out))} of the segments are sent again, {pace(again / change.seconds)}"
        f"{f', most of them to {where}' if where else ''}: {verdict}.",
        tuple(_evidence(change, sent, slow)),
        f"{count(again, 'segment')} in {lasting(change.seconds)}",
        fix,
        "TcpRetransSegs grows by less than one in a hundred of TcpOutSegs",
        "loss",
        again,
        holders,
        destination=where,
        per_second=again / change.seconds,
    )


def _resent(pair: Pair) -> int:
    return (
        0
        if pair.then.info is None or pair.now.info is None
        else pair.now.info.total_retrans - pair.then.info.total_retrans
    )


def _verdict(change: Change, hosts: dict[bytes, Sent], worst: bytes | None, again: int) -> tuple[str, tuple[Fix, ...]]:
    """Say whose fault it looks like."""
    if _needless(change) >= _SPURIOUS * again:
        return (
            "most were needless (the peer had them: DSACK), so the network delays or reorders more than it loses",
            (Fix("look for a path that reorders (several links, a busy hypervisor) or delays in bursts"),
             Fix("leave tcp_recovery (RACK) and tcp_sack on: they learn the reordering")),
        )  # fmt: skip
    share_of_loss = change.limits.resent_share
    sending = {host: sent for host, sent in hosts.items() if sent.segments >= change.limits.resent}
    clean = [host for host, sent in sending.items() if sent.again < share_of_loss * sent.segments]
    lossy = [host for host in sending if host not in clean]
    if lossy == [worst] and clean:
        others = f"{count(len(clean), 'other host')} {'has' if len(clean) == 1 else 'have'} hardly any"
        return (
            f"{others}, so it is that peer or the path to it",
            (Fix("look at that peer and the path to it: mtr, its interface's errors, its receive queue drops"),),
        )
    if len(lossy) > 1:
        return (
            "several hosts are concerned, so it is the network on this machine's side",
            (Fix("look at this machine's interface: errors and drops (ip -s link), the switch port, a full uplink"),),
        )
    return (
        "the network loses them",
        (Fix("look at the path: mtr, interface errors and drops at both ends, a link that is full"),
         Fix("what is lost by a full link is cured by less at a time: pacing, another congestion control, ECN")),
    )  # fmt: skip


def _needless(change: Change) -> int:
    """Return how many segments peers said that they had already; before Linux 5.10, how many times they said so."""
    if _SEGMENTS_TWICE in change.after.counters:
        return change.grew(_SEGMENTS_TWICE)
    return change.grew("TcpExtTCPDSACKRecv") + change.grew("TcpExtTCPDSACKOfoRecv")


def _evidence(change: Change, sent: Sent | None, slow: list[KernelSocket]) -> Iterator[Evidence]:
    yield change.counted("TcpRetransSegs")
    yield change.counted("TcpOutSegs")
    for name in (
        "TCPFastRetrans",
        "TCPTimeouts",
        "TCPLostRetransmit",
        "TCPLossProbes",
        "TCPDSACKRecv",
        "TCPDSACKRecvSegs",
        "TCPSACKReorder",
    ):
        if change.grew(f"TcpExt{name}"):
            yield change.counted(f"TcpExt{name}")
    if sent is None:
        return
    yield Evidence("of these connections", sent.again, None, f"of {sent.segments:,} segments with data")
    infos = [sock.info for sock in slow if sock.info and sock.info.min_rtt]
    if infos:
        worst = max(infos, key=lambda info: info.rtt / info.min_rtt)
        yield Evidence("round trip", f"{worst.rtt / 1000:.1f} ms", None, f"at best {worst.min_rtt / 1000:.1f} ms")
    if sent.busy:
        yield Evidence("kept from sending", _limits(sent), None, "of the time there was something to send")


def _limits(sent: Sent) -> str:
    network = max(0.0, sent.busy - sent.window - sent.buffer)
    return (
        f"network {share(network / sent.busy)}, peer's window (its application) {share(sent.window / sent.busy)}, "
        f"our send buffer {share(sent.buffer / sent.busy)}"
    )


def _unanswered(change: Change, socks: list[KernelSocket]) -> Finding:
    holders = change.holders(socks)
    where = remote(socks[0])
    tries = Counter(sock.retransmits for sock in socks)
    return Finding(
        "unanswered",
        Severity.CRITICAL,
        f"{where} does not answer: {holders[0]} waits in connect() with {count(len(socks), 'socket')} in SYN-SENT.",
        (
            Evidence("SYN-SENT", len(socks)),
            Evidence("SYNs sent again", max(tries), None, "of the one that tried most"),
            change.counted("TcpExtTCPSynRetrans"),
            change.setting("net.ipv4.tcp_syn_retries", "after so many connect() fails with ETIMEDOUT"),
        ),
        f"{count(change.grew('TcpExtTCPSynRetrans'), 'SYN')} sent again in {lasting(change.seconds)}",
        (
            Fix("see whether that host is up, listens there, and whether a firewall on the way drops SYNs; a full "
                "accept "
                "queue over there looks the same"),
            Fix("a deadline on connect(), and another address where there is one"),
            Fix(
                "give up sooner",
                "sysctl -w net.ipv4.tcp_syn_retries=3",
                "some 15 s instead of more than a minute, for every connection of this machine",
            ),
        ),
        "connect() to it succeeds",
        "half-open",
        len(socks),
        holders,
        destination=where,
    )  # fmt: skip
