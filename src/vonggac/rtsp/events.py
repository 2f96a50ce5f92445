"""What a client session tells its shell. Values only; nothing here shows a login."""

from __future__ import annotations

from dataclasses import dataclass, field

from vonggac.media.chunk import Codec, GapReason
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.sound import SoundReady, SoundTold
from vonggac.rtsp.tracks import AudioTrack

KEEPALIVE_MAX_S = 30.0
"""Some cameras close below what they announce (MediaMTX 1066)."""


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to write. May hold an Authorization field, so `repr` does not show them."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UdpAgreed:
    """SETUP was answered: datagrams will come. A firewall has to see some of ours before PLAY."""

    ports: tuple[int, int]
    """The camera's, 0 where it told none."""
    is_sound: bool = False


@dataclass(frozen=True, slots=True)
class PlayReady:
    """PLAY was answered: video comes on this connection, which now belongs to a loop."""

    codec: Codec
    payload_type: int
    clock_rate: int
    """Ticks a second of the RTP timestamps."""
    rtp_channel: int
    rtcp_channel: int
    vps: tuple[bytes, ...]
    """Parameter sets of the description; in-band ones win."""
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    session_timeout_s: int
    """What the camera announced, 60 where it did not."""
    keepalive_method: str
    scheme: Scheme | None
    """How the camera had us log in; give it to the next session as its floor."""
    server: str
    """The camera's Server field, for people; empty where there is none."""
    audio: tuple[AudioTrack, ...] = ()
    """Offered."""
    udp_ports: tuple[int, int] | None = None
    """The camera's for RTP and RTCP, 0 where it told none; None over TCP."""
    has_donl: bool = False
    """Decoding order numbers stand in the packets (RFC 7798 7.1)."""
    sound: SoundReady | None = None
    """Asked for and granted."""
    sound_told: SoundTold = field(default_factory=SoundTold)
    metadata: tuple[str, ...] = ()
    """Encodings of what is offered beside pictures and sound, which is never asked for."""

    @property
    def keepalive_interval_s(self) -> float:
        """When to call `ClientSession.keepalive` again: half the time-out, at most 30 s."""
        return min(KEEPALIVE_MAX_S, max(1.0, self.session_timeout_s / 2))


@dataclass(frozen=True, slots=True)
class Failure:
    """The session is over before it played, or its log-in was refused while it did."""

    reason: GapReason
    detail: str
    """One sentence for people, no login in it."""
    status: int | None = None
    """Of the answer that ended it, where an answer did."""
    should_reconnect: bool = False
    """Try again at once, on a new connection with the same Authenticator: the camera closed this
    one together with its challenge."""
    location: str | None = None
    """Where a redirect points, without login; it is the shell's to follow."""
    other_transport: bool = False
    """The camera wants the transport that was not asked for: SETUP it on a new connection."""


@dataclass(frozen=True, slots=True)
class KeepaliveAnswered:
    """An answer to a keep-alive. An error is no failure while video flows (ZLMediaKit 642)."""

    status: int


@dataclass(frozen=True, slots=True)
class TornDown:
    """The camera answered TEARDOWN: close the connection."""


Event = Send | UdpAgreed | PlayReady | Failure | KeepaliveAnswered | TornDown
