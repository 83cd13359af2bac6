"""What a connection tells its application between calls (RFC 9293 §3.9.1.8, §3.10)."""

from __future__ import annotations

from enum import IntEnum


class Signal(IntEnum):
    """Each is told once when it becomes true; the application then asks the connection."""

    CONNECTED = 0
    READABLE = 1  # octets, or the end of them, wait to be received
    EOF = 2  # their FIN has arrived: "connection closing"
    WRITABLE = 3  # there was no room to send, and now there is
    URGENT = 4  # the urgent pointer moved ahead
    TROUBLE = 5  # R1 reached, or a soft ICMP error; the connection goes on
    CLOSED = 6  # the connection is over; ``error`` says how
