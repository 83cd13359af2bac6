"""One script against one host, event after event, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from tulpen.drill import calls
from tulpen.drill.code import run_code
from tulpen.drill.commands import run_command
from tulpen.drill.compare import Actual, actual, check, check_icmp, joined
from tulpen.drill.inject import icmp_packet, tcp_packet, udp_packet
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.script import Call, Code, Command, Event, IcmpPacket, Script, TcpPacket, UdpPacket
from tulpen.drill.subject import Phase, Subject
from tulpen.drill.wording import icmp_text, packet_text
from tulpen.drill.world import CallFailed, Waiting, World
from tulpen.wire.icmp import Icmp
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from tulpen.drill.stage import Left

_PATIENCE: Final = 2_000_000_000  # how long after its time an expected packet is waited for
_LATE: Final = 50_000_000
_PATIENCE_FOR_CALLS: Final = 1_000_000_000  # with one that blocks, where the next one is due or the script ends


@final
class _Blocked:
    """A system call of its own thread: it began, and has not returned."""

    def __init__(self, event: Event, call: Call, waiting: Waiting, start: int, end: int) -> None:
        self.event = event
        self.call = call
        self.waiting = waiting
        self.start = start
        self.end = end
        self.deadline: int | None = None
        self.running = False  # it is at work just now, and not to be asked again
        self.returned: tuple[int, int | CallFailed] | None = None  # when, and what


@final
class Runner:
    """Runs a script; what goes wrong leaves as Mismatch or Unsupported, with ``event`` telling where."""

    def __init__(self, world: World, script: Script) -> None:
        self.world = world
        self.script = script
        self.event: Event | None = None
        self._begin = world.now
        self._last: Event | None = None
        self._last_time = world.now
        self._time = world.now
        self._end = 0
        self._base = world.now  # what the event's relative times count from
        self._blocked: _Blocked | None = None
        self._lacking: tuple[Event, Unsupported] | None = None  # code that asked for more than the host can tell

    @property
    def seconds(self) -> float:
        """The script's time."""
        return (self.world.now - self._begin) / 1e9

    def run(self) -> None:
        """Run the whole script."""
        if self.script.set_up is not None:
            run_command(self.world, self.script.set_up.text)
        for event in self.script.events:
            self.event = event
            self._schedule(event)
            try:
                self._do(event)
            except Mismatch as wrong:
                self._tolerate(event, wrong)
            self._last = event
            self._last_time = self._time
        if self._lacking is not None:
            self.event, lacking = self._lacking
            raise lacking
        self._end_call("the script ends")

    def _schedule(self, event: Event) -> None:
        """Fix the time of an event: relative ones count from now, injected packets from the one before."""
        time = event.time
        if self._last is None and time.start:
            raise Mismatch("the first event is not at time 0", expected="0", got=self._clock(self._begin + time.start))
        if not (time.relative or time.any):
            if self._last is not None and not (self._last.time.relative or self._last.time.any):
                self._check_order(time.start, self._last.time.start)
            self._base = self._begin
            self._time, self._end = self._begin + time.start, self._begin + (time.end or 0)
            return
        both = self._last is not None and _injects(self._last) and _injects(event)
        self._base = self._last_time if both else self.world.now
        self._time = self._base + time.start
        self._end = self._base + (time.end or 0)

    def _check_order(self, time: int, before: int) -> None:
        if time < before:
            was = self._clock(self._begin + before)
            raise Mismatch("time goes backward", expected=f"after {was}", got=self._clock(self._begin + time))

    def _do(self, event: Event) -> None:
        action = event.action
        if isinstance(action, (TcpPacket, UdpPacket, IcmpPacket)) and action.outbound:
            self._expect(event)
            return
        if isinstance(action, Call):
            self._await_turn(action)
        self._wait()
        if isinstance(action, TcpPacket):
            if self._is_for_nobody():
                return
            subject = self._subject_for(action)
            subject.injects(action)
            self.world.stage.packet_arrives(tcp_packet(action, subject, self.world.conditions))
        elif isinstance(action, IcmpPacket):
            self.world.stage.packet_arrives(icmp_packet(action, self._any_subject(), self.world.conditions))
        elif isinstance(action, UdpPacket):
            self.world.stage.packet_arrives(udp_packet(action, self._any_subject()))
        elif isinstance(action, Call):
            self._call(event, action)
        elif isinstance(action, Command):
            run_command(self.world, action.text)
        elif isinstance(action, Code):
            self._code(event, action)

    def _code(self, event: Event, code: Code) -> None:
        """Code changes nothing: where it cannot be judged, the rest of the script can."""
        try:
            run_code(self.world, code.text)
        except Unsupported as lacking:
            self._lacking = self._lacking or (event, lacking)

    def _tolerate(self, event: Event, wrong: Mismatch) -> None:
        """--non_fatal turns a difference into a remark."""
        kind = "syscall" if isinstance(event.action, Call) else "packet"
        if not (wrong.warning and kind in self.world.conditions.non_fatal):
            raise wrong
        self.world.remarks.append(f"line {event.line}: {wrong.what}")

    def _wait(self) -> None:
        """Let time pass until the event's; a script that is behind its own times fails."""
        self.world.stage.run_until(self._time)
        late = self.world.now - self._time
        if self.world.system is None or late > _LATE:  # a machine that is busy is not the TCP's fault
            self._check_time(self.world.now, "the event")

    # packets

    def _is_for_nobody(self) -> bool:
        """Say whether packetdrill would send it to no address: its socket has none as long as it is new."""
        subject = self.world.subject
        return subject is not None and subject.phase is Phase.NEW and not self.world.profile.calls_closed

    def _subject_for(self, packet: TcpPacket) -> Subject:
        subject = self.world.subject
        if subject is None or subject.phase in (Phase.NEW, Phase.LISTENING):
            subject = self.world.new_subject(Phase.CALLED)
            subject.script_remote_isn = subject.live_remote_isn = packet.seq or 0
        return subject

    def _any_subject(self) -> Subject:
        if self.world.subject is None:
            raise Mismatch("no connection that this packet could belong to")
        return self.world.subject

    def _expect(self, event: Event) -> None:
        packet = event.action
        assert isinstance(packet, (TcpPacket, UdpPacket, IcmpPacket))
        if isinstance(packet, UdpPacket):
            raise Unsupported("sockets of UDP")
        if packet.layers:
            raise Unsupported(f"packets inside {packet.layers[0].name}")
        if packet.ip.flow_label is not None:
            raise Unsupported("flow labels")
        subject = self._any_subject()
        if isinstance(packet, IcmpPacket):
            self._expect_icmp(packet, subject)
            return
        subject.expects(packet)
        left, got = self._gathered(packet, subject)
        check(packet, got, subject, self._stamp_tolerance())
        self._check_time(left.now, "the packet", expected=packet)

    def _gathered(self, packet: TcpPacket, subject: Subject) -> tuple[Left, Actual]:
        """Take what was sent, joined up to the length that the script expects; it left when its last part did."""
        left, got = self._next(packet, subject)
        length = len(got.data)
        while len(got.data) < packet.length and not self.world.conditions.strict_segments:
            left, then = self._next(packet, subject)
            if length != len(then.data) < packet.length - len(got.data):
                raise Mismatch(
                    "the segments that make up the expected one are not of one length", got=f"{got} and {then}"
                )
            got = joined(got, then)
        return left, got

    def _expect_icmp(self, packet: IcmpPacket, subject: Subject) -> None:
        """Take the next ICMP message to the peer; segments before it stay for the lines that expect them."""
        waiting: list[Left] = []
        left = self._departed(icmp_text(packet))
        while not isinstance(left.packet.payload, Icmp) or left.packet.dst != subject.remote:
            waiting.append(left)
            left = self._departed(icmp_text(packet))
        self.world.stage.sent.extendleft(reversed(waiting))
        check_icmp(packet, left.packet, ipv6=self.world.conditions.ipv6)
        self._check_time(left.now, "the packet")

    def _next(self, packet: TcpPacket, subject: Subject) -> tuple[Left, Actual]:
        while True:
            left = self._departed(packet_text(packet))
            seg = left.packet.payload
            if isinstance(seg, Segment) and subject.owns(seg, left.packet.dst):
                subject.sent(packet, seg)
                return left, actual(left, packet, subject, self.world.profile.option_order)

    def _departed(self, expected: str) -> Left:
        """Take what was sent next, and let time pass until there is some."""
        stage = self.world.stage
        limit = None if self.event is None or self.event.time.any else max(self._time, self._end) + _PATIENCE
        while not stage.sent:
            if not self._step(limit):
                if limit is not None:
                    stage.run_until(limit)
                raise Mismatch("no packet was sent", expected=expected, got="nothing")
        return stage.sent.popleft()

    def _step(self, limit: int | None) -> bool:
        """Let the next thing happen: a timer of the host, or the end of a call's patience."""
        blocked = self._blocked
        if blocked is not None and blocked.returned is None and blocked.deadline is not None:
            host = self.world.stage.next_deadline()
            due = blocked.deadline
            if (host is None or due <= host) and (limit is None or due <= limit):
                self.world.stage.run_until(due)
                self._resume()
                return True
        return self.world.stage.step(limit)

    def _stamp_tolerance(self) -> tuple[int, int]:
        conditions = self.world.conditions
        grace = max(conditions.tolerance, int((self._time - self._begin) * conditions.tolerance_percent / 100))
        return conditions.ts_tick, grace

    def _check_time(self, happened: int, what: str, expected: TcpPacket | None = None) -> None:
        event = self.event
        if event is None or event.time.any:
            return
        end = self._end if event.time.end is not None else self._time
        self._in_time(happened, self._time, end, self._last_time if self._last else None, what, expected)

    def _in_time(
        self, happened: int, start: int, end: int, before: int | None, what: str, expected: TcpPacket | None = None
    ) -> None:
        """Raise Mismatch for what happened outside of its time and the tolerance."""
        conditions = self.world.conditions
        grace = conditions.tolerance
        if before is not None:
            grace = max(grace, int((start - before) * conditions.tolerance_percent / 100))
        if start - grace <= happened <= end + grace:
            return
        due = f"at {self._clock(start)}" if start == end else f"between {self._clock(start)} and {self._clock(end)}"
        raise Mismatch(
            f"{what} did not come in time: {due} was expected, {self._clock(happened)} it was",
            expected="" if expected is None else f"{packet_text(expected)} {due}",
            got=f"at {self._clock(happened)}",
            warning=True,
        )

    def _clock(self, moment: int) -> str:
        return f"{(moment - self._begin) / 1e9:.6f} s"

    # system calls

    def _await_turn(self, call: Call) -> None:
        """Calls come one after another; one that does not block may come although another does not return."""
        if call.end is None:
            self._await_call()
        else:
            self._end_call("another call blocks")

    def _call(self, event: Event, call: Call) -> None:
        while self._blocked is not None and self._blocked.returned is None and self._step(self.world.now):
            pass  # what is due just now ends the call before this one
        waiting = calls.begin(self.world, call)
        if call.end is None:
            self._run_call(call, waiting)
            return
        self._blocked = _Blocked(event, call, waiting, self._time, self._base + call.end)
        self.world.stage.watchers.append(self._resume)
        self._resume()
        self.world.stage.collect()

    def _run_call(self, call: Call, waiting: Waiting) -> None:
        """Run a call that the script does not expect to block; one that does lets time pass."""
        outcome: int | CallFailed
        try:
            while True:
                deadline = next(waiting)
                self.world.stage.collect()
                host = self.world.stage.next_deadline()
                if deadline is not None and (host is None or deadline < host):
                    self.world.stage.run_until(deadline)
                elif not self.world.stage.step(None):
                    raise Mismatch(f"{call.name}() waits for ever", expected=str(call), got="nothing")
        except StopIteration as done:
            outcome = done.value
        except CallFailed as failed:
            outcome = failed
        self.world.stage.collect()
        self._check_return(call, outcome)

    def _check_return(self, call: Call, outcome: int | CallFailed) -> None:
        """Compare what a call returned; what accept() gives must be a connection that the script knows."""
        calls.check(call, outcome)
        if call.name in ("accept", "accept4") and isinstance(outcome, int):
            subject = self.world.subject_of(self.world.files[outcome])
            if subject is None or subject.phase not in (Phase.ANSWERED, Phase.ACCEPTABLE):
                raise Mismatch("accept() returned a connection whose SYN,ACK the script does not expect")

    def _resume(self) -> bool:
        """Let the blocked call look again."""
        blocked = self._blocked
        if blocked is None or blocked.running or blocked.returned is not None:
            return False
        blocked.running = True
        try:
            blocked.deadline = next(blocked.waiting)
            return False
        except StopIteration as done:
            blocked.returned = (self.world.now, done.value)
        except CallFailed as failed:
            blocked.returned = (self.world.now, failed)
        finally:
            blocked.running = False
        return True

    def _await_call(self) -> bool:
        """Wait a second at most for the blocked call, as packetdrill does; check how and when it returned."""
        blocked = self._blocked
        if blocked is None:
            return True
        limit = self.world.now + _PATIENCE_FOR_CALLS
        while blocked.returned is None and self._step(limit):
            pass
        if blocked.returned is None:
            self.world.stage.run_until(limit)
            return False
        self.world.stage.watchers.remove(self._resume)
        self._blocked = None
        here, self.event = self.event, blocked.event
        when, outcome = blocked.returned
        self._check_return(blocked.call, outcome)
        self._in_time(when, blocked.end, blocked.end, blocked.start, f"the return of {blocked.call.name}()")
        self.event = here
        return True

    def _end_call(self, why: str) -> None:
        """Wait for the blocked call, which must return; ``why``: what comes next."""
        blocked = self._blocked
        if not self._await_call() and blocked is not None:
            self.event = blocked.event
            what = f"{blocked.call.name}() did not return within a second, and {why}"
            raise Mismatch(what, expected=str(blocked.call), got="nothing")


def _injects(event: Event) -> bool:
    return isinstance(event.action, (TcpPacket, UdpPacket, IcmpPacket)) and not event.action.outbound
