"""The sound of a description that a file can carry, and the SETUP that asks for it.

Names win over numbers, the first rtpmap wins, any rate is taken (rtsp.md rows 112-115). Whatever a
camera does with the second SETUP, the pictures are asked for as if there had been none.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

from vonggac.media.sound import Sound, SoundCodec
from vonggac.rtsp.messages import Response
from vonggac.rtsp.sdp import Description, Media, RtpMap, format_parameters, heard_media
from vonggac.rtsp.transport import parse_transport, tcp_transport
from vonggac.rtsp.url import CameraUrl, UrlForm, control_forms

__all__ = ["SoundReady", "SoundSetup", "SoundTrack", "sound_track"]

_G711 = {"PCMA": SoundCodec.PCMA, "PCMU": SoundCodec.PCMU}
_AAC_NAMES = frozenset(("MPEG4-GENERIC", "AAC"))
_OPUS_CLOCK = 48_000
"""RFC 7587 4.1: always, whatever is declared."""
_CHANNELS_MAX = 8
_CLOCK_MAX = 192_000
"""VG_SOUND_CLOCK_MAX."""
_CONFIG_MAX_BYTES = 64

# ISO/IEC 14496-3 1.6.3.3, table 1.18.
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000,
              11_025, 8_000, 7_350)  # fmt: skip
_AAC_ESCAPE = 15
_AAC_TYPES = frozenset((1, 2, 3, 4))
"""Main, LC, SSR, LTP: frames of 1,024 or 960 samples, told by the first bit behind the header."""
_AAC_EXTENDED = frozenset((5, 29))
"""SBR, PS: the type of the core follows."""
# RFC 3640 4.1: what else an AU header may hold, which nothing here reads.
_OTHER_FIELDS = ("constantsize", "ctsdeltalength", "dtsdeltalength", "randomaccessindication",
                 "streamstateindication", "auxiliarydatasizelength")  # fmt: skip


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """Sound that can be recorded."""

    sound: Sound
    payload_type: int
    control: str


@dataclass(frozen=True, slots=True)
class SoundReady:
    """Sound that was granted: it comes on these channels of the connection."""

    sound: Sound
    payload_type: int
    rtp_channel: int
    rtcp_channel: int


def sound_track(description: Description) -> SoundTrack | None:
    """The first sound that a file can carry; None where there is none."""
    for media in heard_media(description):
        if "SAVP" in media.protocol or media.direction == "inactive":
            continue
        for payload_type in media.payload_types[:1]:
            own = [m for m in media.rtpmaps if m.payload_type == payload_type] or media.rtpmaps
            rtpmap = own[0] if own else _static(payload_type)
            if rtpmap is None or not (media.control or "").strip(" *"):
                continue
            sound = _sound(description, media, payload_type, rtpmap)
            if sound is not None:
                return SoundTrack(sound, payload_type, media.control or "")
    return None


def _static(payload_type: int) -> RtpMap | None:
    """RFC 3551 table 4: those two that a file can carry."""
    name = {0: "PCMU", 8: "PCMA"}.get(payload_type)
    return RtpMap(payload_type, name, 8000) if name else None


def _sound(
    description: Description, media: Media, payload_type: int, rtpmap: RtpMap
) -> Sound | None:
    rate = rtpmap.clock_rate
    if rate > _CLOCK_MAX and rtpmap.encoding != "OPUS":
        return None
    channels = min(max(rtpmap.channels, 1), _CHANNELS_MAX)
    if rtpmap.encoding == "OPUS":
        return Sound(SoundCodec.OPUS, 2, _OPUS_CLOCK, _OPUS_CLOCK)
    if rtpmap.encoding in _G711:
        rate = rate or 8000
        return Sound(_G711[rtpmap.encoding], channels, rate, rate)
    if rtpmap.encoding in _AAC_NAMES and rate:
        return _aac(format_parameters(description, media, payload_type), rate, channels)
    return None


def _aac(fmtp: dict[str, str], clock_rate: int, channels: int) -> Sound | None:
    """RFC 3640 4.1; what is not told is as in AAC-hbr, as most send it."""
    if any(fmtp.get(name, "0").strip("0") for name in _OTHER_FIELDS):
        return None
    is_low = fmtp.get("mode", "").lower() == "aac-lbr"
    bits = tuple(
        _number(fmtp.get(name), low if is_low else high)
        for name, low, high in (
            *(("sizelength", 6, 13), ("indexlength", 2, 3)),
            ("indexdeltalength", 2, 3),
        )
    )
    config = _config(fmtp.get("config", ""), clock_rate, channels)
    if config is None or not 0 < bits[0] <= 16 or max(bits) > 16:
        return None
    data, core_rate, heard, frame = config
    return Sound(
        SoundCodec.AAC,
        heard or channels,
        clock_rate,
        core_rate,
        data,
        max(1, round(frame * clock_rate / core_rate)),
        *bits,
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else default


def _config(text: str, clock_rate: int, channels: int) -> tuple[bytes, int, int, int] | None:
    """The configuration, its core's rate, channels (0: not told) and samples of a frame.

    Where it is missing or cannot be read, one of AAC-LC is made of what rtpmap says.
    """
    try:
        data = binascii.unhexlify(text.strip().strip('"'))
    except (binascii.Error, ValueError):
        data = b""
    found = _read_config(data) if 2 <= len(data) <= _CONFIG_MAX_BYTES else None
    if found is not None:
        return data, *found
    if data and (data[0] >> 3) not in (0, *_AAC_TYPES, *_AAC_EXTENDED):
        return None  # AAC of another kind: read as LC it would be noise
    if clock_rate not in _AAC_RATES:
        return None
    made = 2 << 11 | _AAC_RATES.index(clock_rate) << 7 | min(channels, 7) << 3
    return made.to_bytes(2), clock_rate, channels, 1024


def _read_config(data: bytes) -> tuple[int, int, int] | None:
    """ISO/IEC 14496-3 1.6.2.1: core rate, channels, samples of a frame."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int(bits[at - count : at].ljust(count, "0"), 2)

    def take_rate() -> int:
        index = take(4)
        if index == _AAC_ESCAPE:
            return take(24)
        return _AAC_RATES[index] if index < len(_AAC_RATES) else 0

    kind, rate, channels = take(5), take_rate(), take(4)
    if kind in _AAC_EXTENDED:
        take_rate()
        kind = take(5)
    is_short = take(1)
    if kind not in _AAC_TYPES or at > len(bits) or not 7350 <= rate <= 96_000 or channels > 7:
        return None
    return rate, 8 if channels == 7 else channels, 960 if is_short else 1024


class SoundSetup:
    """The SETUP of the sound, behind that of the pictures and before PLAY."""

    def __init__(self, is_wanted: bool) -> None:
        self.is_open = False
        """It was asked for and not answered."""
        self.was_asked = False
        self.ready: SoundReady | None = None
        self._is_wanted = is_wanted
        self._track: SoundTrack | None = None
        self._forms: tuple[tuple[UrlForm, str], ...] = ()
        self._channels = (0, 0)

    def described(self, description: Description, url: CameraUrl, base: str) -> None:
        """What is offered. `base`: for control addresses."""
        self._track = sound_track(description) if self._is_wanted else None
        if self._track is not None:
            self._forms = control_forms(url, base, self._track.control)

    def ask(self, form: UrlForm, taken: tuple[int, int]) -> tuple[str, str] | None:
        """Address and Transport of the SETUP; None where none is to be sent.

        `form`: what the camera understood for the pictures; `taken`: their channels.
        """
        if self._track is None or max(taken) + 2 > 255:
            return None
        first = (max(taken) + 2) // 2 * 2
        self._channels = (first, first + 1)
        self.is_open = self.was_asked = True
        address = dict(self._forms).get(form, self._forms[0][1])
        return address, tcp_transport(first)

    def answered(self, response: Response, taken: tuple[int, int]) -> None:
        """Whatever it says; without a usable grant there is no sound."""
        self.is_open = False
        transport = parse_transport(response.headers.get("Transport") or "")
        is_granted = 200 <= response.status < 300 and not transport.is_multicast
        if self._track is None or not is_granted or transport.server_ports:
            return
        channels = transport.channels or self._channels
        if set(channels) & set(taken):
            return  # what comes there is pictures
        self.ready = SoundReady(self._track.sound, self._track.payload_type, *channels)
