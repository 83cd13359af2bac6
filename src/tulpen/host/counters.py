"""What is counted, under the names of Linux's MIB and grouped as /proc/net/snmp and /proc/net/netstat do.

``Stack.counters`` is one flat mapping.  Its keys are Linux's names; those of ICMP have
the group before them, as nstat prints them, because TCP counts under the same names.
The last group is tulpen's own: for what Linux does without counting it, or not under one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple


class Counter(NamedTuple):
    """One number of the MIB."""

    group: str
    name: str
    sentence: str

    @property
    def key(self) -> str:
        """Its name in ``Stack.counters``."""
        return self.group + self.name if self.group == "Icmp" else self.name


COUNTERS: Final[tuple[Counter, ...]] = (
    Counter("Ip", "InReceives", "Packets that came in, whole or not."),
    Counter("Ip", "InHdrErrors", "Packets whose internet header contradicts itself or fails its checksum."),
    Counter("Ip", "InAddrErrors", "Packets for an address that is not this host's, or from one that none can have."),
    Counter("Ip", "InUnknownProtos", "Packets of a protocol that this host does not speak."),
    Counter("Ip", "InDelivers", "Packets handed to TCP or ICMP."),
    Counter("Ip", "OutRequests", "Packets sent."),
    Counter("Ip", "OutDiscards", "Packets that the link would not take."),
    Counter("Ip", "ReasmFails", "Fragments dropped; this host puts none together."),
    Counter("IpExt", "InECT1Pkts", "Segments that came with the mark ECT(1)."),
    Counter("IpExt", "InECT0Pkts", "Segments that came with the mark ECT(0)."),
    Counter("IpExt", "InCEPkts", "Segments that came with the mark CE: a queue on the way was congested."),
    Counter("Icmp", "InMsgs", "ICMP messages that came in."),
    Counter("Icmp", "InErrors", "ICMP messages that could not be understood."),
    Counter("Icmp", "InDestUnreachs", "Destination Unreachable, all codes, and Packet Too Big."),
    Counter("Icmp", "InTimeExcds", "Time Exceeded."),
    Counter("Icmp", "InParmProbs", "Parameter Problem."),
    Counter("Icmp", "InSrcQuenchs", "Source Quench, which is ignored."),
    Counter("Icmp", "InEchos", "Echo requests that came in."),
    Counter("Icmp", "InEchoReps", "Echo replies that came in; this host asks nothing."),
    Counter("Icmp", "InRedirects", "Redirects, which are ignored: this host has no routes."),
    Counter("Icmp", "OutEchoReps", "Echo replies sent."),
    Counter("Icmp", "OutMsgs", "ICMP messages sent."),
    Counter("Tcp", "ActiveOpens", "Connections opened by connect(): CLOSED to SYN-SENT."),
    Counter("Tcp", "PassiveOpens", "Connections that a listener completed the handshake for."),
    Counter("Tcp", "AttemptFails", "Opens that failed: SYN-SENT or SYN-RECEIVED back to CLOSED or LISTEN."),
    Counter("Tcp", "EstabResets", "Connections cut off: ESTABLISHED or CLOSE-WAIT straight to CLOSED."),
    Counter("Tcp", "CurrEstab", "Connections now in ESTABLISHED or CLOSE-WAIT."),
    Counter("Tcp", "InSegs", "Segments that came in, also those in error."),
    Counter("Tcp", "OutSegs", "Segments sent, retransmissions among them, as Linux counts."),
    Counter("Tcp", "RetransSegs", "Segments sent again."),
    Counter("Tcp", "InErrs", "Segments in error: wrong checksum, or a header that contradicts itself."),
    Counter("Tcp", "OutRsts", "Segments sent with RST."),
    Counter("Tcp", "InCsumErrors", "Segments whose checksum was wrong."),
    Counter("TcpExt", "SyncookiesSent", "SYN,ACKs sent with a cookie for their sequence number."),
    Counter("TcpExt", "SyncookiesRecv", "ACKs that brought back a good cookie."),
    Counter("TcpExt", "SyncookiesFailed", "ACKs for no connection that brought back no cookie of ours."),
    Counter("TcpExt", "EmbryonicRsts", "Connections reset while still in SYN-RECEIVED."),
    Counter("TcpExt", "OutOfWindowIcmps", "ICMP errors about a sequence number not in flight."),
    Counter("TcpExt", "TW", "TIME-WAIT records that lived out their time."),
    Counter("TcpExt", "TWRecycled", "TIME-WAIT records that connect() opened a new connection over."),
    Counter("TcpExt", "TWKilled", "TIME-WAIT records that were given a few seconds only: by tcp_tw_recycle."),
    Counter("TcpExt", "PAWSActive", "SYN,ACKs refused for a timestamp that went back."),
    Counter("TcpExt", "PAWSPassive", "SYNs refused because tcp_tw_recycle saw the host's timestamp go back."),
    Counter("TcpExt", "PruneCalled", "Times what is received was packed closer for want of room."),
    Counter("TcpExt", "RcvPruned", "Times even that left no room."),
    Counter("TcpExt", "OfoPruned", "Pieces beyond a hole dropped for want of room."),
    Counter("TcpExt", "PAWSOldAck", "Mere ACKs with an old timestamp, from before what had come since."),
    Counter("TcpExt", "PAWSEstab", "Segments refused for a timestamp older than the last one."),
    Counter("TcpExt", "PAWSTimewait", "Segments refused in TIME-WAIT for an old timestamp."),
    Counter("TcpExt", "DelayedACKs", "ACKs sent because the delayed-ACK clock ran out."),
    Counter("TcpExt", "TCPDeferAcceptDrop", "ACKs without text for a listener that waits for it."),
    Counter("TcpExt", "ListenOverflows", "SYNs or last ACKs that found the accept queue full."),
    Counter("TcpExt", "ListenDrops", "SYNs and last ACKs that a listener dropped, for whatever reason."),
    Counter("TcpExt", "TCPPureAcks", "ACKs without data."),
    Counter("TcpExt", "TCPBacklogCoalesce", "ACKs passed over, because the next that came with them said more."),
    Counter("TcpExt", "TCPHPHits", "Segments taken on the fast path."),
    Counter("TcpExt", "TCPRenoRecovery", "Times loss was noticed by duplicate ACKs, without SACK."),
    Counter("TcpExt", "TCPSackRecovery", "Times loss was noticed by SACK."),
    Counter("TcpExt", "TCPLostRetransmit", "Retransmissions that were lost themselves."),
    Counter("TcpExt", "TCPFastRetrans", "Segments sent again before a timeout."),
    Counter("TcpExt", "TCPSlowStartRetrans", "Segments sent again in slow start, after a timeout."),
    Counter("TcpExt", "TCPTimeouts", "Retransmission timeouts."),
    Counter("TcpExt", "TCPSpuriousRTOs", "Retransmission timeouts that proved needless."),
    Counter("TcpExt", "TCPFullUndo", "Fast recoveries that proved needless when all was acknowledged."),
    Counter("TcpExt", "TCPPartialUndo", "Fast recoveries that proved needless by a partial acknowledgment."),
    Counter("TcpExt", "TCPDSACKUndo", "Reductions taken back because every retransmission came twice."),
    Counter("TcpExt", "TCPLossUndo", "Reductions after a timeout that were taken back."),
    Counter("TcpExt", "TCPSACKReneging", "Timeouts of what SACK had reported: the peer dropped it."),
    Counter("TcpExt", "TCPRenoReorder", "Times the path turned out to reorder, by duplicates without SACK."),
    Counter("TcpExt", "TCPTSReorder", "Times the path turned out to reorder, by a timestamp."),
    Counter("TcpExt", "TCPDSACKOldSent", "DSACK blocks sent for octets that had been acknowledged."),
    Counter("TcpExt", "TCPDSACKOfoSent", "DSACK blocks sent for octets that waited out of order."),
    Counter("TcpExt", "TCPDSACKRecv", "DSACK blocks received."),
    Counter("TcpExt", "TCPSACKReorder", "Times the path turned out to reorder, by what SACK reported."),
    Counter("TcpExt", "TCPMTUPSuccess", "Probes of the path MTU that arrived."),
    Counter("TcpExt", "TCPMTUPFail", "Probes of the path MTU that were lost, and nothing else with them."),
    Counter("TcpExt", "TCPLossProbes", "Tail Loss Probes sent."),
    Counter("TcpExt", "TCPLossProbeRecovery", "Losses that a Tail Loss Probe repaired."),
    Counter("TcpExt", "TCPAbortOnData", "Connections reset because data came for an application that had closed."),
    Counter("TcpExt", "TCPAbortOnClose", "Connections reset because they were closed with data unread."),
    Counter("TcpExt", "TCPAbortOnMemory", "Connections reset because there were too many orphans."),
    Counter("TcpExt", "TCPAbortOnTimeout", "Connections given up: retransmissions, keep-alive or user timeout."),
    Counter("TcpExt", "TCPAbortOnLinger", "Connections reset by SO_LINGER 0 or a negative TCP_LINGER2."),
    Counter("TcpExt", "TCPTimeWaitOverflow", "Connections that skipped TIME-WAIT: tcp_max_tw_buckets was reached."),
    Counter("TcpExt", "TCPReqQFullDoCookies", "SYNs answered with a cookie because the SYN queue was full."),
    Counter("TcpExt", "TCPReqQFullDrop", "SYNs dropped because the SYN queue was full."),
    Counter("TcpExt", "TCPFastOpenActive", "Fast opens of ours whose text the SYN,ACK acknowledged whole."),
    Counter("TcpExt", "TCPFastOpenActiveFail", "Fast opens of ours whose text had to go again, or that timed out."),
    Counter("TcpExt", "TCPFastOpenPassive", "Connections that a SYN with a good cookie made at once."),
    Counter("TcpExt", "TCPFastOpenPassiveFail", "SYNs whose cookie was not good."),
    Counter("TcpExt", "TCPFastOpenPassiveAltKey", "SYNs whose cookie was made with the second key."),
    Counter("TcpExt", "TCPFastOpenListenOverflow", "SYNs for a fast open that found its queue full."),
    Counter("TcpExt", "TCPFastOpenCookieReqd", "SYNs that asked for a Fast Open cookie."),
    Counter("TcpExt", "TSEcrRejected", "Segments for half-open connections with an echo of no timestamp of ours."),
    Counter("TcpExt", "TCPMD5NotFound", "Segments without the signature that a key asks for."),
    Counter("TcpExt", "TCPMD5Unexpected", "Segments with an MD5 signature, and no key for their sender."),
    Counter("TcpExt", "TCPMD5Failure", "Segments whose MD5 signature was wrong."),
    Counter("TcpExt", "TCPAORequired", "Segments without the signature that a master key asks for."),
    Counter("TcpExt", "TCPAOKeyNotFound", "Segments signed with a master key that there is not."),
    Counter("TcpExt", "TCPAOBad", "Segments whose MAC was wrong."),
    Counter("TcpExt", "TCPAOGood", "Segments whose MAC was right."),
    Counter("TcpExt", "TCPAODroppedIcmps", "ICMP errors ignored on connections whose segments are signed."),
    Counter("TcpExt", "TCPFastOpenBlackhole", "Signs of a middlebox that drops Fast Open, each of which pauses it."),
    Counter("TcpExt", "TCPRcvCoalesce", "Segments put behind the one before them."),
    Counter("TcpExt", "TCPOFOQueue", "Segments kept that arrived ahead of their turn."),
    Counter("TcpExt", "TCPOFODrop", "Segments ahead of their turn dropped for want of room."),
    Counter("TcpExt", "TCPOFOMerge", "Segments ahead of their turn that overlapped others."),
    Counter("TcpExt", "TCPChallengeACK", "Challenge ACKs owed: for a RST not at RCV.NXT, a SYN, an impossible ACK."),
    Counter("TcpExt", "TCPSYNChallenge", "Challenge ACKs owed for a SYN on a synchronized connection."),
    Counter("TcpExt", "TCPWantZeroWindowAdv", "Times our window would have closed, had its edge been free to go back."),
    Counter("TcpExt", "TCPFromZeroWindowAdv", "Times our window opened again."),
    Counter("TcpExt", "TCPToZeroWindowAdv", "Times our window closed."),
    Counter("TcpExt", "TCPSynRetrans", "SYNs and SYN,ACKs sent again."),
    Counter("TcpExt", "TCPOrigDataSent", "Segments with data sent, without retransmissions."),
    Counter("TcpExt", "TCPACKSkippedSynRecv", "ACKs held back by the rate limit in SYN-RECEIVED."),
    Counter("TcpExt", "TCPACKSkippedPAWS", "ACKs to an old timestamp held back by the rate limit."),
    Counter("TcpExt", "TCPACKSkippedSeq", "ACKs to a segment out of window held back by the rate limit."),
    Counter("TcpExt", "TCPACKSkippedFinWait2", "ACKs held back by the rate limit in FIN-WAIT-2."),
    Counter("TcpExt", "TCPACKSkippedTimeWait", "ACKs held back by the rate limit in TIME-WAIT."),
    Counter("TcpExt", "TCPACKSkippedChallenge", "Challenge ACKs held back by the rate limit."),
    Counter("TcpExt", "TCPWinProbe", "Window probes sent."),
    Counter("TcpExt", "TCPKeepAlive", "Keep-alive probes sent."),
    Counter("TcpExt", "TCPDelivered", "Segments of ours known to have arrived."),
    Counter("TcpExt", "TCPDeliveredCE", "Segments of ours acknowledged by ACKs that told of congestion marks."),
    Counter("TcpExt", "TCPZeroWindowDrop", "Segments dropped because our window was closed."),
    Counter("TcpExt", "TCPRcvQDrop", "Segments dropped because the receive buffer was full."),
    Counter("Tulpen", "TCPOutOfWindow", "Segments of which no octet fell in the receive window."),
    Counter("TcpExt", "BeyondWindow", "Segments that reach beyond the receive window, cut off there or dropped."),
    Counter("Tulpen", "TCPRstOutOfWindow", "RSTs outside the receive window."),
    Counter("Tulpen", "TCPNoTimestamp", "Segments without the timestamp that both ends had agreed on."),
    Counter("Tulpen", "TCPNotReceiving", "Segments with text after their sender's FIN."),
    Counter("Tulpen", "TCPSYNReset", "SYNs in the window that ended a connection because of tcp_insecure_syn."),
    Counter("Tulpen", "TCPOldAck", "Segments that acknowledge less than was acknowledged before."),
    Counter("Tulpen", "TCPTimeWaitRst", "RSTs in TIME-WAIT, ignored because of tcp_rfc1337."),
    Counter("Tulpen", "TCPFinTimeouts", "Orphans given up in FIN-WAIT-2 after tcp_fin_timeout."),
)  # fmt: skip

_GROUP: Final[dict[str, str]] = {counter.key: counter.group for counter in COUNTERS}


def group(key: str) -> str:
    """Return the group of a key of ``Stack.counters``; what is not in the table is tulpen's own."""
    return _GROUP.get(key, "Tulpen")


def by_group(counters: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return every counter of the table, zero or not, and every other that was raised, by group and name."""
    groups: dict[str, dict[str, int]] = {}
    for counter in COUNTERS:
        groups.setdefault(counter.group, {})[counter.name] = counters.get(counter.key, 0)
    for key, value in counters.items():
        if key not in _GROUP:
            groups.setdefault("Tulpen", {})[key] = value
    return groups


def lines(counters: Mapping[str, int]) -> Iterator[str]:
    """Yield the counters as /proc/net/snmp and /proc/net/netstat print them: a line of names, a line of numbers."""
    for name, members in by_group(counters).items():
        yield f"{name}: {' '.join(members)}"
        yield f"{name}: {' '.join(str(value) for value in members.values())}"
