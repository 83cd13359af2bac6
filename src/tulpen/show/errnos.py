"""The errors a TCP application is given: when Linux gives each, RFC 9293's section, and what to do about it."""

from __future__ import annotations

from typing import Final, NamedTuple


class ErrnoMeaning(NamedTuple):
    """What one errno tells a TCP application."""

    calls: str  # that return it
    when: str
    todo: str
    source: str


ERRNOS: Final[dict[str, ErrnoMeaning]] = {
    "ECONNREFUSED": ErrnoMeaning(
        "connect",
        "a RST answered our SYN: nothing listens on that port, or a firewall rejects; "
        "also an ICMP port or protocol unreachable",
        "the peer's host is alive: look at the port and whether the service runs; retry with a pause",
        "RFC 9293 §3.10.7.3",
    ),
    "ECONNRESET": ErrnoMeaning(
        "read, write, accepted sockets",
        "an acceptable RST came: the peer closed with data unread or SO_LINGER 0, crashed and rebooted, "
        "or a middlebox forgot the connection",
        "what was sent last may or may not have been processed: retry only what may happen twice",
        "RFC 9293 §3.10.7.4",
    ),
    "EPIPE": ErrnoMeaning(
        "write",
        "we wrote after our own shutdown(), or after the connection had ended and its error was already told; "
        "a RST in CLOSE-WAIT is told so too; SIGPIPE comes with it unless it is ignored or MSG_NOSIGNAL is set",
        "read what the peer sent before it closed: its last words are often there",
        "RFC 9293 §3.10.2",
    ),
    "ETIMEDOUT": ErrnoMeaning(
        "connect, read, write",
        "nobody answered: SYN retransmissions (tcp_syn_retries), data (tcp_retries2, TCP_USER_TIMEOUT) "
        "or keep-alive probes came to their limit",
        "set TCP_USER_TIMEOUT or a deadline of your own: the defaults are 2 minutes for connect, 15 for data",
        "RFC 9293 §3.8.3, §3.10.8",
    ),
    "EHOSTUNREACH": ErrnoMeaning(
        "connect, read, write",
        "a router said host unreachable (ICMP), or the neighbour does not answer ARP; "
        "on an open connection it is told only when retransmission gives up",
        "look at routes and at the host; another address of the same name may do",
        "RFC 9293 §3.9.2.2",
    ),
    "ENETUNREACH": ErrnoMeaning(
        "connect",
        "there is no route to that address, or a router said net unreachable (ICMP)",
        "try the name's next address (IPv6 without IPv6 connectivity is the usual case)",
        "RFC 9293 §3.9.2.2",
    ),
    "EADDRINUSE": ErrnoMeaning(
        "bind, listen",
        "another socket has that port: a listener, or a connection in TIME-WAIT while SO_REUSEADDR is off",
        "servers set SO_REUSEADDR before bind(); clients leave the port to the kernel",
        "RFC 9293 §3.10.1",
    ),
    "EADDRNOTAVAIL": ErrnoMeaning(
        "connect, bind",
        "every port of ip_local_port_range to this destination is taken, often by TIME-WAIT; "
        "for bind(): the address is not of this host",
        "keep connections open and use them again; tcp_tw_reuse, a wider range, more destinations",
        "RFC 6056 §3.2",
    ),
    "EAGAIN": ErrnoMeaning(
        "read, write, accept, connect",
        "nothing to read, no room to write or nobody to accept, on a socket that does not block; "
        "or SO_RCVTIMEO or SO_SNDTIMEO has passed",
        "wait for the socket to be ready (poll, epoll), then try again",
        "read(2)",
    ),
    "EINPROGRESS": ErrnoMeaning(
        "connect",
        "the SYN is sent, and the socket does not block",
        "wait until it is writable, then ask SO_ERROR how it went",
        "connect(2)",
    ),
    "EALREADY": ErrnoMeaning(
        "connect", "an earlier connect() of this socket is still in SYN-SENT", "wait until it is writable", "connect(2)"
    ),
    "EISCONN": ErrnoMeaning(
        "connect", "the socket is connected already", "one socket, one connection: make a new one", "RFC 9293 §3.10.1"
    ),
    "ENOTCONN": ErrnoMeaning(
        "read, write, shutdown, getpeername",
        "there is no connection: never made, or ended and its error already told",
        "after accept() this is a peer that left at once: close the socket and go on",
        "RFC 9293 §3.10.2",
    ),
    "ECONNABORTED": ErrnoMeaning(
        "accept",
        "the connection ended before it was accepted (BSD; Linux gives the socket, and its first read tells)",
        "accept the next one: it is not an error of the listener",
        "accept(2)",
    ),
    "EMFILE": ErrnoMeaning(
        "accept, socket",
        "the process has no file descriptor left; the accept queue fills up behind it",
        "look for sockets in CLOSE-WAIT (a leak), or raise RLIMIT_NOFILE; do not spin on accept()",
        "accept(2)",
    ),
    "ENFILE": ErrnoMeaning(
        "accept, socket", "the machine has no file left (fs.file-max)", "as EMFILE, for the whole machine", "accept(2)"
    ),
    "ENOBUFS": ErrnoMeaning(
        "connect, write", "no memory for buffers; a device's queue is full", "send less, or later", "RFC 9293 §3.10.1"
    ),
    "ENOMEM": ErrnoMeaning(
        "connect, write, accept", "no memory, or past tcp_mem", "see dmesg for 'TCP: out of memory'", "tcp(7)"
    ),
    "EINVAL": ErrnoMeaning(
        "listen, accept, bind, connect, shutdown",
        "the call does not fit the socket's state: accept() without listen(), a second bind(), listen() when connected",
        "a mistake in the program",
        "RFC 9293 §3.10",
    ),
    "ENOPROTOOPT": ErrnoMeaning(
        "setsockopt, connect",
        "the option is unknown to this kernel; or a router said protocol unreachable (ICMP)",
        "go on without the option",
        "RFC 9293 §3.9.2.2",
    ),
    "EACCES": ErrnoMeaning(
        "bind, connect",
        "a port below ip_unprivileged_port_start without CAP_NET_BIND_SERVICE; a broadcast address",
        "use a higher port, or give the capability",
        "bind(2)",
    ),
    "EPERM": ErrnoMeaning(
        "connect, write", "a firewall rule of this host forbids it", "see nft list ruleset", "connect(2)"
    ),
    "EINTR": ErrnoMeaning(
        "all that block", "a signal came; nothing is lost", "call again (Python does so by itself)", "signal(7)"
    ),
}
