"""The HTTP server without I/O (RFC 9112)."""

from __future__ import annotations

import hashlib

import pytest

from tulpen.faults.http import Framing, Http, Page, numbered_lines

PAGE = Page(numbered_lines(1000))


def heard(request: bytes, framing: Framing = Framing.LENGTH, *, piece: int = 0) -> tuple[Http, bytes]:
    http = Http(PAGE, framing)
    for start in range(0, len(request), piece or len(request)):
        http.receive(request[start : start + (piece or len(request))])
    said = bytearray()
    while data := http.take(700):
        said += data
    return http, bytes(said)


GET = b"GET /any HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("piece", [0, 1, 7])
def test_an_answer_is_the_page_whatever_the_path(piece: int) -> None:
    http, said = heard(GET, piece=piece)
    head, body = said.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 1000" in head
    assert b"Connection: keep-alive" in head
    assert body == PAGE.body
    assert (http.asked, http.answered, http.finished) == (1, 1, False)


def test_requests_in_one_segment_are_answered_in_turn() -> None:
    http, said = heard(GET + GET)
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert http.asked == http.answered == 2


@pytest.mark.parametrize(
    "request_head",
    [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
)
def test_the_connection_ends_where_the_client_asks_for_it(request_head: bytes) -> None:
    http, said = heard(request_head)
    assert http.finished
    assert b"Connection: close" in said


def test_an_answer_counts_when_its_last_octet_is_taken() -> None:
    http = Http(PAGE)
    http.receive(GET)
    http.take(1000)
    assert http.answered == 0
    while http.take(1000):
        pass
    assert http.answered == 1


def test_chunks() -> None:
    _, said = heard(GET, Framing.CHUNKED)
    head, body = said.split(b"\r\n\r\n", 1)
    assert b"Transfer-Encoding: chunked" in head
    assert body == b"3e8\r\n" + PAGE.body + b"\r\n0\r\n\r\n"


def test_an_answer_that_ends_with_the_connection() -> None:
    http, said = heard(GET, Framing.UNTIL_CLOSE)
    assert b"Content-Length" not in said
    assert said.endswith(PAGE.body)
    assert http.finished


@pytest.mark.parametrize("piece", [0, 1, 5])
def test_an_upload_is_acknowledged_by_its_hash(piece: int) -> None:
    content = numbered_lines(300)
    _, said = heard(b"POST / HTTP/1.1\r\nContent-Length: 300\r\n\r\n" + content, piece=piece)
    assert said.endswith(b"received 300 octets, sha256 %s\n" % hashlib.sha256(content).hexdigest().encode())


@pytest.mark.parametrize("piece", [0, 1, 5])
def test_an_upload_in_chunks(piece: int) -> None:
    request = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    _, said = heard(request, piece=piece)
    assert b"received 5 octets, sha256 " + hashlib.sha256(b"abcde").hexdigest().encode() in said


def test_a_client_that_waits_is_told_to_continue() -> None:
    _, said = heard(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert said == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_head_has_no_content() -> None:
    http, said = heard(b"HEAD / HTTP/1.1\r\n\r\n")
    assert said.endswith(b"\r\n\r\n")
    assert b"Content-Length: 1000" in said
    assert http.answered == 1


@pytest.mark.parametrize(
    "request_head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
        b"A" * 70_000,
    ],
)
def test_nonsense_is_refused(request_head: bytes) -> None:
    http, said = heard(request_head)
    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert http.finished
