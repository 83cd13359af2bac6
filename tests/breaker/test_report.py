"""What is made of a result, without running anything."""

from __future__ import annotations

import hashlib
from xml.etree import ElementTree as ET

import pytest

from tulpen.breaker.judge import difference, ended, judge
from tulpen.breaker.junit import Case, suite
from tulpen.breaker.place import permitted
from tulpen.breaker.plan import Plan
from tulpen.breaker.report import Result
from tulpen.breaker.siege.report import Service, SiegeResult
from tulpen.breaker.siege.report import judge as judge_siege
from tulpen.breaker.words import last_words
from tulpen.errors import TulpenError
from tulpen.faults.asker import Asked
from tulpen.faults.catalogue import FAULTS, choose
from tulpen.faults.clients.catalogue import CLIENTS
from tulpen.faults.clients.catalogue import choose as choose_client
from tulpen.faults.fault import Outcome
from tulpen.link.command import Output
from tulpen.link.permission import NotPermitted


def said(data: bytes) -> Output:
    return Output(data, len(data), hashlib.sha256(data).hexdigest())


def result(fault: str = "rst-at-byte", status: int | None = 0, output: bytes = b"all", met: int = 1) -> Result:
    return Result(choose(fault), status=status, stdout=said(output), met=met)


@pytest.mark.parametrize(
    ("status", "output", "outcome"),
    [
        (0, b"all", Outcome.OK),
        (0, b"al", Outcome.WRONG),
        (1, b"al", Outcome.ERROR),
        (-11, b"all", Outcome.ERROR),
        (None, b"", Outcome.HANG),
    ],
)
def test_outcomes(status: int | None, output: bytes, outcome: Outcome) -> None:
    assert judge(result(status=status, output=output), result()) is outcome


def test_how_an_output_differs() -> None:
    assert difference(result(), result()) == ""
    assert difference(result(output=b"al"), result()) == "the first 2 of 3 bytes, and no complaint"
    assert difference(result(output=b"xy"), result()) == "2 bytes instead of 3, and no complaint"
    assert difference(result(output=b"xyz"), result()) == "other bytes than the control's 3, and no complaint"


@pytest.mark.parametrize(
    ("fault", "outcome", "met", "found"),
    [
        ("rst-at-byte", Outcome.ERROR, 1, False),
        ("rst-at-byte", Outcome.OK, 1, True),  # it cannot have the whole answer
        ("rst-at-byte", Outcome.OK, 0, False),
        ("rst-at-byte:times=1", Outcome.OK, 1, False),  # it asked again
        ("rst-at-byte", Outcome.HANG, 1, True),
        ("byte-at-a-time", Outcome.ERROR, 1, True),  # a stream is no message
        ("close-race", Outcome.ERROR, 1, False),
        ("close-race", Outcome.WRONG, 1, True),
    ],
)
def test_what_is_found(fault: str, outcome: Outcome, met: int, found: bool) -> None:
    judged = result(fault, met=met)
    judged.outcome = outcome
    assert judged.found is found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("psql: error: refused\n\tIs the server running?\n", "psql: error: refused Is the server running?"),
        ("head\n a\n b\n c\n", "b c"),
        (" only\n", "only"),
    ],
)
def test_last_words(text: str, words: str) -> None:
    assert last_words(text) == words


def test_how_a_process_ended() -> None:
    assert (ended(3), ended(-9), ended(-250)) == ("exit 3", "SIGKILL", "signal 250")


def test_junit_carries_what_xml_cannot() -> None:
    xml = suite("s", [Case("g", "n", 1.5, ("hang", "a\0b", "t"), "\x1b[31mred")], {"p": "v\x07"}, "now", 2)
    root = ET.fromstring(xml.partition("\n")[2])
    failure = root.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "ab"
    assert root.findtext("testcase/system-err") == "[31mred"


def test_choices_spell_themselves() -> None:
    for spelling in ("healthy", "rst-at-byte", "rst-at-byte:bytes=7", "rst-at-byte:bytes=7,times=2", "loss:rate=0.25"):
        assert choose(spelling).spelling == spelling
    assert choose("rst-at-byte:bytes=5000").spelling == "rst-at-byte"
    assert choose_client("syn-flood:rate=10").spelling == "syn-flood:rate=10"


@pytest.mark.parametrize(
    "bad", ["loss:rate=-1", "loss:rate=inf", "loss:rate=nan", "rst-at-byte:bytes=1.5", "loss:rate="]
)
def test_numbers_that_do_not_fit(bad: str) -> None:
    with pytest.raises(TulpenError):
        choose(bad)


@pytest.mark.parametrize("fault", [*FAULTS, *CLIENTS], ids=lambda each: each.name)
def test_the_vocabulary_is_in_order(fault: object) -> None:
    assert isinstance(fault, (type(FAULTS[0]), type(CLIENTS[0])))
    assert fault.name == fault.name.lower().strip()
    assert fault.says(fault.values()).endswith(".")
    assert "{" not in fault.says(fault.values())
    assert fault.good.endswith(".")
    assert fault.source.startswith("RFC ")


def test_placeholders() -> None:
    plan = Plan((choose("healthy"),), command=("x", "{url}", "{host}:{port}", "{other}", "{out}"), family=6)
    assert plan.argv("/o") == ["x", "http://[2001:db8::2]:8080/", "2001:db8::2:8080", "{other}", "/o"]
    env = plan.environment({"HTTP_PROXY": "p", "PATH": "/bin"}, "/o", choose("close-race"))
    assert "HTTP_PROXY" not in env
    assert (env["PATH"], env["TULPEN_HOST"], env["TULPEN_REQUESTS"]) == ("/bin", "2001:db8::2", "2")


def test_what_is_not_permitted_has_its_remedy() -> None:
    with pytest.raises(TulpenError) as raised, permitted():
        raise NotPermitted("no namespaces", "sysctl it")
    assert (str(raised.value), raised.value.remedy) == ("no namespaces", "sysctl it")


def asked(*, whole: bool = True, error: int = 0, ended: int | None = 2_000_000, digest: str = "d") -> Asked:
    return Asked(1_000_000, ended=ended, whole=whole, error=error, digest=digest)


def test_a_healthy_clients_share() -> None:
    service = Service.of(
        [asked(), asked(whole=False, error=104), asked(ended=None, whole=False), asked(digest="e")], "d"
    )
    assert (service.asked, service.answered, service.failed, service.gave_up, service.wrong) == (4, 1, 1, 1, 1)
    assert service.median == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("during", "after", "outcome"),
    [
        (Service(3, 3), Service(3, 3), Outcome.OK),
        (Service(3, 2, gave_up=1), Service(3, 3), Outcome.HANG),
        (Service(3, 2, failed=1), Service(3, 3), Outcome.ERROR),
        (Service(3, 3), Service(3, 2, wrong=1), Outcome.WRONG),
        (Service(3, 3), Service(), Outcome.HANG),
    ],
)
def test_sieges(during: Service, after: Service, outcome: Outcome) -> None:
    siege = SiegeResult(choose_client("syn-flood"), during=during, after=after)
    assert judge_siege(siege)[0] is outcome
    siege.status = 1
    assert judge_siege(siege)[0] is Outcome.ERROR
