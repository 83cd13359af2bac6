"""``tulpen explain``: the words of TCP, from the tables that the engine runs on."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from tulpen.cli.group import examples
from tulpen.errors import TulpenError
from tulpen.show.explain import counter_topics, engine_topics
from tulpen.show.topic import Topic, UnknownWord, find, list_text, topic_text

if TYPE_CHECKING:
    from tulpen.faults.bad_client import BadClient
    from tulpen.faults.fault import Fault


@click.command(
    "explain",
    epilog=examples(
        ("A state, as the RFC, ss or netstat spells it", "tulpen explain time-wait"),
        ("What an error tells a program", "tulpen explain ECONNRESET"),
        ("A sysctl, with its value on this machine", "tulpen explain net.ipv4.tcp_tw_reuse"),
        ("Everything there is", "tulpen explain"),
        ("The state diagram as a picture", "tulpen explain --diagram svg > tcp.svg"),
    ),
)
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--diagram", type=click.Choice(["text", "dot", "mermaid", "svg"]), help="Write the state diagram and nothing else."
)
def command(words: tuple[str, ...], as_json: bool, diagram: str | None) -> None:
    """Say what a state, event, fault, errno, setting, counter or reason means.

    Any unambiguous spelling will do. Without a WORD everything is listed.
    """
    if diagram is not None:
        click.echo(_diagram(diagram), nl=False)
        return
    if not words:
        topics = all_topics()
        click.echo(_json(topics) if as_json else list_text(topics))
        return
    try:
        found = [_with_value_here(topic) for word in words for topic in _find(word)]
    except UnknownWord as error:
        raise TulpenError(str(error), "tulpen explain lists every word.") from None
    click.echo(_json(found) if as_json else "\n\n".join(topic_text(topic) for topic in found))


def _json(topics: list[Topic]) -> str:
    import json

    return json.dumps([topic.as_dict() for topic in topics], indent=2)


def all_topics() -> list[Topic]:
    """Return the topics of every table there is."""
    return [*_without_faults(), *_faults()]


def _without_faults() -> list[Topic]:
    from tulpen.host.counters import COUNTERS

    counters = counter_topics((each.group, each.name, each.sentence) for each in COUNTERS)
    return [*engine_topics(), *counters, *_captured()]


def _captured() -> list[Topic]:
    from tulpen.capture.kinds import CAUSES, FINDINGS

    see = (("see it", "tulpen read FILE"),)
    causes = [Topic("cause of a RST", word.name, f"{_sentence(word.meaning)}.", word.clause, see) for word in CAUSES]
    found = [Topic("finding", word.name, f"{_sentence(word.meaning)}.", word.clause, see) for word in FINDINGS]
    return [*causes, *found]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _faults() -> list[Topic]:
    from tulpen.faults.catalogue import FAULTS
    from tulpen.faults.clients.catalogue import CLIENTS

    return [*map(_fault, FAULTS), *map(_bad_client, CLIENTS)]


def _fault(fault: Fault) -> Topic:
    facts = [
        ("a good program", fault.good),
        ("it may end with", " or ".join(sorted(outcome.value for outcome in fault.acceptable))),
        *_parameters(fault),
        ("see it", f"tulpen break --fault {fault.name} -- curl -sS {{url}}"),
    ]
    return Topic("fault", fault.name, fault.says(fault.values()), fault.source, tuple(facts))


def _bad_client(client: BadClient) -> Topic:
    facts = [
        ("a good server", client.good),
        *_parameters(client),
        ("see it", f"tulpen break --server PORT --fault {client.name} -- COMMAND"),
    ]
    return Topic("bad client", client.name, client.says(client.values()), client.source, tuple(facts))


def _parameters(what: Fault | BadClient) -> list[tuple[str, str]]:
    return [(each.name, f"{each.default:g}: {each.meaning}") for each in what.parameters]


def _find(word: str) -> list[Topic]:
    """Find a word; the faults, which take twice as long to load as all else, are asked where they may know it."""
    topics = _without_faults()
    module = "".join(c if c.isalnum() else "_" for c in word.lower())
    if not any(importlib.util.find_spec(f"tulpen.faults.{room}{module}") for room in ("", "clients.")):
        try:
            return find(word, topics)
        except UnknownWord:
            pass
    return find(word, [*topics, *_faults()])


def _diagram(form: str) -> str:
    from tulpen.show import diagram, diagram_svg

    forms = {
        "text": diagram.as_text,
        "dot": diagram.as_dot,
        "mermaid": diagram.as_mermaid,
        "svg": diagram_svg.as_svg,
    }
    return forms[form]()


def _with_value_here(topic: Topic) -> Topic:
    """Add what this machine's kernel has for a setting, where it has it."""
    if topic.kind != "setting":
        return topic
    from pathlib import Path

    for folder in ("ipv4", "core"):
        try:
            value = Path("/proc/sys/net", folder, topic.name).read_text(encoding="ascii")
        except OSError:
            continue
        return replace(topic, facts=(*topic.facts, ("here", " ".join(value.split()))))
    return topic
