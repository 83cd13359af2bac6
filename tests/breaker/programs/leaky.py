"""A server that answers a request, and forgets about a client that closes without one."""

import socket
import sys
import threading

forgotten: list[socket.socket] = []


def serve(connection: socket.socket) -> None:
    heard = b""
    while b"\r\n\r\n" not in heard:
        data = connection.recv(4096)
        if not data:
            forgotten.append(connection)  # and never closed
            return
        heard += data
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
    connection.close()


server = socket.create_server(("", int(sys.argv[1])), backlog=128)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
