"""Run the benchmarks and print one table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from benchmarks.amount import hurry
from benchmarks.bulk import BULK
from benchmarks.case import Case, run
from benchmarks.connections import CONNECTIONS
from benchmarks.crowd import CROWD
from benchmarks.engine import ENGINE
from benchmarks.fairness import FAIRNESS
from benchmarks.flood import FLOOD
from benchmarks.growth import GROWTH
from benchmarks.lossy import LOSSY
from benchmarks.memory import MEMORY
from benchmarks.namespaces import NAMESPACES
from benchmarks.read import READ
from benchmarks.socket_table import SOCKETS
from benchmarks.table import as_dict, machine, show
from benchmarks.watch import WATCH

CASES: list[Case] = [
    *BULK, *CONNECTIONS, *FLOOD, *CROWD, *LOSSY, *ENGINE, *MEMORY, *GROWTH, *FAIRNESS, *NAMESPACES, *SOCKETS,
    *WATCH, *READ,
]  # fmt: skip

EXAMPLES = """\
examples:
  make bench                              everything; peers that are not installed are named
  make bench ARGS='--quick'               one round, a tenth of the octets
  make bench ARGS='bulk --rounds 9'       the groups and cases with "bulk" in their names
  make bench ARGS='"round trip" gVisor'   with either
  make bench ARGS='--list'                the names
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("only", nargs="*", help="parts of the names of groups or cases")
    parser.add_argument("--rounds", type=int, default=0, help="how often each case is run (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one round, and a tenth of the amounts")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--list", action="store_true", help="print the names, and measure nothing")
    options = parser.parse_args()
    cases = [case for case in CASES if matches(case, options.only)]
    if not cases:
        parser.error("no case is named so")
    if options.list:
        print("\n".join(f"{case.group}: {case.name}" for case in cases))
        return 0
    if options.quick:
        hurry()
    rounds = options.rounds or (1 if options.quick else 5)
    try:
        results = run(cases, rounds, teller())
    except KeyboardInterrupt:
        return 130
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
    if options.json:
        print(json.dumps({"machine": machine(), "results": [as_dict(each, results) for each in results]}, indent=2))
    else:
        show(results, rounds)
    return 0


def matches(case: Case, only: list[str]) -> bool:
    return not only or any(word in f"{case.group} {case.name}" for word in only)


def teller() -> Callable[[str], None]:
    """Return what shows progress: a line that is overwritten, on a terminal alone."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
