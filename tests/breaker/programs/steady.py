"""A server that closes whatever its clients close, and serves them side by side."""

import socket
import sys
import threading


def serve(connection: socket.socket) -> None:
    with connection:
        connection.settimeout(60)
        heard = b""
        try:
            while b"\r\n\r\n" not in heard:
                data = connection.recv(4096)
                if not data:
                    return
                heard += data
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
        except OSError:
            pass


server = socket.create_server(("", int(sys.argv[1])), backlog=128)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
