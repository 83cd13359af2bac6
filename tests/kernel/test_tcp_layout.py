from __future__ import annotations

import pytest

from tulpen.kernel.event_format import EventFormat, Field
from tulpen.kernel.tcp_layout import DESTROY, RECEIVE_RESET, RETRANSMIT, SEND_RESET, SET_STATE, MissingField, tcp_layout

COMMON = {"common_type": Field(0, 2, False), "common_flags": Field(2, 1, False), "common_pid": Field(4, 4, True)}
SOCKET = {"skaddr": Field(8, 8, False)}


def formats() -> dict[str, EventFormat]:
    """Return the formats of Linux 6.18, as far as they matter."""
    state = {
        **COMMON, **SOCKET, "oldstate": Field(16, 4, True), "newstate": Field(20, 4, True),
        "sport": Field(24, 2, False), "dport": Field(26, 2, False),
        "family": Field(28, 2, False), "protocol": Field(30, 2, False),
        "saddr": Field(32, 4, False), "daddr": Field(36, 4, False), "saddr_v6": Field(40, 16, False),
        "daddr_v6": Field(56, 16, False),
    }  # fmt: skip
    reset = {
        **COMMON, "skaddr": Field(16, 8, False), "reason": Field(28, 4, False), "saddr": Field(32, 28, False),
        "daddr": Field(60, 28, False),
    }  # fmt: skip
    destroy = {**COMMON, **SOCKET, "sock_cookie": Field(64, 8, False)}
    return {
        SET_STATE: EventFormat("inet_sock_set_state", 1, state, {}),
        SEND_RESET: EventFormat("tcp_send_reset", 2, reset, {"reason": {0: "NOT_SPECIFIED", 3: "TCP_STATE"}}),
        RECEIVE_RESET: EventFormat("tcp_receive_reset", 3, COMMON | SOCKET, {}),
        RETRANSMIT: EventFormat("tcp_retransmit_skb", 4, COMMON | SOCKET, {}),
        DESTROY: EventFormat("tcp_destroy_sock", 5, destroy, {}),
    }


def without(name: str, field: str) -> dict[str, EventFormat]:
    given = formats()
    fields = {key: value for key, value in given[name].fields.items() if key != field}
    return given | {name: given[name]._replace(fields=fields)}


def test_all_there() -> None:
    layout = tcp_layout(formats())
    assert layout.missing == ()
    assert layout.kinds == {1: 1, 2: 2, 3: 3, 4: 4, 5: 5}
    assert layout.sockets == (0, 8, 16, 8, 8, 8)
    assert (layout.cookie, layout.ends, layout.reason) == (64, (32, 60), 28)


@pytest.mark.parametrize("name", [SEND_RESET, RECEIVE_RESET, RETRANSMIT, DESTROY])
def test_a_missing_tracepoint_is_done_without_and_told(name: str) -> None:
    given = formats()
    del given[name]
    layout = tcp_layout(given)
    assert len(layout.missing) == 1
    assert name.replace("/", ":") in layout.missing[0]
    assert len(layout.kinds) == 4


@pytest.mark.parametrize(
    ("name", "field", "told"),
    [(SEND_RESET, "reason", "no reason"), (DESTROY, "sock_cookie", "no cookie"), (RETRANSMIT, "skaddr", "nothing")],
)
def test_a_missing_field_is_done_without_and_told(name: str, field: str, told: str) -> None:
    layout = tcp_layout(without(name, field))
    assert [told in each for each in layout.missing] == [True]


def test_older_resets_have_no_ends() -> None:
    assert tcp_layout(without(SEND_RESET, "saddr")).ends == (-1, -1)


def test_older_transitions_have_no_protocol() -> None:
    assert tcp_layout(without(SET_STATE, "protocol")).protocol is None


@pytest.mark.parametrize("field", ["skaddr", "oldstate", "newstate", "sport", "family"])
def test_what_cannot_be_done_without(field: str) -> None:
    with pytest.raises(MissingField, match=field):
        tcp_layout(without(SET_STATE, field))


def test_without_the_tracepoint_of_transitions_there_is_nothing() -> None:
    given = formats()
    del given[SET_STATE]
    with pytest.raises(MissingField, match="inet_sock_set_state"):
        tcp_layout(given)
