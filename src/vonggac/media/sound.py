"""What sound a stream has, and what of it stands in a chunk: values of the second track. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "Sound",
    "SoundCodec",
    "SoundSamples",
    "first_decode_ticks",
    "has_sound",
    "starts_as_told",
]

_LEAD_TICKS = 90_000
"""VG_SOUND_LEAD_TICKS: sound begins at most so long before the chunk that it lies in."""
_START_BYTES = 8
"""VG_SOUND_START_SIZE."""
_HANDLER = b"hdlr" + bytes(8) + b"soun"
"""In `moov` (ISO/IEC 14496-12 8.4.3): of the second track alone."""


class SoundCodec(IntEnum):
    """vg_sound_codec: what a container can carry of what cameras send."""

    AAC = 1
    PCMA = 2
    """G.711, A-law."""
    PCMU = 3
    """G.711, mu-law."""
    OPUS = 4
    LATM = 5
    """AAC in LATM (RFC 6416), which a file does not tell from the other."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One track of sound (vg_sound)."""

    codec: SoundCodec
    channels: int
    clock_rate: int
    """Ticks a second of the RTP timestamps."""
    sample_rate: int
    """Samples a second, as a file tells it."""
    config: bytes = b""
    """AAC, in LATM too: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1)."""
    frame_ticks: int = 0
    """Likewise: ticks of the RTP clock for each frame."""
    size_bits: int = 0
    """AAC behind AU headers: of those (RFC 3640 3.2.1), as the next two."""
    index_bits: int = 0
    delta_bits: int = 0


@dataclass(frozen=True, slots=True)
class SoundSamples:
    """The sound of one chunk, as its second `trun` tells it."""

    start_ticks: int
    """From the chunk's first picture to the first sample; may be negative."""
    samples: tuple[tuple[int, int], ...]
    """Bytes and ticks of each."""


def has_sound(head: bytes) -> bool:
    """Whether a segment's `ftyp` and `moov` have a second track."""
    return _HANDLER in head


def first_decode_ticks(head: bytes) -> int:
    """Where the decode times of a file with this head begin: sound may lie before a picture."""
    return _LEAD_TICKS if has_sound(head) else 0


def starts_as_told(start_ticks: int | None, audio: bytes | memoryview) -> bool:
    """Whether the start in front of the sound, which is hashed with it, is what players are told.

    `start_ticks`: of the chunk's head, where no hash covers it; None where there is no sound.
    """
    told = int.from_bytes(audio[:_START_BYTES], "big", signed=True)
    return start_ticks is None or told == start_ticks
