"""RTP, RTCP, RTSP framing, sequence parameter sets and JPEG sizes, read by the native code.

A fault raises vonggac.errors.MediaError with the clause and the byte offset. Contracts and units
are those of the headers rtp.h, rtcp.h, rtsp_frame.h, nal.h and jpeg.h.
"""

from collections.abc import Iterable

from typing_extensions import Buffer

from vonggac.errors import MediaError

RTCP_OTHER: int
RTCP_SR: int
RTCP_BYE: int
RTSP_PACKET: int
RTSP_MESSAGE: int
RTSP_GARBAGE: int
RTSP_HEADER_BYTES_MAX: int
RTSP_BODY_BYTES_MAX: int
RTSP_RESYNC_BYTES_MAX: int

class RtpPacket:
    """A packet (RFC 3550 5.1) and the datagram that it points into."""

    def __init__(self, datagram: Buffer) -> None: ...
    @property
    def marker(self) -> bool: ...
    @property
    def payload_type(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Ticks of the track's timescale; wraps at 2^32."""
    @property
    def ssrc(self) -> int: ...
    @property
    def payload(self) -> memoryview:
        """Without padding; keeps the datagram's buffer exported."""

def rtp_parse(datagram: Buffer) -> RtpPacket: ...

class RtcpItem:
    """One packet of a compound; `ntp` (32.32) and `rtp_timestamp` only of a sender report."""

    @property
    def kind(self) -> int: ...
    @property
    def ssrc(self) -> int: ...
    @property
    def ntp(self) -> int: ...
    @property
    def rtp_timestamp(self) -> int: ...

def rtcp_items(compound: Buffer) -> tuple[list[RtcpItem], MediaError | None]:
    """What could be read, and the fault behind which nothing can be trusted, if any."""

def rtcp_receiver_report(
    own_ssrc: int,
    ssrc: int,
    *,
    fraction_lost: int = 0,
    lost: int = 0,
    highest_sequence: int = 0,
    jitter: int = 0,
    last_sr: int = 0,
    delay_sr: int = 0,
) -> bytes:
    """A receiver report of one source (RFC 3550 6.4.2), 32 bytes."""

class RtspItem:
    """A piece of an RTSP connection: a packet's payload, a whole message, or garbage."""

    @property
    def kind(self) -> int: ...
    @property
    def channel(self) -> int:
        """Of a packet; -1 of others."""
    @property
    def content(self) -> bytes: ...
    @property
    def consumed_bytes(self) -> int:
        """How far the received bytes are done with, this item included."""

class RtspSplitter:
    """Splits what is received on an RTSP connection (RFC 2326 10.12)."""

    def __init__(self, channels: Iterable[int] = ()) -> None: ...
    def agree(self, channel: int) -> None:
        """This interleaved channel was agreed in SETUP."""
    @property
    def skipped_bytes(self) -> int:
        """Garbage in a row up to here."""
    def next(self, received: Buffer) -> RtspItem | None:
        """The item at the head; None: call again with the same bytes and more behind them."""

class Sps:
    """A sequence parameter set (H.264 7.3.2.1.1, H.265 7.3.2.2), as far as the file needs it."""

    @property
    def width(self) -> int:
        """Luma samples after cropping."""
    @property
    def height(self) -> int: ...
    @property
    def profile(self) -> int: ...
    @property
    def compatibility(self) -> int:
        """H.264: the byte of constraint flags."""
    @property
    def level(self) -> int: ...
    @property
    def tier_profile(self) -> bytes:
        """H.265: the general part of profile_tier_level, 12 bytes as in hvcC."""
    @property
    def chroma_format(self) -> int: ...
    @property
    def bit_depth_luma(self) -> int: ...
    @property
    def bit_depth_chroma(self) -> int: ...
    @property
    def temporal_layers(self) -> int: ...
    @property
    def temporal_nested(self) -> bool: ...
    @property
    def interlaced(self) -> bool: ...
    @property
    def reorder_depth(self) -> int:
        """Pictures that may precede one in decoding and follow it in output; -1: not told."""
    @property
    def id(self) -> int: ...

def h264_sps(nal: Buffer) -> Sps: ...
def h265_sps(nal: Buffer) -> Sps: ...
def jpeg_size(picture: Buffer) -> tuple[int, int]:
    """Width and height of a JPEG file, from its frame header (ITU T.81 B.2.2)."""
