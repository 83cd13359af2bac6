"""The victim where no command is given: Python's own HTTP client, as most programs call it.

Runs alone, as a script: ``fetch.py URL``.  One request goes through urllib.  Faults that
strike a pooled connection set TULPEN_REQUESTS; those go through http.client, which is
what urllib itself uses, on one connection.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
import urllib.parse
import urllib.request


def once(url: str) -> bytes:
    """Fetch ``url``."""
    with urllib.request.urlopen(url) as response:
        body: bytes = response.read()
    return body


def pooled(url: str, requests: int, pause: float) -> bytes:
    """Fetch ``url`` several times on one connection; return the last answer."""
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc)
    for turn in range(requests):
        if turn:
            time.sleep(pause)
        connection.request("GET", where.path)
        body = connection.getresponse().read()
    return body


def main() -> None:
    """Fetch as the environment says, and write what came."""
    requests = int(os.environ.get("TULPEN_REQUESTS", "1"))
    url = sys.argv[1]
    body = once(url) if requests == 1 else pooled(url, requests, float(os.environ.get("TULPEN_PAUSE", "0")))
    sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main()
