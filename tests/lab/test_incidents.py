"""Every incident, on every backend that it names: its claims hold, and fail once something is broken.

In real time an incident mostly waits, so a few of them run at once, each in a process of its own.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial

import pytest

from tests.link.rights import needs_network, why_not
from tests.second_try import first_try
from tulpen.lab.as_json import as_dict
from tulpen.lab.catalogue import MODULES, everything, named
from tulpen.lab.ground import Backend
from tulpen.lab.incident import Account
from tulpen.lab.run import run, side_by_side
from tulpen.show.table import json_text

AT_ONCE = 2
PATIENCE = 300  # seconds for all of them to be through on a busy machine

PAIRS = [
    pytest.param(
        incident.name, backend, id=f"{incident.name}-{backend.value}",
        marks=[needs_network, pytest.mark.kernel] if backend is Backend.KERNEL else [],
    )
    for incident in everything()
    for backend in incident.backends
]  # fmt: skip

Accounts = Callable[[str, Backend, bool], Account]


@pytest.fixture(scope="module")
def together() -> Iterator[Accounts]:
    futures: dict[tuple[str, Backend, bool], Future[Account]] = {}
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")) as pool:

        def start(name: str, backend: Backend, spoiled: bool) -> Future[Account]:
            key = name, backend, spoiled
            if key not in futures:
                futures[key] = pool.submit(partial(run, name, backend, spoiled=spoiled))
            return futures[key]

        def get(name: str, backend: Backend, spoiled: bool) -> Account:
            for incident in everything() if not futures else ():
                for each in incident.backends:
                    if each is not Backend.KERNEL or not why_not:
                        for broken in (False, True):
                            start(incident.name, each, broken)
            found = start(name, backend, spoiled).result(PATIENCE)
            if backend is not Backend.SIM and not spoiled and not found.held:
                del futures[name, backend, spoiled]  # a busy machine upsets real time: a second look
                found = start(name, backend, spoiled).result(PATIENCE)
            return found

        yield get
        pool.shutdown(cancel_futures=True)


@pytest.fixture
def account(request: pytest.FixtureRequest, together: Accounts) -> Accounts:
    """What became of an incident on a backend, as it is or broken on purpose."""
    return together if first_try(request) else lambda name, backend, spoiled: run(name, backend, spoiled=spoiled)


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_its_claims_hold(name: str, backend: Backend, account: Accounts) -> None:
    claims = account(name, backend, False).claims
    assert claims
    assert [claim for claim in claims if not claim.held] == []


@pytest.mark.parametrize(("name", "backend"), PAIRS)
def test_a_claim_fails_where_something_is_broken(name: str, backend: Backend, account: Accounts) -> None:
    assert not account(name, backend, True).held


@pytest.mark.parametrize("name", MODULES)
def test_the_backends_agree_or_it_is_said_why_not(name: str, account: Accounts) -> None:
    incident = named(name)
    there = [backend for backend in incident.backends if backend is not Backend.KERNEL or not why_not]
    rows = side_by_side(incident, [account(name, backend, False) for backend in there])
    assert rows
    assert [row for row in rows if not row.fine] == []


@pytest.mark.parametrize("name", [name for name in MODULES if not named(name).inexact])
def test_virtual_time_repeats_itself_exactly(name: str) -> None:
    once, again = (json_text(as_dict(named(name), [run(name, Backend.SIM, seed=7)], [])) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("name", MODULES)
def test_an_incident_says_why_a_backend_is_missing(name: str) -> None:
    incident = named(name)
    assert set(incident.absent) == set(Backend) - set(incident.backends)
    assert incident.name == name
    assert "RFC" in incident.theory
