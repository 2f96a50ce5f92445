"""Whole streams, well and spoiled, come out as they went in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from assembler_rig import flags, nals
from packetiser import (
    H264,
    H265,
    Sender,
    access_units,
    fragments,
    rtp,
    split_annex_b,
)
from rtp_camera import Camera
from vonggac._native.assembler import ACCESS_UNIT_BYTES_MAX, NAL_UNITS_MAX, SYNC_NONE


def stream_files(fixtures: Path) -> list[tuple[int, Path]]:
    video = fixtures / "video" / "dev"
    found = [(H264, path) for path in sorted((video / "h264").iterdir())]
    found += [(H265, path) for path in sorted((video / "h265").iterdir())]
    found.append((H264, video / "cctv" / "aws_h264SampleFrames.h264"))
    known = (".264", ".h264", ".h265", ".jsv")
    return [(codec, path) for codec, path in found if path.suffix in known]


def through(codec: int, packets: Iterable[bytes]) -> Camera:
    camera = Camera(codec, ACCESS_UNIT_BYTES_MAX)
    for packet in packets:
        camera.raw(packet)
    camera.end()
    return camera


@pytest.mark.parametrize(
    ("mtu_bytes", "joined", "marker"),
    [
        pytest.param(1400, False, "last", id="usual"),
        pytest.param(1400, True, "last", id="aggregates"),
        pytest.param(240, True, "none", id="small packets without marker"),
        pytest.param(65000, False, "all", id="one packet a slice, all marked"),
    ],
)
def test_recorded_streams_come_out_bit_by_bit(
    fixtures: Path, mtu_bytes: int, joined: bool, marker: str
) -> None:
    checked = 0
    for codec, path in stream_files(fixtures):
        units = access_units(codec, split_annex_b(path.read_bytes()))
        if max(len(unit) for unit in units) > NAL_UNITS_MAX:
            continue
        camera = through(codec, Sender(codec, mtu_bytes, joined, marker).packets(units))
        assert nals(camera.units) == units, path.name
        assert not any(flags(camera.units)), path.name
        assert camera.faults == [], path.name
        checked += 1
    assert checked > 30


@pytest.mark.parametrize(
    ("name", "pictures", "entries"),
    [
        ("h264/BA_MW_D.264", 100, 4),
        ("h264/minimp4_foreman_slices.264", 300, 15),
        ("h264/Cisco_Men_whisper_640x320_CABAC_Bframe_9.264", 9, 2),
        ("h264/CVFC1_Sony_C.jsv", 50, 1),
        ("h265/input-60-640x480-variable-parameters.h265", 60, 6),
        ("h265/input-300-98x58-conformance-window.h265", 300, 3),
        ("h265/input-15-1280x720-temporal-id-1.h265", 15, 1),
    ],
)
def test_pictures_and_entries_are_as_many_as_the_file_has(
    fixtures: Path, name: str, pictures: int, entries: int
) -> None:
    codec = H264 if name.startswith("h264") else H265
    stream = (fixtures / "video" / "dev" / name).read_bytes()
    # All NAL units with one timestamp, so that only the rule can tell them apart.
    packets = [
        rtp(payload, sequence=index, timestamp=5)
        for index, payload in enumerate(
            part
            for nal in split_annex_b(stream)
            for part in ([nal] if len(nal) < 1000 else fragments(codec, nal, 1000))
        )
    ]
    units = through(codec, packets).units
    assert sum(unit.is_picture for unit in units) == pictures
    assert sum(unit.kind != SYNC_NONE for unit in units) == entries


def spoil(packets: list[bytes], rng: random.Random) -> Iterator[bytes]:
    """Loses, repeats, cuts and flips packets here and there."""
    for packet in packets:
        chance = rng.random()
        if chance < 0.01:
            continue
        if chance < 0.02:
            yield packet
        if chance < 0.03:
            yield packet[: rng.randrange(12, len(packet) + 1)]
            continue
        if chance < 0.04:
            spoiled = bytearray(packet)
            spoiled[rng.randrange(12, len(packet))] ^= 1 << rng.randrange(8)
            yield bytes(spoiled)
            continue
        yield packet


@pytest.mark.parametrize("seed", range(4))
def test_a_spoiled_stream_never_loses_its_step(fixtures: Path, seed: int) -> None:
    rng = random.Random(seed)
    for codec, name in [
        (H264, "h264/minimp4_foreman_slices.264"),
        (H265, "h265/input-60-640x480-variable-parameters.h265"),
    ]:
        stream = (fixtures / "video" / "dev" / name).read_bytes()
        sent = access_units(codec, split_annex_b(stream))
        sender = Sender(codec, 300, joined=seed % 2 == 0)
        camera = through(codec, spoil(list(sender.packets(sent)), rng))
        by_time = {
            (sender.first_timestamp + i * 3600) & 0xFFFFFFFF: unit for i, unit in enumerate(sent)
        }
        assert len(camera.units) > len(sent) // 2
        whole = [u for u in camera.units if not u.damaged and u.timestamp in by_time]
        # What is not marked is what was sent, but for flipped bits, which nothing can see.
        close = sum(len(b"".join(by_time[u.timestamp])) == len(b"".join(u.nals)) for u in whole)
        assert close >= len(whole) * 0.8
        assert len(whole) > len(sent) // 4
