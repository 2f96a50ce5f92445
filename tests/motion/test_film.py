"""Films that are odd: the grid of what can be decoded, or one sentence."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import motion_oracle
from vonggac.errors import MediaError
from vonggac.motion.film import film_of, npy
from vonggac_appliance.cli import main

RATE = 10


def frames(width: int, height: int, form: str, count: int) -> Iterable[av.VideoFrame]:
    """A square that moves over a slope, of any pixel format whose first plane is luma."""
    for at in range(count):
        frame = av.VideoFrame(width, height, form)
        for number, plane in enumerate(frame.planes):
            deep = "10le" in form
            of = np.dtype("<u2") if deep else np.dtype("u1")
            rows = np.frombuffer(bytearray(plane.buffer_size), of).copy()
            rows = rows.reshape(-1, plane.line_size // of.itemsize)
            rows[:] = 128 << (2 if deep else 0)
            if number == 0:
                rows[:] = np.arange(rows.shape[1]) * (4 if deep else 1) % (1000 if deep else 200)
                x = at * 6 % max(1, width - 20)
                rows[height // 4 : height // 2, x : x + 20] = 900 if deep else 230
            plane.update(rows.tobytes())
        frame.pts = at
        yield frame


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def film(
    path: Path, codec: str, width: int, height: int, form: str, count: int = 25, **how: str
) -> Path:
    with av.open(str(path), "w", options=FRAGMENTED if "fragmented" in path.name else {}) as out:
        stream: Any = out.add_stream(codec, rate=RATE, options={"threads": "1", **how})
        stream.width, stream.height, stream.pix_fmt = width, height, form
        stream.gop_size = RATE
        for frame in frames(width, height, form, count):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


FORMS = [
    ("libx264", 640, 360, "yuv420p"),
    ("libx264", 640, 360, "yuv422p"),
    ("libx264", 642, 362, "yuv420p10le"),
    ("libx264", 16, 16, "yuv420p"),
    ("libx264", 641, 361, "yuv444p"),
    ("libx264", 100, 600, "gray"),
    ("mjpeg", 353, 289, "yuvj420p"),
    ("mjpeg", 353, 289, "yuvj422p"),
    ("mpeg4", 322, 242, "yuv420p"),
]


@pytest.mark.parametrize(("codec", "width", "height", "form"), FORMS)
def test_any_size_depth_and_chroma_has_its_grid(
    tmp_path: Path, codec: str, width: int, height: int, form: str
) -> None:
    path = film(tmp_path / "film.mp4", codec, width, height, form)
    oracle, expected = motion_oracle.Oracle(), []
    with av.open(str(path)) as told:
        for frame in told.decode(video=0):
            plane = frame.planes[0]
            of = np.dtype("<u2") if "10le" in frame.format.name else np.dtype("u1")
            rows = np.frombuffer(plane, of).reshape(-1, plane.line_size // of.itemsize)
            luma = (rows[:height, :width] >> (2 if of.itemsize > 1 else 0)).astype(np.uint8)
            assert frame.pts is not None and frame.time_base is not None
            expected += oracle.push(luma, int(frame.pts * frame.time_base * 1_000_000_000))
    expected += oracle.finish()
    found = film_of(path)
    assert [(s.second, s.cells, s.is_global) for s in found.slots] == expected
    assert found.seconds == 3 and found.skipped == 0
    assert width < 20 or any(found.slots[1].cells)


def test_pictures_out_of_order_are_compared_as_they_are_shown(tmp_path: Path) -> None:
    path = film(tmp_path / "b.mp4", "libx264", 320, 240, "yuv420p", bf="3", b_adapt="0")
    plain = film(tmp_path / "plain.mp4", "libx264", 320, 240, "yuv420p", bf="0")
    with_b, without = film_of(path), film_of(plain)
    assert [slot.second for slot in with_b.slots] == [slot.second for slot in without.slots]
    moved = [
        sum(int.from_bytes(slot.cells, "little").bit_count() for slot in of.slots)
        for of in (with_b, without)
    ]
    assert abs(moved[0] - moved[1]) < 0.2 * moved[1]


def test_a_film_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", "libx264", 320, 240, "yuv420p", movflags="faststart")
    whole = path.read_bytes()
    assert whole.index(b"moov") > whole.index(b"mdat")  # PyAV gives such options to the encoder
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match="no MP4 that can be read"):
        film_of(path)
    moov = whole.index(b"moov") - 4
    mdat = whole.index(b"mdat") - 4
    holes = bytearray(whole)
    holes[mdat + 4 : mdat + 8] = b"free"  # the samples are still where `moov` says
    turned = bytes(holes[:mdat]) + whole[moov:] + bytes(holes[mdat:moov])
    moved = bytearray(turned)
    shift = len(whole) - moov
    at = moved.index(b"stco") + 8
    for entry in range(struct.unpack_from(">I", moved, at)[0]):
        place = at + 4 + 4 * entry
        struct.pack_into(">I", moved, place, struct.unpack_from(">I", moved, place)[0] + shift)
    path.write_bytes(moved)
    assert film_of(path).pictures == 25
    path.write_bytes(moved[:-600])
    with pytest.raises(MediaError, match=r"cut off after \d+ of 25 samples|no picture"):
        film_of(path)


def test_of_a_fragmented_film_that_is_cut_off_what_is_there_counts(tmp_path: Path) -> None:
    path = tmp_path / "f.mp4"
    with av.open(str(path), "w", options=FRAGMENTED) as out:
        stream: Any = out.add_stream("libx264", rate=RATE, options={"threads": "1", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.gop_size = RATE
        for frame in frames(320, 240, "yuv420p", 40):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    whole = path.read_bytes()
    every = film_of(path)
    assert (every.seconds, every.skipped) == (4, 0)
    third = [at for at in range(len(whole)) if whole.startswith(b"mdat", at)][2]
    path.write_bytes(whole[: third + 30])
    found = film_of(path)
    assert found.seconds == 2 and found.skipped >= 1
    assert found.slots == every.slots[:2]


def test_damaged_samples_are_passed_over_and_told(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", "libx264", 320, 240, "yuv420p", count=40)
    whole = bytearray(path.read_bytes())
    mdat = whole.index(b"mdat") + 4
    with av.open(str(path)) as told:
        packets = [p for p in told.demux(video=0) if p.size]
    for packet in packets[12:15]:
        assert packet.pos is not None and packet.pos > mdat
        whole[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(whole)
    found = film_of(path)
    assert found.skipped == 3 and found.seconds == 4
    assert {0, 2, 3} <= {slot.second for slot in found.slots}


@pytest.mark.parametrize("ticks", [1 << 40, 1 << 62])
def test_a_film_with_times_of_years_is_one_sentence(tmp_path: Path, ticks: int) -> None:
    path = film(tmp_path / "fragmented.mp4", "libx264", 64, 64, "yuv420p")
    whole = bytearray(path.read_bytes())
    last = whole.rindex(b"tfdt") + 4  # ISO/IEC 14496-12 8.8.12
    assert whole[last] == 1
    struct.pack_into(">Q", whole, last + 4, ticks)
    path.write_bytes(whole)
    with pytest.raises(MediaError, match="more than a day"):
        film_of(path)


def test_a_film_turned_for_showing_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "f.mp4", "libx264", 320, 240, "yuv420p")
    whole = bytearray(path.read_bytes())
    matrix = whole.index(b"tkhd") + 4 + 4 + 5 * 4 + 16  # ISO/IEC 14496-12 8.3.2.2, version 0
    assert struct.unpack_from(">9i", whole, matrix)[0] == 0x10000
    turned = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    struct.pack_into(">9i", whole, matrix, *turned)
    path.write_bytes(whole)
    with pytest.raises(MediaError, match=r"turned by -?90 degrees"):
        film_of(path)


def test_where_the_size_changes_comparison_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "sizes.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=RATE, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.max_b_frames = 0
        for frame in frames(320, 240, "yuv420p", 20):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        other: Any = av.CodecContext.create("libx264", "w")
        other.width, other.height, other.pix_fmt = 160, 120, "yuv420p"
        other.time_base, other.max_b_frames, other.thread_count = stream.time_base, 0, 1
        scale = int(1 / stream.time_base / RATE)
        for frame in (*frames(160, 120, "yuv420p", 20), None):
            if frame is not None:
                frame.pts = (20 + frame.pts) * scale
                frame.time_base = stream.time_base
            for packet in other.encode(frame):
                packet.stream = stream
                out.mux(packet)
    found = film_of(path)
    assert (found.pictures, found.restarts, found.seconds) == (40, 1, 4)
    assert not any(slot.is_global for slot in found.slots)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no MP4 that can be read"),
        (b"\0" * 4096, "no MP4 that can be read"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", "no MP4 that can be read"),
    ],
)
def test_what_is_no_film_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "f.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=sentence):
        film_of(path)


def test_a_film_without_video_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("aac", rate=8000, layout="mono")
        sound = av.AudioFrame("fltp", "mono", 1024)
        sound.planes[0].update(bytes(4096))
        sound.rate = 8000
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    with pytest.raises(MediaError, match="without video"):
        film_of(path)


def test_the_command_writes_what_numpy_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = film(tmp_path / "f.mp4", "libx264", 320, 240, "yuv420p")
    out = tmp_path / "f.npy"
    assert main(["motion", "grid", str(path), "--npy", str(out)]) == 0
    assert capsys.readouterr().out.startswith("3 s, 25 pictures: something moved in 3 s")
    assert np.load(out).tobytes() == np.load(io.BytesIO(npy(film_of(path)))).tobytes()
    out.unlink()
    path.write_bytes(b"nothing")
    assert main(["motion", "grid", str(path), "--npy", str(out)]) == 1
    assert f"{path}: no MP4 that can be read" in capsys.readouterr().err and not out.exists()
    assert main(["motion", "grid", str(tmp_path / "none"), "--npy", str(out)]) == 1
