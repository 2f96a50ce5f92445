"""The sound of a description that a file can carry, and the SETUP that asks for it.

Names win over numbers, the first rtpmap wins, any rate is taken (rtsp.md rows 112-115). Whatever a
camera does with the second SETUP, the pictures are asked for as if there had been none.
"""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.media.sound import Sound, SoundCodec
from vonggac.rtsp.messages import Response
from vonggac.rtsp.sdp import Description, Media, RtpMap
from vonggac.rtsp.sound_config import aac_config, latm_config
from vonggac.rtsp.tracks import format_parameters, heard_media
from vonggac.rtsp.transport import Transport, parse_transport, tcp_transport, udp_transport
from vonggac.rtsp.url import CameraUrl, UrlForm, control_forms

__all__ = ["SoundReady", "SoundSetup", "SoundTold", "SoundTrack", "sound_of", "sound_track"]

_G711 = {"PCMA": SoundCodec.PCMA, "PCMU": SoundCodec.PCMU}
_AAC_NAMES = frozenset(("MPEG4-GENERIC", "AAC"))
_NOT_CARRIED = "a file cannot carry that"
_OPUS_CLOCK = 48_000
"""RFC 7587 4.1: always, whatever is declared."""
_CHANNELS_MAX = 8
_CLOCK_MAX = 192_000
"""VG_SOUND_CLOCK_MAX."""

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
    """Sound that was granted: it comes on these channels of the connection, or as datagrams."""

    sound: Sound
    payload_type: int
    rtp_channel: int
    rtcp_channel: int


@dataclass(frozen=True, slots=True)
class SoundTold:
    """What else a dialogue says of the sound."""

    was_asked: bool = True
    """Of a camera that calls nobody asks."""
    unfit: str = ""
    """Why none of the sound that it offers can be recorded, for people."""
    udp_ports: tuple[int, int] | None = None
    """Where it comes as datagrams: the camera's ports for RTP and RTCP, 0 where it told none."""


def sound_track(description: Description) -> SoundTrack | None:
    """The first sound that a file can carry; None where there is none."""
    found = sound_of(description)
    return found if isinstance(found, SoundTrack) else None


def sound_of(description: Description) -> SoundTrack | str:
    """The same; where there is none but some is offered, why the first cannot be recorded."""
    why = ""
    for media in heard_media(description):
        found = _track(description, media)
        if isinstance(found, SoundTrack):
            return found
        why = why or found
    return why


def _track(description: Description, media: Media) -> SoundTrack | str:
    if "SAVP" in media.protocol:
        return "it is encrypted"
    if media.direction == "inactive":
        return "the camera has it switched off"
    if not media.payload_types or not (media.control or "").strip(" *"):
        return "it has no address of its own"
    payload_type = media.payload_types[0]
    own = [m for m in media.rtpmaps if m.payload_type == payload_type] or media.rtpmaps
    rtpmap = own[0] if own else _static(payload_type)
    if rtpmap is None:
        return _NOT_CARRIED
    sound = _sound(description, media, payload_type, rtpmap)
    return sound if isinstance(sound, str) else SoundTrack(sound, payload_type, media.control or "")


def _static(payload_type: int) -> RtpMap | None:
    """RFC 3551 table 4: those two that a file can carry."""
    name = {0: "PCMU", 8: "PCMA"}.get(payload_type)
    return RtpMap(payload_type, name, 8000) if name else None


def _sound(
    description: Description, media: Media, payload_type: int, rtpmap: RtpMap
) -> Sound | str:
    rate = rtpmap.clock_rate
    if rate > _CLOCK_MAX and rtpmap.encoding != "OPUS":
        return _NOT_CARRIED
    channels = min(max(rtpmap.channels, 1), _CHANNELS_MAX)
    if rtpmap.encoding == "OPUS":
        return Sound(SoundCodec.OPUS, 2, _OPUS_CLOCK, _OPUS_CLOCK)
    if rtpmap.encoding in _G711:
        rate = rate or 8000
        return Sound(_G711[rtpmap.encoding], channels, rate, rate)
    if rtpmap.encoding in _AAC_NAMES and rate:
        return _aac(format_parameters(description, media, payload_type), rate, channels)
    if rtpmap.encoding == "MP4A-LATM" and rate:
        return _latm(format_parameters(description, media, payload_type), rate)
    return _NOT_CARRIED


def _latm(fmtp: dict[str, str], clock_rate: int) -> Sound | str:
    """RFC 6416 7.3."""
    config = latm_config(fmtp)
    if isinstance(config, str):
        return config
    ticks = max(1, round(config.frame_samples * clock_rate / config.rate))
    return Sound(
        SoundCodec.LATM, config.channels, clock_rate, config.rate, config.data, frame_ticks=ticks
    )


def _aac(fmtp: dict[str, str], clock_rate: int, channels: int) -> Sound | str:
    """RFC 3640 4.1; what is not told is as in AAC-hbr, as most send it."""
    if any(fmtp.get(name, "0").strip("0") for name in _OTHER_FIELDS):
        return "its headers hold more than lengths"
    is_low = fmtp.get("mode", "").lower() == "aac-lbr"
    bits = tuple(
        _number(fmtp.get(name), low if is_low else high)
        for name, low, high in (
            *(("sizelength", 6, 13), ("indexlength", 2, 3)),
            ("indexdeltalength", 2, 3),
        )
    )
    config = aac_config(fmtp.get("config", ""), clock_rate, channels)
    if config is None or not 0 < bits[0] <= 16 or max(bits) > 16:
        return _NOT_CARRIED
    return Sound(
        SoundCodec.AAC,
        config.channels or channels,
        clock_rate,
        config.rate,
        config.data,
        max(1, round(config.frame_samples * clock_rate / config.rate)),
        *bits,
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else default


class SoundSetup:
    """The SETUP of the sound, behind that of the pictures and before PLAY."""

    def __init__(self, is_wanted: bool, ports: tuple[int, int] | None = None) -> None:
        """`ports`: of ours for its datagrams, where the pictures come as such."""
        self.is_open = False
        """It was asked for and not answered."""
        self.was_asked = False
        self.ready: SoundReady | None = None
        self._is_wanted = is_wanted
        self._own_ports = ports
        self._camera_ports: tuple[int, int] | None = None
        self._track: SoundTrack | None = None
        self._unfit = ""
        self._forms: tuple[tuple[UrlForm, str], ...] = ()
        self._channels = (0, 0)
        self._is_udp = False

    @property
    def told(self) -> SoundTold:
        """What is known once it plays."""
        return SoundTold(self.was_asked, self._unfit, self._camera_ports)

    def described(self, description: Description, url: CameraUrl, base: str) -> None:
        """What is offered. `base`: for control addresses."""
        found = sound_of(description)
        if isinstance(found, str):
            self._unfit = found
        elif self._is_wanted:
            self._track = found
            self._forms = control_forms(url, base, found.control)

    def ask(self, form: UrlForm, taken: tuple[int, int], is_udp: bool) -> tuple[str, str] | None:
        """Address and Transport of the SETUP; None where none is to be sent.

        `form`: what the camera understood for the pictures; `taken`: their channels; `is_udp`:
        they come as datagrams.
        """
        if self._track is None or max(taken) + 2 > 255 or (is_udp and self._own_ports is None):
            return None
        first = (max(taken) + 2) // 2 * 2
        self._channels = (first, first + 1)
        self._is_udp = is_udp
        self.is_open = self.was_asked = True
        address = dict(self._forms).get(form, self._forms[0][1])
        own = self._own_ports if is_udp else None
        return address, udp_transport(own) if own else tcp_transport(first)

    def answered(self, response: Response, taken: tuple[int, int]) -> tuple[int, int] | None:
        """Whatever it says; without a usable grant there is no sound.

        Gives the camera's ports where datagrams will come.
        """
        self.is_open = False
        transport = parse_transport(response.headers.get("Transport") or "")
        is_granted = 200 <= response.status < 300 and not transport.is_multicast
        if self._track is None or not is_granted:
            return None
        channels = self._granted(transport, taken)
        if channels is None:
            return None
        self.ready = SoundReady(self._track.sound, self._track.payload_type, *channels)
        return self._camera_ports

    def _granted(self, transport: Transport, taken: tuple[int, int]) -> tuple[int, int] | None:
        """The channels, which of datagrams stand for nothing."""
        if self._is_udp and not transport.is_tcp:
            self._camera_ports = transport.server_ports or (0, 0)
            return self._channels
        if transport.server_ports and not self._is_udp:
            return None
        channels = transport.channels or self._channels
        return None if set(channels) & set(taken) else channels  # what comes there is pictures
