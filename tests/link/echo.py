"""Answers pings over a link, with nothing but the bytes."""

from __future__ import annotations

import select

from tulpen.link.command import Command, Finished
from tulpen.link.link import Link
from tulpen.wire.checksum import internet_checksum


def answer(packet: bytes) -> bytes | None:
    """Return the echo reply to an echo request of ICMP or ICMPv6."""
    reply = bytearray(packet)
    if packet[0] >> 4 == 4 and packet[9] == 1 and packet[20] == 8:
        reply[12:16], reply[16:20] = packet[16:20], packet[12:16]
        reply[20] = 0
        reply[22:24] = bytes(2)
        reply[22:24] = internet_checksum(bytes(reply[20:])).to_bytes(2, "big")
        return bytes(reply)
    if packet[0] >> 4 == 6 and packet[6] == 58 and packet[40] == 128:
        reply[8:24], reply[24:40] = packet[24:40], packet[8:24]
        reply[40] = 129
        reply[42:44] = bytes(2)
        pseudo = bytes(reply[8:40]) + (len(reply) - 40).to_bytes(4, "big") + bytes([0, 0, 0, 58])
        reply[42:44] = internet_checksum(pseudo, bytes(reply[40:])).to_bytes(2, "big")
        return bytes(reply)
    return None


def serve(link: Link, command: Command) -> Finished:
    """Answer pings until the command has ended."""
    while command.poll() is None:
        select.select([link.fileno(), command.fileno()], [], [], 0.1)
        for packet, _ in link.read():
            reply = answer(bytes(packet))
            if reply is not None:
                link.write(reply)
    return command.wait()
