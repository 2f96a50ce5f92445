"""What to change at a camera, in sentences for whoever installs it.

Each advice has a stable name, for `--json` and for the guide, which says the same in Vietnamese.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vonggac.media.chunk import Codec, GapReason
from vonggac.probe.clock import CameraClock
from vonggac.probe.figures import Figures
from vonggac.probe.findings import Findings, StreamFindings
from vonggac.rtsp.challenges import Scheme

__all__ = ["Advice", "advise"]

_GOP_GOOD_S = 4.0
"""Longer ones make seeking slow, and a damaged picture costs more."""
_GOP_UNEVEN = 1.5
"""The longest against the median: an encoder that leaves key frames out as it likes."""
_CLOCK_GOOD_S = 2.0
_CLOCK_UNSET_S = 200 * 86_400.0
_HOUR_S = 3600.0
_LOST_GOOD = 0.001
_FPS_LOW = 8.0
_PAUSE_GOOD_S = 2.0
_STAMPS_OFF = 0.05
"""Of the frame rate: media time and wall time part (row 81)."""
_SUB_BPS = 1_500_000.0
_SUB_PIXELS = 1280 * 720
_MAIN_BPS = 12_000_000.0
_FIRST_PICTURE_S = 5.0


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, or to know."""

    name: str
    sentence: str


def advise(findings: Findings) -> list[Advice]:
    """All there is to say of a camera, what keeps it from being recorded first."""
    found: list[Advice] = []
    for stream in findings.streams:
        found += _of_failure(stream)
    for stream in findings.streams:
        found += _of_pictures(stream)
        found += _of_path(stream)
    found += _of_clock(findings)
    found += _of_login(findings)
    found += _of_sound(findings)
    return found


_FAILURES = {
    GapReason.CAMERA_OFF: (
        "camera-off",
        "nothing answers there: look at power and cable, and whether RTSP is switched on in the "
        "camera and its port (554 as a rule) is the one in the address",
    ),
    GapReason.NETWORK: (
        "network",
        "the way to the camera is broken: from this box, does it answer a ping, and is its "
        "network address the one in the address?",
    ),
    GapReason.WRONG_PASSWORD: (
        "wrong-password",
        "user or password is wrong: do not try on, most cameras lock the account after five; "
        "look it up, and give ONVIF or RTSP users their own password in the camera",
    ),
    GapReason.OTHER_DEVICE: (
        "other-device",
        "another device answers there than before: if the camera was exchanged on purpose, "
        "`vonggac camera confirm-device`",
    ),
    GapReason.NO_VIDEO: (
        "no-video",
        "it sends no video that can be recorded: set the stream's codec to H.264 or H.265",
    ),
    GapReason.BAD_STREAM: (
        "bad-stream",
        "what it sends is not RTSP: is there another service at that port? Otherwise update its "
        "firmware, and send a capture (`vonggac camera capture`)",
    ),
    GapReason.REFUSED: (
        "refused",
        "the camera says no: most often the path behind the address is not the one of this model; "
        "look it up in its manual or its ONVIF profile",
    ),
}


def _of_failure(stream: StreamFindings) -> Iterator[Advice]:
    if stream.reason is None:
        return
    if stream.is_busy:
        yield Advice(
            "busy",
            f"the {stream.name} stream: the camera serves no more viewers; end other recorders, "
            "telephone applications and browser windows that look at it",
        )
        return
    if (known := _FAILURES.get(stream.reason)) is not None:
        name, sentence = known
        yield Advice(name, f"the {stream.name} stream: {sentence}")


def _of_pictures(stream: StreamFindings) -> Iterator[Advice]:
    """Key frames, frame rate, size and rate."""
    figures, name = stream.figures, stream.name
    if figures is None or figures.pictures == 0:
        return
    yield from _of_key_frames(stream, figures)
    if figures.fps is not None and figures.fps < _FPS_LOW:
        yield Advice(
            "low-fps",
            f"the {name} stream has {figures.fps:.1f} pictures a second: set at least 10, and 15 "
            "where things move fast",
        )
    if _stamps_are_off(figures):
        yield Advice(
            "stamps",
            f"the {name} stream stamps its pictures as {figures.stamped_fps:.1f} a second and "
            f"sends {figures.fps:.1f}: recording follows arrival, so nothing is lost; a lower "
            "frame rate or bit rate makes the two agree",
        )
    if figures.pause_max_s > _PAUSE_GOOD_S:
        yield Advice(
            "pauses",
            f"the {name} stream paused for {figures.pause_max_s:.1f} s between two pictures: "
            "a weak Wi-Fi, or a camera that has too much to do",
        )
    if figures.first_picture_s is not None and figures.first_picture_s > _FIRST_PICTURE_S:
        yield Advice(
            "slow-start",
            f"the {name} stream began {figures.first_picture_s:.0f} s after it was asked for: a "
            "camera that sleeps (battery) misses what wakes it",
        )
    if stream.codec is Codec.MJPEG:
        yield Advice(
            "mjpeg",
            f"the {name} stream is MJPEG, which takes ten times the room and which no browser "
            "plays from the ring: choose H.264 or H.265",
        )
    yield from _of_rate(name, figures)


def _of_key_frames(stream: StreamFindings, figures: Figures) -> Iterator[Advice]:
    gop, name = figures.gop, stream.name
    frames = f"I-frame interval {round((figures.fps or 25) * 2)}" if figures.fps else "2 s"
    longest_s = max(0.0 if gop is None else gop.most_s, figures.open_gop_s)
    if longest_s <= _GOP_GOOD_S:
        return
    if gop is None:
        yield Advice(
            "key-frames",
            f"the {name} stream sent no two key frames within {figures.measured_s:.0f} s: set one "
            f"every 2 s ({frames}), and switch off smart codec (H.264+, H.265+); measure again "
            "with --seconds 60",
        )
    elif longest_s > _GOP_UNEVEN * gop.least_s:
        yield Advice(
            "smart-codec",
            f"the {name} stream leaves key frames out, gaps up to {longest_s:.0f} s: switch off "
            f"smart codec (H.264+, H.265+, Smart Coding) and set a key frame every 2 s ({frames})",
        )
    else:
        yield Advice(
            "key-frames",
            f"the {name} stream has a key frame every {gop.median_s:.0f} s: set 2 s ({frames})",
        )


def _stamps_are_off(figures: Figures) -> bool:
    fps, stamped = figures.fps, figures.stamped_fps
    if fps is None or stamped is None or figures.measured_s < 8 or figures.packets_lost:
        return False
    return abs(stamped - fps) > _STAMPS_OFF * fps


def _of_rate(name: str, figures: Figures) -> Iterator[Advice]:
    bps = figures.bitrate_bps or 0.0
    mbit = f"{bps / 1e6:.1f} Mbit/s"
    is_large = figures.width * figures.height >= _SUB_PIXELS
    if name == "sub" and (bps > _SUB_BPS or is_large):
        yield Advice(
            "large-sub",
            f"the sub stream has {figures.width}x{figures.height} and {mbit}: walls, telephones "
            "and motion want it small; set 640x360 and 512 kbit/s",
        )
    elif name == "main" and bps > _MAIN_BPS:
        yield Advice(
            "high-rate",
            f"the main stream takes {mbit}, {bps / 8 * 86_400 / 1e9:.0f} GB a day: H.265, or a "
            "lower limit in the camera, keeps footage for longer",
        )


def _of_path(stream: StreamFindings) -> Iterator[Advice]:
    """What was lost on the way."""
    figures, name = stream.figures, stream.name
    if figures is None:
        return
    lost = f"{100 * figures.lost_part:.1f} %"
    if figures.lost_part > _LOST_GOOD and stream.transport == "udp":
        yield Advice(
            "loss-udp",
            f"{name}: {lost} of the packets were lost over UDP (Wi-Fi, or a full line): add the "
            "camera with --transport tcp, or bring the Wi-Fi nearer",
        )
    elif figures.packets_lost and stream.transport == "tcp":
        yield Advice(
            "loss-tcp",
            f"{name}: {lost} of the packets are missing although TCP loses none: the camera drops "
            "them because the line or its processor is too slow; lower its bit rate",
        )
    elif figures.damaged:
        yield Advice(
            "damaged",
            f"{name}: {figures.damaged} of {figures.pictures} pictures came damaged though no "
            "packet is missing: update the camera's firmware, and send a capture",
        )


def _of_clock(findings: Findings) -> Iterator[Advice]:
    measured = [one.figures for one in findings.streams if one.figures and one.figures.pictures]
    if not measured:
        return
    clocks = [figures.clock for figures in measured if figures.clock is not None]
    if not clocks:
        seconds = max(figures.measured_s for figures in measured)
        says = "says that it has none" if any(f.timeless_reports for f in measured) else "told none"
        yield Advice(
            "clock-unknown",
            f"the camera's clock is unknown: it {says} within {seconds:.0f} s; recorded times are "
            "the box's and right all the same",
        )
    elif not findings.is_box_synced:
        yield Advice(
            "box-clock",
            "this box's clock is not synchronised, so nothing is said of the camera's: see "
            "`vonggac doctor`",
        )
    else:
        yield from _of_offset(clocks[0])


def _of_offset(clock: CameraClock) -> Iterator[Advice]:
    off_s = abs(clock.offset_s)
    way = "ahead" if clock.offset_s > 0 else "behind"
    hours = round(off_s / _HOUR_S)
    if off_s <= _CLOCK_GOOD_S:
        return
    if clock.spread_s > max(_CLOCK_GOOD_S, off_s / 10):
        yield Advice(
            "clock-jumps",
            f"the camera's clock jumped by {clock.spread_s:.0f} s while it was looked at: two "
            "things set it; leave it one NTP server, this box",
        )
    elif off_s >= _CLOCK_UNSET_S:
        yield Advice(
            "clock-unset",
            f"the camera's clock was never set, it stands {off_s / 86_400:.0f} days {way}: set "
            "its NTP server to this box",
        )
    elif 1 <= hours <= 14 and abs(off_s - hours * _HOUR_S) < 60:
        yield Advice(
            "time-zone",
            f"the camera's clock is {hours} h {way}, as with a wrong time zone: set UTC+7 and "
            "its NTP server to this box",
        )
    else:
        yield Advice(
            "clock",
            f"the camera's clock is {_span(off_s)} {way}: set its NTP server to this box",
        )


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * _HOUR_S else f"{seconds / _HOUR_S:.1f} h"


def _of_login(findings: Findings) -> Iterator[Advice]:
    played = [one for one in findings.streams if one.codec is not None]
    if any(one.login is None for one in played):
        yield Advice(
            "no-login",
            "anybody in the network may look at it, without a password: set one in the camera",
        )
    if any(one.login is Scheme.BASIC and not one.url.startswith("rtsps") for one in played):
        yield Advice(
            "basic",
            "it asks for its password in readable form (Basic): set RTSP authentication to "
            "digest, or use rtsps://",
        )


def _of_sound(findings: Findings) -> Iterator[Advice]:
    names = {a.encoding for one in findings.streams for a in one.audio if not a.is_backchannel}
    if names:
        yield Advice(
            "sound",
            f"it offers sound ({', '.join(sorted(names))}): none is kept unless the agreement "
            "with its owner says so; where it does not, switch the microphone off in the camera",
        )
