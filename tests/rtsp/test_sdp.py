"""Descriptions of real cameras, and every way they are known to be broken."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.rtsp.messages import parse_message
from vonggac.rtsp.sdp import parse_sdp
from vonggac.rtsp.server import Mount, describe
from vonggac.rtsp.tracks import (
    AudioTrack,
    VideoTrack,
    audio_tracks,
    parameter_sets,
    video_encodings,
    video_track,
)

SPS, PPS = bytes.fromhex("6742001eab4080"), bytes.fromhex("68ce3c80")
VPS5, SPS5, PPS5 = (bytes.fromhex(text) for text in ("40010c01", "42010101", "4401c172"))


def _sprop(*units: bytes) -> str:
    return ",".join(base64.b64encode(unit).decode() for unit in units)


FMTP = f"packetization-mode=1;sprop-parameter-sets={_sprop(SPS, PPS)}"
TRACK = VideoTrack(Codec.H264, 96, 90_000, "track1", (), (SPS,), (PPS,))
BARE = VideoTrack(Codec.H264, 96, 90_000, "track1")

# Every case is one video that plays: rows 28 to 48 of the cameras' habits.
ODD = {
    "nothing but m=": ("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:track1", BARE),
    "a byte order mark": (
        "\ufeffv=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n",
        BARE,
    ),
    "broken o=, c=, t=, r=, b=": (
        "v=0\no=- 1.5 0xA 1 IN IPV4\nc=IN\nt=now-\nr=0 0\nb=RR\nIN c=IN\n"
        f"m=video 0 RTP/AVP 96\nb=AS:x\na=rtpmap:96 H264/90000\na=fmtp:96 {FMTP}\n"
        "a=control:track1",
        TRACK,
    ),
    "fmtp under the audio": (
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:track1\n"
        f"m=audio 0 RTP/AVP 8\na=rtpmap:0 pcma/8000/1\na=control:track2\na=fmtp:96 {FMTP}",
        TRACK,
    ),
    "a map under another number": (
        "m=video 0 RTP/AVP 96\na=rtpmap:97 H264/90000\na=control:track1",
        BARE,
    ),
    "no map, but parameter sets": (
        f"m=video 0 RTP/AVP 96\na=fmtp:96 {FMTP}\na=control:track1",
        TRACK,
    ),
    "media that are none": (
        "m=vana\nm=\nm=application/TP-LINK 0 RTP/AVP smart/1/90000\n"
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:track1\nm=meta 0\n",
        BARE,
    ),
    "blanks and tabs everywhere": (
        "m=video 0 RTP/AVP 96 \t\na=rtpmap:96 H264/90000 \na=fmtp:96\na=fmtp:96 \na= control\n"
        "a=control: track1 ",
        BARE,
    ),
    "control twice": (
        "m=video 0 RTP/AVP 96\na=control:track9\na=rtpmap:96 H264/90000\na=control:track1",
        BARE,
    ),
    "sendonly on the only video": (
        "m=video 0 RTP/AVP 96\na=sendonly\na=rtpmap:96 H264/90000\na=control:track1\n"
        "m=audio 0 RTP/AVP 0\na=recvonly",
        BARE,
    ),
    "a back channel before the video": (
        "m=video 0 RTP/AVP 97\na=sendonly\na=rtpmap:97 H264/90000\na=control:track0\n"
        "m=video 0 RTP/AVP 96\na=recvonly\na=rtpmap:96 H264/90000\na=control:track1",
        BARE,
    ),
    "static type 35 with a map (Bosch)": (
        "m=video 0 RTP/AVP 35\na=rtpmap:35 H264/90000\na=control:track1",
        VideoTrack(Codec.H264, 35, 90_000, "track1"),
    ),
    "a clock rate of nothing": (
        "m=video 0 RTP/AVP 96\na=rtpmap:96 h264\na=control:track1",
        BARE,
    ),
    "JPEG first": (
        "m=video 0 RTP/AVP 26\na=control:jpeg\n"
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:track1",
        BARE,
    ),
    "JPEG alone, without a map": (
        "m=video 0 RTP/AVP 26\na=control:track1",
        VideoTrack(Codec.MJPEG, 26, 90_000, "track1"),
    ),
    "JPEG of a size that it cannot tell": (
        "m=video 0 RTP/AVP 96\na=rtpmap:96 JPEG/90000\na=x-dimensions:2560, 1920\na=control:track1",
        VideoTrack(Codec.MJPEG, 96, 90_000, "track1", sps=(bytes.fromhex("0a000780"),)),
    ),
    "JPEG of no size": (
        "m=video 0 RTP/AVP 26\na=x-dimensions:0,99999\na=control:track1",
        VideoTrack(Codec.MJPEG, 26, 90_000, "track1"),
    ),
    "H.265 with decoding order numbers": (
        "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=control:track1\n"
        "a=fmtp:98 sprop-max-don-diff=2",
        VideoTrack(Codec.H265, 98, 90_000, "track1", has_donl=True),
    ),
    "H.265 without any": (
        "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=control:track1\n"
        "a=fmtp:98 sprop-max-don-diff=0",
        VideoTrack(Codec.H265, 98, 90_000, "track1"),
    ),
    "H.265 with all sets": (
        "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=control:track1\n"
        f"a=fmtp:98 sprop-vps={_sprop(VPS5)}; sprop-SPS={_sprop(SPS5)};sprop-pps={_sprop(PPS5)}",
        VideoTrack(Codec.H265, 98, 90_000, "track1", (VPS5,), (SPS5,), (PPS5,)),
    ),
    "H.265 without its VPS": (
        "m=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\na=control:track1\n"
        f"a=fmtp:98 sprop-sps={_sprop(SPS5)};sprop-pps={_sprop(PPS5)}",
        VideoTrack(Codec.H265, 98, 90_000, "track1"),
    ),
}


@pytest.mark.parametrize(("text", "track"), ODD.values(), ids=ODD)
def test_an_odd_description_still_gives_its_video(text: str, track: VideoTrack) -> None:
    assert video_track(parse_sdp(text.encode())) == track


SPROPS = {
    "start codes behind (V380)": (_sprop(SPS + b"\x00\x00\x00\x01", PPS + b"\x00\x00\x01"), True),
    "start codes inside": (_sprop(SPS + b"\x00\x00\x00\x01" + PPS), True),
    "start codes before": (_sprop(b"\x00\x00\x00\x01" + SPS, b"\x00\x00\x01" + PPS), True),
    "no padding": (_sprop(SPS, PPS).replace("=", ""), True),
    "a third that is junk": (_sprop(SPS, PPS) + ",%%%", True),
    "base64 that is none": ("%%%,é", False),
    "an SPS alone": (_sprop(SPS), False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("sprop", "is_good"), SPROPS.values(), ids=SPROPS)
def test_parameter_sets_are_whole_or_absent(sprop: str, is_good: bool) -> None:
    sets = parameter_sets(Codec.H264, {"sprop-parameter-sets": sprop})
    assert sets == (((), (SPS,), (PPS,)) if is_good else ((), (), ()))


def test_a_description_without_media_is_an_error() -> None:
    with pytest.raises(MediaError, match="m="):
        parse_sdp(b"v=0\r\ns=x\r\n")


def test_no_usable_video_is_told_by_name() -> None:
    description = parse_sdp(b"m=video 0 RTP/AVP 33 96\na=rtpmap:96 VP8/90000\nm=audio 0 RTP/AVP 0")
    assert video_track(description) is None
    assert video_encodings(description) == ("MP2T", "VP8")


def test_encrypted_video_is_left_alone() -> None:
    text = b"m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000"
    assert video_track(parse_sdp(text)) is None


def test_audio_is_listed_and_back_channels_marked() -> None:
    text = (
        b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=recvonly\n"
        b"m=audio 0 RTP/AVP 8\nm=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000\na=sendonly"
    )
    expected = (AudioTrack("PCMA", 8000, False), AudioTrack("MPEG4-GENERIC", 16000, True))
    assert audio_tracks(parse_sdp(text)) == expected


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_description_or_a_media_error(data: bytes) -> None:
    for text in (data, b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=" + data):
        try:
            description = parse_sdp(text)
        except MediaError:
            assert text == data  # the other one has a line that can be read
            continue
        assert description.media
        kinds = [media.kind for media in description.media]
        track = video_track(description)
        assert track is None or (track.codec in Codec and "video" in kinds)
        assert len(audio_tracks(description)) <= kinds.count("audio")
        assert len(video_encodings(description)) <= len(kinds)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_what_a_simulated_camera_describes_is_read_back(codec: Codec) -> None:
    vps, sps, pps = ((), (SPS,), (PPS,)) if codec is Codec.H264 else ((VPS5,), (SPS5,), (PPS5,))
    text = describe(Mount("/cam1/main", codec, vps, sps, pps))
    assert video_track(parse_sdp(text)) == VideoTrack(codec, 96, 90_000, "trackID=0", vps, sps, pps)


# file: codec, payload type, control of the video, and whether parameter sets came with it
CAMERAS = {
    "retina/bunny_describe.txt": ("H264", 97, "trackID=2", True),
    "retina/dahua_describe_h264_aac_onvif.txt": ("H264", 96, "trackID=0", True),
    "retina/dahua_describe_h265_pcma.txt": ("H265", 98, "trackID=0", True),
    "retina/foscam_describe.txt": ("H264", 96, "track1", True),
    "retina/geovision_sdp.txt": ("H264", 105, "rtsp://192.168.5.237/media/video1/video", True),
    "retina/gw_main_describe.txt": ("H264", 96, "video", True),
    "retina/gw_sub_describe.txt": ("H264", 96, "video", True),
    "retina/missing_content_type_describe.txt": ("H264", 96, "streamid=0", True),
    "retina/reolink_describe.txt": ("H264", 96, "trackID=1", True),
    "retina/reolink_describe_control_first.txt": ("H264", 96, "trackID=1", True),
    "retina/tplink_sdp.txt": ("H265", 96, "track1", True),
    "go2rtc_sdp/testbugsdp2.sdp": ("H264", 96, "track0", True),
    "go2rtc_sdp/testbugsdp3.sdp": ("H264", 96, "track1", True),
    "go2rtc_sdp/testbugsdp4.sdp": ("H264", 96, "track1", True),
    "go2rtc_sdp/testurlparse.sdp": ("H264", 96, "track0", True),
    "gortsplib_desc/one_format_for_each_media_relative.sdp": ("H264", 97, "trackID=1", True),
    "gortsplib_sdp/issue_gortsplib_201_invalid_origin.sdp": ("H264", 96, "track1", True),
    "gortsplib_sdp/issue_gortsplib_448_no_v_0_at_start.sdp": ("H264", 96, "trackID=0", False),
    "gortsplib_sdp/issue_mediamtx_115_rr_bitrate.sdp": ("H264", 96, None, True),
    "gortsplib_sdp/issue_mediamtx_2473_no_session_name.sdp": ("H265", 96, "trackID=3", True),
    "gortsplib_sdp/issue_mediamtx_2762_altasec_nvr.sdp": ("H264", 96, "0", True),
    "gortsplib_sdp/issue_mediamtx_948_tias_bitrate.sdp": ("H264", 96, "trackid=1", True),
    "gortsplib_sdp/issue_mediamtx_990_tp_link.sdp": ("H265", 96, "track1", True),
    "gortsplib_sdp/onvif_specification.sdp": ("MJPEG", 26, "rtsp://192.168.0.1/video", False),
    "gortsplib_desc/onvif_back_channel.sdp": ("MJPEG", 26, "rtsp://192.168.0.1/video", False),
    "sharprtsp/test3.sdp": ("MJPEG", 26, "trackID=0", False),
    "gortsplib_sdp/no_timing.sdp": ("H265", 96, "streamid=0", True),
    "gortsplib_sdp/unordered_global_attributes.sdp": ("H264", 96, "?ctype=video", True),
    "sharprtsp/test2.sdp": ("H264", 98, "trackID=0", True),
}


def _body(path: Path) -> bytes:
    data = path.read_bytes()
    return parse_message(data).body if data.startswith(b"RTSP/") else data


@pytest.mark.parametrize(("name", "expected"), CAMERAS.items(), ids=CAMERAS)
def test_a_recorded_description_gives_its_video(
    fixtures: Path, name: str, expected: tuple[str, int, str | None, bool]
) -> None:
    path = fixtures / "rtsp/dev" / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    track = video_track(parse_sdp(_body(path)))
    assert track is not None
    seen = (track.codec.name, track.payload_type, track.control, bool(track.sps and track.pps))
    assert seen == expected
    assert bool(track.vps) == (track.codec is Codec.H265)


# Descriptions without media, without usable video, or encrypted: none of them stops anything.
WITHOUT = {
    "gortsplib_sdp/base.sdp": None,
    "gortsplib_sdp/empty_lines.sdp": None,
    "gortsplib_sdp/unix_newlines.sdp": None,
    "gortsplib_sdp/issue_mediamtx_127_amcrest_cameras.sdp": None,
    "gortsplib_sdp/full.sdp": ("H263-1998",),
    "gortsplib_sdp/issue_mediamtx_1119_fritzbox_6660_cable.sdp": ("MP2T",),
    "gortsplib_sdp/issue_mediamtx_120_mp2t_in_protocol.sdp": ("MP2T",),
    "gortsplib_sdp/issue_mediamtx_136_rs_bandwidth.sdp": ("X-ASF-PF",),
    "gortsplib_sdp/issue_gortsplib_1025_undisclosed_cameras_ipv4.sdp": ("type 96",),
    "gortsplib_desc/key_mgmt_in_session.sdp": ("H264",),
    "sharprtsp/test1.sdp": ("H261",),
}


@pytest.mark.parametrize(("name", "encodings"), WITHOUT.items(), ids=WITHOUT)
def test_a_recorded_description_without_our_video_says_so(
    fixtures: Path, name: str, encodings: tuple[str, ...] | None
) -> None:
    path = fixtures / "rtsp/dev" / name
    if not path.exists():
        pytest.skip(f"no recording {name}")
    if encodings is None:
        with pytest.raises(MediaError):
            parse_sdp(_body(path))
        return
    description = parse_sdp(_body(path))
    assert (video_track(description), video_encodings(description)) == (None, encodings)


def test_every_shared_description_is_read(fixtures: Path) -> None:
    paths = sorted((fixtures / "rtsp/dev").glob("*/*.sdp"))
    paths += sorted((fixtures / "rtsp/dev/gortsplib_fuzz").glob("*[Ss]ession*.bin"))
    paths += sorted((fixtures / "rtsp/dev/gortsplib_fuzz").glob("sdp*.bin"))
    for path in paths:
        with contextlib.suppress(MediaError):
            description = parse_sdp(path.read_bytes())
            video_track(description)
            audio_tracks(description)
