"""What does the motion index cost beside the decoding it needs, and what does it find?

    python bench/motion.py                      own scenes: about two minutes
    python bench/motion.py --fixtures DIR       and SCENE-….mp4 with SCENE.npz (design/motion.md)

Cost: CPU time of one thread. The same samples are decoded by libavcodec alone and go through the
index as `vonggac motion run` makes it, one after the other in each round; the best of the rounds
counts. Quality: of searches in random rectangles, second by second, as tests/motion_scenes.py says.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import libav_bare
import numpy as np
from judge import Table, calibrate

from vonggac.motion.decode import Luma, LumaDecoder
from vonggac.motion.detect import Detector
from vonggac.motion.film import film_of, npy
from vonggac.motion.slots import Tier
from vonggac.playback.still import entry_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import motion_scenes as scenes

ROUNDS = 5
CAMERAS = 64
BARE_TIMES = 1.25
HALF_A_CORE = 0.5
KEY_SHARE = 0.01
GOP_S = 2
LEAST = 0.92
LEAST_POOR = 0.85
"""Precision of H.265 at 230 kbit/s where nearly nothing moves."""
START_NS = 1_700_000_000_000_000_000
KBIT = {"h264": 384, "hevc": 230}
ENCODERS = {"h264": "libx264", "hevc": "libx265"}


@dataclass(frozen=True, slots=True)
class Clip:
    """The samples of a film, as the ring has them and with start codes."""

    name: str
    codec: str
    entry: bytes
    samples: list[tuple[bytes, int, bool]]
    """Bytes, wall time, whether it is a sync sample."""
    annex_b: list[bytes]
    rate: float

    @property
    def keys(self) -> list[tuple[bytes, int, bool]]:
        """The sync samples alone."""
        return [sample for sample in self.samples if sample[2]]


def sets_of(entry: bytes) -> bytes:
    """The parameter sets of an avcC or hvcC, with start codes (ISO/IEC 14496-15)."""
    config, sets = entry[94:], []
    if entry[4:6] == b"av":
        at = 5
        for _ in ("SPS", "PPS"):
            count, at = config[at] & 31, at + 1
            for _ in range(count):
                size = int.from_bytes(config[at : at + 2], "big")
                sets.append(config[at + 2 : at + 2 + size])
                at += 2 + size
    else:
        at = 23
        for _ in range(config[22]):
            count = int.from_bytes(config[at + 1 : at + 3], "big")
            at += 3
            for _ in range(count):
                size = int.from_bytes(config[at : at + 2], "big")
                sets.append(config[at + 2 : at + 2 + size])
                at += 2 + size
    return b"".join(b"\0\0\0\1" + one for one in sets)


def clip_of(path: Path) -> Clip:
    """Reads a film into memory."""
    raw = path.read_bytes()
    entry = entry_of(raw[raw.index(b"stsd") :])
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        samples = [
            (bytes(p), START_NS + int(p.pts * p.time_base * 1_000_000_000), p.is_keyframe)
            for p in film.demux(stream)
            if p.size and p.pts is not None and p.time_base is not None
        ]
        codec, rate = stream.codec_context.name, float(stream.average_rate or 0)
    sets = sets_of(entry)
    annex_b = [libav_bare.start_codes(data, sets if key else b"") for data, _, key in samples]
    return Clip(path.stem, codec, entry, samples, annex_b, rate)


def indexed(clip: Clip) -> float:
    """Seconds of CPU of the whole tier."""
    decoder, detector = LumaDecoder(clip.entry), Detector(Tier.FULL)
    began_s = time.thread_time()
    for data, wall_ns, _ in clip.samples:
        for luma in decoder.push(data, wall_ns):
            detector.push(luma)
    for luma in decoder.finish():
        detector.push(luma)
    return time.thread_time() - began_s


def by_keys(clip: Clip) -> float:
    """Seconds of CPU of the key-frame tier."""
    decoder, detector = LumaDecoder(clip.entry, Tier.KEY), Detector(Tier.KEY)
    began_s = time.thread_time()
    for data, wall_ns, _ in clip.keys:
        for luma in (*decoder.push(data, wall_ns), *decoder.finish()):
            detector.push(luma)
    return time.thread_time() - began_s


def by_pyav(clip: Clip) -> float:
    """Seconds of CPU of PyAV's own loop, which looks at no picture."""
    decoder = LumaDecoder(clip.entry)
    began_s = time.thread_time()
    for data, wall_ns, _ in clip.samples:
        packet = av.Packet(data)
        packet.pts = wall_ns
        decoder._context.decode(packet)
    return time.thread_time() - began_s


def costs(table: Table, clips: Sequence[Clip]) -> None:
    """The whole tier against libavcodec alone, and what 64 cameras need."""
    shares = []
    for clip in clips:
        count = len(clip.samples)
        bare, ours, pyav, loads = [], [], [], []
        for _ in range(ROUNDS):
            before = calibrate().stretch
            cpu_s, pictures = libav_bare.decode(clip.codec, clip.annex_b)
            assert pictures == count, (clip.name, pictures, count)
            bare.append(cpu_s)
            ours.append(indexed(clip))
            pyav.append(by_pyav(clip))
            loads.append(max(before, calibrate().stretch))
        ratio = min(ours) / min(bare)
        middle = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
        table.row(
            f"{clip.name}: index against libavcodec alone (median {middle:.2f})",
            f"{ratio:.2f} ×",
            f"{BARE_TIMES} ×",
            ratio <= BARE_TIMES,
            min(loads),
        )
        parts = " / ".join(f"{1000 * min(of) / count:.3f}" for of in (bare, pyav, ours))
        table.row("  ms a picture: libavcodec / PyAV, no picture looked at / index", parts)
        shares.append(min(ours) / count * clip.rate)
    core = CAMERAS * statistics.mean(shares)
    table.row(
        f"{CAMERAS} cameras of 640x360, 10 pictures a second, mean of these films",
        f"{core:.2f} of a core",
        f"{HALF_A_CORE}",
        core <= HALF_A_CORE,
        calibrate().stretch,
    )


def key_costs(table: Table, clips: Sequence[Clip]) -> None:
    """The key-frame tier, at a key frame every two seconds."""
    for clip in clips:
        rounds = [by_keys(clip) for _ in range(ROUNDS)]
        each_s = min(rounds) / len(clip.keys)
        table.row(
            f"{clip.name}: key frames alone, {1000 * each_s:.1f} ms each",
            f"{100 * each_s / GOP_S:.2f} % of a core",
            f"{100 * KEY_SHARE:.0f} %",
            each_s / GOP_S <= KEY_SHARE,
            calibrate().stretch,
        )


def grid_costs(table: Table) -> None:
    """What is done to a picture that is decoded."""
    rng = np.random.default_rng(1)
    for width, height in ((640, 360), (1280, 720), (1920, 1080)):
        planes = [rng.integers(0, 256, width * height, np.uint8).tobytes() for _ in range(2)]
        times_us = []
        for _ in range(ROUNDS):
            detector = Detector(Tier.FULL)
            lumas = [luma_at(planes[i % 2], width, height, i) for i in range(200)]
            began_s = time.thread_time()
            for luma in lumas:
                detector.push(luma)
            times_us.append((time.thread_time() - began_s) / len(lumas) * 1e6)
        table.row(f"{width}x{height}: means, comparison, slots", f"{min(times_us):.0f} us")


def luma_at(plane: bytes, width: int, height: int, at: int) -> Luma:
    """One of ten a second."""
    return Luma(START_NS + at * 100_000_000, plane, width, width, height)


def found_in(path: Path, tier: Tier, seconds: int) -> np.ndarray:
    """(seconds, 36, 64); what the key-frame tier does not cover is empty."""
    grid = np.load(io.BytesIO(npy(film_of(path, tier))))[:seconds]
    return np.concatenate([grid, np.zeros((seconds - len(grid), 36, 64), bool)])


def quality(table: Table, name: str, path: Path, shares: np.ndarray, is_poor: bool) -> None:
    """Both tiers; the key-frame tier is told, not judged."""
    precision, recall = scenes.region_figures(shares, found_in(path, Tier.FULL, len(shares)))
    least = LEAST_POOR if is_poor else LEAST
    table.row(
        f"{name}: precision / recall of a region",
        f"{precision:.3f} / {recall:.3f}",
        f"{least} / {LEAST}",
        precision >= least and recall >= LEAST,
    )
    precision, recall = scenes.region_figures(shares, found_in(path, Tier.KEY, len(shares)))
    table.row("  by key frames alone", f"{precision:.3f} / {recall:.3f}")


def own_films(room: Path) -> Iterator[tuple[str, Path, np.ndarray, bool]]:
    """Name, film, truth, whether its encoder is too poor for its noise."""
    for name, scene in scenes.SCENES.items():
        shares = scenes.truth(scene)
        for codec, kbit in KBIT.items():
            path = room / f"{name}-360-{codec}.mp4"
            scenes.write(scene, path, ENCODERS[codec], kbit)
            yield path.stem, path, shares, (name, codec) == ("quiet", "hevc")


def given_films(folder: Path) -> Iterator[tuple[str, Path, np.ndarray, bool]]:
    """SCENE-….mp4 with SCENE.npz: the share of each cell that changed, 25 pictures a second."""
    for path in sorted(folder.glob("*.mp4")):
        change = np.load(folder / f"{path.stem.split('-')[0]}.npz")["change"].astype(float)
        shares = change[: len(change) // 25 * 25].reshape(-1, 25, 36, 64).max(1)
        yield path.stem, path, shares, path.stem == "quiet-360-hevc"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fixtures", type=Path, help="a folder of films and truth")
    args = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-") as name:
        films = list(own_films(Path(name)))
        large = scenes.write(scenes.QUIET, Path(name) / "quiet-1080-h264.mp4", "libx264", 4000, 3)
        larges = [clip_of(large)]
        if args.fixtures is not None:
            given = list(given_films(args.fixtures))
            films += [film for film in given if "-360-" in film[0]]
            larges += [clip_of(film[1]) for film in given if "-1080-" in film[0]]
        usual = [film for film in films if film[0].split("-")[0] in ("busy", "quiet", "night")]
        costs(table, [clip_of(film[1]) for film in usual])
        key_costs(table, larges)
        grid_costs(table)
        for film in films:
            quality(table, *film)
    return 0 if table.is_all_well else 1


if __name__ == "__main__":
    sys.exit(main())
