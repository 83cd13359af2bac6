"""Any TCP at the other end of a device: here Linux with a server, asked by segments alone."""

from __future__ import annotations

import socket

import pytest

from tests.link.rights import needs_network
from tulpen.learn.alphabet import Alphabet
from tulpen.learn.far import Far
from tulpen.learn.learner import learn
from tulpen.learn.machine import Machine
from tulpen.learn.report import listing, summary
from tulpen.learn.rows import explained
from tulpen.link.namespace import INSIDE, OUTSIDE, PrivateNetwork
from tulpen.wire.address import address

HANDSHAKE = Alphabet("handshake", ("SYN", "ACK", "RST"), "three letters, for speed")


@pytest.mark.root
@pytest.mark.kernel
@needs_network
def test_a_server_behind_a_device() -> None:
    with PrivateNetwork(sysctls={"net.ipv4.tcp_invalid_ratelimit": 0, "net.ipv4.tcp_syncookies": 0}) as network:
        server = network.open_socket(socket.AF_INET, socket.SOCK_STREAM)
        server.bind(("192.0.2.1", 80))
        server.listen(1000)
        local, remote = address(OUTSIDE[0]), address(INSIDE[0].partition("/")[0])
        subject = Far(network.link, local, remote, 80, wait=0.02)
        machine = learn(subject, HANDSHAKE, named=False)
        server.close()
    assert [answer for answer, _ in machine.run(["ACK", "SYN", "ACK", "SYN", "RST", "ACK"])] == [
        "RST(nxt)", "SYN+ACK(fresh,adv)", "-", "ACK(nxt,cur)", "-", "RST(nxt)",
    ]  # fmt: skip


def test_a_machine_without_names_is_listed_without_rows() -> None:
    rows = [{"SYN": ("SYN+ACK(fresh,adv)", 1)}, {"SYN": ("RST+ACK(zero,adv)", 0)}]
    machine = Machine("there", "far", ("SYN",), ["", ""], rows)
    assert list(listing(machine, explained(machine))) == [
        "", "0: the beginning", "  SYN        SYN+ACK(fresh,adv)         1", "",
        "1: SYN", "  SYN        RST+ACK(zero,adv)          0",
    ]  # fmt: skip
    assert list(summary(machine, [])) == ["there, alphabet far (1 inputs)", "  2 states, 2 transitions"]


def test_a_call_is_no_letter_of_it() -> None:
    class Nothing:
        mtu, offload = 1500, False

    with pytest.raises(ValueError, match="CLOSE is no segment"):
        Far(Nothing(), bytes(4), bytes(4), 80).step("CLOSE")  # type: ignore[arg-type]
