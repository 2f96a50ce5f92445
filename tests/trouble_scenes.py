"""Half hours of still cameras, and what befalls them: labelled pictures made by editing, seeded.

Each picture is what a sensor and an encoder leave of a scene at one moment; moments are 20 s apart,
the fewest with which the watch judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np
import numpy.typing as npt

from motion_scenes import HEIGHT, WIDTH, Picture, ground
from vonggac.motion.trouble import Trouble

S = 1_000_000_000
STEP_S = 20
NOON_NS = 1_790_000_000 * S // (86_400 * S) * 86_400 * S + 5 * 3600 * S
"""12:00 in Việt Nam."""
NIGHT_NS = NOON_NS + 10 * 3600 * S

Edit = Callable[[Picture, float, np.random.Generator], Picture]
"""A picture, the minutes since it began, chance."""


@dataclass(frozen=True)
class Befalls:
    """Something that happens to a camera's picture; `kind` None: nothing is wrong with it."""

    name: str
    kind: Trouble | None
    edit: Edit
    is_by_night: bool | None = None
    """None: by day and by night."""
    is_frozen: bool = False


def camera(seed: int, *, is_night: bool) -> tuple[Picture, float]:
    """What it sees when nothing passes, and the noise of its sensor."""
    day = ground(seed)
    if not is_night:
        return day, 2.0
    return infrared(day, seed), 5.0


@cache
def _lamp() -> Picture:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    far = np.hypot((x - WIDTH / 2) / WIDTH, (y - HEIGHT * 0.6) / HEIGHT)
    return np.asarray(np.clip(1.0 - 1.3 * far, 0.1, 1.0), np.float32)


def infrared(day: Picture, seed: int) -> Picture:
    """The same place by the camera's own lamp: a bright middle, and other shades of some things."""
    rng = np.random.default_rng(1000 + seed)
    patches = np.kron(rng.uniform(0.6, 1.3, (6, 8)), np.ones((60, 80))).astype(np.float32)
    lit: Picture = np.clip(day * patches[:HEIGHT, :WIDTH] * _lamp() * 0.9, 0, 255)
    return lit


def _box_blur(picture: Picture, radius: int) -> Picture:
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(picture.astype(np.float64), pad, mode="edge"), axis)
        n = picture.shape[axis]
        upper = np.take(sums, range(2 * radius + 1, 2 * radius + 1 + n), axis)
        lower = np.take(sums, range(n), axis)
        picture = ((upper - lower) / (2 * radius + 1)).astype(np.float32)
    return picture


def blurred(picture: Picture, sigma: float) -> Picture:
    """As a lens out of focus by so many pixels: three boxes are near to a Gaussian."""
    radius = max(1, round((np.sqrt(4 * sigma * sigma + 1) - 1) / 2))
    for _ in range(3):
        picture = _box_blur(picture, radius)
    return picture


def moved(picture: Picture, right: int, down: int) -> Picture:
    """The camera looks elsewhere by so many pixels; what comes into view is another ground."""
    other = ground(9999) * (picture.mean() / ground(9999).mean())
    wide = np.block([[picture, other], [other[::-1], other[:, ::-1]]])
    return wide[down : down + HEIGHT, right : right + WIDTH].astype(np.float32)


def rotated(picture: Picture, degrees: float) -> Picture:
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] - np.array([HEIGHT / 2, WIDTH / 2])[:, None, None]
    from_x = np.clip(x * np.cos(angle) + y * np.sin(angle) + WIDTH / 2, 0, WIDTH - 1).astype(int)
    from_y = np.clip(y * np.cos(angle) - x * np.sin(angle) + HEIGHT / 2, 0, HEIGHT - 1).astype(int)
    turned: Picture = picture[from_y, from_x]
    return turned


def _once(edit: Callable[[Picture], Picture]) -> Edit:
    """Of a picture that stays the same, what is slow to make."""
    made: dict[float, Picture] = {}

    def kept(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
        key = float(picture.sum())
        if key not in made:
            made.clear()
            made[key] = edit(picture)
        return made[key]

    return kept


def _cover(level: float, minutes: float, rest: float) -> Edit:
    """Comes over the lens within `minutes`; `rest` of the picture shines through."""

    def edit(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
        part = min(1.0, at / minutes) if minutes else 1.0
        return picture * (1 - part * (1 - rest)) + level * part * (1 - rest)

    return edit


def _but_for_a_rim(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    out = np.full_like(picture, 90.0)
    out[:36] = picture[:36]
    return out


def _dazzle(reach: float) -> Edit:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    glow = 600 * np.exp(-((np.hypot(x - 300, y - 170) / (reach * WIDTH)) ** 2))

    def edit(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
        dazzled: Picture = np.clip(picture * 0.6 + glow + rng.uniform(-10, 10), 0, 255)
        return dazzled

    return edit


def _dim(gain: float, floor: float) -> Edit:
    return lambda picture, at, rng: picture * gain + floor


def _rain(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    out = picture * 0.8 + 25
    for x, y in zip(rng.integers(0, WIDTH, 900), rng.integers(0, HEIGHT - 18, 900), strict=True):
        out[y : y + rng.integers(6, 18), x] += 60
    return out


def _clouds(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    shade = 0.7 + 0.3 * np.sin(x / 130 + at * 1.7) * np.cos(y / 170 + at * 0.9)
    return np.asarray(picture * (0.75 + 0.25 * np.sin(at)) * shade, np.float32)


def _headlights(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    return _dazzle(rng.uniform(0.1, 0.5))(picture, at, rng) if rng.random() < 0.35 else picture


def _crowd(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    out = picture.copy()
    for _ in range(70):
        x, y = int(rng.integers(0, WIDTH - 40)), int(rng.integers(60, HEIGHT - 90))
        out[y : y + 85, x : x + 34] = rng.uniform(20, 220) + rng.uniform(-15, 15, (85, 1))
    return out


def _lorry(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    out = picture.copy()
    out[90:330, 120:500] = 70.0
    out[100:240, 130:400] = 150.0
    return out


def _bus(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    """Stands before the lens for two minutes, and once more later."""
    return picture * 0 + 120 if at % 5 < 2 else picture


def _shaken(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    return np.roll(picture, tuple(rng.integers(-3, 4, 2)), (0, 1))


def _haze(picture: Picture, at: float, rng: np.random.Generator) -> Picture:
    return picture * 0.45 + 95


BEFALLS = (
    Befalls("painted over", Trouble.COVERED, _cover(130, 0, 0.0)),
    Befalls("a bag, which lets light through", Trouble.COVERED, _cover(170, 0, 0.06)),
    Befalls("covered within two minutes", Trouble.COVERED, _cover(90, 2, 0.0)),
    Befalls("covered but for a rim", Trouble.COVERED, _but_for_a_rim),
    Befalls("a torch", Trouble.BLINDED, _dazzle(0.45)),
    Befalls("a searchlight", Trouble.BLINDED, _dazzle(0.9)),
    Befalls("turned by 40 px", Trouble.TURNED, _once(lambda p: moved(p, 40, 0))),
    Befalls("turned by 120 px", Trouble.TURNED, _once(lambda p: moved(p, 120, 30))),
    Befalls("turned to the wall", Trouble.TURNED, _once(lambda p: moved(p, 600, 200))),
    Befalls("rotated by 15 degrees", Trouble.TURNED, _once(lambda p: rotated(p, 15))),
    Befalls("blurred by 6 px", Trouble.DEFOCUSED, _once(lambda p: blurred(p, 6))),
    Befalls("blurred by 10 px", Trouble.DEFOCUSED, _once(lambda p: blurred(p, 10))),
    Befalls("blurred by 16 px", Trouble.DEFOCUSED, _once(lambda p: blurred(p, 16))),
    Befalls("frozen", Trouble.FROZEN, lambda p, at, rng: p, is_frozen=True),
    Befalls("no light by day", Trouble.DARK, _dim(0.02, 2), is_by_night=False),
    Befalls("the lamp is out", Trouble.DARK, _dim(0.04, 1), is_by_night=True),
    Befalls("nothing", None, lambda p, at, rng: p),
    Befalls("rain", None, _rain),
    Befalls("clouds", None, _clouds, is_by_night=False),
    Befalls("haze", None, _haze),
    Befalls("the filter turns", None, lambda p, at, rng: infrared(p, 5), is_by_night=False),
    Befalls("headlights", None, _headlights),
    Befalls("a crowd", None, _crowd),
    Befalls("a lorry parks", None, _lorry),
    Befalls("a bus stops", None, _bus),
    Befalls("shaken by wind", None, _shaken),
    Befalls("the light is halved", None, _dim(0.5, 0)),
    Befalls("the light is doubled", None, _dim(1.8, 0)),
)


class Sensor:
    """Noise, and what an encoder leaves; `quantiser` 0: as if there were none, which is fast."""

    def __init__(self, seed: int, noise: float, quantiser: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._noise = self._rng.standard_normal((2 * HEIGHT, 2 * WIDTH), np.float32) * noise
        self._quantiser = quantiser

    def means(self, picture: Picture) -> bytes:
        y, x = self._rng.integers(0, HEIGHT), self._rng.integers(0, WIDTH)
        noise = self._noise[y : y + HEIGHT, x : x + WIDTH]
        luma = np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
        if self._quantiser:
            luma = _encoded(luma, self._quantiser)
        parts = luma.reshape(72, 5, 128, 5)
        means: npt.NDArray[np.float32] = parts.mean((1, 3), dtype=np.float32)
        return np.rint(means).astype(np.uint8).tobytes()


def _encoded(luma: npt.NDArray[np.uint8], quantiser: int) -> npt.NDArray[np.uint8]:
    """A key frame of H.264, decoded again."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "qp": str(quantiser)}
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.thread_count, encoder.options = Fraction(1, 10), 1, options
    frame = av.VideoFrame.from_ndarray(np.vstack([luma, np.full_like(luma[: HEIGHT // 2], 128)]),
                                       format="yuv420p")  # fmt: skip
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [f for p in [*packets, None] for f in decoder.decode(p)]
    return frames[0].to_ndarray(format="gray").astype(np.uint8, copy=False)


def usual(
    seed: int, minutes: float, *, is_night: bool, quantiser: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Times and means of a camera to which nothing happens; people pass."""
    still, noise = camera(seed, is_night=is_night)
    sensor = Sensor(seed, noise, quantiser)
    rng = np.random.default_rng(seed)
    for at in range(int(minutes * 60 / STEP_S)):
        picture = still * (1 + 0.05 * np.sin(at / 20))
        if rng.random() < 0.4:
            x = int(rng.integers(0, WIDTH - 40))
            picture[180:270, x : x + 34] = rng.uniform(20, 220)
        yield at * STEP_S * S, sensor.means(picture)


def befallen(
    what: Befalls, seed: int, minutes: float, *, is_night: bool, quantiser: int = 0
) -> Iterator[tuple[int, bytes]]:
    """The same from the moment on at which it happens."""
    still, noise = camera(seed, is_night=is_night)
    sensor, rng = Sensor(seed + 1, noise, quantiser), np.random.default_rng(seed)
    frozen = sensor.means(still)
    for at in range(int(minutes * 60 / STEP_S)):
        if what.is_frozen:
            yield at * STEP_S * S, frozen
        else:
            yield at * STEP_S * S, sensor.means(what.edit(still.copy(), at * STEP_S / 60, rng))
