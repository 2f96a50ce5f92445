"""Session descriptions (RFC 4566) as cameras write them, and the one video track that is wanted.

Nothing is mandatory but `m=`; unknown and broken lines are skipped; what is declared is a hint,
packets decide. profile-level-id and frame rates are never read (docs/design/rtsp.md).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.rtsp.annexb import nal_type, split_annexb

VIDEO_CLOCK_RATE = 90_000
_PARAMETER_SET_MAX_BYTES = 0xFFFF
"""What a 16-bit length holds, here as in avcC and hvcC."""
_MEDIA_MAX = 64
"""Media of one description; a camera has four."""

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
class RtpMap:
    """`a=rtpmap`: what a payload type carries."""

    payload_type: int
    encoding: str
    """Upper case."""
    clock_rate: int
    """0 where it does not parse."""
    channels: int = 1
    """Of audio."""


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line and what follows it."""

    kind: str
    """`video`, `audio`, `application` or whatever the camera wrote, lower case."""
    protocol: str
    formats: tuple[str, ...]
    control: str | None = None
    direction: str | None = None
    """`recvonly`, `sendonly`, `sendrecv` or `inactive`."""
    rtpmaps: tuple[RtpMap, ...] = ()
    fmtps: tuple[tuple[int, str], ...] = ()
    dimensions: tuple[int, int] | None = None
    """`a=x-dimensions`: what RTP/JPEG cannot tell of more than 2040 columns or lines."""

    @property
    def payload_types(self) -> tuple[int, ...]:
        """The formats that are payload types."""
        return tuple(int(text) for text in self.formats if _is_payload_type(text))


@dataclass(frozen=True, slots=True)
class Description:
    """What a camera offers."""

    control: str | None
    """Of the whole session; absent on many."""
    media: tuple[Media, ...]


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


def parse_sdp(data: bytes) -> Description:
    """A session description. Raises MediaError where no `m=` line can be read."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    control: str | None = None
    blocks: list[list[str]] = []
    media: list[Media] = []
    for line in re.split(r"[\r\n]+", text):
        line = line.strip().removeprefix("\ufeff")
        if re.match(r"m\s*=", line):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        elif (value := _attribute(line, "control")) is not None:
            control = value  # the last one wins
    for block in blocks[:_MEDIA_MAX]:
        parsed = _parse_media(block)
        if parsed is not None:
            media.append(parsed)
    if not media:
        raise MediaError("value", "RFC 4566 5.14 m=")
    return Description(control, tuple(media))


def _parse_media(block: list[str]) -> Media | None:
    """One medium; None for lines such as `m=vana`."""
    words = block[0].partition("=")[2].split()
    if len(words) < 2:
        return None
    control: str | None = None
    direction: str | None = None
    rtpmaps: list[RtpMap] = []
    fmtps: list[tuple[int, str]] = []
    dimensions: tuple[int, int] | None = None
    for line in block[1:]:
        if (value := _attribute(line, "control")) is not None:
            control = value
        elif (value := _attribute(line, "rtpmap")) is not None:
            rtpmap = _parse_rtpmap(value)
            rtpmaps += [rtpmap] if rtpmap else []
        elif (value := _attribute(line, "fmtp")) is not None:
            number, _, parameters = value.partition(" ")
            if _is_payload_type(number) and parameters.strip():
                fmtps.append((int(number), parameters.strip()))
        elif (value := _attribute(line, "x-dimensions")) is not None:
            dimensions = _parse_dimensions(value)
        elif line in ("a=sendonly", "a=recvonly", "a=sendrecv", "a=inactive"):
            direction = line[2:]
    return Media(
        kind=words[0].lower(),
        protocol=words[2].upper() if len(words) > 2 else "",
        formats=tuple(words[3:]),
        control=control,
        direction=direction,
        rtpmaps=tuple(rtpmaps),
        fmtps=tuple(fmtps),
        dimensions=dimensions,
    )


def _attribute(line: str, name: str) -> str | None:
    """The value of `a=name:value`; None for another line."""
    match = re.match(rf"a\s*=\s*{name}\s*:(.*)", line, re.IGNORECASE)
    return match[1].replace("\t", " ").strip() if match else None


def _parse_rtpmap(value: str) -> RtpMap | None:
    number, _, mapping = value.partition(" ")
    encoding, _, rest = mapping.strip().partition("/")
    if not _is_payload_type(number) or not encoding:
        return None
    rate = re.match(r"\s*(\d{1,9})(?:\s*/\s*(\d{1,2}))?", rest, re.ASCII)
    channels = int(rate[2] or 1) if rate else 1
    return RtpMap(int(number), encoding.strip().upper(), int(rate[1]) if rate else 0, channels)


def _parse_dimensions(value: str) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,5})\s*,\s*(\d{1,5})", value, re.ASCII)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    return size if 0 < size[0] <= 0xFFFF and 0 < size[1] <= 0xFFFF else None


def _is_payload_type(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and int(text) < 128


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
            found = _rtpmap(description, media, payload_type)
            if found is None:
                continue
            codec, clock_rate = found
            if codec is Codec.MJPEG:
                jpeg = jpeg or _jpeg_track(media, payload_type, clock_rate)
                continue
            fmtp = format_parameters(description, media, payload_type)
            sets = parameter_sets(codec, fmtp)
            has_donl = codec is Codec.H265 and fmtp.get("sprop-max-don-diff", "0").strip("0") != ""
            return VideoTrack(codec, payload_type, clock_rate, media.control, *sets, has_donl)
    return jpeg


def _jpeg_track(media: Media, payload_type: int, clock_rate: int) -> VideoTrack:
    size = () if media.dimensions is None else (struct.pack(">HH", *media.dimensions),)
    return VideoTrack(Codec.MJPEG, payload_type, clock_rate, media.control, sps=size)


def video_encodings(description: Description) -> tuple[str, ...]:
    """What the video media carry by name, for the sentence that says why none will do."""
    names: list[str] = []
    for media in description.media:
        if media.kind == "video":
            own = {rtpmap.payload_type: rtpmap.encoding for rtpmap in media.rtpmaps}
            fallback = {26: "JPEG", 33: "MP2T"}
            names += [own.get(t, fallback.get(t, f"type {t}")) for t in media.payload_types]
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


def _rtpmap(description: Description, media: Media, payload_type: int) -> tuple[Codec, int] | None:
    """Codec and clock of a payload type: its own block, then any block, then what the rest implies.

    Some write the map under another medium, or under another number.
    """
    everywhere = [m for other in description.media for m in other.rtpmaps]
    for rtpmap in (*media.rtpmaps, *everywhere):
        if rtpmap.payload_type == payload_type:
            codec = _CODECS.get(rtpmap.encoding)
            return (codec, rtpmap.clock_rate or VIDEO_CLOCK_RATE) if codec else None
    if len(media.rtpmaps) == 1 and media.rtpmaps[0].encoding in _CODECS:
        only = media.rtpmaps[0]
        return _CODECS[only.encoding], only.clock_rate or VIDEO_CLOCK_RATE
    fmtp = format_parameters(description, media, payload_type)
    if "sprop-parameter-sets" in fmtp:
        return Codec.H264, VIDEO_CLOCK_RATE
    if "sprop-sps" in fmtp:
        return Codec.H265, VIDEO_CLOCK_RATE
    return (Codec.MJPEG, VIDEO_CLOCK_RATE) if payload_type == STATIC_JPEG else None


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
