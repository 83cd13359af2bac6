"""The trace: one typed record for everything a TCP did, dropped, challenged or refused.

Ladders, reports and tests read these records and nothing else.  Every ``Reason`` also
names the counter of Linux's MIB that goes up with it.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import NamedTuple

from tulpen.tcp.state import Event, State
from tulpen.wire.segment import Segment


class Reason(Enum):
    """Why a segment was dropped, challenged or refused: (counter, words, source)."""

    # refused: a RST goes back
    NO_CONNECTION = ("", "no connection and no listener on this port", "RFC 9293 §3.10.7.1")
    ACK_IN_LISTEN = ("", "an ACK on a connection still in LISTEN", "RFC 9293 §3.10.7.2")
    ACK_OF_NO_SYN = ("", "the ACK does not acknowledge our SYN", "RFC 9293 §3.10.7.3")
    DATA_AFTER_CLOSE = ("TCPAbortOnData", "data for an application that has closed", "RFC 9293 §3.6.1 SHLD-3")
    UNREAD_AT_CLOSE = ("TCPAbortOnClose", "closed with data unread", "RFC 2525 §2.17")
    LINGER_0 = ("TCPAbortOnData", "closed with SO_LINGER 0", "RFC 9293 §3.10.5")
    ABORTED = ("TCPAbortOnData", "the application aborted", "RFC 9293 §3.10.5")
    GAVE_UP = ("TCPAbortOnTimeout", "the peer does not answer", "RFC 9293 §3.8.3")
    KEEPALIVE_DEAD = ("TCPAbortOnTimeout", "no keep-alive probe was answered", "RFC 9293 §3.8.4")
    USER_TIMEOUT = ("TCPAbortOnTimeout", "the user timeout has passed", "RFC 9293 §3.10.8")
    ORPHAN_LIMIT = ("TCPAbortOnMemory", "more orphans than tcp_max_orphans", "tcp(7)")
    LINGER_2 = ("TCPAbortOnLinger", "an orphan, and TCP_LINGER2 is negative", "tcp(7)")
    FIN_TIMEOUT = ("TCPFinTimeouts", "an orphan waited tcp_fin_timeout in FIN-WAIT-2", "tcp(7)")
    ACCEPT_QUEUE_ABORT = ("ListenOverflows", "the accept queue is full and tcp_abort_on_overflow is set", "tcp(7)")
    # challenged: an ACK goes back, the segment is dropped
    OUT_OF_WINDOW = ("TCPOutOfWindow", "no octet of it falls in the receive window", "RFC 9293 §3.10.7.4")
    PAWS = ("PAWSEstab", "its timestamp is older than the last one", "RFC 7323 §5.3")
    RST_NOT_NEXT = ("TCPChallengeACK", "a RST in the window, not at RCV.NXT", "RFC 5961 §3.2")
    SYN_IN_SYNCHRONIZED = ("TCPSYNChallenge", "a SYN on a synchronized connection", "RFC 5961 §4.2")
    ACK_TOO_OLD = ("TCPChallengeACK", "the ACK lies more than a window before SND.UNA", "RFC 5961 §5.2")
    ACK_OF_UNSENT = ("TCPChallengeACK", "the ACK is of data never sent", "RFC 9293 §3.10.7.4")
    BAD_ECHO = ("PAWSActive", "a SYN,ACK that echoes no timestamp of ours", "RFC 7323 §3.2")
    STRANGE_ECHO = ("TSEcrRejected", "it echoes a timestamp that no SYN,ACK of ours had", "RFC 7323 §3.2")
    SYN_BEFORE_ACK = ("TCPChallengeACK", "another SYN where the ACK of ours was due", "RFC 7413 §4.2.2")
    SYN_IN_WINDOW = ("TCPSYNReset", "a SYN in the window, with tcp_insecure_syn", "RFC 9293 §3.10.7.4")
    # dropped: nothing goes back
    MD5_NOT_FOUND = ("TCPMD5NotFound", "it is not signed, and there is a key for its sender", "RFC 2385 §2.0")
    MD5_UNEXPECTED = ("TCPMD5Unexpected", "it is signed, and there is no key for its sender", "RFC 2385 §2.0")
    MD5_FAILURE = ("TCPMD5Failure", "its MD5 signature is wrong", "RFC 2385 §2.0")
    AO_REQUIRED = ("TCPAORequired", "it is not signed, and there is a master key for its sender", "RFC 5925 §7.5")
    AO_KEY_NOT_FOUND = ("TCPAOKeyNotFound", "it is signed with a key that there is not", "RFC 5925 §7.5")
    AO_BAD = ("TCPAOBad", "its MAC is wrong", "RFC 5925 §7.5")
    TWO_SIGNATURES = ("InErrs", "it has both kinds of signature", "RFC 5925 §2.2")
    RST_OUT_OF_WINDOW = ("TCPRstOutOfWindow", "a RST outside the window", "RFC 9293 §3.10.7.4")
    RST_IN_LISTEN = ("InErrs", "a RST on a listener", "RFC 9293 §3.10.7.2")
    RST_WITHOUT_ACK = ("InErrs", "a RST that acknowledges nothing of ours", "RFC 9293 §3.10.7.3")
    RST_IN_TIME_WAIT = ("TCPTimeWaitRst", "a RST in TIME-WAIT, with tcp_rfc1337", "RFC 1337 §4")
    RST_TO_RST = ("InErrs", "a RST for no connection", "RFC 9293 §3.10.7.1")
    NO_ACK = ("InErrs", "the ACK bit is off", "RFC 9293 §3.10.7.4")
    NO_SYN = ("InErrs", "neither SYN nor RST in SYN-SENT or LISTEN", "RFC 9293 §3.10.7.3")
    NO_TIMESTAMP = ("TCPNoTimestamp", "no timestamp, though timestamps were agreed", "RFC 7323 §3.2")
    SYN_FIN = ("InErrs", "SYN and FIN in one segment", "RFC 9293 §3.10.7.2")
    PAWS_OLD_ACK = ("PAWSOldAck", "a mere ACK, older than what has come since", "RFC 7323 §5.3")
    OLD_ACK = ("TCPOldAck", "the ACK lies before SND.UNA", "RFC 9293 §3.10.7.4")
    NO_ROOM = ("TCPRcvQDrop", "the receive buffer is full", "RFC 9293 §3.8.6")
    ZERO_WINDOW = ("TCPZeroWindowDrop", "text while the window is closed", "RFC 9293 §3.10.7.4")
    NO_ROOM_BEYOND = ("TCPOFODrop", "no room for text beyond a hole", "RFC 9293 §3.8.6")
    BEYOND_WINDOW = ("BeyondWindow", "it reaches beyond the window", "RFC 9293 §3.10.7.4")
    NOT_RECEIVING = ("TCPNotReceiving", "text after their FIN", "RFC 9293 §3.10.7.4")
    RATE_LIMITED = ("TCPACKSkippedChallenge", "an ACK was owed; the rate limit held it back", "RFC 5961 §7")
    SYN_QUEUE_FULL = ("TCPReqQFullDrop", "the SYN queue is full and tcp_syncookies is 0", "RFC 4987 §2")
    ACCEPT_QUEUE_FULL = ("ListenOverflows", "the accept queue is full", "listen(2)")
    DEFERRED = ("TCPDeferAcceptDrop", "TCP_DEFER_ACCEPT: the listener waits for text", "tcp(7)")
    BAD_COOKIE = ("SyncookiesFailed", "the ACK carries no cookie of ours", "RFC 4987 §3.6")
    TW_RECYCLE = ("PAWSPassive", "tcp_tw_recycle: the host's timestamp went back", "RFC 6191 §4")
    MALFORMED = ("InErrs", "a header that contradicts itself", "RFC 9293 §3.1")
    BAD_CHECKSUM = ("InCsumErrors", "the checksum is wrong", "RFC 9293 §3.1 MUST-3")
    LAND = ("InErrs", "source and destination are the same socket", "RFC 9293 §3.9.2.3")
    BAD_ADDRESS = ("InErrs", "a broadcast, multicast or unspecified address", "RFC 9293 §3.9.2.3 MUST-57, MUST-63")
    NOT_OURS = ("InAddrErrors", "no address of this host", "RFC 1122 §3.2.1.3")
    FRAGMENT = ("ReasmFails", "a fragment; fragments are not put together", "RFC 791 §3.2")
    ICMP_OUT_OF_WINDOW = ("OutOfWindowIcmps", "an ICMP error about nothing in flight", "RFC 5927 §4")

    @property
    def counter(self) -> str:
        """The MIB counter it raises; "" for those that show in OutRsts alone."""
        return self.value[0]

    @property
    def words(self) -> str:
        """What it means, as a clause."""
        return self.value[1]

    @property
    def source(self) -> str:
        """The RFC and section, or the manual page."""
        return self.value[2]


class Moved(NamedTuple):
    """A connection went from one state to another."""

    now: int
    before: State
    event: Event
    after: State


class Arrived(NamedTuple):
    """A segment came in, before anything was decided about it."""

    now: int
    seg: Segment
    state: State


class Sent(NamedTuple):
    """A segment went out."""

    now: int
    seg: Segment
    state: State


class Dropped(NamedTuple):
    """A segment was dropped, challenged or refused."""

    now: int
    seg: Segment | None
    state: State
    reason: Reason


class Ended(NamedTuple):
    """A connection ended otherwise than by both FINs; ``error`` is an errno."""

    now: int
    state: State
    reason: Reason | None
    error: int


class TimedOut(NamedTuple):
    """A timer of a connection ran out: ``retransmit``, ``persist``, ``delayed-ack`` ..."""

    now: int
    state: State
    timer: str


Record = Moved | Arrived | Sent | Dropped | Ended | TimedOut


class FourTuple(NamedTuple):
    """A connection's name: both sockets (RFC 9293 §3.3.1); addresses are 4 or 16 octets."""

    local: bytes
    local_port: int
    remote: bytes
    remote_port: int


class Trace:
    """Where a connection writes its records; all connections of a host share ``records``."""

    __slots__ = ("name", "records")

    def __init__(self, records: deque[tuple[FourTuple | None, Record]], name: FourTuple | None = None) -> None:
        self.records = records
        self.name = name

    def write(self, record: Record) -> None:
        """Append one record under this connection's name."""
        self.records.append((self.name, record))
