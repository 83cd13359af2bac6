"""Every form of file, in both byte orders; what is damaged is told with its offset."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.capture.files import MS, orderly, pcap, pcapng, zstd
from tulpen.capture.reading import Reading, read
from tulpen.cli.main import run
from tulpen.errors import TulpenError

PACKETS = orderly().packets


def told(octets: bytes) -> Reading:
    return read(io.BytesIO(octets))


def is_whole(reading: Reading) -> None:
    assert not reading.damage
    (row,) = reading
    assert (row.opened, row.ended, row.by, row.time_wait) == ("normal", "closed", "client", "client")
    assert (row.client_packets, row.server_packets, row.client_bytes, row.server_bytes) == (6, 5, 100, 500)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_pcap_of_both_byte_orders_and_clocks(order: str, nanoseconds: bool) -> None:
    reading = told(pcap(PACKETS, order=order, nanoseconds=nanoseconds))
    is_whole(reading)
    assert reading.connections[0].duration == pytest.approx(0.1)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("resolution", [3, 6, 9])
@pytest.mark.parametrize("interfaces", [1, 3])
def test_pcapng_with_interfaces_and_clocks(order: str, resolution: int, interfaces: int) -> None:
    reading = told(pcapng(PACKETS, order=order, resolution=resolution, interfaces=interfaces))
    is_whole(reading)
    assert reading.connections[0].duration == pytest.approx(0.1)


def test_sections_of_different_byte_orders_follow_each_other() -> None:
    reading = told(pcapng(PACKETS[:4], order="<") + pcapng(PACKETS[4:], order=">"))
    is_whole(reading)


def test_kuznetzovs_header_is_passed_over() -> None:
    parts = [struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65_535, 101)]
    for when, packet in PACKETS:
        parts += [struct.pack("<IIIIIHBB", 0, when // 1000, len(packet), len(packet), 2, 0, 0, 0), packet]
    is_whole(told(b"".join(parts)))


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap.gz"
    path.write_bytes(gzip.compress(pcap(PACKETS)))
    is_whole(read(path))


def test_zstd_is_unpacked() -> None:
    is_whole(told(zstd(pcapng(PACKETS))))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_several_packed_files_one_after_the_other_are_one(pack: Callable[[bytes], bytes]) -> None:
    octets = pcapng(PACKETS)
    is_whole(told(pack(octets[:500]) + pack(octets[500:])))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_what_was_unpacked_before_damage_is_told(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(pcap([(at, PACKETS[0][1]) for at in range(9000)]))
    for damaged in (packed[:-9], packed[: len(packed) // 2]):
        reading = told(damaged)
        (damage,) = reading.damage
        assert "packed data are damaged" in damage.what
        assert 0 < damage.offset <= 24 + 9000 * (16 + len(PACKETS[0][1]))


def test_standard_input() -> None:
    command = [sys.executable, "-m", "tulpen", "read", "-", "--why"]
    done = subprocess.run(command, input=pcap(PACKETS), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert b"The client 10.0.0.1:40000 closed first, frame 8" in done.stdout


def test_files_are_read_as_one(tmp_path: Path) -> None:
    first, second = tmp_path / "1.pcap", tmp_path / "2.pcapng"
    first.write_bytes(pcap(PACKETS[:5]))
    second.write_bytes(pcapng(PACKETS[5:]))
    reading = read(first, second)
    is_whole(reading)
    assert reading.connections[0].last_frame == len(PACKETS)


def test_a_snap_length_hides_text_and_not_numbers() -> None:
    is_whole(told(pcap(PACKETS, snap=44)))


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_file_that_ends_too_early_is_read_as_far_as_it_goes(tmp_path: Path, cut: int) -> None:
    octets = pcap(PACKETS)[:-cut]
    path = tmp_path / "cut.pcap"
    path.write_bytes(octets)
    reading = read(path)
    assert len(reading) == 1
    assert reading.counts.frames >= len(PACKETS) - 1
    (damage,) = reading.damage
    assert damage.offset == len(pcap(PACKETS[:-1]))
    assert run(["read", str(path)]) == 2


def test_damage_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = bytearray(pcap(PACKETS))
    at = len(pcap(PACKETS[:5]))
    octets[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    path = tmp_path / "bad.pcap"
    path.write_bytes(octets)
    assert run(["read", str(path), "--table"]) == 2
    out, err = capsys.readouterr()
    assert "10.0.0.1:40000" in out
    assert f"claims 2,147,483,647 octets, at byte {at:,}" in err
    assert "5 packets" in err


def test_damaged_blocks_of_pcapng_are_told() -> None:
    octets = bytearray(pcapng(PACKETS))
    octets[-1] ^= 0x55
    (damage,) = told(bytes(octets)).damage
    assert "two different lengths" in damage.what


def test_a_damaged_gzip_is_told() -> None:
    reading = told(gzip.compress(pcap(PACKETS))[:-200])
    assert len(reading.damage) == 1


@pytest.mark.parametrize("octets", [b"", b"\x00", b"GET / HTTP/1.1", bytes(64)])
def test_what_is_no_capture_is_refused(octets: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TulpenError):
        told(octets)
    path = tmp_path / "none"
    path.write_bytes(octets)
    assert run(["read", str(path)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_file_that_is_not_there_is_a_plain_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["read", "/nonexistent/x.pcap"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_times_may_go_back() -> None:
    packets = [(when if i != 5 else when - 30 * MS, packet) for i, (when, packet) in enumerate(PACKETS)]
    reading = told(pcap([(when + 10**18, packet) for when, packet in packets]))
    assert reading.connections[0].ended == "closed"
