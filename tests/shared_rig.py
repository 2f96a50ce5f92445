"""All that is among the shared fixtures, each file under what it is; so that none is forgotten."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from packetiser import H264, H265
from vonggac._native import segment
from vonggac._native.arena import BLOCK_BYTES, ArenaReader, format_arena
from vonggac._native.assembler import AccessUnit
from vonggac._native.chunker import Chunker
from vonggac.errors import MediaError

_ELEMENTARY = {".264": H264, ".h264": H264, ".jsv": H264, ".265": H265, ".h265": H265}
_CONTAINERS = (".mp4", ".avi", ".mkv", ".ts")
_SOUNDS = (".aac",)
_NO_DATA = "MANIFEST"
"""Without its suffix: the list of what is there, and where it is from."""
_BLOCKS = 2000
_START_NS = 1_763_700_000_000_000_000


def protocol_files(fixtures: Path) -> list[Path]:
    """What cameras and fuzzers said."""
    found = sorted(path for path in (fixtures / "rtsp").rglob("*") if path.is_file())
    return [path for path in found if path.stem != _NO_DATA]


def elementary_streams(fixtures: Path) -> list[tuple[int, Path]]:
    """Byte streams of NAL units, with their codec."""
    found = [(_ELEMENTARY[path.suffix], path) for path in _video(fixtures, tuple(_ELEMENTARY))]
    # A suffix is a hint; who sorts by folders knows better.
    return [(H265 if path.parent.name == "h265" else codec, path) for codec, path in found]


def containers(fixtures: Path) -> list[Path]:
    """Films: streams inside of something else."""
    return _video(fixtures, _CONTAINERS)


def sounds(fixtures: Path) -> list[Path]:
    """ADTS streams."""
    return _video(fixtures, _SOUNDS)


def _video(fixtures: Path, suffixes: tuple[str, ...]) -> list[Path]:
    found = sorted(path for path in (fixtures / "video").rglob("*") if path.is_file())
    return [path for path in found if path.suffix.lower() in suffixes]


def known_files(fixtures: Path) -> set[Path]:
    """All that a test goes through."""
    streams = [path for _, path in elementary_streams(fixtures)]
    return {*protocol_files(fixtures), *streams, *containers(fixtures), *sounds(fixtures)}


def listed_files(fixtures: Path) -> Iterator[tuple[str, list[Path]]]:
    """Each line of the manifests, and the files that it means."""
    for room in ("rtsp", "video"):
        folder = fixtures / room
        for name in re.findall(
            r"^\| ([\w./*+-]+\.[\w*]+) \|", (folder / f"{_NO_DATA}.md").read_text(), re.M
        ):
            pattern = name.removeprefix("dev/")
            yield name, [*folder.glob(f"*/{pattern}"), *folder.glob(f"*/*/{pattern}")]


def annex_b(ffmpeg: str, film: Path, seconds: float) -> bytes:
    """The first seconds of a film as a camera would send them: as they are if that is H.264."""
    command = [ffmpeg, "-v", "error", "-nostdin", "-i", str(film), "-t", str(seconds), "-an"]
    as_it_is = ["-c:v", "copy", "-bsf:v", "h264_mp4toannexb"]
    encoded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-threads", "1"]
    for how in (as_it_is, encoded):
        done = subprocess.run([*command, *how, "-f", "h264", "-"], capture_output=True, check=False)
        if done.returncode == 0 and done.stdout:
            return done.stdout
    raise AssertionError(done.stderr.decode("utf-8", "replace"))


def adts_frames(stream: bytes) -> list[bytes]:
    """The frames of an ADTS stream (ISO/IEC 13818-7 6.2), headers and all."""
    frames = []
    at = 0
    while at + 7 <= len(stream) and stream[at] == 0xFF and stream[at + 1] >> 4 == 0xF:
        size = (int.from_bytes(stream[at + 3 : at + 6]) >> 5) & 0x1FFF
        if size < 7:
            break
        frames.append(stream[at : at + size])
        at += size
    return frames


def kept(codec: int, units: list[AccessUnit]) -> tuple[bytes, int, str]:
    """The payload of all chunks, how many samples they have, and why there is nothing, if so."""
    memory = os.memfd_create("arena", os.MFD_CLOEXEC)
    os.ftruncate(memory, _BLOCKS * BLOCK_BYTES)
    format_arena(memory)
    chunker = Chunker(memory, codec, camera=b"c" * 16, stream=b"s" * 16, run=5)
    closed: list[int] = []
    why = ""
    for n, unit in enumerate(units):
        if not unit.is_picture:
            continue
        shift, mask = (0, 0x1F) if codec == H264 else (1, 0x3F)
        nals = [(nal[0] >> shift & mask, nal) for nal in unit.nals]
        try:
            closed += chunker.push(nals, n * 3600, unit.kind, _START_NS + n * 40_000_000)
        except MediaError as error:
            why = str(error)
    closed += chunker.end()
    reader = ArenaReader(memory, _BLOCKS * BLOCK_BYTES)
    payload, samples = b"", 0
    for header in closed:
        chunk = reader.chunk(header)
        samples += segment.claim_read(chunk.head)[0].samples
        payload += b"".join(bytes(part) for part in chunk.payload)
        assert chunk.segment_head[4:8] == b"ftyp"
        del chunk
    del reader
    os.close(memory)
    return payload, samples, why
