"""Every fault by its name, and how the command line names one: ``rst-at-byte:bytes=100``."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final, NamedTuple

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
from tulpen.faults.fault import Fault

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
        given = [
            f"{each.name}={self.values[each.name]:g}"
            for each in self.fault.parameters
            if self.values[each.name] != each.default
        ]
        return ":".join([self.fault.name, *([",".join(given)] if given else [])])


def choose(text: str) -> Choice:
    """Return the fault that ``name:parameter=number,parameter=number`` names; raises TulpenError."""
    name, _, rest = text.partition(":")
    fault = _BY_NAME.get(name)
    if fault is None:
        near = get_close_matches(name, _BY_NAME, 1)
        raise TulpenError(
            f"there is no fault {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            "'tulpen break --list' shows them all.",
        )
    given: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, number = part.partition("=")
        parameter = next((each for each in fault.parameters if each.name == key), None)
        if parameter is None:
            known = ", ".join(each.name for each in fault.parameters) or "none"
            raise TulpenError(f"{name} has no parameter {key!r} (it has: {known})")
        try:
            given[key] = parameter.read(number)
        except ValueError:
            raise TulpenError(f"{name}: {key}={number!r} is no number that fits") from None
    return Choice(fault, fault.values(given))
