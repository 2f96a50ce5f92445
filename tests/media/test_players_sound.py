"""Segments with sound, read by ffmpeg: what is heard is what was sent, sample by sample."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from chunker_rig import FRAME, FRAME_NS, START_NS
from chunker_rig import Stream as Camera
from segment_maker import DISK, SEGMENT_BYTES, Stream, encode, output_of
from sound_maker import AAC, LATM, OPUS, PCMA, PCMU, aac, adts, g711, opus
from vonggac._native import segment
from vonggac._native.ring import free_box
from vonggac.media.chunk import Codec, SyncKind
from vonggac.media.sound import Sound, SoundCodec, first_decode_ticks
from vonggac.playback.pictures import head_without_sound, without_sound

SECONDS = 4


@pytest.fixture(scope="module")
def ffmpeg(program: Callable[[str], str]) -> str:
    path = program("ffmpeg")
    program("ffprobe")
    listed = output_of(path, "-v", "error", "-encoders").decode()
    for encoder in ("libx264", "libopus", " aac "):
        if encoder not in listed:
            pytest.skip(f"ffmpeg has no {encoder.strip()}")
    return path


@pytest.fixture(scope="module")
def clip(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    return encode(ffmpeg, Codec.H264, tmp_path_factory.mktemp("clip"), SECONDS, 0)


def record(clip: Stream, sound: Sound, frames: list[bytes], ticks: int) -> list[bytes]:
    """What a keeper writes of a camera with this sound: the head, then chunks."""
    camera = Camera(sound=sound, blocks=800)
    rate = sound.clock_rate
    heard = 0
    for n, unit in enumerate(clip.units):
        nals = [(nal[0] & 31, nal) for nal in unit.nals]
        camera.picture(nals, SyncKind.IDR if unit.is_sync else SyncKind.NONE)
        while heard < len(frames) and heard * ticks * 25 < (n + 1) * rate:
            at = START_NS + FRAME_NS + heard * ticks * 1_000_000_000 // rate
            camera.chunker.hear(frames[heard], heard * ticks, ticks, at)
            heard += 1
        if n % 25 == 24:
            camera.tick()
    camera.end()
    assert camera.pictures * FRAME == SECONDS * 90_000
    return placed(camera)


def placed(camera: Camera) -> list[bytes]:
    chunks = camera.chunks()
    head = bytes(chunks[0][1].segment_head)
    pieces = [head]
    at, time = len(head), first_decode_ticks(head)
    for number, (claim, chunk, payload) in enumerate(chunks):
        own = bytearray(chunk.head)
        place = segment.chunk_place(own, time, number + 1, DISK, 7, 1 << 40 | 5, at)
        whole = bytes(own) + payload
        pieces.append(whole + free_box(place.chunk_bytes - len(whole)))
        at += place.chunk_bytes
        time += claim.duration_ticks
    return pieces


def written(pieces: list[bytes], path: Path) -> Path:
    with path.open("wb") as out:
        out.write(b"".join(pieces))
        out.truncate(SEGMENT_BYTES)  # as an open segment: zeros to the end
    return path


def heard(ffmpeg: str, *source: str, level: str = "error") -> bytes:
    """Samples of 16 bits; fails on anything that is said."""
    done = subprocess.run(
        (ffmpeg, "-v", level, *source, "-map", "0:a", "-f", "s16le", "-"),
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stderr == b""
    return done.stdout


@pytest.mark.parametrize(("sound", "name"), [(PCMA, "alaw"), (PCMU, "mulaw")])
def test_g711_is_heard_as_it_was_sent(
    ffmpeg: str, clip: Stream, tmp_path: Path, sound: Sound, name: str
) -> None:
    frames = g711(SECONDS * 50)
    path = written(record(clip, sound, frames, 160), tmp_path / "segment.mp4")
    raw = tmp_path / "raw"
    raw.write_bytes(b"".join(frames))
    expected = heard(ffmpeg, "-f", name, "-ar", "8000", "-ac", "1", "-i", str(raw))
    found = heard(ffmpeg, "-i", str(path))
    assert len(found) > len(expected) * 9 // 10
    assert found == expected[: len(found)]


def test_aac_is_heard_as_it_was_sent(ffmpeg: str, clip: Stream, tmp_path: Path) -> None:
    units = aac(ffmpeg, SECONDS)
    path = written(record(clip, AAC, units, 1024), tmp_path / "segment.mp4")
    raw = tmp_path / "raw.aac"
    raw.write_bytes(adts(units))
    expected = heard(ffmpeg, "-i", str(raw))
    found = heard(ffmpeg, "-i", str(path), level="warning")
    assert len(found) > len(expected) * 9 // 10
    assert found == expected[: len(found)]


def test_opus_is_heard(ffmpeg: str, clip: Stream, tmp_path: Path) -> None:
    packets = opus(ffmpeg, SECONDS, tmp_path)
    path = written(record(clip, OPUS, packets, 960), tmp_path / "segment.mp4")
    told = output_of(
        *("ffprobe", "-v", "error", "-select_streams", "a", "-show_packets"),
        *("-show_entries", "packet=size", "-of", "csv=p=0", str(path)),
    )
    sizes = [int(line.strip(",")) for line in told.decode().split()]
    assert sizes == [len(packet) for packet in packets[: len(sizes)]]
    found = heard(ffmpeg, "-i", str(path))
    assert len(found) > SECONDS * 48_000 * 2 * 2 * 9 // 10
    assert any(found[len(found) // 2 :])


def test_pictures_and_sound_begin_together(ffmpeg: str, clip: Stream, tmp_path: Path) -> None:
    path = written(record(clip, PCMA, g711(SECONDS * 50), 160), tmp_path / "segment.mp4")
    starts = []
    for kind in ("v", "a"):
        told = output_of(
            *("ffprobe", "-v", "error", "-select_streams", kind, "-show_packets"),
            *("-show_entries", "packet=pts_time", "-of", "csv=p=0", str(path)),
        )
        starts.append(float(told.split()[0].strip(b",")))
    assert abs(starts[0] - starts[1]) < 0.05


@pytest.mark.parametrize("codec", list(SoundCodec))
def test_a_page_is_given_the_pictures_alone_in_as_many_bytes(
    ffmpeg: str, clip: Stream, tmp_path: Path, codec: SoundCodec
) -> None:
    sound = next(one for one in (AAC, LATM, OPUS, PCMA, PCMU) if one.codec is codec)
    head, *chunks = record(clip, sound, g711(SECONDS * 50), sound.clock_rate // 50)
    quiet = [head_without_sound(head)]
    for chunk in chunks:
        view = segment.chunk_parse(chunk)
        assert view is not None
        assert view.sound_start_ticks is not None
        quiet.append(without_sound(view, chunk, 0))
        halves = [without_sound(view, chunk[:700], 0), without_sound(view, chunk[700:], 700)]
        assert b"".join(halves) == quiet[-1]
    assert [len(piece) for piece in quiet] == [len(piece) for piece in (head, *chunks)]
    path = written(quiet, tmp_path / "quiet.mp4")
    shown = output_of(
        *("ffprobe", "-v", "error", "-count_packets", "-show_entries"),
        *("stream=codec_type,nb_read_packets", "-of", "csv=p=0", str(path)),
    )
    assert shown.decode().split() == [f"video,{SECONDS * 25}"]
    assert not any(frame in b"".join(quiet) for frame in g711(SECONDS * 50))
