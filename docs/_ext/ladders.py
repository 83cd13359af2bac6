"""A directive that holds a conversation in virtual time and draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from tulpen.show.ladder import Ladder

MS = 1_000_000


class Lose:
    """A path on which the packets of these numbers are lost."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.count = 0

    def __call__(self, packet: Any, now: int) -> list[tuple[int, Any]]:
        """Take a packet."""
        self.count += 1
        return [] if self.count in self.numbers else [(10 * MS, packet)]


def conversation(*lost: int) -> Ladder:
    """Return a conversation of one request and one answer; ``lost`` are packets of the server's that get lost."""
    from tulpen import Host, World
    from tulpen.show.ladder_trace import Witness, ladder_from_trace, records_of

    world = World()
    server, client = Host(["192.0.2.1"], trace=True), Host(["192.0.2.2"], trace=True)
    world.add("server", server, *server.addresses, out=Lose(*lost))
    world.add("client", client, *client.addresses, out=Lose())
    listener = server.listen(None, 80, 0)
    sock = client.connect("192.0.2.1", 80, 0)
    world.poke()
    world.run(until=100 * MS)
    accepted = listener.accept()
    assert accepted is not None
    sock.send(b"a request", world.now)
    world.poke()
    world.run(until=200 * MS)
    accepted.receive(100, world.now)
    accepted.send(b"an answer that is longer", world.now)
    accepted.close(world.now)
    world.poke()
    world.run(until=1000 * MS)
    sock.receive(100, world.now)
    sock.close(world.now)
    world.poke()
    world.run()
    ends = [
        Witness(name, records_of(host.stack.records or (), whose.name))
        for name, host, whose in (("client", client, sock), ("server", server, accepted))
    ]
    return ladder_from_trace(*ends)


class LadderDirective(SphinxDirective):
    """``{ladder} 3`` draws a conversation in which the server's third packet is lost."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Hold and draw it."""
        lost = [int(number) for number in self.arguments[0].split()] if self.arguments else []
        return [nodes.raw("", conversation(*lost)._repr_html_(), format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("ladder", LadderDirective)
    return {"parallel_read_safe": True}
