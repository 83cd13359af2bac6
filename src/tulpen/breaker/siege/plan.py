"""What is to be run: a server, and the bad clients it has to live with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tulpen.breaker.plan import PROXIES, fill
from tulpen.faults.asker import Question
from tulpen.link.namespace import INSIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tulpen.faults.clients.catalogue import ClientChoice


@dataclass(slots=True)
class SiegePlan:
    """One run of ``tulpen break --server``."""

    choices: tuple[ClientChoice, ...]
    command: tuple[str, ...]
    port: int
    request: bytes | None = None  # what a healthy client asks; None: HTTP
    deadline: float = 10.0  # seconds that the server has to listen
    seconds: float = 2.0  # that the bad clients stay
    patience: float = 2.0  # seconds that the healthy client waits for an answer
    family: int = 4
    env: dict[str, str] = field(default_factory=dict)
    seed: int = 1
    jobs: int = 3  # few: a siege is measured, and others disturb it
    pcap: Path | None = None
    device: str = "auto"

    @property
    def host(self) -> str:
        """The server's address."""
        return INSIDE[self.family == 6].partition("/")[0]

    @property
    def program(self) -> str:
        """The server's name."""
        return Path(self.command[0]).name

    @property
    def url(self) -> str:
        """Its URL."""
        host = f"[{self.host}]" if self.family == 6 else self.host
        return f"http://{host}:{self.port}/"

    @property
    def question(self) -> Question:
        """What the healthy client asks."""
        if self.request is not None:
            return Question(self.request, http=False)
        return Question(self._get(b"Connection: close\r\n"))

    @property
    def bad_question(self) -> bytes:
        """What bad clients ask, if they ask at all."""
        return self.request or self._get(b"")

    def _get(self, field: bytes) -> bytes:
        where = self.url.removeprefix("http://").rstrip("/").encode()
        return b"GET / HTTP/1.1\r\nHost: " + where + b"\r\nUser-Agent: tulpen\r\nAccept: */*\r\n" + field + b"\r\n"

    def argv(self) -> list[str]:
        """Return the command with its placeholders filled in."""
        return [fill(part, self._words()) for part in self.command]

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the server's environment."""
        env = {name: value for name, value in outer.items() if name.lower() not in PROXIES}
        words = self._words()
        env |= {f"TULPEN_{name.upper()}": value for name, value in words.items()}
        return env | {name: fill(value, words) for name, value in self.env.items()}

    def _words(self) -> dict[str, str]:
        return {"url": self.url, "host": self.host, "port": str(self.port)}
