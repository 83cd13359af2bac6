"""The host's side of the program's questions.  Virtual time passes when the script's thread waits, and then alone."""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Final, final

from tulpen.drill.commands import run_command
from tulpen.drill.genuine import calls
from tulpen.drill.genuine.channel import Channel
from tulpen.drill.genuine.code import gathered_code
from tulpen.drill.genuine.octets import wire_octets
from tulpen.drill.genuine.protocol import VERSION, Answer, Garbled, Op, Question
from tulpen.drill.problems import Mismatch, Unsupported
from tulpen.drill.subject import Phase
from tulpen.drill.world import CallFailed
from tulpen.wire.ip import Packet, parse_packet
from tulpen.wire.malformed import Malformed
from tulpen.wire.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tulpen.drill.stage import Left
    from tulpen.drill.world import World

_US: Final = 1_000
_FAILED: Final = 1 << 8  # of system(): the command ended with 1
#: packetdrill sleeps to this long before an event, and then looks at the clock again and again.
_SPIN: Final = 20 * _US
_LOOKS: Final = 8  # looks at the clock in a row, from where on one is taken to wait for it
_GRACE: Final = 1.0  # seconds of the machine's time that a thread has to come to rest
_NO_PACKET: Final = b"\x45"  # packetdrill knows no end to waiting; of this it tells the line
_WITHOUT_FILE: Final = (Op.SOCKET, Op.POLL, Op.EPOLL_CREATE, Op.OTHER)


@final
class Service:
    """Answers one run of the program."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.stage = world.stage
        self.began = False  # the script was read, and the interface asked for
        self.silent = False  # a packet is waited for that will never come
        self.known: set[str] = set()  # the fields of struct tcp_info that the host could tell
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._channels: list[Channel] = []
        self._looks = 0
        self._held: tuple[Channel, Answer] | None = None  # a sleep that is over, but for another thread
        self._now_and_again: dict[Op, Callable[[Channel, Question], Answer]] = {
            Op.HELLO: self._hello, Op.INIT: self._init, Op.GETTIMEOFDAY: self._time, Op.USLEEP: self._sleep,
            Op.PACKET_IN: self._packet_in, Op.PACKET_OUT: self._packet_out, Op.COMMAND: self._command,
            Op.WAIT: self._wait, Op.REST: self._rest,
        }  # fmt: skip
        self.stage.watchers.append(self._resume_all)

    @property
    def now(self) -> int:
        """The virtual time in microseconds."""
        return self.stage.now // _US

    def close(self) -> None:
        """Hang up."""
        for channel in self._channels:
            channel.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def serve(self, process: int, seconds: float) -> bool:
        """Answer until the process (a pidfd) ends; False if nothing is asked for so long."""
        while True:
            patience = _GRACE if self._held else seconds
            ready = _ready(self._listener.fileno(), process, *(each.fileno() for each in self._channels), wait=patience)
            if not ready and self._held is None:
                return False
            if not ready:
                self._release()
            self._gather()
            self._answer_all()
            if process in ready and not self._channels:
                return True

    def _gather(self) -> None:
        """Read all that was said up to now, so that no thread is overtaken by one that spoke after it."""
        new = self._listener.fileno()
        while ready := _ready(new, *(each.fileno() for each in self._channels), wait=0):
            for channel in self._channels:
                if channel.fileno() in ready:
                    channel.read()
            if new in ready:
                self._channels.append(Channel(self._listener.accept()[0]))
            self._channels = [channel for channel in self._channels if not self._hung_up(channel)]

    def _hung_up(self, channel: Channel) -> bool:
        if channel.ended:
            channel.close()
        return channel.ended

    def _answer_all(self) -> None:
        """Answer what was asked, the script's thread last: only its questions let time pass."""
        for channel in sorted(self._channels, key=lambda channel: channel.main):
            while (question := self._question(channel)) is not None:
                self._ask(channel, question)

    def _question(self, channel: Channel) -> Question | None:
        try:
            return channel.question()
        except Garbled as garbled:
            raise Unsupported(f"a packetdrill that speaks otherwise: {garbled}") from None

    def _ask(self, channel: Channel, question: Question) -> None:
        self._looks = self._looks + 1 if question.op is Op.GETTIMEOFDAY else 0
        simple = self._now_and_again.get(question.op)
        if simple is None:
            self._call(channel, question)
            return
        answer = simple(channel, question)
        if question.op is Op.USLEEP and any(each.busy for each in self._channels):
            self._held = (channel, answer)
        else:
            channel.answer(answer)

    def _hello(self, channel: Channel, question: Question) -> Answer:
        process, thread, version = question.arguments[:3]
        if version != VERSION:
            raise Unsupported(f"version {version} of the shared object")
        channel.main = process == thread
        return Answer(self.now)

    def _init(self, channel: Channel, question: Question) -> Answer:
        self.began = True
        return Answer(self.now)

    def _rest(self, channel: Channel, question: Question) -> Answer:
        channel.busy = False
        if not any(each.busy for each in self._channels):
            self._release()
        return Answer(self.now)

    def _release(self) -> None:
        """Let the thread go on that slept while another dealt with what its call returned."""
        if self._held is not None:
            (sleeper, answer), self._held = self._held, None
            sleeper.answer(answer)

    # time

    def _time(self, channel: Channel, question: Question) -> Answer:
        if self._looks > _LOOKS:
            self.stage.run_until(self.stage.now + _US)
        return Answer(self.now)

    def _sleep(self, channel: Channel, question: Question) -> Answer:
        self._run_until(self.stage.now + question.arguments[0] * _US + _SPIN)
        return Answer(self.now)

    def _wait(self, channel: Channel, question: Question) -> Answer:
        """Let time pass until the other thread's call returns."""
        limit = self.stage.now + question.arguments[0]
        while any(each.begun for each in self._channels):
            if not self._step(limit):
                return Answer(self.now, 1)
        return Answer(self.now)

    def _run_until(self, then: int) -> None:
        while (due := self._call_due()) is not None and due < then:
            self.stage.run_until(due)
            self._resume_all()
        self.stage.run_until(then)

    def _call_due(self) -> int | None:
        """Return when the patience of a waiting call ends."""
        return min((each.deadline for each in self._channels if each.begun and each.deadline is not None), default=None)

    def _step(self, limit: int | None) -> bool:
        """Let the next thing happen: a timer of the host, or the end of a call's patience."""
        due, host = self._call_due(), self.stage.next_deadline()
        if due is not None and (host is None or due <= host) and (limit is None or due <= limit):
            self.stage.run_until(due)
            self._resume_all()
            return True
        return self.stage.step(limit)

    # packets

    def _packet_in(self, channel: Channel, question: Question) -> Answer:
        try:
            packet = parse_packet(question.data)
        except Malformed as error:
            raise Unsupported(f"a packet that is none: {error}") from None
        self._follow(packet.dst, packet.src, packet, inbound=True)
        self.stage.packet_arrives(packet)
        return Answer(self.now)

    def _packet_out(self, channel: Channel, question: Question) -> Answer:
        while not self.stage.sent:
            if self._step(None):
                continue
            if self.silent:
                raise Mismatch("no packet was sent", got="nothing")
            self.silent = True
            return Answer(self.now, value=self.now, data=_NO_PACKET)
        left: Left = self.stage.sent.popleft()
        self._follow(left.packet.src, left.packet.dst, left.packet, inbound=False)
        octets = wire_octets(left, self.world.profile.option_order)
        return Answer(self.now, value=left.now // _US, data=octets)

    def _follow(self, local: bytes, remote: bytes, packet: Packet, *, inbound: bool) -> None:
        """Know which connection the script is about, to draw its ladder."""
        seg = packet.payload
        if not isinstance(seg, Segment):
            return
        here, there = (seg.dport, seg.sport) if inbound else (seg.sport, seg.dport)
        subject = self.world.subject or self.world.new_subject(Phase.CALLED)
        subject.local, subject.local_port, subject.remote, subject.remote_port = local, here, remote, there

    # commands and code

    def _command(self, channel: Channel, question: Question) -> Answer:
        text = question.data.decode("utf-8", "replace")
        path = gathered_code(text)
        if path is not None:
            path.run(self.world, self.known)
            return Answer(self.now)
        try:
            run_command(self.world, text)
        except Mismatch as wrong:
            self.world.remarks.append(wrong.what)
            return Answer(self.now, _FAILED)
        return Answer(self.now)

    # system calls

    def _call(self, channel: Channel, question: Question) -> None:
        if question.op not in _WITHOUT_FILE and 0 <= question.arguments[0] < calls.FIRST_FD:
            raise Unsupported("files that are no sockets")
        while channel.main and any(each.begun for each in self._channels) and self._step(self.stage.now):
            pass  # what is due just now ends another thread's call before this one
        try:
            channel.begun = calls.begin(self.world, question)
        except CallFailed as failed:
            channel.answer(Answer(self.now, -1, errno=failed.errno))
            return
        self._note_fields(question)
        self._resume(channel)
        self.stage.collect()
        while channel.main and channel.begun is not None:
            if not self._step(None):
                raise Mismatch(f"{question.op.name.lower()}() waits for ever")

    def _note_fields(self, question: Question) -> None:
        file = self.world.files.get(question.arguments[0])
        if question.op is Op.GETSOCKOPT and file is not None:
            self.known |= set(file.fields(self.stage.now))

    def _resume_all(self) -> bool:
        """Let waiting calls look again."""
        went_on = [self._resume(channel) for channel in self._channels]
        return any(went_on)

    def _resume(self, channel: Channel) -> bool:
        """Let a call go on; say whether it returned."""
        if channel.begun is None or channel.running:
            return False
        waiting, finish = channel.begun
        channel.running = True
        try:
            channel.deadline = next(waiting)
            return False
        except StopIteration as done:
            value, data = finish()
            answer = Answer(self.now, done.value, value, data=data)
        except CallFailed as failed:
            answer = Answer(self.now, -1, errno=failed.errno)
        finally:
            channel.running = False
        channel.begun, channel.deadline = None, None
        channel.busy = not channel.main
        channel.answer(answer)
        return True


def _ready(*files: int, wait: float) -> list[int]:
    """Return the descriptors that have something to be read."""
    return select.select(files, [], [], wait)[0]
