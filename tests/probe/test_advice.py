"""Each thing that can be wrong with a camera has its sentence, and a good camera has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vonggac.media.chunk import Codec, GapReason
from vonggac.probe.advice import advise
from vonggac.probe.clock import CameraClock
from vonggac.probe.figures import Figures, Gop
from vonggac.probe.findings import Findings, StreamFindings, facts_of
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.tracks import AudioTrack

GOOD = Figures(
    measured_s=20,
    first_picture_s=0.2,
    pictures=500,
    damaged=0,
    sync_pictures=10,
    width=1920,
    height=1080,
    fps=25.0,
    stamped_fps=25.0,
    bitrate_bps=4e6,
    gop=Gop(2.0, 2.0, 2.0, 50),
    open_gop_s=1.0,
    pause_max_s=0.1,
    packets=9000,
    packets_lost=0,
    packets_late=0,
    parameter_sets=1,
    has_b_pictures=False,
    clock=CameraClock(0.1, 0.0, 4),
    timeless_reports=0,
)
MAIN = StreamFindings(
    "main",
    "rtsp://10.0.0.9/main",
    transport="tcp",
    codec=Codec.H264,
    login=Scheme.DIGEST_MD5,
    figures=GOOD,
)
SMALL = replace(GOOD, width=640, height=360, bitrate_bps=5e5)
SUB = replace(MAIN, name="sub", url="rtsp://10.0.0.9/sub", figures=SMALL)


def told(main: StreamFindings = MAIN, sub: StreamFindings = SUB, **more: bool) -> dict[str, str]:
    return {one.name: one.sentence for one in advise(Findings((main, sub), **more))}


def test_a_good_camera_has_nothing_to_change() -> None:
    assert told() == {}


def with_main(**figures: object) -> StreamFindings:
    return replace(MAIN, figures=replace(GOOD, **figures))  # type: ignore[arg-type]


def with_sub(**figures: object) -> StreamFindings:
    return replace(SUB, figures=replace(SMALL, **figures))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("main", "sub", "name", "words"),
    [
        (
            MAIN,
            with_sub(gop=Gop(8, 8, 8, 200)),
            "key-frames",
            "the sub stream has a key frame every 8 s: set 2 s (I-frame interval 50)",
        ),
        (with_main(gop=Gop(2, 2, 12, 50)), SUB, "smart-codec", "gaps up to 12 s"),
        (with_main(gop=None, open_gop_s=20), SUB, "key-frames", "no two key frames within 20 s"),
        (
            with_main(clock=CameraClock(37, 0.1, 4)),
            SUB,
            "clock",
            "the camera's clock is 37 s ahead: set its NTP server",
        ),
        (with_main(clock=CameraClock(-7 * 3600 + 3, 0.1, 4)), SUB, "time-zone", "7 h behind"),
        (with_main(clock=CameraClock(-8.3e8, 0.1, 4)), SUB, "clock-unset", "never set"),
        (with_main(clock=CameraClock(40, 60, 4)), SUB, "clock-jumps", "jumped by 60 s"),
        (with_main(clock=None), with_sub(clock=None), "clock-unknown", "told none within 20 s"),
        (
            with_main(clock=None, timeless_reports=3),
            with_sub(clock=None),
            "clock-unknown",
            "says that it has none",
        ),
        (
            replace(with_main(packets_lost=118), transport="udp"),
            SUB,
            "loss-udp",
            "1.3 % of the packets were lost over UDP",
        ),
        (with_main(packets_lost=118), SUB, "loss-tcp", "the camera drops them"),
        (with_main(damaged=7), SUB, "damaged", "7 of 500"),
        (with_main(fps=5.0, stamped_fps=5.0), SUB, "low-fps", "5.0 pictures a second"),
        (with_main(fps=21.0), SUB, "stamps", "25.0 a second and sends 21.0"),
        (with_main(pause_max_s=3.4), SUB, "pauses", "3.4 s"),
        (with_main(first_picture_s=9.0), SUB, "slow-start", "9 s after"),
        (with_main(bitrate_bps=16e6), SUB, "high-rate", "16.0 Mbit/s, 173 GB a day"),
        (MAIN, with_sub(width=1920, height=1080), "large-sub", "1920x1080"),
        (replace(MAIN, codec=Codec.MJPEG), SUB, "mjpeg", "H.264 or H.265"),
        (replace(MAIN, login=None), SUB, "no-login", "without a password"),
        (replace(MAIN, login=Scheme.BASIC), SUB, "basic", "digest"),
        (replace(MAIN, audio=(AudioTrack("PCMA", 8000, False),)), SUB, "sound", "PCMA"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    main: StreamFindings, sub: StreamFindings, name: str, words: str
) -> None:
    found = told(main, sub)
    assert list(found) == [name]
    assert words in found[name]


@pytest.mark.parametrize(
    "reason",
    [
        GapReason.CAMERA_OFF,
        GapReason.NETWORK,
        GapReason.WRONG_PASSWORD,
        GapReason.OTHER_DEVICE,
        GapReason.NO_VIDEO,
        GapReason.BAD_STREAM,
        GapReason.REFUSED,
    ],
)
def test_every_failure_has_its_advice(reason: GapReason) -> None:
    failed = StreamFindings("main", MAIN.url, reason=reason, what="so")
    (one,) = advise(Findings((failed,)))
    assert one.name == reason.words.replace(" ", "-").replace("another-device", "other-device")


def test_a_busy_camera_is_told_from_one_that_refuses() -> None:
    failed = StreamFindings("main", MAIN.url, reason=GapReason.REFUSED, what="so", is_busy=True)
    assert [one.name for one in advise(Findings((failed,)))] == ["busy"]


def test_nothing_is_said_of_a_clock_by_a_box_whose_own_is_wrong() -> None:
    found = told(with_main(clock=CameraClock(37, 0.1, 4)), is_box_synced=False)
    assert list(found) == ["box-clock"]


def test_a_back_channel_is_no_sound() -> None:
    assert told(replace(MAIN, audio=(AudioTrack("PCMA", 8000, True),))) == {}


def test_facts_hold_every_figure_by_name() -> None:
    facts = facts_of(Findings((MAIN, SUB)))
    streams = facts["streams"]
    assert isinstance(streams, list)
    figures = streams[0]["figures"]
    assert figures["fps"] == 25 and figures["gop_s"]["median"] == 2
    assert (figures["width"], figures["clock_offset_s"]) == (1920, 0.1)
