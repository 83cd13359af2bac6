"""Every fault by its name, and how the command line names one: ``rst-at-byte:bytes=100``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple, Protocol, TypeVar

from tulpen.errors import TulpenError
from tulpen.faults import (
    byte_at_a_time,
    close_race,
    corrupted_checksums,
    delay,
    duplication,
    fin_at_byte,
    fin_never,
    half_close,
    half_open_after_handshake,
    half_open_after_request,
    half_open_mid_response,
    healthy,
    idle_gone_rst,
    idle_gone_silent,
    loss,
    mtu_black_hole,
    never_accepted,
    no_options,
    ports_exhausted,
    refused,
    reordering,
    rst_after_response,
    rst_at_byte,
    rst_on_request,
    rst_wrong_seq,
    syn_ack_late,
    syn_unanswered,
    zero_window_a_while,
    zero_window_forever,
)
from tulpen.faults.fault import Fault, Parameter

#: In the order in which they are reported: as a connection lives.
FAULTS: Final[tuple[Fault, ...]] = (
    healthy.FAULT,
    # opening
    syn_unanswered.FAULT,
    refused.FAULT,
    syn_ack_late.FAULT,
    never_accepted.FAULT,
    no_options.FAULT,
    ports_exhausted.FAULT,
    # gone without a word
    half_open_after_handshake.FAULT,
    half_open_after_request.FAULT,
    half_open_mid_response.FAULT,
    idle_gone_silent.FAULT,
    idle_gone_rst.FAULT,
    # reset
    rst_on_request.FAULT,
    rst_at_byte.FAULT,
    rst_after_response.FAULT,
    rst_wrong_seq.FAULT,
    # closing
    fin_at_byte.FAULT,
    fin_never.FAULT,
    half_close.FAULT,
    close_race.FAULT,
    # the flow of octets
    zero_window_forever.FAULT,
    zero_window_a_while.FAULT,
    byte_at_a_time.FAULT,
    # the path
    loss.FAULT,
    reordering.FAULT,
    duplication.FAULT,
    delay.FAULT,
    corrupted_checksums.FAULT,
    mtu_black_hole.FAULT,
)
CONTROL: Final = healthy.FAULT
_BY_NAME: Final = {fault.name: fault for fault in FAULTS}


class Choice(NamedTuple):
    """A fault with the values of its parameters."""

    fault: Fault
    values: dict[str, float]

    @property
    def spelling(self) -> str:
        """How the command line names it; values that are the defaults are left out."""
        return spell(self.fault.name, self.fault.parameters, self.values)


def choose(text: str) -> Choice:
    """Return the fault that ``name:parameter=number,parameter=number`` names; raises TulpenError."""
    fault, given = read(text, _BY_NAME, "fault", "tulpen break --list")
    return Choice(fault, fault.values(given))


class Named(Protocol):
    """What is chosen by name, with parameters."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What it can be given."""


T = TypeVar("T", bound=Named)


def read(text: str, by_name: Mapping[str, T], kind: str, lists: str) -> tuple[T, dict[str, float]]:
    """Return what ``text`` names and the parameters it gives; ``lists`` is the command that lists them all."""
    name, _, rest = text.partition(":")
    found = by_name.get(name)
    if found is None:
        near = get_close_matches(name, by_name, 1)
        words = f"there is no {kind} {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        raise TulpenError(words, f"'{lists}' shows them all.")
    given: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, number = part.partition("=")
        parameter = next((each for each in found.parameters if each.name == key), None)
        if parameter is None:
            known = ", ".join(each.name for each in found.parameters) or "none"
            raise TulpenError(f"{name} has no parameter {key!r} (it has: {known})")
        try:
            given[key] = parameter.read(number)
        except ValueError:
            raise TulpenError(f"{name}: {key}={number!r} is no number that fits") from None
    return found, given


def spell(name: str, parameters: Sequence[Parameter], values: Mapping[str, float]) -> str:
    """Return how the command line names it."""
    given = [f"{each.name}={values[each.name]:g}" for each in parameters if values[each.name] != each.default]
    return ":".join([name, *([",".join(given)] if given else [])])
