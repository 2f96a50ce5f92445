"""The segment format's bytes (native/include/vg/segment.h, docs/ref/segment-format.md)."""

from collections.abc import Sequence

from typing_extensions import Buffer

from vonggac.media.chunk import ChunkView, Claim, PackedRow, Place, Row, Sample

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
) -> bytes:
    """`ftyp` and `moov`, padded to 4 KiB; sets have their NAL unit header and no start code."""

def chunk_head_write(claim: Claim, samples: Sequence[Sample]) -> tuple[bytearray, bytes]:
    """`prft`, `uuid`, `moof` and the header of `mdat`; and the claim's own SHA-256."""

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

def rows_pack(rows: Sequence[PackedRow]) -> bytes:
    """Rows as one value of the index, at most 65 535."""

def rows_append(packed: Buffer, rows: Sequence[PackedRow]) -> bytes:
    """A value of the index with `rows` behind what it holds: the bytes of packing all of them."""

def rows_unpack(packed: Buffer) -> list[PackedRow]:
    """The rows of one value of the index."""

def rows_hold(packed: Buffer, segment: int, epoch: int) -> bool:
    """Whether one value of the index has a row of this life of a segment. Makes no objects."""

def rows_spans(
    packed: Sequence[bytes], from_ns: int, to_ns: int
) -> list[tuple[int, int, int, int]]:
    """Ranges of contiguous rows that touch [from_ns, to_ns): (start_ns, end_ns, samples, bytes).

    Rows are contiguous when they follow each other in a run, or lie less than 1 ms apart.
    Ranges are not clipped to the question, so that `samples` and `bytes` belong to them whole.
    """
