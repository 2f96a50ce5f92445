"""The segment format's bytes (native/include/vg/segment.h, docs/ref/segment-format.md)."""

from collections.abc import Sequence

from typing_extensions import Buffer

from vonggac._native.rows import rows_append as rows_append
from vonggac._native.rows import rows_pack as rows_pack
from vonggac._native.rows import rows_spans as rows_spans
from vonggac._native.rows import rows_unpack as rows_unpack
from vonggac.media.chunk import ChunkView, Claim, Place, Row, Sample
from vonggac.media.sound import Sound, SoundSamples

def crc32c(data: Buffer, crc: int = 0) -> int:
    """CRC-32C (Castagnoli) of `data`, going on from `crc`."""

def crc32c_portable(data: Buffer, crc: int = 0) -> int:
    """The same without the processor's help: for the test that compares the two."""

def sha256(data: Buffer) -> bytes:
    """SHA-256 of `data`, 32 bytes."""

def head_write(
    codec: int,
    vps: Sequence[bytes],
    sps: Sequence[bytes],
    pps: Sequence[bytes],
    timescale: int,
    inband: bool,
    sound: Sound | None = None,
) -> bytes:
    """`ftyp` and `moov`, padded to 4 KiB; sets have their NAL unit header and no start code."""

def chunk_head_write(
    claim: Claim, samples: Sequence[Sample], sound: SoundSamples | None = None
) -> tuple[bytearray, bytes]:
    """`prft`, `uuid`, `moof` and the header of `mdat`; and the claim's own SHA-256.

    The claim's `audio_bytes` are those of `sound`, and the eight in front of it.
    """

def chunk_place(
    head: bytearray,
    decode_time: int,
    fragment_number: int,
    disk: bytes,
    segment: int,
    epoch: int,
    offset: int,
) -> Place:
    """Patches `head` in place: `tfdt`, `mfhd`, the place and its CRC."""

def claim_read(head: Buffer) -> tuple[Claim, bytes]:
    """The claim of a head, placed or not (its CRC is not looked at), and the claim's SHA-256."""

def chunk_parse(data: Buffer, offset: int = 0) -> ChunkView | None:
    """The chunk whose head starts at `offset`; None where there is none, or a damaged one.

    Raises MediaError: kind short (the head goes on behind `data`), unsupported (a newer version).
    """

def entry_write(row: Row) -> bytes:
    """A table entry, 64 bytes."""

def entry_read(data: Buffer) -> Row:
    """The row in 64 bytes."""

def table_bytes(count: int) -> int:
    """The size of a table of `count` entries."""

def table_write(rows: Sequence[Row], segment_bytes: int) -> bytes:
    """The table that ends a sealed segment; lies at `segment_bytes - len(table)`."""

def table_read(tail: Buffer, segment_bytes: int) -> list[Row]:
    """The rows of a table; `tail`: the last bytes of the segment, 64 at least.

    Raises TableIsLonger (kind short; says how many bytes it needs), MediaError where there is none.
    """
