"""Every incident, on every backend that it names: its claims hold, and fail once something is broken."""

from __future__ import annotations

import pytest

from tests.link.rights import needs_network
from tulpen.lab.as_json import as_dict
from tulpen.lab.catalogue import MODULES, everything, named
from tulpen.lab.ground import Backend
from tulpen.lab.run import run, side_by_side
from tulpen.show.table import json_text

PAIRS = [
    pytest.param(
        incident.name, backend, id=f"{incident.name}-{backend.value}",
        marks=[needs_network, pytest.mark.kernel] if backend is Backend.KERNEL else [],
    )
    for incident in everything()
    for backend in incident.backends
]  # fmt: skip


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_its_claims_hold(name: str, backend: Backend) -> None:
    account = run(name, backend)
    assert account.claims
    assert [claim for claim in account.claims if not claim.held] == []


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_a_claim_fails_where_something_is_broken(name: str, backend: Backend) -> None:
    assert not run(name, backend, spoiled=True).held


@needs_network
@pytest.mark.kernel
@pytest.mark.parametrize("name", [name for name in MODULES if Backend.KERNEL in named(name).backends])
def test_tulpen_and_linux_agree_or_it_is_said_why_not(name: str) -> None:
    incident = named(name)
    rows = side_by_side(incident, [run(name, Backend.SIM), run(name, Backend.KERNEL)])
    assert [row for row in rows if not row.fine] == []


@pytest.mark.parametrize("name", [name for name in MODULES if Backend.SIM in named(name).backends])
def test_virtual_time_repeats_itself_exactly(name: str) -> None:
    once, again = (json_text(as_dict(named(name), [run(name, Backend.SIM, seed=7)], [])) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", MODULES)
def test_an_incident_says_why_a_backend_is_missing(name: str) -> None:
    incident = named(name)
    assert set(incident.absent) == set(Backend) - set(incident.backends)
    assert incident.name == name
    assert "RFC" in incident.theory
