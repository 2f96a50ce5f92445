"""Cameras for benches: builds and runs camera_source.c, and makes the clip that it serves.

    python bench/camera_source.py --port 8554 --seconds 60      serves, then prints what it cost

Any path on 127.0.0.1 is a camera; all send one H.264 stream of 4 Mbit/s. As a module: `Source`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from vonggac.media.chunk import Codec
from vonggac.rtsp.packetise import Packetiser
from vonggac.rtsp.server import Mount, describe
from vonggac_appliance.camera_clip import MAIN_FPS, STREET, Clip, load_clip, load_scene

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
FRAMES_PER_SECOND = Fraction(25)
GOP = 50
SECONDS = 10
_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra")


@dataclass(frozen=True, slots=True)
class Report:
    """What a source did."""

    cpu_s: float
    frames: int
    """Access units produced, the same for all sessions."""
    sessions_peak: int
    bytes: int
    units: int
    """Access units sent, over all sessions."""
    lost: int
    """Access units that a session could not take in five seconds: with any, the bench is void."""
    late_ticks: int
    """Eighths of a frame time in which the source itself did not run."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """What one session was sent: access units `first` up to `first + units`, those lost aside."""

    session: int
    first: int
    units: int
    lost: int


def build() -> Path:
    """The compiled source."""
    source, binary = HERE / "camera_source.c", BUILD / "camera_source"
    BUILD.mkdir(exist_ok=True)
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", *_FLAGS, "-o", binary, source], check=True)
    return binary


def make_clip(bits_per_second: int = 4_000_000, gop: int = GOP) -> Clip:
    """Ten seconds of H.264 at a constant rate: by x264 if ffmpeg is there, else padded."""
    path = BUILD / (f"clip-{bits_per_second}" + ("" if gop == GOP else f"-gop{gop}") + ".h264")
    BUILD.mkdir(exist_ok=True)
    if not path.exists() and shutil.which("ffmpeg"):
        rate = str(bits_per_second)
        picture = f"testsrc2=size=1280x720:rate={FRAMES_PER_SECOND},noise=alls=12:allf=t"
        subprocess.run(
            [
                *("ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi"),
                *("-i", picture, "-t", str(SECONDS), "-pix_fmt", "yuv420p"),
                *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", str(gop)),
                *("-sc_threshold", "0", "-b:v", rate, "-minrate", rate, "-maxrate", rate),
                *("-bufsize", str(bits_per_second // 2), "-x264-params", "nal-hrd=cbr"),
                *("-f", "h264", str(path)),
            ],
            check=True,
        )
    if path.exists():
        return load_clip(path.read_bytes(), Codec.H264, FRAMES_PER_SECOND)
    return padded_clip(bits_per_second)


def padded_clip(bits_per_second: int) -> Clip:
    """The demo's street, each last slice filled up with cabac_zero_words (H.264 7.3.2.10)."""
    main, _ = load_scene(STREET)
    per_unit = int(bits_per_second / 8 / MAIN_FPS)
    units: list[tuple[bytes, ...]] = []
    for unit in main.units:
        missing = max(0, per_unit - sum(map(len, unit)))
        units.append((*unit[:-1], unit[-1] + b"\x00\x00\x03" * (missing // 3)))
    return Clip(main.codec, tuple(units), main.frame_ticks, main.vps, main.sps, main.pps)


def write_clip(clip: Clip, path: Path) -> None:
    """The clip as camera_source.c reads it."""
    packetiser = Packetiser(clip.codec)
    sdp = describe(Mount("/bench", clip.codec, clip.vps, clip.sps, clip.pps))
    out = [b"VGCS", struct.pack(">I", len(sdp)), sdp]
    out.append(struct.pack(">III", clip.frame_ticks, clip.frame_ns, len(clip.units)))
    for unit in clip.units:
        packets = packetiser.access_unit(unit, 0)
        out.append(struct.pack(">I", len(packets)))
        out += [struct.pack(">H", len(packet)) + packet for packet in packets]
    path.write_bytes(b"".join(out))


class Source:
    """A running source. `stop` gives its report, `sessions` then what each session was sent."""

    def __init__(self, *, clip: Clip | None = None, port: int = 0, seconds: int = 0) -> None:
        self.clip = clip or make_clip()
        self.sessions: tuple[SessionReport, ...] = ()
        with tempfile.TemporaryDirectory() as room:
            path = Path(room) / "clip"
            write_clip(self.clip, path)
            command = [str(build()), str(path), str(port), str(seconds)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert self._process.stdout is not None
            words = self._process.stdout.readline().split()  # by then it has read the clip
        if len(words) != 2:
            raise RuntimeError("the camera source did not start")
        self.port = int(words[1])
        # It tells of each session that ends: nobody reading would stop it after a thousand.
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._lines.extend, args=(self._process.stdout,))
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the process whose cost is measured."""
        return self._process.pid

    def url(self, camera: str) -> str:
        """The address of any camera."""
        return f"rtsp://127.0.0.1:{self.port}/{camera}"

    def stop(self) -> Report:
        """Ends it, or waits for its end."""
        self._process.terminate()
        return self.wait()

    def wait(self) -> Report:
        """Waits until its seconds are over."""
        self._reader.join()
        self._process.wait()
        *sessions, last = [json.loads(line) for line in self._lines]
        self.sessions = tuple(SessionReport(**row) for row in sessions)
        return Report(**last)

    def sent(self, session: SessionReport) -> Iterator[bytes]:
        """The NAL units that a session was sent, in order, if it lost none."""
        count = len(self.clip.units)
        for number in range(session.first, session.first + session.units):
            yield from self.clip.units[number % count]

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Serves bench cameras on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--seconds", type=int, default=0, help="0: until interrupted")
    parser.add_argument("--padded", action="store_true", help="the clip that needs no ffmpeg")
    options = parser.parse_args(argv)
    clip = padded_clip(4_000_000) if options.padded else None
    with Source(clip=clip, port=options.port, seconds=options.seconds) as source:
        size = sum(len(nal) for unit in source.clip.units for nal in unit)
        print(
            f"{source.url('cam1')} and so on, {size * 8 * 25 / len(source.clip.units):,.0f} bit/s"
        )
        began = time.monotonic()
        try:
            report = source.wait()
        except KeyboardInterrupt:
            report = source.stop()
        print(json.dumps({"seconds": round(time.monotonic() - began, 1)}), report, sep="\n")
    return 0 if report.lost == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
