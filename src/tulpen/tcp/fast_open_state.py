"""What a connection remembers of TCP Fast Open (RFC 7413); one that has nothing to do with it has no such state."""

from __future__ import annotations

from typing import NamedTuple, final


class Lesson(NamedTuple):
    """What a SYN,ACK teaches about its sender (RFC 7413 §4.1.3): for the next connections to it."""

    mss: int
    cookie: bytes | None  # None: it gave none
    experimental: bool  # the kind of option that brought the cookie
    syn_lost: bool  # the SYN with text came to nothing, the plain one after it was answered (§4.1.3.1)
    ignored: bool  # a cookie was asked for in an option of this kind and none came
    experimental_asked: bool
    refused: bool  # there was nothing in the SYN,ACK of Fast Open, neither a cookie nor an ACK of text (§4.1.3.1)


@final
class FastOpen:
    """One end of a fast open."""

    __slots__ = (
        "asked", "asked_experimental", "cookie", "experimental", "lesson", "passive", "room", "taken", "text", "trial",
    )  # fmt: skip

    def __init__(
        self, *, passive: bool = False, cookie: bytes | None = None, experimental: bool = False, room: int = 0,
        trial: bool = False,
    ) -> None:  # fmt: skip
        self.passive = passive  # a SYN with a good cookie made this connection
        self.cookie = cookie  # for our first SYN or SYN,ACK; empty: ask for one; None: no option
        self.experimental = experimental  # the option's kind
        self.room = room  # octets of text that may go with our SYN
        self.trial = trial  # the first since Fast Open was paused (§7.1)
        self.asked = False  # our SYN had the option
        self.asked_experimental = False
        self.text = 0  # octets that went with our SYN
        self.taken = False  # the text beside the SYN has been taken, by the peer or by us
        self.lesson: Lesson | None = None  # to be fetched by the host

    def clone(self) -> FastOpen:
        """Return an independent copy."""
        twin = FastOpen(
            passive=self.passive, cookie=self.cookie, experimental=self.experimental, room=self.room, trial=self.trial
        )  # fmt: skip
        twin.asked = self.asked
        twin.asked_experimental = self.asked_experimental
        twin.text = self.text
        twin.taken = self.taken
        twin.lesson = self.lesson
        return twin
