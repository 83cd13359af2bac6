"""A server that serves one client after the other, and waits for each without end."""

import socket
import sys

server = socket.create_server(("", int(sys.argv[1])), backlog=128)
while True:
    connection, _ = server.accept()
    with connection:
        heard = b""
        try:
            while b"\r\n\r\n" not in heard:
                data = connection.recv(4096)
                if not data:
                    break
                heard += data
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
        except OSError:
            pass
