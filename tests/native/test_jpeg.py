"""RTP/JPEG (RFC 2435) to JPEG files."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtp_camera import Camera
from rtp_jpeg import encoded_pictures, payload, payloads_of, segments
from vonggac._native import parse
from vonggac._native.assembler import CODEC_MJPEG, SYNC_IDR
from vonggac.errors import MediaError

MJPEG = CODEC_MJPEG
P, M = False, True
SCAN = bytes(range(1, 200)) * 3
"""No marker stands in it."""
EOI = b"\xff\xd9"


def in_parts(scan: bytes, size: int = 150, **of: int) -> list[bytes | tuple[bytes, bool]]:
    starts = range(0, len(scan), size)
    return [
        (payload(scan[at : at + size], at, **of), M if at == starts[-1] else P) for at in starts
    ]


def files(camera: Camera) -> list[bytes]:
    units = camera.end()
    assert all(len(unit.nals) == 1 and unit.is_picture for unit in units)
    assert all(unit.kind == SYNC_IDR for unit in units)
    return [unit.nals[0] for unit in units]


def test_fragments_make_a_whole_file() -> None:
    camera = Camera(MJPEG).send(1, *in_parts(SCAN)).send(2, *in_parts(SCAN))
    first, second = files(camera)
    assert first == second
    found = segments(first)
    assert found[0] == [SCAN + EOI]
    assert len(found[0xDB]) == 2
    assert len(found[0xC4]) == 4
    assert found[0xC0] == [bytes.fromhex("0800f0014003012200021101031101")]
    assert 0xDD not in found
    assert parse.jpeg_size(first) == (320, 240)
    assert camera.faults == []
    assert not any(unit.damaged for unit in camera.units)


def test_an_end_of_image_that_came_is_not_doubled() -> None:
    assert segments(files(Camera(MJPEG).send(1, *in_parts(SCAN + EOI)))[0])[0] == [SCAN + EOI]


def test_type_0_has_half_the_colour_in_one_direction_only() -> None:
    found = segments(files(Camera(MJPEG).send(1, *in_parts(SCAN, kind=0)))[0])
    assert found[0xC0][0][6:9] == bytes.fromhex("012100")


def test_restart_markers_are_declared() -> None:
    found = segments(files(Camera(MJPEG).send(1, *in_parts(SCAN, restart=40)))[0])
    assert found[0xDD] == [struct.pack(">H", 40)]
    assert found[0] == [SCAN + EOI]


def test_without_a_marker_the_next_picture_ends_it() -> None:
    parts = [part[0] for part in in_parts(SCAN + EOI) if isinstance(part, tuple)]
    camera = Camera(MJPEG).send(1, *parts).send(1, *parts).send(2, *parts)
    assert [segments(file)[0] for file in files(camera)] == [[SCAN + EOI]] * 3
    assert not any(unit.damaged for unit in camera.units)


def test_a_picture_that_begins_again_is_not_taken_for_whole() -> None:
    """Its first part came twice; a marker, an end or another timestamp would say it was all."""
    parts = in_parts(SCAN)
    camera = Camera(MJPEG).send(1, parts[0], *parts).send(2, *parts)
    assert [segments(file)[0] for file in files(camera)] == [
        [SCAN[:150] + EOI],
        *[[SCAN + EOI]] * 2,
    ]
    assert [unit.damaged for unit in camera.units] == [True, False, False]


def test_a_part_that_came_twice_damages_its_picture() -> None:
    parts = in_parts(SCAN)
    camera = Camera(MJPEG).send(1, *parts[:2], *parts[1:]).send(2, *parts)
    assert len(files(camera)) == 2
    assert [unit.damaged for unit in camera.units] == [True, False]
    assert camera.faults == []


def test_headers_alone_are_no_picture() -> None:
    camera = Camera(MJPEG).send(1, (payload(b""), M)).send(2, *in_parts(SCAN))
    assert [segments(file)[0] for file in files(camera)] == [[SCAN + EOI]]
    assert [unit.damaged for unit in camera.units] == [True]


@pytest.mark.parametrize(
    ("q", "luminance", "chrominance"),
    [(50, (16, 11, 99), (17, 18, 99)), (99, (1, 1, 2), (1, 1, 2)), (1, (255,) * 3, (255,) * 3)],
)
def test_tables_follow_from_q(
    q: int, luminance: tuple[int, ...], chrominance: tuple[int, ...]
) -> None:
    """First, second and last entry (RFC 2435 4.2)."""
    tables = segments(files(Camera(MJPEG).send(1, *in_parts(SCAN, q=q)))[0])[0xDB]
    assert [tuple(t[i] for i in (1, 2, 64)) for t in tables] == [luminance, chrominance]


def test_tables_of_the_packet_are_kept_for_pictures_of_the_same_q() -> None:
    tables = bytes(range(1, 129))
    told = payload(SCAN, q=200, tables=tables)
    silent = payload(SCAN, q=200, tables=b"")
    other = payload(SCAN, q=201, tables=b"")
    camera = Camera(MJPEG).send(1, (told, M)).send(2, (silent, M)).send(3, (other, M))
    found = [segments(file)[0xDB] for file in files(camera)]
    assert found == [[b"\0" + tables[:64], b"\1" + tables[64:]]] * 2
    assert camera.faults == ["RFC 2435 3.1.8 no tables of this Q yet (value at byte 8)"]


def test_tables_of_q_255_must_come_with_every_picture() -> None:
    camera = Camera(MJPEG).send(1, (payload(SCAN, q=255, tables=bytes([7] * 128)), M))
    camera.send(2, (payload(SCAN, q=255, tables=b""), M)).send(3, *in_parts(SCAN))
    assert len(files(camera)) == 2
    assert [unit.damaged for unit in camera.units] == [False, True]


def test_wide_tables_make_another_frame_header() -> None:
    tables = bytes([0, 9] * 64) + bytes([9] * 64)
    camera = Camera(MJPEG).send(1, (payload(SCAN, q=130, tables=tables, precision=1), M))
    found = segments(files(camera)[0])
    assert found[0xDB] == [b"\x10" + tables[:128], b"\x01" + tables[128:]]
    assert 0xC1 in found


def test_one_table_serves_all_components() -> None:
    camera = Camera(MJPEG).send(1, (payload(SCAN, q=130, tables=bytes([5] * 64)), M))
    assert segments(files(camera)[0])[0xC0][0][6:] == bytes.fromhex("012200021100031100")


def test_a_size_that_does_not_fit_comes_from_the_description() -> None:
    camera = Camera(MJPEG)
    camera.assembler.expect_size(3840, 2160)
    camera.send(1, *in_parts(SCAN, width=0, height=0))
    assert parse.jpeg_size(files(camera)[0]) == (3840, 2160)


def test_a_file_that_comes_as_it_is_stays_as_it_is() -> None:
    whole = files(Camera(MJPEG).send(1, *in_parts(SCAN)))[0]
    camera = Camera(MJPEG).send(1, *in_parts(whole, q=0, kind=9, width=0, height=0))
    assert files(camera) == [whole]
    assert camera.faults == []


def test_a_picture_without_its_beginning_is_none_and_marks_the_next() -> None:
    parts = in_parts(SCAN)
    camera = Camera(MJPEG).send(1, *parts[1:]).send(2, *parts).send(3, *parts)
    assert len(files(camera)) == 2
    assert [unit.damaged for unit in camera.units] == [True, False]
    assert camera.assembler.counts["nals_dropped"] == 1
    assert set(camera.faults) == {"RFC 2435 3.1.2 first fragment (value at byte 1)"}


def test_a_picture_with_a_hole_is_none() -> None:
    parts = in_parts(SCAN)
    camera = Camera(MJPEG).send(1, *parts[:1]).lose().send(1, *parts[2:]).send(2, *parts)
    assert [segments(file)[0] for file in files(camera)] == [[SCAN + EOI]]
    assert [unit.damaged for unit in camera.units] == [True]


def test_a_fragment_that_goes_back_ends_its_picture() -> None:
    parts = in_parts(SCAN)
    camera = Camera(MJPEG).send(1, *parts[:3], parts[1]).send(2, *parts)
    assert len(files(camera)) == 1
    assert camera.faults == ["RFC 2435 3.1.2 fragment offset (value at byte 1)"]
    assert [unit.damaged for unit in camera.units] == [True]


@pytest.mark.parametrize(
    ("packet", "fault"),
    [
        pytest.param(payload(SCAN)[:7], "RFC 2435 3.1 (short at byte 7)", id="cut header"),
        pytest.param(
            payload(b"", q=130, tables=bytes(128))[:60],
            "RFC 2435 3.1.7, 3.1.8 (short at byte 60)",
            id="cut tables",
        ),
        pytest.param(payload(SCAN, kind=2), "RFC 2435 4.1 type (value at byte 4)", id="type 2"),
        pytest.param(payload(SCAN, kind=128), "RFC 2435 4.1 type (value at byte 4)", id="type 128"),
        pytest.param(payload(SCAN, q=0), "RFC 2435 4.2 Q (value at byte 5)", id="Q 0"),
        pytest.param(payload(SCAN, q=100), "RFC 2435 4.2 Q (value at byte 5)", id="Q 100"),
        pytest.param(
            payload(SCAN, q=130, tables=bytes(1024)),
            "RFC 2435 3.1.8 length (value at byte 8)",
            id="too many tables",
        ),
        pytest.param(
            payload(SCAN, q=130, tables=bytes(100)),
            "RFC 2435 3.1.8 quantization tables (value at byte 8)",
            id="a table and a half",
        ),
        pytest.param(
            payload(SCAN, width=0),
            "RFC 2435 3.1.5 width and height (value at byte 6)",
            id="no size",
        ),
    ],
)
def test_what_is_no_picture_is_refused_once(packet: bytes, fault: str) -> None:
    camera = Camera(MJPEG).send(1, packet).send(2, *in_parts(SCAN)).send(3, *in_parts(SCAN))
    assert camera.faults == [fault]
    assert len(files(camera)) == 2
    assert [unit.damaged for unit in camera.units] == [True, False]


def test_a_picture_without_room_is_dropped_and_the_next_is_marked() -> None:
    camera = Camera(MJPEG, capacity_bytes=1300)
    camera.send(1, *in_parts(SCAN * 4)).send(2, *in_parts(SCAN[:100])).send(3, *in_parts(SCAN[:9]))
    assert len(files(camera)) == 2
    assert [unit.damaged for unit in camera.units] == [True, False]


def test_the_recorded_fragments_of_a_teleste_are_the_picture(fixtures: Path) -> None:
    folder = fixtures / "rtsp" / "dev" / "sharprtsp"
    camera = Camera(MJPEG, payload_type=26)
    for n in range(3):
        camera.raw((folder / f"jpeg_{n}.rtp").read_bytes())
    expected = segments((folder / "img_jpg_0.jpg").read_bytes())
    found = segments(files(camera)[0])
    assert found[0] == expected[0]
    assert found[0xC0][0][1:5] == expected[0xC0][0][1:5]
    assert camera.assembler.counts["fu_odd"] == 2  # it counts its headers into the offsets
    joined = {kind: b"".join(found[kind]) for kind in (0xDB, 0xC4)}
    assert joined == {kind: b"".join(expected[kind]) for kind in (0xDB, 0xC4)}


def test_an_encoders_pictures_decode_as_they_were(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    """Scan and tables through RTP, the headers made anew: the same pixels."""
    camera = Camera(MJPEG)
    pictures = encoded_pictures(program, tmp_path)
    for n, picture in enumerate(pictures):
        *parts, last = payloads_of(picture)
        camera.send(n * 18000, *parts, (last, M))
    made = files(camera)
    assert len(made) == len(pictures) == 5

    def pixels(name: str, files_: Iterable[bytes]) -> list[bytes]:
        path = tmp_path / name
        path.write_bytes(b"".join(files_))
        told = subprocess.run(
            [program("ffmpeg"), "-v", "error", "-f", "mjpeg", "-i", path, "-f", "framemd5", "-"],
            check=True, timeout=60, capture_output=True,
        ).stdout  # fmt: skip
        return [line.split()[-1] for line in told.splitlines() if not line.startswith(b"#")]

    assert pixels("made.mjpeg", made) == pixels("one.mjpeg", pictures)


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (b"\0\0", "T.81 B.2.1 SOI (value at byte 0)"),
        (b"\xff\xd8\xff\xe0\0\x10", "T.81 B.1.1.4 marker segment (short at byte 6)"),
        (b"\xff\xd8\xff\xda\0\x02", "T.81 B.2.2 frame header (value at byte 2)"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x09", "T.81 B.2.2 X and Y (value at byte 2)"),
        (
            b"\xff\xd8" + b"\xff\xe0\0\x02" * 300,
            "markers before a frame header (limit at byte 1202)",
        ),
    ],
)
def test_a_file_without_a_size_says_why(picture: bytes, fault: str) -> None:
    with pytest.raises(MediaError) as error:
        parse.jpeg_size(picture)
    assert str(error.value) == fault


@given(st.binary(max_size=64))
def test_any_bytes_have_a_size_or_a_fault(rest: bytes) -> None:
    try:
        width, height = parse.jpeg_size(b"\xff\xd8" + rest)
    except MediaError:
        return
    assert width > 0
    assert height > 0
