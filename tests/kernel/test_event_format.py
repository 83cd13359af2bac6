from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tulpen.kernel.event_format import Field, UnknownFormat, parse_fields, parse_format

RESET = """\
name: tcp_send_reset
ID: 2280
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:const void * skaddr;\toffset:16;\tsize:8;\tsigned:0;
\tfield:enum sk_rst_reason reason;\toffset:28;\tsize:4;\tsigned:0;
\tfield:__u8 saddr[28];\toffset:32;\tsize:28;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:60;\tsize:4;\tsigned:0;

print fmt: "state=%s reason=%s", REC->state ? __print_symbolic(REC->state, { TCP_ESTABLISHED, "TCP_ESTABLISHED" }) \
: "UNKNOWN", __print_symbolic(REC->reason, { 0, "NOT_SPECIFIED" }, { 0x1, "NO_SOCKET" }, { 16, "LAST" })
"""


def test_fields_and_the_names_of_values() -> None:
    event = parse_format(RESET)
    assert (event.name, event.id) == ("tcp_send_reset", 2280)
    assert event.fields == {
        "common_type": Field(0, 2, False),
        "common_pid": Field(4, 4, True),
        "skaddr": Field(16, 8, False),
        "reason": Field(28, 4, False),
        "saddr": Field(32, 28, False),
        "name": Field(60, 4, False),
    }
    assert event.symbols == {"reason": {0: "NOT_SPECIFIED", 1: "NO_SOCKET", 16: "LAST"}}


def test_the_header_of_a_page() -> None:
    text = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
    text += "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
    assert parse_fields(text) == {"timestamp": Field(0, 8, False), "commit": Field(8, 8, True)}


@pytest.mark.parametrize("text", ["", "name: a\n", "name: a\nID: 1\nformat:\n", RESET.replace("ID:", "Id:")])
def test_what_is_no_format(text: str) -> None:
    with pytest.raises(UnknownFormat):
        parse_format(text)


@given(st.text(), st.integers(0, len(RESET)), st.integers(0, len(RESET)))
def test_damaged_text_is_read_or_refused(noise: str, start: int, end: int) -> None:
    with suppress(UnknownFormat):
        parse_format(RESET[:start] + noise + RESET[end:])
