"""What a camera's description offers: its video, and the addresses where that may be set up."""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.errors import MediaError
from vonggac.media.chunk import GapReason
from vonggac.rtsp.events import Failure, PlayReady
from vonggac.rtsp.exchange import Exchange
from vonggac.rtsp.habits import Habit, of_description
from vonggac.rtsp.messages import Response
from vonggac.rtsp.sdp import Description, parse_sdp
from vonggac.rtsp.sound import SoundSetup
from vonggac.rtsp.tracks import (
    VideoTrack,
    audio_tracks,
    metadata_encodings,
    video_encodings,
    video_track,
)
from vonggac.rtsp.url import CameraUrl, UrlForm, content_base, control_candidates, control_forms


@dataclass(frozen=True, slots=True)
class Offer:
    """The answer to DESCRIBE, as far as a session of its video needs it."""

    description: Description
    track: VideoTrack
    aggregate_uri: str
    forms: tuple[tuple[UrlForm, str], ...]
    """Addresses of the video, the likeliest first."""
    habits: tuple[Habit, ...]
    base: str
    """Of relative addresses."""

    def ready(
        self,
        exchange: Exchange,
        keepalive_method: str,
        channels: tuple[int, int],
        udp_ports: tuple[int, int] | None,
        sound: SoundSetup,
    ) -> PlayReady:
        """What whoever takes the connection over has to know; `udp_ports`: the camera's."""
        return PlayReady(
            codec=self.track.codec,
            payload_type=self.track.payload_type,
            clock_rate=self.track.clock_rate,
            rtp_channel=channels[0],
            rtcp_channel=channels[1],
            vps=self.track.vps,
            sps=self.track.sps,
            pps=self.track.pps,
            session_timeout_s=exchange.timeout_s,
            keepalive_method=keepalive_method,
            scheme=exchange.authenticator.scheme,
            server=exchange.server,
            audio=audio_tracks(self.description),
            udp_ports=udp_ports,
            has_donl=self.track.has_donl,
            sound=sound.ready,
            sound_told=sound.told,
            metadata=metadata_encodings(self.description),
        )


def offer_of(url: CameraUrl, response: Response) -> Offer | Failure:
    """RFC 2326 10.2; no Content-Type is needed, and its parameters do not matter."""
    try:
        description = parse_sdp(response.body)
    except MediaError as error:
        return Failure(GapReason.NO_VIDEO, f"the description cannot be read: {error}")
    track = video_track(description)
    if track is None:
        names = ", ".join(video_encodings(description)) or "none"
        return Failure(GapReason.NO_VIDEO, f"no H.264, H.265 or MJPEG video (offered: {names})")
    value = response.headers.get("Content-Base") or response.headers.get("Content-Location")
    base = content_base(url, value)
    return Offer(
        description,
        track,
        control_candidates(url, base, description.control)[0],
        control_forms(url, base, track.control),
        tuple(of_description(response, description, track)),
        base,
    )
