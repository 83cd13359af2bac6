"""The mistakes: a dropped check, ``<`` for ``<=``, a forgotten timer, an edge too many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """One change to one module."""

    name: str
    module: str
    before: str  # stands in the source once
    after: str
    harmless: str = ""  # why a TCP may behave so

    def source(self) -> str:
        """Return the module's source with the change; ValueError if it does not apply."""
        path = _ROOT.joinpath(*self.module.split(".")[1:]).with_suffix(".py")
        source = path.read_text()
        if source.count(self.before) != 1:
            raise ValueError(f"{self.name}: its place is there {source.count(self.before)} times in {path.name}")
        return source.replace(self.before, self.after)


def _in(module: str, *rows: tuple[str, ...]) -> tuple[Mutant, ...]:
    """Each row: the mutant's name, before, after, and why it is no mistake where it is none."""
    return tuple(
        Mutant(name, f"tulpen.tcp.{module}", before, after, "".join(reason)) for name, before, after, *reason in rows
    )


MUTANTS: Final = (
    *_in(
        "state",
        ("FIN-WAIT-1 skips to TIME-WAIT", "Transition(FIN_WAIT_1, Event.FIN, CLOSING", "Transition(FIN_WAIT_1, Event.FIN, TIME_WAIT"),
        ("FIN-WAIT-2 does not linger", "Transition(FIN_WAIT_2, Event.FIN, TIME_WAIT", "Transition(FIN_WAIT_2, Event.FIN, CLOSING"),
        ("CLOSING does not linger", "Transition(CLOSING, Event.FIN_ACKED, TIME_WAIT", "Transition(CLOSING, Event.FIN_ACKED, CLOSED"),
        ("their FIN closes us too", "Transition(ESTABLISHED, Event.FIN, CLOSE_WAIT", "Transition(ESTABLISHED, Event.FIN, LAST_ACK"),
        ("no crossing SYNs", "    Transition(SYN_SENT, Event.SYN, SYN_RECEIVED, \"3.10.7.3\", \"SYN,ACK\"),\n", ""),
        ("no way back to LISTEN", "    Transition(SYN_RECEIVED, Event.REFUSED, LISTEN, \"3.10.7.4\"),\n", ""),
        ("CLOSE from SYN-RECEIVED waits for their FIN", "Transition(SYN_RECEIVED, Event.CLOSE, FIN_WAIT_1", "Transition(SYN_RECEIVED, Event.CLOSE, FIN_WAIT_2"),
        ("no text in FIN-WAIT-2", "MAY_RECEIVE: Final = _row(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)", "MAY_RECEIVE: Final = _row(ESTABLISHED, FIN_WAIT_1)"),
        ("no text in FIN-WAIT-1", "MAY_RECEIVE: Final = _row(ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)", "MAY_RECEIVE: Final = _row(ESTABLISHED, FIN_WAIT_2)"),
        ("CLOSE-WAIT may not send", "MAY_SEND: Final = _row(ESTABLISHED, CLOSE_WAIT)", "MAY_SEND: Final = _row(ESTABLISHED)"),
        ("LAST-ACK's FIN is not pending", "FIN_PENDING: Final = _row(FIN_WAIT_1, CLOSING, LAST_ACK)", "FIN_PENDING: Final = _row(FIN_WAIT_1, CLOSING)"),
        ("CLOSING's FIN is not pending", "FIN_PENDING: Final = _row(FIN_WAIT_1, CLOSING, LAST_ACK)", "FIN_PENDING: Final = _row(FIN_WAIT_1, LAST_ACK)"),
    ),
    *_in(
        "arrives",
        ("no check of the sequence number", "if not (judge.acceptable(tcb, seg) or judge.crosses_our_syn(tcb, seg)):", "if False:"),
        ("a FIN again does not restart 2 MSL", "        linger(tcb, now)  # \"acknowledge it, and restart the 2 MSL timeout\"", "        pass"),
        ("a SYN again is not answered", "            tcb.syn_due = True  # a bare ACK would mean nothing to a peer in SYN-SENT", "            pass", "the retransmission timer sends the SYN,ACK again too"),
        ("no answer to what is not acceptable", "    return answer_invalid(tcb, seg, why, now)\n", "    return False\n"),
        ("a SYN,ACK is not acknowledged", "        tcb.ack_now = True\n        in_window = text.trim", "        in_window = text.trim"),
        ("any RST is obeyed", "    elif not judge.resets(tcb, seg):", "    elif False:"),
        ("a RST is ignored", "    if not seg.flags & RST:\n        return True\n", "    if True:\n        return True\n"),
        ("a RST in SYN-RECEIVED ends a passive open", "    elif tcb.state is SYN_RECEIVED and tcb.passive:\n        back_to_listen(tcb, now)\n    elif tcb.state is SYN_RECEIVED:\n        tcb.stack", "    elif tcb.state is SYN_RECEIVED:\n        tcb.stack"),
        ("a RST without ACK refuses", "        if acks_syn:\n            tcb.stack.count(\"AttemptFails\")", "        if True:\n            tcb.stack.count(\"AttemptFails\")"),
        ("a SYN in the window resets", "        challenge(tcb, seg, Reason.SYN_IN_SYNCHRONIZED, now)", "        end(tcb, Event.RESET, now, error=errno.ECONNRESET)"),
        ("text without an ACK is taken", "    if not seg.flags & ACK:\n        tcb.note(seg.segment, Reason.NO_ACK, now)\n        return False\n    if tcb.ecn", "    if tcb.ecn", "the number 0 that stands for its ACK is judged next, and too old"),
        ("any ACK completes the handshake", "        if not judge.acks_our_syn(tcb, seg):\n            refuse", "        if False:\n            refuse"),
        ("an ACK of what was not sent is taken", "    elif seg.ack > tcb.snd.nxt:", "    elif False:"),
        ("an ACK of what was not sent ends", "        return challenge(tcb, seg, Reason.ACK_OF_UNSENT, now)", "        end(tcb, Event.RESET, now, error=errno.ECONNRESET)\n        return False"),
        ("an ACK from long ago is taken", "    elif seg.ack < tcb.snd.una and judge.too_old_an_ack(tcb, seg):", "    elif False:"),
        ("our FIN's ACK is not seen", "    if FIN_PENDING[tcb.state] and judge.fin_acked(tcb):", "    if False:"),
        ("a FIN beyond a hole counts", "    if rcv.fin == rcv.nxt:\n        rcv.nxt += 1", "    if rcv.fin >= 0:\n        rcv.nxt = rcv.fin + 1"),
        ("a FIN takes no sequence number", "        rcv.nxt += 1\n        rcv.wnd = max(0, rcv.wnd - 1)\n", ""),
        ("a FIN is not acknowledged", "        acking.fin_arrived(tcb, now)\n", "        tcb.ack_now = False\n"),
        ("the user is not told of the end", "        tcb.happened(Event.FIN, now)\n        if tcb.state is TIME_WAIT:\n            linger(tcb, now)\n", "        pass\n"),
        ("TIME-WAIT without a timer after FIN-WAIT-2", "        tcb.happened(Event.FIN, now)\n        if tcb.state is TIME_WAIT:\n            linger(tcb, now)\n", "        tcb.happened(Event.FIN, now)\n"),
        ("TIME-WAIT is over at once", "        tcb.happened(Event.FIN, now)\n        if tcb.state is TIME_WAIT:\n            linger(tcb, now)\n", "        tcb.happened(Event.FIN, now)\n        if tcb.state is TIME_WAIT:\n            end(tcb, Event.LINGERED, now)\n"),
        ("TIME-WAIT without a timer after CLOSING", "    if tcb.state is TIME_WAIT:\n        linger(tcb, now)\n    elif tcb.orphan:", "    if tcb.state is TIME_WAIT:\n        pass\n    elif tcb.orphan:"),
        ("an orphan waits for ever", "    elif tcb.orphan:\n        wait_for_their_fin(tcb, now)\n", ""),
        ("crossing SYNs are not answered", "        tcb.syn_due = True  # again, with an ACK now: simultaneous open", "        pass", "the retransmission timer sends the SYN,ACK too"),
        ("SYN-SENT takes any ACK", "if acks_syn and (not judge.acks_our_syn(tcb, seg) or", "if acks_syn and (False or"),
        ("CLOSED does not answer", "        refuse(tcb, segment, Reason.NO_CONNECTION, now)", "        pass"),
        ("LISTEN takes an ACK", "    elif seg.flags & ACK and judge.refused_in_listen(seg.flags, tcb.stack.settings):\n        refuse(tcb, seg.segment, Reason.ACK_IN_LISTEN, now)\n    elif seg.flags & ACK:\n        tcb.note(seg.segment, Reason.ACK_IN_LISTEN, now)\n", ""),
    ),
    *_in(
        "text",
        ("text beyond a hole is delivered", "    if seg.seq == rcv.nxt:\n        return in_order", "    if seg.seq >= rcv.nxt:\n        return in_order"),
        ("RCV.NXT moves one too far", "    rcv.nxt += len(seg.data)\n", "    rcv.nxt += len(seg.data) + 1\n"),
        ("RCV.NXT does not move", "    rcv.nxt += len(seg.data)\n", "    pass\n"),
        ("held text is not joined", "    if received.beyond is not None:\n        rcv.nxt = received.fill(rcv.nxt, before_it)\n        tcb.ack_now = True  # it", "    if received.beyond is not None:\n        tcb.ack_now = True  # it", "what is held may be dropped (RFC 2018 §8): it is sent again"),
        ("text for an orphan is dropped in silence", "        refuse(tcb, seg.segment, Reason.DATA_AFTER_CLOSE, now)\n        end(tcb, Event.ABORT, now)\n        return False", "        return True", "the RST comes when tcp_fin_timeout is over"),
        ("what was taken twice is not cut off", "    if not beyond:\n        seg.trim(rcv.nxt, edge)\n", "    if not beyond:\n", "the ACK that it brings tells its sender where to go on"),
    ),
    *_in(
        "judge",
        ("the right edge is in the window", "    if seg.flags & (RST | SYN):\n        return nxt <= seg.seq < edge", "    if seg.flags & (RST | SYN):\n        return nxt <= seg.seq"),
        ("what begins before the window is not taken", "    return nxt <= seg.seq < edge or nxt <= seg.seq + length - 1 < edge", "    return nxt <= seg.seq < edge", "the ACK that it brings tells its sender where to go on"),
        ("nothing passes at a zero window", "        return seg.seq == nxt\n", "        return False\n"),
        ("any SYN reopens TIME-WAIT", "            return before(tcb.ts_recent, tsval)\n    return seg.seq >= tcb.rcv.nxt", "            return before(tcb.ts_recent, tsval)\n    return True"),
        ("a crossing SYN,ACK is not taken", "        and seg.ack == tcb.snd.nxt\n    )\n\n\ndef same_syn", "        and False\n    )\n\n\ndef same_syn", "the ACK that answers it completes the opening"),
        ("our SYN is acknowledged by what it was sent for", "    return tcb.snd.una < seg.ack <= tcb.snd.nxt", "    return tcb.snd.una <= seg.ack <= tcb.snd.nxt"),
        ("our FIN is acknowledged too early", "    return 0 <= tcb.snd.fin < tcb.snd.una", "    return 0 <= tcb.snd.fin <= tcb.snd.una"),
        ("the window is never updated", "    return snd.wl1 < seg.seq or (snd.wl1 == seg.seq and snd.wl2 <= seg.ack)", "    return False"),
        ("a FIN is never left to send", "        end += 1\n    return end - snd.nxt", "        end += 0\n    return end - snd.nxt"),
    ),
    *_in(
        "handshake",
        ("IRS is one too high", "    tcb.rcv.nxt = tcb.last_ack_sent = seg.seq + 1", "    tcb.rcv.nxt = tcb.last_ack_sent = seg.seq + 2"),
        ("their SYN takes no sequence number", "    tcb.rcv.nxt = tcb.last_ack_sent = seg.seq + 1", "    tcb.rcv.nxt = tcb.last_ack_sent = seg.seq"),
        ("a queued CLOSE is forgotten", "        tcb.happened(Event.CLOSE, now)  # it was queued (§3.10.4)", "        pass"),
        ("back in LISTEN with the old numbers", "    tcb.snd.una = tcb.snd.nxt = tcb.snd.small = tcb.snd.iss", "    pass"),
        ("back in LISTEN, what is queued is lost", "    tcb.queue = queued\n", ""),
        ("their window is not learnt", "    tcb.snd.wnd = tcb.snd.max_wnd = seg.wnd\n", "    tcb.snd.wnd = tcb.snd.max_wnd = 0\n", "the answer to a window probe tells it"),
    ),
    *_in(
        "calls",
        ("our FIN stands one too early", "    tcb.snd.fin = tcb.queue.end\n", "    tcb.snd.fin = tcb.queue.end - 1\n"),
        ("CLOSE in SYN-RECEIVED forgets the text", "    if state is SYN_RECEIVED and len(tcb.queue) and not judge.talks_early(tcb):\n        tcb.closing = True", "    if False:\n        tcb.closing = True", "what is queued is sent in FIN-WAIT-1 too"),
        ("an abort is silent", "        tcb.reply(reset(tcb, now))\n    end(tcb, Event.ABORT", "        pass\n    end(tcb, Event.ABORT"),
        ("an orphan in FIN-WAIT-2 waits for ever", "    if tcb.state is FIN_WAIT_2:\n        wait_for_their_fin(tcb, now)", "    if False:\n        wait_for_their_fin(tcb, now)"),
    ),
    *_in(
        "timeouts",
        ("a lost SYN is not sent again", "        tcb.syn_due = True\n", "        pass\n"),
        ("the retransmission timer runs once", "    clocks.start_again(tcb, now, now)\n\n\ndef _tried_enough", "    pass\n\n\ndef _tried_enough"),
        ("a timeout sends nothing again", "        recovery.retransmission_timeout(tcb, now)", "        pass"),
        ("TIME-WAIT never ends", "        end(tcb, Event.LINGERED, now)", "        pass"),
        ("a zero window is not probed", "        tcb.reply(probe(tcb, now))\n        tcb.probes += 1\n        tcb.rtt.backoff += 1", "        tcb.probes += 1\n        tcb.rtt.backoff += 1"),
        ("keep-alive never gives up", "        _give_up(tcb, Reason.KEEPALIVE_DEAD, now)", "        pass"),
    ),
    *_in(
        "answers",
        ("a refusal says nothing", "    tcb.reply(reset_for(segment, tcb.stack.settings))", "    pass"),
        ("no challenge is sent", "    if may_answer(tcb, now) and tcb.stack.may_challenge(now):\n        tcb.reply(bare_ack(tcb, now))", "    if may_answer(tcb, now) and tcb.stack.may_challenge(now):\n        pass"),
    ),
)  # fmt: skip
