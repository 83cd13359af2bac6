"""Letters: what of a segment can move a machine, in a plain connection.

A letter is a number.  Below ``RESET`` it is of a segment without RST; from there on it is of a RST, with what its cause
is judged by.  That the numbers fit is seen before: a SYN is new, text is the next, an ACK covers no more than was sent.
"""

from __future__ import annotations

from typing import Final

SIDE: Final = 1
WITH_SYN: Final = 2
WITH_ACK: Final = 4
WITH_FIN: Final = 8
WITH_TEXT: Final = 16
OF_FIN: Final = 32  # it acknowledges the other end's FIN
RESET: Final = 64  # how many letters there are without RST

# of a RST: SIDE, WITH_ACK, and
ANSWERS: Final = 2  # the segment before, as one without a connection does
UNANSWERED: Final = 8  # text had come after the last text of its sender
LATE_TEXT: Final = 16  # text had come after the FIN of its sender
SENT: Final = 32  # its sender had sent text
GOT: Final = 64  # the other end had
BEFORE: Final = 128  # times one of these: the segment before was
SAME: Final = 0  # its sender's own, or there was none
OTHER: Final = 1  # the other end's
TEXT: Final = 2  # with text
OPENING: Final = 3  # with SYN
IDLE: Final = 512  # times one of these: the silence before it
RECENT: Final = 0  # shorter than ``cause.PROMPT``
LONG: Final = 1  # shorter than ``cause.IDLE``
FORGOTTEN: Final = 2
