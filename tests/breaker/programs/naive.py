"""A client of HTTP/1.0's age: reads until the end of the stream, and believes that it is the end of the answer."""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while data := connection.recv(65536):
        answer += data
sys.stdout.buffer.write(answer.partition(b"\r\n\r\n")[2])
