"""Clips for simulated cameras: access units of an Annex B file, repeated in real time."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from fractions import Fraction

from vonggac.media.chunk import Codec
from vonggac.rtsp.annexb import access_units, nal_type, split_annexb
from vonggac.rtsp.tracks import VIDEO_CLOCK_RATE

_SETS = {Codec.H264: ((), (7,), (8,)), Codec.H265: ((32,), (33,), (34,))}


@dataclass(frozen=True, slots=True)
class Clip:
    """What a stream repeats."""

    codec: Codec
    units: tuple[tuple[bytes, ...], ...]
    """Access units, each as its NAL units."""
    frame_ticks: int
    """From one access unit to the next, in ticks of 90 kHz."""
    vps: tuple[bytes, ...]
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def frame_ns(self) -> int:
        """From one access unit to the next, in ns."""
        return self.frame_ticks * 1_000_000_000 // VIDEO_CLOCK_RATE


def load_clip(stream: bytes, codec: Codec, frames_per_second: Fraction) -> Clip:
    """A clip of an Annex B byte stream. Raises ValueError if there is no picture in it."""
    units = split_annexb(stream)
    groups = access_units(codec, units)
    if not groups:
        raise ValueError("no access unit in this byte stream")
    vps, sps, pps = (
        tuple(dict.fromkeys(unit for unit in units if nal_type(codec, unit) in kinds))
        for kinds in _SETS[codec]
    )
    ticks = Fraction(VIDEO_CLOCK_RATE) / frames_per_second
    return Clip(codec, tuple(groups), round(ticks), vps, sps, pps)


@dataclass(frozen=True, slots=True)
class Scene:
    """A camera's two clips, by file name (bench/make_clips.py draws them)."""

    main: str
    sub: str
    codec: Codec


STREET = Scene("street-main.h264", "street-sub.h264", Codec.H264)
ALLEY = Scene("alley-main.h265", "alley-sub.h265", Codec.H265)
MAIN_FPS = Fraction(25)
SUB_FPS = Fraction(25, 2)


def load_scene(scene: Scene) -> tuple[Clip, Clip]:
    """The main and the sub clip of a scene."""
    room = importlib.resources.files("vonggac_appliance") / "demo"
    main = (room / scene.main).read_bytes()
    sub = (room / scene.sub).read_bytes()
    return load_clip(main, scene.codec, MAIN_FPS), load_clip(sub, scene.codec, SUB_FPS)
