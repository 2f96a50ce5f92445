"""Draws the demo's clips anew: people-like shapes on a noisy street, a clock burnt in.

    python bench/make_clips.py [DIRECTORY]      needs ffmpeg with libx264 and libx265

The result stands in appliance/vonggac_appliance/demo, so that the demo needs neither. Scenes repeat
without a jump after ten seconds; the clock is the clip's own.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 10
FRAMES = FPS * SECONDS
HORIZON = 260
"""Row where the house fronts end and the street begins."""

# Five rows a sign of three dots each, the left one in the highest bit.
ROWS = {
    "0": (7, 5, 5, 5, 7), "1": (2, 6, 2, 2, 7), "2": (7, 1, 7, 4, 7), "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1), "5": (7, 4, 7, 1, 7), "6": (7, 4, 7, 5, 7), "7": (7, 1, 2, 2, 2),
    "8": (7, 5, 7, 5, 7), "9": (7, 5, 7, 1, 7), ":": (0, 2, 0, 2, 0), ".": (0, 0, 0, 0, 2),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """Somebody who crosses the picture `laps` times in a clip, to the left if it is negative."""

    start: float
    laps: int
    feet: int
    height: int
    luma: int
    chroma: tuple[int, int]


@dataclass
class Picture:
    """One yuv420p frame that is drawn on."""

    y: bytearray
    u: bytearray
    v: bytearray

    def box(self, left: int, top: int, width: int, height: int, luma: int) -> None:
        """A filled rectangle of luma, cut at the edges."""
        x0, x1 = max(0, left), min(WIDTH, left + width)
        if x0 >= x1:
            return
        for row in range(max(0, top), min(HEIGHT, top + height)):
            self.y[row * WIDTH + x0 : row * WIDTH + x1] = bytes((luma,)) * (x1 - x0)

    def tint(self, left: int, top: int, width: int, height: int, chroma: tuple[int, int]) -> None:
        """A filled rectangle of chroma."""
        half = WIDTH // 2
        x0, x1 = max(0, left // 2), min(half, (left + width) // 2)
        if x0 >= x1:
            return
        for row in range(max(0, top // 2), min(HEIGHT // 2, (top + height) // 2)):
            for plane, value in ((self.u, chroma[0]), (self.v, chroma[1])):
                plane[row * half + x0 : row * half + x1] = bytes((value,)) * (x1 - x0)


def background(rng: random.Random, night: bool) -> list[Picture]:
    """Four frames of the empty street that differ by sensor noise alone."""
    grain = [rng.choice((-5, -3, 0, 0, 3, 5)) for _ in range(4096)]
    base = bytearray(WIDTH * HEIGHT)
    for row in range(HEIGHT):
        wall = row < HORIZON
        level = (70 if night else 150) if wall else (45 if night else 105) + row // 24
        offset = rng.randrange(4096)
        for x in range(WIDTH):
            window = wall and 60 < row % 130 < 110 and 30 < x % 160 < 90
            # Grain in blocks of two, as a cheap sensor's, so that an encoder need not keep it all.
            value = level - (40 if window else 0) + grain[(offset * (row // 2) + x // 2) % 4096]
            base[row * WIDTH + x] = max(16, min(235, value))
    out: list[Picture] = []
    for _ in range(4):
        y = bytearray(base)
        for at in rng.sample(range(WIDTH * HEIGHT), 6000):
            y[at] = min(235, y[at] + 6)
        out.append(
            Picture(y, bytearray(b"\x80" * (len(y) // 4)), bytearray(b"\x80" * (len(y) // 4)))
        )
    return out


def draw_person(picture: Picture, person: Person, phase: float) -> None:
    """Head, trunk and two legs that swing; `phase` is 0 to 1 within the clip."""
    height, span = person.height, WIDTH + 200
    x = int((person.start + phase * person.laps) % 1.0 * span) - 100
    top, width = person.feet - height, height // 3
    swing = int(math.sin(phase * 2 * math.pi * 18) * width / 3)
    picture.box(x - width // 4 + swing, top + height * 6 // 10, width // 4, height * 4 // 10, 40)
    picture.box(x + width // 8 - swing, top + height * 6 // 10, width // 4, height * 4 // 10, 40)
    picture.box(x - width // 2, top + height // 5, width, height * 2 // 5, person.luma)
    picture.tint(x - width // 2, top + height // 5, width, height * 2 // 5, person.chroma)
    radius = height // 10
    for dy in range(-radius, radius):
        half = int(math.sqrt(radius * radius - dy * dy))
        picture.box(x - half, top + radius + dy, 2 * half, 1, 175)


def draw_clock(picture: Picture, text: str) -> None:
    """Light signs on a dark box, 8 pixels a dot."""
    dot, left, top = 8, 24, 24
    picture.box(left - 8, top - 8, len(text) * 4 * dot + 8, 5 * dot + 16, 20)
    for index, sign in enumerate(text):
        for row, bits in enumerate(ROWS[sign]):
            for column in range(3):
                if bits & 4 >> column:
                    x = left + (index * 4 + column) * dot
                    picture.box(x, top + row * dot, dot, dot, 230)


def frames(seed: int, night: bool) -> Iterator[bytes]:
    """The clip's frames, yuv420p."""
    rng = random.Random(seed)
    empty = background(rng, night)
    people = [
        Person(
            start=rng.random(),
            laps=rng.choice((-1, 1)),
            feet=feet,
            height=100 + (feet - HORIZON) // 2,
            luma=rng.randrange(60, 220),
            chroma=(rng.randrange(90, 170), rng.randrange(90, 170)),
        )
        for feet in sorted(rng.sample(range(HORIZON + 60, HEIGHT - 20), 4))
    ]
    for number in range(FRAMES):
        ground = empty[number % len(empty)]
        picture = Picture(bytearray(ground.y), bytearray(ground.u), bytearray(ground.v))
        for person in people:
            draw_person(picture, person, number / FRAMES)
        draw_clock(picture, f"00:00:{number // FPS:02}.{number % FPS:02}")
        yield bytes(picture.y + picture.u + picture.v)


def encode(name: str, codec: str, seed: int, night: bool, directory: Path) -> None:
    """One scene, as main and sub stream, a key frame every two seconds, no B-frames."""
    if codec == "h264":
        coder = ["-c:v", "libx264", "-preset", "veryslow", "-bf", "0", "-sc_threshold", "0"]
        clean = ["-bsf:v", "filter_units=remove_types=6"]  # the encoder's own advertisement
        quality = ("30", "31")
    else:
        options = "bframes=0:scenecut=0:open-gop=0:repeat-headers=1:info=0:log-level=error"
        coder = ["-c:v", "libx265", "-preset", "slow", "-x265-params", options]
        clean = []
        quality = ("31", "32")
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
    main = [*coder, *clean, "-crf", quality[0], "-g", str(2 * FPS), "-keyint_min", str(2 * FPS)]
    small = ["-vf", "fps=25/2,scale=640:360", *coder, *clean, "-crf", quality[1]]
    sub = [*small, "-g", str(FPS), "-keyint_min", str(FPS)]
    muxer = "h264" if codec == "h264" else "hevc"
    command = [
        *("ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *raw, "-i", "-"),
        *(*main, "-f", muxer, str(directory / f"{name}-main.{codec}")),
        *(*sub, "-f", muxer, str(directory / f"{name}-sub.{codec}")),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for frame in frames(seed, night):
            process.stdin.write(frame)
        process.stdin.close()
    if process.returncode != 0:
        raise SystemExit(f"ffmpeg ended with {process.returncode} for {name}")


def main() -> None:
    here = Path(__file__).resolve().parent.parent
    default = here / "appliance" / "vonggac_appliance" / "demo"
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    directory.mkdir(parents=True, exist_ok=True)
    encode("street", "h264", seed=1, night=False, directory=directory)
    encode("alley", "h265", seed=2, night=True, directory=directory)


if __name__ == "__main__":
    main()
