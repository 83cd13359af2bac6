"""Connections that were cut off while the doctor looked: whose they were, and where they led."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tulpen.doctor.change import Change, Departure
from tulpen.doctor.finding import Holder
from tulpen.doctor.words import endpoint, local, remote
from tulpen.tcp.state import State
from tulpen.watch.ended import Ended
from tulpen.watch.verdict import Ending

_CLOSABLE: Final = (State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)


class Cut(NamedTuple):
    """What is known of them."""

    number: int
    holders: tuple[Holder, ...]
    listener: str  # that most of them came in by
    destination: str  # that most of them went out to
    peers: Counter[str]
    reasons: Counter[str]


def cut(change: Change, counter: str, endings: Iterable[Ending], *, closing: bool = False) -> Cut:
    """Return what is known of the connections that ended so: as was heard, or else as was seen between looks.

    Seen are those that went in a step in which ``counter`` grew; with ``closing`` those too
    that were being closed.
    """
    left = change.left_from(*_CLOSABLE) if closing else change.departures
    gone = [each for each in left if change.step_grew(each.step, counter)]
    wanted = frozenset(endings)
    heard = [each for each in change.ended if each.verdict.ending in wanted]
    return _heard(change, heard, gone) if heard else _seen(change, gone)


def _seen(change: Change, gone: Sequence[Departure]) -> Cut:
    socks = [each.sock for each in gone]
    return Cut(
        len(socks),
        _known(change, gone),
        _most(local(sock) for sock in socks if change.before.listener_of(sock)),
        _most(remote(sock) for sock in socks if not change.before.listener_of(sock)),
        Counter(remote(sock) for sock in socks),
        Counter(),
    )


def _heard(change: Change, heard: Sequence[Ended], gone: Sequence[Departure]) -> Cut:
    listening = {sock.name.local_port: sock for sample in change.samples for sock in sample.listeners}
    incoming = [each for each in heard if each.name.local_port in listening]
    outgoing = [each for each in heard if each.name.local_port not in listening]
    # Who opened a connection holds it; of one that came in it is who was seen to, or holds the listener.
    named = Counter((each.who.pid, each.who.command) for each in outgoing if each.who is not None)
    holders = _known(change, gone) or (
        *change.holders({listening[each.name.local_port] for each in incoming}),
        *(Holder(pid, name, None, (), number) for (pid, name), number in named.most_common()),
    )
    return Cut(
        len(heard),
        holders,
        _most(endpoint(each.name.local, each.name.local_port) for each in incoming),
        _most(endpoint(each.name.remote, each.name.remote_port) for each in outgoing),
        Counter(endpoint(each.name.remote, each.name.remote_port) for each in heard),
        Counter(each.verdict.why for each in heard if each.verdict.why),
    )


def _known(change: Change, gone: Sequence[Departure]) -> tuple[Holder, ...]:
    return tuple(holder for holder in change.holders(each.sock for each in gone) if holder.uid is not None)


def _most(words: Iterable[str]) -> str:
    return next((word for word, _ in Counter(words).most_common(1)), "")
