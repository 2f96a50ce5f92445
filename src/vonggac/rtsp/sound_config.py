"""What a description says of its AAC: the decoder's configuration, and LATM's around it.

ISO/IEC 14496-3: AudioSpecificConfig (1.6.2.1) and StreamMuxConfig (1.7.3), as far as cameras use
them. Of LATM that is one program of one layer whose frames tell their own lengths.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

__all__ = ["AacConfig", "aac_config", "latm_config"]

# 1.6.3.3, table 1.18.
_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000,
          11_025, 8_000, 7_350)  # fmt: skip
_ESCAPE = 15
_TYPES = frozenset((1, 2, 3, 4))
"""Main, LC, SSR, LTP: frames of 1,024 or 960 samples, told by the first bit behind the header."""
_EXTENDED = frozenset((5, 29))
"""SBR, PS: the type of the core follows."""
_CONFIG_MAX_BYTES = 64


@dataclass(frozen=True, slots=True)
class AacConfig:
    """A decoder's configuration."""

    data: bytes
    """AudioSpecificConfig."""
    rate: int
    """Samples a second of its core."""
    channels: int
    """0: not told."""
    frame_samples: int


class _Bits:
    """Reads bits; behind the end come zeros, and `is_over` says so."""

    def __init__(self, data: bytes) -> None:
        self._text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    @property
    def is_over(self) -> bool:
        return self.at > len(self._text)

    def take(self, count: int) -> int:
        self.at += count
        return int(self._text[self.at - count : self.at].ljust(count, "0"), 2)

    def between(self, start: int, end: int) -> bytes:
        """Those bits as bytes, filled up with zeros."""
        text = self._text[start:end]
        return bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8))


def aac_config(text: str, clock_rate: int, channels: int) -> AacConfig | None:
    """`config` of RFC 3640 4.1, in hexadecimal digits; None where a file cannot carry it.

    Where it is missing or cannot be read, one of AAC-LC is made of what rtpmap says.
    """
    data = _unhex(text) or b""
    found = _read(_Bits(data)) if 2 <= len(data) <= _CONFIG_MAX_BYTES else None
    if found is not None:
        return AacConfig(data, *found)
    if data and (data[0] >> 3) not in (0, *_TYPES, *_EXTENDED):
        return None  # AAC of another kind: read as LC it would be noise
    if clock_rate not in _RATES:
        return None
    made = 2 << 11 | _RATES.index(clock_rate) << 7 | min(channels, 7) << 3
    return AacConfig(made.to_bytes(2), clock_rate, channels, 1024)


def latm_config(fmtp: dict[str, str]) -> AacConfig | str:
    """RFC 6416 7.3; or why it cannot be recorded, for people.

    Where `cpresent` is missing a `config` decides, as in ffmpeg and GStreamer.
    """
    text = fmtp.get("config", "")
    if not text or fmtp.get("cpresent", "0").strip() not in ("", "0"):
        return "its configuration comes in the packets"
    data = _unhex(text)
    if data is None or len(data) > _CONFIG_MAX_BYTES:
        return "its configuration cannot be read"
    return _read_mux(data)


def _unhex(text: str) -> bytes | None:
    try:
        return binascii.unhexlify(text.strip().strip('"'))
    except (binascii.Error, ValueError):
        return None


def _read(bits: _Bits) -> tuple[int, int, int] | None:
    """1.6.2.1 up to the length of a frame: core rate, channels, samples of a frame."""

    def take_rate() -> int:
        index = bits.take(4)
        if index == _ESCAPE:
            return bits.take(24)
        return _RATES[index] if index < len(_RATES) else 0

    kind, rate, channels = bits.take(5), take_rate(), bits.take(4)
    if kind in _EXTENDED:
        take_rate()
        kind = bits.take(5)
    is_short = bits.take(1)
    if kind not in _TYPES or bits.is_over or not 7350 <= rate <= 96_000 or channels > 7:
        return None
    return rate, 8 if channels == 7 else channels, 960 if is_short else 1024


def _read_mux(data: bytes) -> AacConfig | str:
    """1.7.3.1, table 1.42."""
    bits = _Bits(data)
    version = bits.take(1)
    if version and bits.take(1):
        return "its LATM is of a version that nobody uses"
    if version:
        _take_value(bits)  # taraBufferFullness
    if not bits.take(1):
        return "its frames share no clock (allStreamsSameTimeFraming)"
    bits.take(6)  # numSubFrames: they tell their own lengths
    if bits.take(4) or bits.take(3):
        return "it has several programs or layers"
    length = _take_value(bits) if version else None
    start = bits.at
    found = _read(bits)
    if found is None or not found[1]:
        return "its AAC is of a kind that a file cannot carry"
    if bits.take(1):
        bits.take(14)  # dependsOnCoreCoder: coreCoderDelay
    bits.take(1)  # extensionFlag: nothing follows it in these types
    end = bits.at if length is None else start + length
    bits.at = end
    if bits.take(3):
        return "its frames do not tell their lengths (frameLengthType)"
    bits.take(8)  # latmBufferFullness
    if bits.take(1):
        return "other data stands between its frames"
    # What ends behind the decoder's configuration is as most send it.
    return AacConfig(bits.between(start, end), *found)


def _take_value(bits: _Bits) -> int:
    """1.7.3.1, LatmGetValue."""
    count = bits.take(2) + 1
    return bits.take(8 * count)
