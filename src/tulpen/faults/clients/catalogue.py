"""Every bad client by its name."""

from __future__ import annotations

from typing import Final, NamedTuple

from tulpen.faults.bad_client import BadClient
from tulpen.faults.catalogue import read, spell
from tulpen.faults.clients import (
    byte_at_a_time,
    connect_and_rst,
    fin_and_never_close,
    handshakes_no_data,
    healthy,
    never_reading,
    syn_flood,
    vanished,
)

CLIENTS: Final[tuple[BadClient, ...]] = (
    healthy.CLIENT,
    syn_flood.CLIENT,
    handshakes_no_data.CLIENT,
    byte_at_a_time.CLIENT,
    never_reading.CLIENT,
    connect_and_rst.CLIENT,
    fin_and_never_close.CLIENT,
    vanished.CLIENT,
)
CONTROL: Final = healthy.CLIENT
_BY_NAME: Final = {client.name: client for client in CLIENTS}


class ClientChoice(NamedTuple):
    """A bad client with the values of its parameters."""

    client: BadClient
    values: dict[str, float]

    @property
    def spelling(self) -> str:
        """How the command line names it."""
        return spell(self.client.name, self.client.parameters, self.values)


def choose(text: str) -> ClientChoice:
    """Return the bad client that ``text`` names; raises TulpenError."""
    client, given = read(text, _BY_NAME, "bad client", "tulpen break --server 80 --list")
    return ClientChoice(client, client.values(given))
