"""What a description offers: the one video track that is wanted, the sound, and names of the rest.

What is declared is a hint, packets decide. profile-level-id and frame rates are never read
(docs/design/rtsp.md).
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass

from vonggac.media.chunk import Codec
from vonggac.rtsp.annexb import nal_type, split_annexb
from vonggac.rtsp.sdp import Description, Media

VIDEO_CLOCK_RATE = 90_000
_PARAMETER_SET_MAX_BYTES = 0xFFFF
"""What a 16-bit length holds, here as in avcC and hvcC."""

# RFC 3551 table 4 and 5, for audio that has no rtpmap.
_STATIC_AUDIO = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000), 10: ("L16", 44100)}
_CODECS = {
    "H264": Codec.H264,
    "H265": Codec.H265,
    "HEVC": Codec.H265,
    "JPEG": Codec.MJPEG,
    "MJPEG": Codec.MJPEG,
}
STATIC_JPEG = 26
"""RFC 3551 table 5."""


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The video to ask for."""

    codec: Codec
    payload_type: int
    clock_rate: int
    """Ticks a second."""
    control: str | None
    vps: tuple[bytes, ...] = ()
    """Parameter sets of the description, decoded; all kinds the codec needs or none at all.

    Of MJPEG `sps` is the declared size, width and height of two bytes each.
    """
    sps: tuple[bytes, ...] = ()
    pps: tuple[bytes, ...] = ()
    has_donl: bool = False
    """Decoding order numbers stand in its packets (RFC 7798 7.1, sprop-max-don-diff)."""


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """Audio that is offered; listed, not asked for."""

    encoding: str
    clock_rate: int
    is_backchannel: bool


def video_track(description: Description) -> VideoTrack | None:
    """The first video in H.264 or H.265 that plays, else in MJPEG; None where there is none.

    A direction of `sendonly` is believed only where another video lacks it (Avigilon writes it on
    its normal video).
    """
    videos = [media for media in description.media if media.kind == "video" and _plays(media)]
    ordered = sorted(videos, key=lambda media: media.direction == "sendonly")  # keeps their order
    jpeg: VideoTrack | None = None
    for media in ordered:
        for payload_type in media.payload_types:
            codec = _codec_of(description, media, payload_type)
            if codec is None:
                continue
            if codec is Codec.MJPEG:
                jpeg = jpeg or _jpeg_track(media, payload_type)
                continue
            fmtp = format_parameters(description, media, payload_type)
            sets = parameter_sets(codec, fmtp)
            has_donl = codec is Codec.H265 and fmtp.get("sprop-max-don-diff", "0").strip("0") != ""
            clock = VIDEO_CLOCK_RATE
            return VideoTrack(codec, payload_type, clock, media.control, *sets, has_donl)
    return jpeg


def _jpeg_track(media: Media, payload_type: int) -> VideoTrack:
    size = () if media.dimensions is None else (struct.pack(">HH", *media.dimensions),)
    return VideoTrack(Codec.MJPEG, payload_type, VIDEO_CLOCK_RATE, media.control, sps=size)


def video_encodings(description: Description) -> tuple[str, ...]:
    """What the video media carry by name, for the sentence that says why none will do."""
    names: list[str] = []
    for media in description.media:
        if media.kind == "video":
            own = {rtpmap.payload_type: rtpmap.encoding for rtpmap in media.rtpmaps}
            fallback = {26: "JPEG", 33: "MP2T"}
            names += [own.get(t, fallback.get(t, f"type {t}")) for t in media.payload_types]
    return tuple(dict.fromkeys(names))


def metadata_encodings(description: Description) -> tuple[str, ...]:
    """What is neither video nor audio, by name: `VND.ONVIF.METADATA`, and makers' own."""
    others = (media for media in description.media if media.kind not in ("video", "audio"))
    names = [
        media.rtpmaps[0].encoding if media.rtpmaps else (media.kind or "unnamed").upper()
        for media in others
    ]
    return tuple(dict.fromkeys(names))


def audio_tracks(description: Description) -> tuple[AudioTrack, ...]:
    """All audio that is offered, back channels marked unless everything looks like one."""
    heard = heard_media(description)
    out: list[AudioTrack] = []
    for media in description.media:
        if media.kind != "audio":
            continue
        is_backchannel = not any(media is one for one in heard)
        for payload_type in media.payload_types[:1]:
            own = [m for m in media.rtpmaps if m.payload_type == payload_type] or media.rtpmaps
            static = _STATIC_AUDIO.get(payload_type)
            if own:
                out.append(AudioTrack(own[0].encoding, own[0].clock_rate, is_backchannel))
            elif static:
                out.append(AudioTrack(*static, is_backchannel))
    return tuple(out)


def heard_media(description: Description) -> list[Media]:
    """The audio that a camera sends, without what it wants to be sent."""
    all_send = all(media.direction == "sendonly" for media in description.media)
    audio = (media for media in description.media if media.kind == "audio")
    return [media for media in audio if media.direction != "sendonly" or all_send]


def _plays(media: Media) -> bool:
    """Plain RTP: SRTP has no key here, and MP2T is another world."""
    return not ("SAVP" in media.protocol or "MP2T" in media.protocol)


def _codec_of(description: Description, media: Media, payload_type: int) -> Codec | None:
    """What a payload type carries: its own block, then any block, then what the rest implies.

    Some write the map under another medium, or under another number. Its clock is not read: RFC
    6184 8.2.1, RFC 7798 7.1 and RFC 2435 3 know one.
    """
    everywhere = [m for other in description.media for m in other.rtpmaps]
    for rtpmap in (*media.rtpmaps, *everywhere):
        if rtpmap.payload_type == payload_type:
            return _CODECS.get(rtpmap.encoding)
    if len(media.rtpmaps) == 1 and media.rtpmaps[0].encoding in _CODECS:
        return _CODECS[media.rtpmaps[0].encoding]
    fmtp = format_parameters(description, media, payload_type)
    if "sprop-parameter-sets" in fmtp:
        return Codec.H264
    if "sprop-sps" in fmtp:
        return Codec.H265
    return Codec.MJPEG if payload_type == STATIC_JPEG else None


def format_parameters(description: Description, media: Media, payload_type: int) -> dict[str, str]:
    """Format parameters, names in lower case; from any block, since some stand under the audio."""
    everywhere = [fmtp for other in description.media for fmtp in other.fmtps]
    for number, text in (*media.fmtps, *everywhere):
        if number == payload_type:
            pairs = (part.partition("=") for part in text.split(";"))
            return {key.strip().lower(): value.strip() for key, _, value in pairs if key.strip()}
    return {}


def parameter_sets(
    codec: Codec, fmtp: dict[str, str]
) -> tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """VPS, SPS and PPS of a format parameter line (RFC 6184 8.1, RFC 7798 7.1).

    Invalid base64 is ignored, start codes inside are split (V380), and where one kind is missing
    none is given: in-band sets will tell.
    """
    if codec is Codec.MJPEG:
        return (), (), ()
    if codec is Codec.H264:
        units = _decoded(fmtp.get("sprop-parameter-sets", ""))
        sets = ((), _of_type(codec, units, 7), _of_type(codec, units, 8))
        return sets if sets[1] and sets[2] else ((), (), ())
    names = ("sprop-vps", "sprop-sps", "sprop-pps")
    units = [unit for name in names for unit in _decoded(fmtp.get(name, ""))]
    vps, sps, pps = (_of_type(codec, units, kind) for kind in (32, 33, 34))
    return (vps, sps, pps) if vps and sps and pps else ((), (), ())


def _of_type(codec: Codec, units: list[bytes], kind: int) -> tuple[bytes, ...]:
    found = (unit for unit in units if nal_type(codec, unit) == kind)
    return tuple(dict.fromkeys(found))


def _decoded(value: str) -> list[bytes]:
    units: list[bytes] = []
    for text in value.strip('"').split(","):
        text = text.strip().rstrip("=")
        try:
            unit = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
            continue
        parts = split_annexb(b"\x00\x00\x01" + unit)
        units += [part for part in parts if 2 < len(part) <= _PARAMETER_SET_MAX_BYTES]
    return units
