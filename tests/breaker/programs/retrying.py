"""A client with a pool and a timeout that asks again on a new connection; says how often it asked."""

import http.client
import sys
import time

host, port, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
connection: http.client.HTTPConnection | None = None
for _ in range(requests):
    for attempt in (1, 2, 3):
        try:
            if connection is None:
                connection = http.client.HTTPConnection(host, port, timeout=2)
            connection.request("GET", "/")
            body = connection.getresponse().read()
            break
        except (OSError, http.client.HTTPException):
            connection = None
            if attempt == 3:
                raise
    time.sleep(0.2)
sys.stdout.buffer.write(body)
