"""The algorithms of TCP-AO (RFC 5926), by the vectors of RFC 9235, and AES, by those of its standards."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tulpen.host.aes import cmac, encrypt, expand
from tulpen.host.traffic_keys import Course, mac, receiving_key, sending_key
from tulpen.tcp.keys import CMAC_AES128, HMAC_SHA1, AoKey
from tulpen.tcp.trace import FourTuple
from tulpen.wire.segment import Segment
from tulpen.wire.signed import octets_of_ao
from tulpen.wire.tcp_codec import parse_segment

MASTER = b"testvector"  # RFC 9235 §3.1
CLIENT, SERVER = 61, 84  # KeyIDs


class Vector(NamedTuple):
    packet: str
    traffic_key: str
    isns: tuple[int, int]  # of the sender, and of the receiver
    algorithm: str = HMAC_SHA1
    covers_options: bool = True


VECTORS = {
    "4.1.1": Vector(
        "45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1de9d700b3fbfbab5a00000000"
        "e002ffffcac40000020405b4010303080402080a00155ab7000000001d103d54"
        "2ee437c6f8ede6d7c4d602e7",
        "6d63ef1b02fe1509d4b1402707fd7b0416abb74f",
        (0xFBFBAB5A, 0),
    ),
    "4.1.2": Vector(
        "45e0004c65064000ff063775ac1b1c1d0a0b0c0d00b3e9d711c14261fbfbab5b"
        "e012ffff37760000020405b4010303080402080a84a50beb00155ab71d10543d"
        "eeab0fe24c3010815116b3be",
        "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96",
        (0x11C14261, 0xFBFBAB5A),
    ),
    "4.1.3": Vector(
        "45e0008736a14000ff06659f0a0b0c0dac1b1c1de9d700b3fbfbab5b11c14262"
        "c0180104a16200000101080a00155ac184a50beb1d103d547064cf998cc6c315"
        "c2c2e2bfffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d"
        "26020601040001000102028000020202000202420002064104000"
        "0dabf02084006006400010100",
        "d2e59c65ffc7b1a39347656463b70edc24a13d71",
        (0xFBFBAB5A, 0x11C14261),
    ),
    "4.2.1": Vector(
        "45e0004c53994000ff0648e20a0b0c0dac1b1c1dff1200b3cb0efbee00000000"
        "e002ffff541f0000020405b4010303080402080a00024cce000000001d103d54"
        "80af3cfeb85368937b8f9ec2",
        "30eaa1560cf0be57dab5c045229fb10a423cd7ea",
        (0xCB0EFBEE, 0),
        covers_options=False,
    ),
    "4.2.2": Vector(
        "45e0004c32844000ff0669f7ac1b1c1d0a0b0c0d00b3ff12acd5b5e1cb0efbef"
        "e012ffff388e0000020405b4010303080402080a576772f300024cce1d10543d"
        "09306f9acea63a8c68cb9a70",
        "b5b2896bb3664e8176b0edc6e799524101a8307f",
        (0xACD5B5E1, 0xCB0EFBEE),
        covers_options=False,
    ),
    "5.1.1": Vector(
        "45e0004c7b9f4000ff0620dc0a0b0c0dac1b1c1dc4fa00b3787a1ddf00000000"
        "e002ffff5a0f0000020405b4010303080402080a00017ed0000000001d103d54"
        "e477e99c8040765498e55091",
        "f5b8b3d5f34fdbb6eb8d4ab9660e60e3",
        (0x787A1DDF, 0),
        CMAC_AES128,
    ),
    "6.1.1": Vector(
        "6e0891dc00380640fd000000000000000000000000000001fd00000000000000"
        "0000000000000002f7e400b3176a833f00000000e002ffff47210000020405a0"
        "010303080402080a0041d087000000001d103d549033ec3d7334b64c5edd039f",
        "625ec09d575836edc9b6428418bbf06989a361bb",
        (0x176A833F, 0),
    ),
    "7.1.2": Vector(
        "6e06152000380640fd000000000000000000000000000002fd00000000000000"
        "000000000000000100b3f85aa6744ecb193cccede012ffffeabb0000020405a0"
        "010303080402080a71daabc813e4ab991d10543ddc2843a84e78a6bcfdc5ed80",
        "cf1b1e225e06a63616764a067b46f4b1",
        (0xA6744ECB, 0x193CCCEC),
        CMAC_AES128,
    ),
}  # fmt: skip


def parsed(packet: bytes) -> tuple[bytes, bytes, Segment]:
    """Source, destination and segment; the TCP checksums of the RFC's IPv4 packets are wrong."""
    size = 4 if packet[0] >> 4 == 4 else 16
    start = 20 if size == 4 else 40
    src, dst = packet[start - 2 * size : start - size], packet[start - size : start]
    return src, dst, parse_segment(memoryview(packet)[start:], src, dst, verify=False)


@pytest.mark.parametrize("name", VECTORS)
def test_rfc_9235(name: str) -> None:
    vector = VECTORS[name]
    src, dst, seg = parsed(bytes.fromhex(vector.packet))
    found = seg.options.authentication
    assert found is not None
    assert (found.key_id, found.next_id) in ((CLIENT, SERVER), (SERVER, CLIENT))
    key = AoKey(
        dst, MASTER, found.key_id, found.next_id, algorithm=vector.algorithm, covers_options=vector.covers_options
    )
    ours, theirs = vector.isns
    syn = not theirs
    course = Course(FourTuple(src, seg.sport, dst, seg.dport), ours, theirs, ours, theirs)
    traffic_key = sending_key(key, course, syn=syn)
    assert traffic_key.hex() == vector.traffic_key
    octets = octets_of_ao(seg, src, dst, 0, covers_options=vector.covers_options)
    assert mac(key, traffic_key, octets) == found.mac
    other_end = Course(FourTuple(dst, seg.dport, src, seg.sport), theirs, None, theirs, ours)
    assert receiving_key(key, other_end, ours, syn=syn) == traffic_key


def test_aes() -> None:
    """FIPS 197, appendix C.1."""
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypt(expand(bytes(range(16))), block).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    with pytest.raises(ValueError, match="AES-128 takes 16"):
        expand(b"short")


MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac(octets: int, code: str) -> None:
    """RFC 4493 §4."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert cmac(key, MESSAGE[:octets]).hex() == code
