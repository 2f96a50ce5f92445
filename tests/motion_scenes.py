"""Scenes whose motion is known: bodies composited on a still ground, with the noise of a sensor.

Everything comes from a seed. The truth is taken from the pictures before noise is added and an
encoder sees them: which share of a cell's pixels changed by more than 8 levels from one picture to
the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, RATE = 640, 360, 10
ROWS, COLUMNS = 36, 64

Picture = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Body:
    """Something that passes, `width` by `height` pixels."""

    from_s: float
    to_s: float
    start: tuple[float, float]
    """Of its middle, in parts of the picture."""
    end: tuple[float, float]
    width: int
    height: int
    level: int


@dataclass(frozen=True)
class Scene:
    seconds: int
    bodies: tuple[Body, ...]
    gain: float = 1.0
    noise: float = 2.0
    """Standard deviation, in levels."""
    switches: tuple[float, ...] = ()
    """When the light goes on or off, in seconds; it is on at first."""
    shaking: tuple[int, int, int, int] | None = None
    """Left, top, right, bottom in pixels: leaves in the wind, all the time."""


def _smooth(rng: np.random.Generator, height: int, width: int, step: int) -> Picture:
    coarse = rng.standard_normal((height // step + 2, width // step + 2)).astype(np.float32)
    return np.kron(coarse, np.ones((step, step), np.float32))[:height, :width]


@cache
def ground(seed: int = 1) -> Picture:
    """Walls, windows, a street: flat parts with edges, and fine grain."""
    rng = np.random.default_rng(seed)
    parts = sum(weight * _smooth(rng, HEIGHT, WIDTH, step) for step, weight in
                ((60, 22.0), (20, 12.0), (6, 6.0), (2, 3.0)))  # fmt: skip
    slope = np.linspace(-15, 15, HEIGHT, dtype=np.float32)[:, None]
    return np.asarray(np.clip(115 + parts + slope, 10, 240), np.float32)


def _draw(picture: Picture, body: Body, at_s: float) -> None:
    """A body with folds and limbs that swing as it goes."""
    done = (at_s - body.from_s) / (body.to_s - body.from_s)
    x, y = (int((a + (b - a) * done) * side) for a, b, side in
            zip(body.start, body.end, (WIDTH, HEIGHT), strict=True))  # fmt: skip
    left, top = x - body.width // 2, y - body.height // 2
    y0, y1 = max(0, top), min(HEIGHT, top + body.height)
    x0, x1 = max(0, left), min(WIDTH, left + body.width)
    if y0 >= y1 or x0 >= x1:
        return
    v, u = np.mgrid[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    u, v = u / body.width * 2 - 1, v / body.height * 2 - 1
    swing = np.where(v > 0.2, 0.25 * np.sin(at_s * 9.0) * (v - 0.2), 0.0)
    inside = (u + swing) ** 2 / (0.75 + 0.2 * np.cos(3 * v)) ** 2 + v**2 < 1
    folds = 14 * np.sin(9 * u + 4 * v) + 8 * np.sin(15 * v)
    part = picture[y0:y1, x0:x1]
    part[inside] = (body.level + folds)[inside]


def clean(scene: Scene) -> Iterator[Picture]:
    """The pictures as they would be without a sensor."""
    rng = np.random.default_rng(77)
    for at in range(scene.seconds * RATE):
        at_s = at / RATE
        picture = ground().copy()
        if scene.shaking is not None:
            left, top, right, bottom = scene.shaking
            leaves = _smooth(rng, bottom - top, right - left, 5)
            picture[top:bottom, left:right] += 12 * leaves
        for body in scene.bodies:
            if body.from_s <= at_s < body.to_s:
                _draw(picture, body, at_s)
        is_dark = sum(switch <= at_s for switch in scene.switches) % 2
        yield np.clip(picture * scene.gain * (0.35 if is_dark else 1.0), 0, 255)


def seen(scene: Scene) -> Iterator[npt.NDArray[np.uint8]]:
    """The same as a sensor gives them."""
    rng = np.random.default_rng(5)
    for picture in clean(scene):
        noise = rng.standard_normal(picture.shape, dtype=np.float32) * scene.noise
        yield np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def truth(scene: Scene) -> npt.NDArray[np.float64]:
    """(seconds, 36, 64): the largest share of a cell that changed at once in that second."""
    shares = np.zeros((scene.seconds, ROWS, COLUMNS))
    before: Picture | None = None
    for at, picture in enumerate(clean(scene)):
        if before is not None:
            changed = np.abs(picture - before) > 8
            of_cells = changed.reshape(ROWS, HEIGHT // ROWS, COLUMNS, WIDTH // COLUMNS).mean((1, 3))
            second = at // RATE
            shares[second] = np.maximum(shares[second], of_cells)
        before = picture
    return shares


def write(scene: Scene, path: Path, codec: str, kbit: int, scale: int = 1) -> Path:
    """An MP4 as a camera's sub stream would be: a key frame every two seconds.

    `scale`: each pixel becomes so many in both directions.
    """
    options = {"preset": "veryfast", "threads": "1"}
    if codec == "libx265":
        options["x265-params"] = "log-level=none:pools=none:frame-threads=1:bframes=0:ref=1"
    with av.open(str(path), "w") as film:
        stream: Any = film.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH * scale, HEIGHT * scale, "yuv420p"
        stream.bit_rate = kbit * 1000
        stream.gop_size = 2 * RATE
        stream.max_b_frames = 0
        stream.time_base = Fraction(1, RATE)
        for at, luma in enumerate(seen(scene)):
            frame = av.VideoFrame(WIDTH * scale, HEIGHT * scale, "yuv420p")
            frame.planes[0].update(luma.repeat(scale, 0).repeat(scale, 1).tobytes())
            for plane in frame.planes[1:]:
                plane.update(b"\x80" * plane.buffer_size)
            frame.pts = at
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


def around(cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Each cell or one beside it."""
    wide = np.pad(cells, ((0, 0), (1, 1), (1, 1)))
    shifted = [wide[:, y : y + ROWS, x : x + COLUMNS] for y in range(3) for x in range(3)]
    found: npt.NDArray[np.bool_] = np.any(shifted, 0)
    return found


def region_figures(
    shares: npt.NDArray[np.float64], found: npt.NDArray[np.bool_], regions: int = 200
) -> tuple[float, float]:
    """Precision and recall of searches: random rectangles, second by second.

    A rectangle is to be found in a second where 5 % of a cell of it changed; it is a false one
    where nothing came near it. What lies between is not judged.
    """
    sure, maybe = shares >= 0.05, around(shares >= 0.005)
    rng = np.random.default_rng(11)
    right = false = missed = 0
    for _ in range(regions):
        width, height = rng.integers(3, 22), rng.integers(3, 16)
        left, top = rng.integers(0, COLUMNS - width), rng.integers(0, ROWS - height)
        part = np.s_[:, top : top + height, left : left + width]
        told, there, near = (of[part].any((1, 2)) for of in (found, sure, maybe))
        right += int((told & there).sum())
        false += int((told & ~near).sum())
        missed += int((~told & there).sum())
    return right / max(1, right + false), right / max(1, right + missed)


def _walkers(count: int, from_s: float, to_s: float, seed: int) -> tuple[Body, ...]:
    rng = np.random.default_rng(seed)
    bodies = []
    for _ in range(count):
        y = rng.uniform(0.3, 0.85)
        tall = int(30 + 60 * y)
        starts = rng.uniform(0.0, 0.9)
        pace = rng.uniform(0.03, 0.09) * rng.choice((-1, 1)) * (to_s - from_s)
        level = int(rng.choice((35, 60, 190, 215)))
        bodies.append(Body(from_s, to_s, (starts, y), (starts + pace, y), tall // 3, tall, level))
    return tuple(bodies)


BUSY = Scene(7, (*_walkers(7, 0, 7, 3), Body(2, 5, (-0.1, 0.7), (1.1, 0.75), 90, 45, 220)))
QUIET = Scene(10, _walkers(2, 6, 9, 4))
NIGHT = Scene(10, _walkers(3, 5, 8, 5), gain=0.3, noise=5.0)
SWITCH = Scene(8, _walkers(2, 6, 8, 6), switches=(3.45, 5.15))
WIND = Scene(12, _walkers(1, 9, 11, 8), shaking=(60, 40, 200, 130))
SCENES = {"busy": BUSY, "quiet": QUIET, "night": NIGHT, "switch": SWITCH, "wind": WIND}
