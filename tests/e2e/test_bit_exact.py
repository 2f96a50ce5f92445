"""Every NAL unit that a camera sends stands in the ring, in order, once; and in the cut."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from box_rig import DEADLINE_S, Box
from clip_source import Clip, ClipSource, Film, encode, read_film
from packetiser import nal_type
from ring_walker import Found, walk_file, walk_ring
from vonggac.media.chunk import Codec
from vonggac.registry.catalog import Catalog
from vonggac_appliance.cli import main as vonggac

pytestmark = pytest.mark.slow

SECONDS = 9.0
"""How long all films are sent: longer ones faster than real time."""
_SETS = {Codec.H264: (7, 8), Codec.H265: (32, 33, 34)}

OWN = {
    "h264": Clip(Codec.H264, gop=50),
    "h264-b": Clip(Codec.H264, gop=50, b_frames=3),
    "h264-slices": Clip(Codec.H264, gop=50, slices=4),
    "h264-10s": Clip(Codec.H264, gop=100, fps=10, pictures=210, b_frames=2),
    "h264-minute": Clip(Codec.H264, gop=300, fps=5, pictures=310),
    "h265": Clip(Codec.H265, gop=50),
    "h265-b": Clip(Codec.H265, gop=50, b_frames=3),
    "h265-open": Clip(Codec.H265, gop=50, b_frames=3, open_gop=True),
    "h265-slices": Clip(Codec.H265, gop=50, slices=4),
    "h265-10s": Clip(Codec.H265, gop=100, fps=10, pictures=210, b_frames=2),
    "h265-minute": Clip(Codec.H265, gop=300, fps=5, pictures=310),
}
"""Clips made here: without and with B-pictures, several slices, long GOPs."""

SHARED = {
    "cctv/aws_h264SampleFrames.h264": Codec.H264,
    "h264/BA_MW_D.264": Codec.H264,
    "h264/BA1_FT_C.264": Codec.H264,
    "h264/CI_MW_D.264": Codec.H264,
    "h264/MIDR_MW_D.264": Codec.H264,
    "h264/MPS_MW_A.264": Codec.H264,
    "h264/MR1_BT_A.h264": Codec.H264,
    "h264/NRF_MW_E.264": Codec.H264,
    "h264/test_cif_P_CABAC_slice.264": Codec.H264,
    "h264/Adobe_PDF_sample_a_1024x768_50Frms.264": Codec.H264,
    "h264/Cisco_Men_whisper_640x320_CABAC_Bframe_9.264": Codec.H264,
    "h264/test_qcif_cabac.264": Codec.H264,
    "h264/input-30-240p-vp-sps-pps.h264": Codec.H264,
    "h264/minimp4_foreman_slices.264": Codec.H264,
    "h264/gpac_enst_video.h264": Codec.H264,
    "h265/input-60-640x480.h265": Codec.H265,
    "h265/input-60-640x480-variable-parameters.h265": Codec.H265,
    "h265/input-15-1280x720-temporal-id-1.h265": Codec.H265,
    "h265/input-300-98x58-conformance-window.h265": Codec.H265,
}
"""Suitable ones: a stream that begins with its parameter sets and a sync picture."""


@dataclass(frozen=True)
class Recorded:
    """Films, and what a recorder made of them."""

    films: dict[str, Film]
    ring: dict[str, list[Found]]
    cuts: dict[str, list[Path]]


def record(home: Path, films: dict[str, Film], cut: Sequence[str] = ()) -> Recorded:
    """Has a recorder record all films at once, then cuts some, and reads the ring's own files."""
    box = Box(home)
    source = ClipSource(films)
    cuts: dict[str, list[Path]] = {}
    try:
        for name in films:
            command(box, "camera", "add", name, "--url", source.url(name), "--owner-kind", "state")
        with box.running("run" if cut else "record"):
            assert source.all_sent.wait(DEADLINE_S), "the films were not sent"
            # A camera that falls silent is left after 5 s: by then its run has ended.
            box.until(lambda now: all(c.state != "recording" for c in now.cameras))
            box.until(lambda _: all(is_durable(box, name, films[name]) for name in cut))
            for name in cut:
                span = ("--from", "-3m", "--to", "now")
                out = str(home / f"{name}.mp4")
                told = command(box, "cut", name, *span, "--purpose", "test", "-o", out, "--json")
                cuts[name] = [Path(file["path"]) for file in json.loads(told)["files"]]
    finally:
        source.stop()
        if box.process is not None:
            box.stop(signal.SIGKILL)
    with Catalog(home, is_readonly=True) as catalog:
        names = {c.streams[0].id: c.code for c in catalog.cameras()}
    ring = {names[stream]: chunks for stream, chunks in walk_ring(box.disk).items()}
    return Recorded(films, ring, cuts)


def is_durable(box: Box, name: str, film: Film) -> bool:
    """Whether all of a film is on the disk; its end is written in the tick after the run's."""
    return sum(part.frames for part in box.timeline(name, "main").ranges) == len(film.units)


def command(box: Box, *arguments: str) -> str:
    """A command in this process: a Python of its own for each would take half of the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = vonggac(["--home", str(box.home), *arguments])
    assert status == 0, err.getvalue()
    return out.getvalue()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Recorded:
    ffmpeg, ffprobe = program("ffmpeg"), program("ffprobe")
    room = tmp_path_factory.mktemp("films")
    films = {}
    encoders = subprocess.run([ffmpeg, "-encoders"], capture_output=True, text=True, check=True)
    for name, clip in OWN.items():
        if f"libx{clip.codec.name[1:]}" in encoders.stdout:
            path = encode(ffmpeg, room / name, clip)
            film = read_film(ffprobe, path, clip.codec, seconds=SECONDS, fps=clip.fps)
            films[name] = replace(film, joined=name.endswith(("-b", "-slices")))
    own = list(films)
    for name, codec in SHARED.items():
        if (shared() / name).exists():
            films[code_of(name)] = read_film(ffprobe, shared() / name, codec, seconds=SECONDS)
    if not films:
        pytest.skip("neither x264 and x265 in this ffmpeg nor shared recordings")
    return record(room / "home", films, cut=own)


def shared() -> Path:
    """Where the shared recordings are, if they are there."""
    root = Path(__file__).resolve().parents[3]
    given = os.environ.get("VONGGAC_FIXTURES", root / "shared" / "fixtures")
    return Path(given) / "video" / "dev"


def film_of(recorded: Recorded, name: str) -> Film:
    film = recorded.films.get(name)
    if film is None:
        pytest.skip("its encoder is not in this ffmpeg, or it is not among the shared recordings")
    return film


def code_of(name: str) -> str:
    """A fixture's name as a camera's code."""
    return Path(name).stem.replace("_", "-")


def assert_nothing_is_missing(film: Film, chunks: Sequence[Found]) -> None:
    """Each NAL unit sent is there, in order, once; a parameter set may stand in the entry alone."""
    sent, at, left_out = film.nals, 0, 0
    for found in chunks:
        for nal in found.nals:
            while at < len(sent) and sent[at] != nal:
                assert nal_type(film.codec, sent[at]) in _SETS[film.codec], (
                    f"NAL unit {at} of type {nal_type(film.codec, sent[at])} is missing"
                )
                assert sent[at] in found.sets, f"parameter set {at} stands nowhere"
                at, left_out = at + 1, left_out + 1
            assert at < len(sent), f"a NAL unit that was never sent, or twice: {nal[:8].hex()}"
            at += 1
    assert at == len(sent), f"{len(sent) - at} NAL units of the end are missing"
    assert all(found.sets <= set(sent) for found in chunks)


def assert_times_are_the_cameras(film: Film, chunks: Sequence[Found]) -> None:
    """Presentation times are those of RTP; decode times rise, in chunks and from one to the next.

    A segment's line begins where its first chunk lies in the run.
    """
    shown: list[int] = []
    line, end = 0, 0
    path: Path | None = None
    for found in chunks:
        if found.path != path:
            path, line = found.path, found.claim.media_start_ticks - found.decode_ticks
        else:
            assert found.decode_ticks == end
        end = found.decode_ticks
        for _, duration, offset in found.samples:
            assert duration > 0
            shown.append(line + end + offset)
            end += duration
    assert_shown_as_sent(film, chunks, shown)


def assert_shown_as_sent(film: Film, chunks: Sequence[Found], shown: Sequence[int]) -> None:
    """All but the first of a run that a tick cut behind its first pictures.

    Two or three decode times do not yet show how a camera spaces and reorders its pictures: what
    the tick guessed is made good by those that follow. The longest way seen is 17 pictures: eight
    B-pictures in a row, and parameter sets that say nothing of them.
    """
    told = [ticks - shown[0] for ticks in shown]
    if len(chunks[0].samples) <= 3:
        told[1:20] = film.ticks[1:20]
    assert told == list(film.ticks)


@pytest.mark.parametrize("name", OWN)
def test_every_nal_unit_of_a_clip_stands_in_the_ring_once(recorded: Recorded, name: str) -> None:
    film, chunks = film_of(recorded, name), recorded.ring[name]
    assert_nothing_is_missing(film, chunks)
    assert_times_are_the_cameras(film, chunks)
    assert len({found.claim.run for found in chunks}) == 1
    assert {found.entry for found in chunks} <= {"avc1", "hvc1"}


@pytest.mark.parametrize("name", OWN)
def test_every_nal_unit_of_a_clip_stands_in_its_cut_once(recorded: Recorded, name: str) -> None:
    film = film_of(recorded, name)
    (path,) = recorded.cuts[name]
    chunks = walk_file(path)
    assert_nothing_is_missing(film, chunks)
    assert_times_are_the_cameras(film, chunks)


@pytest.mark.parametrize("name", [name for name in OWN if OWN[name].b_frames])
def test_a_player_sees_the_cameras_presentation_times(
    recorded: Recorded, name: str, program: Callable[[str], str]
) -> None:
    film = film_of(recorded, name)
    (path,) = recorded.cuts[name]
    entries = ("-show_entries", "packet=pts", "-select_streams", "v", "-of", "json")
    listed = subprocess.run(
        [program("ffprobe"), "-v", "error", *entries, str(path)], check=True, capture_output=True
    )
    shown = [packet["pts"] for packet in json.loads(listed.stdout)["packets"]]
    assert listed.stderr == b""
    assert_shown_as_sent(film, walk_file(path), shown)


@pytest.mark.parametrize("name", SHARED)
def test_every_nal_unit_of_a_shared_recording_stands_in_the_ring_once(
    recorded: Recorded, name: str
) -> None:
    film, chunks = film_of(recorded, code_of(name)), recorded.ring[code_of(name)]
    assert_nothing_is_missing(film, chunks)
    assert_times_are_the_cameras(film, chunks)
