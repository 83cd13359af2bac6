"""A segment in a few characters: ``S seq=+300``, ``. ack=+1``, ``F.``, ``P. data=abc``.

The letters are tcpdump's flags.  Numbers with a sign are relative to what the end under
test expects: of what arrives, ``seq`` to its RCV.NXT and ``ack`` to its SND.NXT; of what
it sends, the other way round.  Other fields: ``wnd``, ``urg``, ``data``, ``len`` (that
many octets), ``mss``, ``ws``, ``sackok``, ``ts=val/ecr``, ``sack=left:right`` (relative to
SND.UNA of what arrives, to RCV.NXT of what it sends), ``uto`` (seconds), ``ecn`` (the mark of
its packet: ce, ect0, ect1), ``acc=172:1,0,1`` (AccECN's option).
"""

from __future__ import annotations

from collections import deque

from tulpen.tcp.config import MS, SECOND, Settings, SocketOptions
from tulpen.tcp.connection import Connection
from tulpen.tcp.signals import Signal
from tulpen.tcp.stack import Stack
from tulpen.tcp.state import State
from tulpen.tcp.trace import Dropped, Moved, Reason
from tulpen.wire.options import EcnCounters, Options
from tulpen.wire.segment import LETTERS, Segment, letters
from tulpen.wire.seq import unwrap, wrap

__all__ = ["MS", "SECOND", "End"]

MARKS = ("", "ect1", "ect0", "ce")
BITS = {letter: bit for bit, letter in LETTERS}


class End:
    """The end of a connection under test, its peer being the test's text."""

    def __init__(
        self,
        *,
        iss: int = 100,
        mss: int = 1460,
        options: SocketOptions | None = None,
        plain: bool = True,
        show: str = "",
        **sysctls: object,
    ) -> None:
        """``plain``: RFC 5681's windows and ACKs; no timestamps, SACK or window scale, unless named in ``sysctls``.

        ``show``: fields that stand in what it sends beside flags, numbers and length.
        """
        settings = Settings()
        if plain:
            settings.tcp_timestamps = 0
            settings.tcp_sack = settings.tcp_window_scaling = False
            settings.tcp_congestion_control = "reno"
            settings.tcp_quick_acks = settings.tcp_recovery = settings.tcp_early_retrans = settings.tcp_frto = 0
            settings.tcp_tolerate_missing_ts = False
            settings.tcp_reset_timestamps = True
            settings.tcp_paws_spares_acks = settings.tcp_rcvbuf_overhead = settings.tcp_take_whole = False
            settings.tcp_resets_second_syn = False
        for name, value in sysctls.items():
            setattr(settings, name, value)
        self.stack = Stack(settings, records=deque())
        self.now = 1000 * SECOND
        self.tcp = Connection(self.stack, iss=iss, mss=mss, options=options)
        self.iss = iss
        self.show = show.split()

    # what happens to it

    def arrives(self, text: str) -> list[str]:
        """Let a segment arrive; return what goes out in answer."""
        self.tcp.segment_arrives(self.arriving(text), self.now)
        return self.sent()

    def wait(self, nanoseconds: int) -> list[str]:
        """Let time pass, every deadline kept; return what went out meanwhile."""
        until = self.now + nanoseconds
        out: list[str] = []
        while (deadline := self.tcp.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.tcp.timeout(self.now)
            out += self.sent()
        self.now = until
        return out

    def next_timeout(self) -> tuple[int, list[str]]:
        """Go to the next deadline; return the nanoseconds it took and what went out."""
        deadline = self.tcp.next_deadline()
        assert deadline is not None, "no timer is running"
        elapsed = deadline - self.now
        return elapsed, self.wait(elapsed)

    def send(self, data: bytes, *, push: bool = True, urgent: bool = False, eor: bool = False) -> list[str]:
        """SEND; return what goes out."""
        assert self.tcp.send(data, self.now, push=push, urgent=urgent, eor=eor) == len(data)
        return self.sent()

    def shutdown(self) -> list[str]:
        """The RFC's CLOSE; return what goes out."""
        self.tcp.shutdown(self.now)
        return self.sent()

    def close(self) -> list[str]:
        """close(2); return what goes out."""
        self.tcp.close(self.now)
        return self.sent()

    def abort(self) -> list[str]:
        """ABORT; return what goes out."""
        self.tcp.abort(self.now)
        return self.sent()

    def sent(self) -> list[str]:
        """What goes out now, in the notation."""
        return [self.written(segment) for segment in self.tcp.segments_to_send(self.now)]

    # what can be seen

    @property
    def state(self) -> State:
        return self.tcp.state

    def signals(self) -> list[Signal]:
        """Every signal not yet taken."""
        told: list[Signal] = []
        while (signal := self.tcp.next_signal()) is not None:
            told.append(signal)
        return told

    def reasons(self) -> list[Reason]:
        """Why segments were dropped, challenged or refused, in order."""
        assert self.stack.records is not None
        return [record.reason for _, record in self.stack.records if isinstance(record, Dropped)]

    def moves(self) -> list[Moved]:
        """Every transition, in order."""
        assert self.stack.records is not None
        return [record for _, record in self.stack.records if isinstance(record, Moved)]

    # the notation

    def arriving(self, text: str) -> Segment:
        head, *rest = text.split()
        field = {name: value for name, _, value in (part.partition("=") for part in rest)}
        flags = sum(BITS[letter] for letter in head)
        status = self.tcp.status()
        data = field.get("data", "").encode() + b"x" * int(field.get("len", 0))
        return Segment(
            wrap(_number(field.get("seq", "+0"), status.rcv_nxt)),
            wrap(_number(field.get("ack", "+0"), status.snd_nxt)) if "." in head else 0,
            flags,
            int(field.get("wnd", 65535)),
            data,
            self._options(field),
            urg=int(field.get("urg", 0)),
            ecn=MARKS.index(field.get("ecn", "")),
        )

    def _options(self, field: dict[str, str]) -> Options:
        tsval, tsecr = (int(part) for part in field["ts"].split("/")) if "ts" in field else (None, 0)
        una = self.tcp.status().snd_una
        blocks = [block.split(":") for block in field["sack"].split(",")] if "sack" in field else []
        return Options(
            mss=int(field["mss"]) if "mss" in field else None,
            wscale=int(field["ws"]) if "ws" in field else None,
            sack_permitted="sackok" in field,
            tsval=tsval,
            tsecr=tsecr,
            sack=tuple((wrap(una + int(left)), wrap(una + int(right))) for left, right in blocks),
            user_timeout=int(field["uto"]) if "uto" in field else None,
            acc_ecn=_counters(field["acc"]) if "acc" in field else None,
        )

    def written(self, segment: Segment) -> str:
        """``seq`` relative to the peer's view: SND.UNA for text and FIN, else SND.NXT; ``ack`` to RCV.NXT."""
        status = self.tcp.status()
        seq = unwrap(segment.seq, status.snd_nxt) - (status.snd_una if segment.len else status.snd_nxt)
        text = f"{letters(segment.flags)} seq={seq:+d}"
        if "." in letters(segment.flags):
            text += f" ack={unwrap(segment.ack, status.rcv_nxt) - status.rcv_nxt:+d}"
        if segment.data:
            text += f" len={len(segment.data)}"
        return " ".join(filter(None, (text, *(self._shown(field, segment) for field in self.show))))

    def _shown(self, field: str, segment: Segment) -> str:
        options = segment.options
        if field == "sack":
            near = self.tcp.status().rcv_nxt
            blocks = ",".join(f"{unwrap(a, near) - near}:{unwrap(b, near) - near}" for a, b in options.sack)
            return f"sack={blocks}" if blocks else ""
        if field == "ts":
            return "" if options.tsval is None else f"ts={options.tsval}/{options.tsecr}"
        if field == "ecn":
            return f"ecn={MARKS[segment.ecn]}" if segment.ecn else ""
        if field == "acc":
            option = options.acc_ecn
            return "" if option is None else f"acc={option.kind}:{','.join(map(str, option.counters))}"
        if field == "uto":
            return "" if options.user_timeout is None else f"uto={options.user_timeout}"
        value = getattr(segment if field in {"wnd", "urg"} else options, field)
        return f"{field}={value}"


def _counters(text: str) -> EcnCounters:
    kind, _, counters = text.partition(":")
    return EcnCounters(int(kind), tuple(int(count) for count in counters.split(",") if count))


def _number(text: str, near: int) -> int:
    return near + int(text) if text[0] in "+-" else int(text)
