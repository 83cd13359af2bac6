"""What is to be run: a command, the faults, and how long it may take."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tulpen.faults.http import Framing, Page, numbered_lines
from tulpen.link.namespace import INSIDE, OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tulpen.faults.catalogue import Choice

FETCH: Final = str(Path(__file__).with_name("fetch.py"))
BUILT_IN: Final = (sys.executable, "-I", FETCH, "{url}")
PORT: Final = 8080
BODY: Final = 100_000
# A private network has no proxy: programs that obey these would never reach the server.
PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")


@dataclass(slots=True)
class Plan:
    """One run of ``tulpen break``."""

    choices: tuple[Choice, ...]
    command: tuple[str, ...] = BUILT_IN
    deadline: float = 10.0  # seconds that the program has
    family: int = 4
    upstream: tuple[str, int] | None = None  # a real server behind
    page: Page = field(default_factory=lambda: Page(numbered_lines(BODY)))
    framing: Framing = Framing.LENGTH
    draw: bool = False  # the control's conversation is wanted to its very end
    sample: Page | None = None  # a shorter page, for a conversation of which every segment can be drawn
    env: dict[str, str] = field(default_factory=dict)  # with placeholders
    seed: int = 1
    jobs: int = 32  # how many at a time
    pcap: Path | None = None  # where the captures are kept
    device: str = "auto"

    @property
    def built_in(self) -> bool:
        """Whether the victim is Python's own HTTP client."""
        return self.command == BUILT_IN

    @property
    def host(self) -> str:
        """The server's address."""
        return OUTSIDE[self.family == 6]

    @property
    def victim(self) -> str:
        """The victim's address."""
        return INSIDE[self.family == 6].partition("/")[0]

    @property
    def port(self) -> int:
        """The server's port: that of the real server, if there is one."""
        return self.upstream[1] if self.upstream else PORT

    @property
    def url(self) -> str:
        """The server's URL."""
        host = f"[{self.host}]" if self.family == 6 else self.host
        return f"http://{host}:{self.port}/"

    @property
    def program(self) -> str:
        """The victim's name, for ladders and reports."""
        return "python's urllib" if self.built_in else Path(self.command[0]).name

    def words(self, out: str) -> dict[str, str]:
        """Return what the placeholders stand for; ``out`` is a file of the run's own."""
        return {"url": self.url, "host": self.host, "port": str(self.port), "out": out}

    def argv(self, out: str) -> list[str]:
        """Return the command with its placeholders filled in."""
        return [fill(part, self.words(out)) for part in self.command]

    def environment(self, outer: Mapping[str, str], out: str, choice: Choice) -> dict[str, str]:
        """Return the victim's environment."""
        env = {name: value for name, value in outer.items() if name.lower() not in PROXIES}
        words = self.words(out)
        env |= {f"TULPEN_{name.upper()}": value for name, value in words.items()}
        env["TULPEN_FAULT"] = choice.fault.name
        if choice.fault.requests > 1:
            env["TULPEN_REQUESTS"] = str(choice.fault.requests)
            env["TULPEN_PAUSE"] = str(choice.fault.pause)
        return env | {name: fill(value, words) for name, value in self.env.items()}

    @property
    def uses_out(self) -> bool:
        """Whether the command writes to ``{out}``."""
        return any("{out}" in part for part in (*self.command, *self.env.values()))


def fill(text: str, words: Mapping[str, str]) -> str:
    """Put words in for their placeholders; other braces stay as they are."""
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text
