"""Access units from RTP packets, put together by the native code (nal.h)."""

from vonggac._native.parse import RtpPacket

CODEC_H264: int
CODEC_H265: int
CODEC_MJPEG: int
SYNC_NONE: int
SYNC_IDR: int
SYNC_CRA: int
SYNC_BLA: int
SYNC_RECOVERY: int
ACCESS_UNIT_BYTES_MAX: int
NAL_UNITS_MAX: int
MARKER_TRUST: int

class AccessUnit:
    """All NAL units of one picture, without start codes, in the order they came."""

    @property
    def timestamp(self) -> int: ...
    @property
    def kind(self) -> int:
        """One of SYNC_*."""
    @property
    def damaged(self) -> bool: ...
    @property
    def leading(self) -> bool: ...
    @property
    def is_picture(self) -> bool: ...
    @property
    def nals(self) -> list[bytes]: ...

class Assembler:
    """From RTP packets to access units of H.264 or H.265, or to JPEG files (one NAL unit each)."""

    def __init__(self, codec: int, payload_type: int, capacity_bytes: int = ...) -> None: ...
    def expect_donl(self) -> None:
        """The description declares decoding order numbers (H.265)."""
    def expect_size(self, width: int, height: int) -> None:
        """The description's size, for pictures that cannot tell theirs (MJPEG)."""
    def push(self, packet: RtpPacket) -> bool:
        """False: pull what is ready, then push the same packet again."""
    def pull(self) -> AccessUnit | None: ...
    def mark_hole(self) -> None:
        """Bytes of the connection were lost here."""
    def flush(self) -> None:
        """The stream ends."""
    @property
    def counts(self) -> dict[str, int]:
        """What was odd so far, by the field names of vg_nal_counts."""
