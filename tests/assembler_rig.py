"""NAL units to make pictures of, and a camera whose marker is believed."""

from __future__ import annotations

from collections.abc import Iterable

from packetiser import H264, fragments
from rtp_camera import Camera
from vonggac._native.assembler import MARKER_TRUST, AccessUnit

M = True
"""Of a packet: it has the marker."""
SPS = bytes.fromhex("6764001facb4")
PPS = bytes.fromhex("68ee3cb0")
SEI = bytes.fromhex("0605040102030480")
RECOVERY = bytes.fromhex("060601c480")
"""recovery_frame_cnt 0."""
AUD = bytes.fromhex("09f0")
IDR = bytes.fromhex("65888400aabbccdd")
IDR_2 = bytes.fromhex("654480aabbcc")
"""A second slice: first_mb_in_slice is 1."""
P_1 = bytes.fromhex("419a0102030405")
P_2 = bytes.fromhex("415480060708")
I_1 = bytes.fromhex("41b80405060708")
"""slice_type 7: all of the picture is intra."""
ENDED = bytes.fromhex("0a")
H265_VPS = bytes.fromhex("40010c01ffff")
H265_SPS = bytes.fromhex("420101016080")
H265_PPS = bytes.fromhex("4401c172b0")
H265_IDR = bytes.fromhex("2601af0102030405")
H265_IDR_2 = bytes.fromhex("26012f0102030405")
H265_CRA = bytes.fromhex("2a01af0a0b0c")
H265_BLA = bytes.fromhex("2001af0a0b0c")
H265_RASL = bytes.fromhex("1001d00a0b0c")
H265_TRAIL = bytes.fromhex("0201d00a0b0c")
H265_SUFFIX_SEI = bytes.fromhex("5001840102")


def nals(units: Iterable[AccessUnit]) -> list[list[bytes]]:
    return [unit.nals for unit in units]


def flags(units: Iterable[AccessUnit]) -> list[bool]:
    return [unit.damaged for unit in units]


def trusted() -> Camera:
    """A camera whose marker is believed; what it sent up to here is forgotten."""
    camera = Camera()
    for i in range(MARKER_TRUST + 1):
        camera.send(i * 10, (P_1, M))
    camera.send(1000, (P_1, M))
    camera.units.clear()
    return camera


def fu(nal: bytes, room_bytes: int = 5) -> list[bytes]:
    """The packets of a fragmented NAL unit."""
    return fragments(H264, nal, room_bytes)
