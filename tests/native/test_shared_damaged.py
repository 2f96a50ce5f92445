"""All shared footage, whole and damaged: cut at every boundary, bits flipped, packets lost.

What is damaged on purpose may cost pictures. It may not cost more than is marked.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from packetiser import H264, Sender, access_units, split_annex_b
from rtp_camera import Camera
from shared_rig import (
    adts_frames,
    annex_b,
    containers,
    elementary_streams,
    kept,
    known_files,
    listed_files,
    protocol_files,
    sounds,
)
from sound_maker import AAC
from vonggac._native.assembler import ACCESS_UNIT_BYTES_MAX, AccessUnit
from vonggac._native.sound import SoundReader
from vonggac.errors import MediaError
from vonggac.probe.wire import Wire

SEED = 5
PICTURES = 24
"""Of each stream: enough for two GOPs of most, and short enough for all of them."""
HEADER_BYTES = 12


def test_every_file_of_the_manifests_goes_through_a_test(fixtures: Path) -> None:
    known = known_files(fixtures)
    lines = list(listed_files(fixtures))
    assert len(lines) > 130
    for name, paths in lines:
        assert paths, f"{name} is listed and not there"
        assert set(paths) <= known, name
    data = {path for room in ("rtsp", "video") for path in (fixtures / room).rglob("*")}
    assert {path for path in data if path.is_file() and path.stem != "MANIFEST"} <= known


def sent_packets(codec: int, path: Path) -> list[bytes]:
    """Of the first pictures of a stream."""
    with path.open("rb") as file:
        stream = file.read(2 << 20)
    units = access_units(codec, split_annex_b(stream))
    return list(Sender(codec).packets(units[:PICTURES]))


def received(codec: int, packets: list[bytes]) -> list[AccessUnit]:
    camera = Camera(codec, ACCESS_UNIT_BYTES_MAX)
    for packet in packets:
        with contextlib.suppress(MediaError):  # no RTP packet any more
            camera.raw(packet)
    return camera.end()


def lost(draw: random.Random, packets: list[bytes]) -> list[bytes]:
    """One in six; not the first or the last, of which nothing tells."""
    inner = [packet for packet in packets[1:-1] if draw.random() > 1 / 6]
    return [packets[0], *inner, packets[-1]]


def repeated(draw: random.Random, packets: list[bytes]) -> list[bytes]:
    return [packet for packet in packets for _ in range(draw.choice((1, 1, 1, 2, 4)))]


def cut(draw: random.Random, packets: list[bytes]) -> list[bytes]:
    """Anywhere in its payload, behind the header of a NAL unit or a fragment first of all."""
    places = [HEADER_BYTES + n for n in range(5)]
    return [
        packet[: draw.choice((*places, draw.randrange(len(packet))))]
        if draw.random() < 0.1
        else packet
        for packet in packets
    ]


def flipped(draw: random.Random, packets: list[bytes]) -> list[bytes]:
    out = []
    for packet in packets:
        spoilt = bytearray(packet)
        if draw.random() < 0.1:
            spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
        out.append(bytes(spoilt))
    return out


Damage = Callable[[random.Random, list[bytes]], list[bytes]]
DAMAGES: tuple[Damage, ...] = (lost, repeated, cut, flipped)
HONEST = (lost, repeated)
"""Of which packets tell what became of them."""


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
def test_every_shared_stream_may_come_damaged(fixtures: Path, damage: Damage) -> None:
    draw = random.Random(SEED)
    whole_pictures = 0
    for codec, path in elementary_streams(fixtures):
        packets = sent_packets(codec, path)
        whole = {tuple(unit.nals) for unit in received(codec, packets)}
        units = received(codec, damage(draw, packets))
        for unit in units:
            assert unit.nals and all(unit.nals), path.name
            if damage in HONEST and unit.is_picture and not unit.damaged:
                assert tuple(unit.nals) in whole, f"{path.name}: a picture that looks whole"
                whole_pictures += 1
        kept(codec, units)
    assert damage not in HONEST or whole_pictures > 100


def test_every_shared_stream_may_end_at_every_nal_unit(fixtures: Path) -> None:
    """Or in the middle of one: what came before it is as it was."""
    for codec, path in elementary_streams(fixtures):
        packets = sent_packets(codec, path)[:150]
        camera = Camera(codec, ACCESS_UNIT_BYTES_MAX)
        before: list[list[bytes]] = []
        for n, packet in enumerate(packets):
            if n % 25 == 0:
                cut_off = received(codec, [*packets[:n], packet[: len(packet) // 2]])
                assert [unit.nals for unit in cut_off][: len(before)] == before, path.name
            camera.raw(packet)
            ready = [unit.nals for unit in camera.units]
            assert ready[: len(before)] == before, path.name
            before = ready


def test_every_shared_film_is_recorded(fixtures: Path, program: Callable[[str], str]) -> None:
    ffmpeg = program("ffmpeg")
    films = containers(fixtures)
    assert len(films) >= 5
    for path in films:
        units = access_units(H264, split_annex_b(annex_b(ffmpeg, path, 2.0)))
        packets = list(Sender(H264).packets(units))
        pictures = [unit for unit in received(H264, packets) if unit.is_picture]
        _, samples, why = kept(H264, pictures)
        assert samples == len(pictures) > 10 and not why, path.name
        for damage in DAMAGES:
            kept(H264, received(H264, damage(random.Random(SEED), packets)))


def test_every_shared_sound_comes_out_of_its_packets(fixtures: Path) -> None:
    """ADTS in the place of what RFC 3640 wants; cut and spoiled it costs frames."""
    for path in sounds(fixtures):
        frames = adts_frames(path.read_bytes())
        assert len(frames) > 50
        reader = SoundReader(AAC)
        for n, frame in enumerate(frames):
            ((found, _, _),) = reader.push(frame, n, n * 1024)
            assert frame.endswith(found) and len(frame) - len(found) in (7, 9)
        draw = random.Random(SEED)
        for damage in (cut, flipped):
            for n, frame in enumerate(damage(draw, frames)):
                with contextlib.suppress(MediaError):
                    reader.push(frame, n, n * 1024)


def test_every_recorded_connection_may_be_spoiled_anywhere(fixtures: Path) -> None:
    """Each file as the bytes of a connection: bits flipped, pieces gone, cut where items end."""
    draw = random.Random(SEED)
    for path in protocol_files(fixtures):
        data = path.read_bytes()[:120_000]
        for _ in range(3):
            spoilt = bytearray(data)
            for _ in range(1 + len(data) // 4000):
                at = draw.randrange(len(spoilt) or 1)
                spoilt[at : at + draw.choice((1, 1, 1, 30))] = bytes([draw.randrange(256)])
            wire = Wire()
            for at in range(0, len(spoilt), 1400):
                wire.receive(bytes(spoilt[at : at + 1400]))
