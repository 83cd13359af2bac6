"""Signed segments: TCP_MD5SIG (RFC 2385) and TCP-AO (RFC 5925), by the keys that a socket was given.

What is sent is signed when it is put into a packet, and what comes is verified before
anything else is done with it: no state but what the keys are.
"""

from __future__ import annotations

import hmac
from hashlib import md5
from typing import TYPE_CHECKING, Final, final

from tulpen.host.traffic_keys import Course, mac, receiving_key, sending_key
from tulpen.tcp.keys import AoKey, ao_keys, ao_room, md5_key
from tulpen.tcp.trace import Reason
from tulpen.wire.options import Authentication
from tulpen.wire.segment import ACK, SYN, Segment
from tulpen.wire.seq import unwrap
from tulpen.wire.signed import octets_of_ao, octets_of_md5

if TYPE_CHECKING:
    from tulpen.tcp.compact import Request, TimeWait
    from tulpen.tcp.config import SocketOptions
    from tulpen.tcp.stack import Stack
    from tulpen.tcp.tcb import Tcb
    from tulpen.tcp.trace import FourTuple

MD5_ROOM: Final = 20  # octets of the option and the two NOPs before it


@final
class Signing:
    """How the segments of one connection are signed; the keys may change while it lives."""

    __slots__ = ("_current", "_remote", "_rnext", "options")

    def __init__(self, options: SocketOptions, remote: bytes) -> None:
        self.options = options  # the keys stand there
        self._remote = remote
        first = next(iter(self._ao_keys()), None)
        self._current = first  # signs what we send
        self._rnext = first  # what we would like to receive is signed with

    @property
    def uses_ao(self) -> bool:
        """Whether master keys of TCP-AO apply."""
        return bool(self._ao_keys())

    @property
    def room(self) -> int:
        """Octets that the option takes in every segment."""
        keys = self._ao_keys()
        if keys:
            return ao_room(keys)
        return MD5_ROOM if md5_key(self.options.tcp_md5sig, self._remote) is not None else 0

    def _ao_keys(self) -> list[AoKey]:
        return ao_keys(self.options.tcp_ao, self._remote) if self.options.tcp_ao else []

    def sign_with(self, send_id: int) -> None:
        """Sign with the master key that has this SendID (RFC 5925 §3.3, Current_key); no such key: no change."""
        self._current = next((key for key in self._ao_keys() if key.send_id == send_id), self._current)

    def ask_for(self, receive_id: int) -> None:
        """Ask the peer for the master key that has this RecvID (§3.3, RNext_key); no such key: no change."""
        self._rnext = next((key for key in self._ao_keys() if key.receive_id == receive_id), self._rnext)

    # what is sent

    def signed(self, segments: list[Segment], course: Course) -> list[Segment]:
        """Return the segments with their signatures."""
        keys = self._ao_keys()
        if keys:
            current = self._current if self._current is not None and self._current in keys else keys[0]
            rnext = self._rnext if self._rnext is not None and self._rnext in keys else current
            return [_with_ao(seg, course, current, rnext.receive_id) for seg in segments]
        key = md5_key(self.options.tcp_md5sig, self._remote)
        return segments if key is None else [_with_md5(seg, course.name, key.key) for seg in segments]

    # what comes

    def refused(self, seg: Segment, course: Course, stack: Stack) -> Reason | None:
        """Say why a segment is not to be taken; None for a good one."""
        options = seg.options
        if options.md5 is not None and options.authentication is not None:
            return Reason.TWO_SIGNATURES
        keys = self._ao_keys()
        if options.authentication is not None:
            return self._refused_by_ao(seg, options.authentication, keys, course, stack)
        if keys:
            return Reason.AO_REQUIRED
        key = md5_key(self.options.tcp_md5sig, self._remote)
        if options.md5 is None:
            return None if key is None else Reason.MD5_NOT_FOUND
        if key is None:
            return Reason.MD5_UNEXPECTED
        good = _md5(seg, course.name.remote, course.name.local, key.key)
        return None if hmac.compare_digest(good, options.md5) else Reason.MD5_FAILURE

    def _refused_by_ao(
        self, seg: Segment, found: Authentication, keys: list[AoKey], course: Course, stack: Stack
    ) -> Reason | None:
        """RFC 5925 §7.5: the segment's master key, its MAC, and the key that the peer asks for."""
        key = next((each for each in keys if each.receive_id == found.key_id), None)
        if key is None:
            return Reason.AO_KEY_NOT_FOUND
        syn = seg.flags & (SYN | ACK) == SYN
        irs = seg.seq if seg.flags & SYN or course.irs is None else course.irs
        extension = 0 if course.irs is None else unwrap(seg.seq, course.rcv_nxt) >> 32
        name = course.name
        octets = octets_of_ao(seg, name.remote, name.local, extension, covers_options=key.covers_options)
        if not hmac.compare_digest(mac(key, receiving_key(key, course, irs, syn=syn), octets), found.mac):
            return Reason.AO_BAD
        stack.count("TCPAOGood")
        self.sign_with(found.next_id)  # what the peer asks for
        return None

    def answers(self, syn: Segment) -> None:
        """Take the keys that a SYN was signed with and asks for."""
        if syn.options.authentication is not None:
            self.sign_with(syn.options.authentication.next_id)
            self.ask_for(syn.options.authentication.key_id)


def signing_for(options: SocketOptions, remote: bytes, syn: Segment | None = None) -> Signing | None:
    """Return how segments to and from a host are signed; None where the socket has no key for it.

    ``syn``: the host's own, which says with what keys.
    """
    if not options.tcp_md5sig and not options.tcp_ao:
        return None
    signing = Signing(options, remote)
    if not signing.room:
        return None
    if syn is not None:
        signing.answers(syn)
    return signing


def is_signed(seg: Segment) -> bool:
    """Say whether a segment has a signature of either kind."""
    return seg.options.md5 is not None or seg.options.authentication is not None


def refusal(signing: Signing | None, seg: Segment, course: Course, stack: Stack) -> Reason | None:
    """Say why a segment is not to be taken; None for a good one."""
    if signing is not None:
        return signing.refused(seg, course, stack)
    options = seg.options
    if options.authentication is not None:
        return Reason.TWO_SIGNATURES if options.md5 is not None else Reason.AO_KEY_NOT_FOUND
    return None if options.md5 is None else Reason.MD5_UNEXPECTED


def course_of(tcb: Tcb, name: FourTuple) -> Course:
    """Return the course of a connection."""
    return Course(name, tcb.snd.iss, tcb.rcv.irs if tcb.rcv.nxt else None, tcb.snd.nxt, tcb.rcv.nxt)


def course_of_request(request: Request) -> Course:
    """Return the course of a half-open connection."""
    return Course(request.name, request.iss, request.irs, request.iss + 1, request.irs + 1)


def course_of_record(record: TimeWait) -> Course:
    """Return the course of a connection in TIME-WAIT."""
    return Course(record.name, record.iss, record.irs, record.snd_nxt, record.rcv_nxt)


def course_of_stranger(name: FourTuple, seg: Segment) -> Course:
    """Return what a segment says of the connection that it is for, when nothing else is known of that."""
    return Course(name, seg.ack - 1, None if seg.flags & SYN else seg.seq - 1, seg.ack, seg.seq)


def _with_md5(seg: Segment, name: FourTuple, key: bytes) -> Segment:
    made = seg.with_options(seg.options.signed(md5=bytes(16)))
    return seg.with_options(seg.options.signed(md5=_md5(made, name.local, name.remote, key)))


def _md5(seg: Segment, src: bytes, dst: bytes, key: bytes) -> bytes:
    return md5(octets_of_md5(seg, src, dst) + key, usedforsecurity=False).digest()


def _with_ao(seg: Segment, course: Course, key: AoKey, next_id: int) -> Segment:
    blank = Authentication(key.send_id, next_id, bytes(key.mac_length))
    made = seg.with_options(seg.options.signed(authentication=blank))
    extension = unwrap(seg.seq, course.snd_nxt) >> 32
    octets = octets_of_ao(made, course.name.local, course.name.remote, extension, covers_options=key.covers_options)
    syn = seg.flags & (SYN | ACK) == SYN
    code = mac(key, sending_key(key, course, syn=syn), octets)
    return seg.with_options(seg.options.signed(authentication=blank._replace(mac=code)))
