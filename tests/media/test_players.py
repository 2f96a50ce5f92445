"""Whole segments, open and sealed, read by ffmpeg: the file the disk holds must play by itself."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from segment_maker import SEGMENT_BYTES, SegmentMaker, Stream, encode, output_of, read_stream
from vonggac._native import segment
from vonggac.media.chunk import ChunkView, Codec

Pictures = list[tuple[int, str]]


@pytest.fixture(scope="module")
def ffmpeg(program: Callable[[str], str]) -> str:
    """The program; skips where it, or one of its two encoders, is absent."""
    path = program("ffmpeg")
    program("ffprobe")
    listed = subprocess.run(
        [path, "-v", "error", "-encoders"], check=True, capture_output=True, text=True
    ).stdout
    for encoder in ("libx264", "libx265"):
        if encoder not in listed:
            pytest.skip(f"ffmpeg has no {encoder}")
    return path


@pytest.fixture(
    scope="module",
    params=[(Codec.H264, 0), (Codec.H264, 2), (Codec.H265, 0), (Codec.H265, 2)],
    ids=["h264", "h264 with B-frames", "h265", "h265 with B-frames"],
)
def stream(
    request: pytest.FixtureRequest, ffmpeg: str, tmp_path_factory: pytest.TempPathFactory
) -> Stream:
    """Five seconds of the test picture."""
    codec, b_frames = request.param
    return encode(ffmpeg, codec, tmp_path_factory.mktemp("stream"), 5, b_frames)


def pictures(ffmpeg: str, path: Path) -> Pictures:
    """Presentation time in ticks and hash of each decoded picture; fails on any warning."""
    source = (ffmpeg, "-v", "warning", "-threads", "1", "-copyts", "-f", "mp4", "-i", str(path))
    result = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "framemd5", "-")
    done = subprocess.run(
        (*source, *result),
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.stderr == ""
    rows = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [(int(row[2]), row[5].strip()) for row in rows]


def shown_pictures(ffmpeg: str, path: Path, demuxer: str) -> list[str]:
    """Hashes of the pictures in the order they are shown, whatever the times say."""
    source = (ffmpeg, "-v", "quiet", "-f", demuxer, "-i", str(path))
    lines = output_of(*source, "-fps_mode", "passthrough", "-f", "framemd5", "-").decode()
    return [line.split(",")[5].strip() for line in lines.splitlines() if line[0] != "#"]


def raw_pictures(ffmpeg: str, stream: Stream, folder: Path) -> list[str]:
    """The same of the stream itself."""
    annexb = folder / "raw"
    annexb.write_bytes(b"".join(b"\0\0\0\1" + nal for unit in stream.units for nal in unit.nals))
    return shown_pictures(ffmpeg, annexb, "h264" if stream.codec is Codec.H264 else "hevc")


def chunks_of(path: Path) -> list[ChunkView]:
    """Walks a segment from its first chunk to its last."""
    data = path.read_bytes()
    found = []
    at = 4096
    while (view := segment.chunk_parse(data, at)) is not None:
        found.append(view)
        at += view.place.chunk_bytes
    return found


@pytest.mark.parametrize("inband", [False, True], ids=["sets in the entry", "sets in band"])
def test_ffmpeg_shows_every_picture_at_its_time(
    stream: Stream, inband: bool, ffmpeg: str, tmp_path: Path
) -> None:
    maker = SegmentMaker(stream, inband)
    maker.add_all()
    maker.write_open(tmp_path / "open.mp4")
    maker.write_sealed(tmp_path / "sealed.mp4")

    shown = pictures(ffmpeg, tmp_path / "open.mp4")

    # With offsets below zero ffmpeg moves all times by the lowest one; their distances are ours.
    first_ticks = shown[0][0]
    assert [ticks - first_ticks for ticks, _ in shown] == sorted(
        unit.presentation_ticks for unit in stream.units
    )
    assert [picture for _, picture in shown] == raw_pictures(ffmpeg, stream, tmp_path)
    assert pictures(ffmpeg, tmp_path / "sealed.mp4") == shown


@pytest.mark.slow
def test_vlc_shows_every_picture(stream: Stream, program: Callable[[str], str]) -> None:
    vlc, ffprobe = program("vlc"), program("ffprobe")
    # VLC refuses root, who has nobody start it in a folder of his own.
    as_nobody = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        maker = SegmentMaker(stream)
        maker.add_all()
        maker.write_open(folder / "open.mp4")
        maker.write_sealed(folder / "sealed.mp4")
        folder.chmod(0o777)
        for name in ("open", "sealed"):
            written = folder / f"{name}.mpg"
            chain = f"#transcode{{vcodec=mp1v,width=160}}:std{{access=file,mux=ps,dst={written}}}"
            words = ["-I", "dummy", "--play-and-exit", "--sout", chain, folder / f"{name}.mp4"]
            home = {"HOME": made, "PATH": os.environ["PATH"]}
            subprocess.run(
                [*as_nobody, vlc, *words, "vlc://quit"],
                env=home,
                check=True,
                capture_output=True,
                timeout=120,
            )
            entries = ["-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
            assert int(output_of(ffprobe, "-v", "error", *entries, str(written))) == len(
                stream.units
            )


def test_a_segment_read_back_is_what_was_written(stream: Stream, tmp_path: Path) -> None:
    maker = SegmentMaker(stream)
    maker.add_all()
    maker.write_sealed(tmp_path / "sealed.mp4")

    views = chunks_of(tmp_path / "sealed.mp4")

    data = (tmp_path / "sealed.mp4").read_bytes()
    rows = segment.table_read(data[-4096:], SEGMENT_BYTES)
    assert rows == maker.rows
    assert [view.place.offset for view in views] == [row.offset for row in rows]
    previous = bytes(32)
    payload = b""
    for view in views:
        start = view.place.offset + view.payload_offset
        video = data[start : start + view.claim.video_bytes]
        assert segment.sha256(video) == view.claim.video_sha256
        assert view.claim.previous_sha256 == previous
        previous = view.claim_sha256
        payload += video
    assert payload == b"".join(maker.payload_of(unit) for unit in stream.units)


def test_a_key_frame_alone_is_decodable(stream: Stream, ffmpeg: str, tmp_path: Path) -> None:
    maker = SegmentMaker(stream)
    maker.add_all()
    second = next(row for row in maker.rows[1:] if row.kind)
    data = maker.head + maker.body
    still = tmp_path / "still.mp4"
    still.write_bytes(maker.head + data[second.offset : second.offset + second.first_sample_end])

    # The fragment promises more samples than are there, so ffmpeg does complain.
    listed = output_of(
        ffmpeg, "-v", "quiet", "-i", str(still), "-frames:v", "1", "-f", "framemd5", "-"
    )
    lines = listed.decode().splitlines()
    shown = [line.split(",")[5].strip() for line in lines if not line.startswith("#")]
    at = sorted(unit.presentation_ticks for unit in stream.units).index(
        stream.units[50].presentation_ticks
    )
    assert shown == [raw_pictures(ffmpeg, stream, tmp_path)[at]]


def test_a_segment_cut_in_its_last_chunk_plays_to_the_chunk_before(
    stream: Stream, ffmpeg: str, tmp_path: Path
) -> None:
    maker = SegmentMaker(stream)
    maker.add_all()
    last = maker.rows[-1]
    torn = tmp_path / "torn.mp4"
    with torn.open("wb") as out:  # what a power cut leaves: the last write never came
        out.write((maker.head + maker.body)[: last.offset])
        out.truncate(SEGMENT_BYTES)

    shown = pictures(ffmpeg, torn)

    assert len(shown) == sum(row.samples for row in maker.rows[:-1])


@pytest.mark.slow
def test_the_streams_of_encoders_and_cameras_decode_as_they_are(
    fixtures: Path, ffmpeg: str, tmp_path: Path
) -> None:
    paths = sorted((fixtures / "video/dev").glob("h26[45]/*.*26[45]"))
    compared = 0
    for path in paths:
        codec = Codec.H264 if path.parent.name == "h264" else Codec.H265
        stream = read_stream(codec, path.read_bytes(), None)
        if path.stat().st_size > 100_000 or not stream.sps:
            continue
        maker = SegmentMaker(stream, inband=len(stream.sps) > 1)
        maker.add_all()
        maker.write_open(tmp_path / "open.mp4")
        assert shown_pictures(ffmpeg, tmp_path / "open.mp4", "mp4") == raw_pictures(
            ffmpeg, stream, tmp_path
        ), path.name
        compared += 1
    assert compared > 10
