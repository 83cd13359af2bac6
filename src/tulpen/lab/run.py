"""Run an incident, on one backend or on all, and lay the runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tulpen.errors import TulpenError
from tulpen.lab.bench import Doctor, Lab, Progress, Teller
from tulpen.lab.catalogue import named

if TYPE_CHECKING:
    from pathlib import Path

    from tulpen.lab.ground import Backend
    from tulpen.lab.incident import Account, Incident
    from tulpen.lab.machine import Value


def run(
    incident: str | Incident,
    backend: Backend,
    *,
    seed: int = 0,
    settings: Mapping[str, Value] | None = None,
    full: bool = False,
    spoiled: bool = False,
    tell: Teller | None = None,
    progress: Progress | None = None,
    pcap: Path | None = None,
    doctor: Doctor | None = None,
) -> Account:
    """Make the incident happen; return the account of it.  ``doctor`` is called where the trouble is worst.

    Raises TulpenError where the backend cannot show it, or the machine refuses what it needs.
    """
    what = named(incident) if isinstance(incident, str) else incident
    if backend not in what.backends:
        raise TulpenError(f"{what.name} cannot be shown on {backend.value}", what.absent.get(backend, ""))
    lab = Lab(
        what.name, backend, seed=seed, settings=settings, full=full, spoiled=spoiled, tell=tell, progress=progress,
        pcap=pcap, doctor=doctor,
    )  # fmt: skip
    try:
        what.run(lab)
    except TimeoutError as error:
        lab.claim("it goes on to its end", False, str(error))
    return lab.account


@dataclass(frozen=True, slots=True)
class Agreement:
    """A fact, and what each backend says."""

    fact: str
    values: tuple[object, ...]  # in the order of the accounts; None: it says nothing of it
    why: str = ""  # they differ: the reason

    @property
    def agree(self) -> bool:
        """Whether all that say something say the same."""
        said = [value for value in self.values if value is not None]
        return all(value == said[0] for value in said)

    @property
    def fine(self) -> bool:
        """Whether they agree, or the difference is explained."""
        return self.agree or bool(self.why)


def side_by_side(incident: Incident, accounts: Sequence[Account]) -> list[Agreement]:
    """Return every fact and every claim with what each account says."""
    names = dict.fromkeys(name for account in accounts for name in account.facts)
    rows = [
        Agreement(name, tuple(account.facts.get(name) for account in accounts), incident.explained.get(name, ""))
        for name in names
    ]
    sentences = dict.fromkeys(claim.sentence for account in accounts for claim in account.claims)
    for sentence in sentences:
        held = tuple(
            next((claim.held for claim in account.claims if claim.sentence == sentence), None) for account in accounts
        )
        rows.append(Agreement(sentence, held, incident.explained.get(sentence, "")))
    return rows
