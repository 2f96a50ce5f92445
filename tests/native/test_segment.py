"""Chunks, heads and hashes, byte by byte."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac._native import segment
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkFlag, Claim, Codec, GapReason, Sample, SyncKind

CAMERA, STREAM, DISK = b"c" * 16, b"s" * 16, b"d" * 16
EPOCH = 1 << 40 | 9

# A Baseline SPS and a PPS of 64x48, made by hand from H.264 7.3.2.1.1 and 7.3.2.2.
SPS = bytes.fromhex("6742c00ada11e4")
PPS = bytes.fromhex("68ce3880")

FIRST = Claim(
    flags=ChunkFlag.FIRST | ChunkFlag.CLOCK_SYNCED,
    camera=CAMERA,
    stream=STREAM,
    run=1_763_700_000_000_000,
    sequence=0,
    wall_start_ns=1_763_700_000_123_456_789,
    media_start_ticks=0,
    kind=SyncKind.IDR,
    video_bytes=1500,
    video_sha256=hashlib.sha256(b"video").digest(),
    previous_sha256=bytes(32),
    predecessor_run=1_763_600_000_000_000,
    gap_reason=GapReason.NETWORK,
    gap_start_ns=1_763_699_990_000_000_000,
)
NEXT = replace(
    FIRST, flags=ChunkFlag.DAMAGED, sequence=1, kind=SyncKind.NONE, predecessor_run=0,
    gap_reason=0, gap_start_ns=0, camera_clock_ns=-5,
)  # fmt: skip
SAMPLES = (Sample(1000, 3600, 0, is_sync=True), Sample(500, 3601, -7, is_leading=True))


def placed(claim: Claim = FIRST, samples: tuple[Sample, ...] = SAMPLES) -> bytearray:
    """A head as it stands on a disk."""
    head, _ = segment.chunk_head_write(claim, samples)
    segment.chunk_place(head, 900_000, 3, DISK, 12, EPOCH, 4096)
    return head


def test_crc32c_is_castagnolis() -> None:
    assert segment.crc32c(b"123456789") == 0xE3069283
    assert segment.crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720 B.4
    assert segment.crc32c(b"\xff" * 32) == 0x62A8AB43


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_both_crcs_agree_and_go_on(first: bytes, second: bytes) -> None:
    whole = segment.crc32c(first + second)
    assert segment.crc32c(second, segment.crc32c(first)) == whole
    assert segment.crc32c_portable(first + second) == whole


def test_sha256_is_sha256() -> None:
    for data in (b"", b"a", bytes(100_000)):
        assert segment.sha256(data) == hashlib.sha256(data).digest()


@pytest.mark.parametrize("claim", [FIRST, NEXT], ids=["first", "next"])
def test_what_was_written_is_read(claim: Claim) -> None:
    head, claim_sha256 = segment.chunk_head_write(claim, SAMPLES)
    place = segment.chunk_place(head, 900_000, 3, DISK, 12, EPOCH, 4096)

    view = segment.chunk_parse(head)

    assert view is not None
    assert view.claim == replace(
        claim, duration_ticks=7201, samples=2, trun_sha256=view.claim.trun_sha256
    )
    assert view.place == place
    assert (place.segment, place.epoch, place.offset, place.disk) == (12, EPOCH, 4096, DISK)
    assert view.payload_offset == len(head)
    assert place.first_sample_end == len(head) + 1000
    assert view.decode_time_ticks == 900_000
    assert view.claim_sha256 == claim_sha256


def test_a_claim_is_read_before_its_chunk_has_a_place() -> None:
    head, claim_sha256 = segment.chunk_head_write(FIRST, SAMPLES)

    claim, own = segment.claim_read(head)

    assert own == claim_sha256
    assert claim.duration_ticks == 7201
    assert segment.chunk_parse(head) is None  # its CRC is not there yet


def test_a_placed_head_is_found_anywhere_in_the_bytes() -> None:
    data = bytes(4096) + bytes(placed()) + bytes(100)

    view = segment.chunk_parse(data, 4096)

    assert view is not None
    assert segment.chunk_parse(data, 0) is None
    assert segment.chunk_parse(memoryview(data)[4096:]) == view


def test_the_hashes_are_of_the_bytes_in_the_file() -> None:
    head, claim_sha256 = segment.chunk_head_write(FIRST, SAMPLES)

    claim_at = 32 + 24
    assert claim_sha256 == hashlib.sha256(head[claim_at : claim_at + 244]).digest()
    trun_at = head.index(b"trun") - 4
    (trun_bytes,) = struct.unpack_from(">I", head, trun_at)
    claim, _ = segment.claim_read(head)
    assert claim.trun_sha256 == hashlib.sha256(head[trun_at : trun_at + trun_bytes]).digest()


def test_the_keeper_sets_decode_time_number_and_place_and_nothing_else() -> None:
    before, _ = segment.chunk_head_write(FIRST, SAMPLES)
    after = bytearray(before)
    segment.chunk_place(after, 2**64 - 1, 2**32 - 1, b"\xff" * 16, 2**32 - 1, 2**64 - 1, 2**64 - 1)

    changed = {n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b}

    place = range(32 + 24 + 244, 32 + 24 + 244 + 52)
    number = range(after.index(b"mfhd") + 8, after.index(b"mfhd") + 12)
    decode_time = range(after.index(b"tfdt") + 8, after.index(b"tfdt") + 16)
    assert changed <= {*place, *number, *decode_time}
    assert {*number, *decode_time} <= changed


def test_another_disk_changes_no_hash() -> None:
    head, claim_sha256 = segment.chunk_head_write(FIRST, SAMPLES)
    segment.chunk_place(head, 1, 1, DISK, 1, EPOCH, 4096)
    segment.chunk_place(head, 77, 2, b"e" * 16, 2, EPOCH + 1, 8192)

    view = segment.chunk_parse(head)

    assert view is not None
    assert view.claim_sha256 == claim_sha256
    assert view.place.disk == b"e" * 16


def test_every_changed_byte_is_noticed() -> None:
    head = placed()
    for n in range(len(head)):
        spoiled = bytearray(head)
        spoiled[n] ^= 1 << n % 8
        # Not found, or in need of more, or of another version: never something else.
        try:
            view = segment.chunk_parse(spoiled)
        except MediaError:
            continue
        assert view is None, n


def test_a_head_cut_short_asks_for_more() -> None:
    head = placed()
    for size in range(len(head)):
        with pytest.raises(MediaError) as caught:
            segment.chunk_parse(head[:size])
        assert caught.value.kind == "short"


def test_zeros_and_noise_are_no_chunk() -> None:
    assert segment.chunk_parse(bytes(8192)) is None
    assert segment.chunk_parse(b"\xff" * 8192) is None
    assert segment.chunk_parse(b"\1") is None


@given(st.binary(max_size=600))
def test_any_bytes_are_a_chunk_or_none_or_an_error(data: bytes) -> None:
    for start in (b"", bytes(placed()[:60])):
        try:
            view = segment.chunk_parse(start + data)
        except MediaError:
            continue
        assert view is None


def test_a_newer_version_is_unsupported() -> None:
    head = placed()
    head[56:58] = (2).to_bytes(2, "big")

    with pytest.raises(MediaError) as caught:
        segment.chunk_parse(head)

    assert caught.value.kind == "unsupported"
    assert caught.value.rule == "version of the claim"


@given(st.integers(1, 10_000))
def test_padding_never_has_one_to_seven_bytes(size: int) -> None:
    head, _ = segment.chunk_head_write(
        replace(NEXT, video_bytes=size), (Sample(size, 3600, is_sync=True),)
    )
    place = segment.chunk_place(head, 0, 1, DISK, 1, EPOCH, 4096)
    padding = place.chunk_bytes - len(head) - size
    assert place.chunk_bytes % 4096 == 0
    assert padding == 0 or 8 <= padding < 4096 + 8


def test_wall_time_stands_in_prft_as_ntp() -> None:
    head, _ = segment.chunk_head_write(replace(FIRST, wall_start_ns=1_500_000_000), SAMPLES)
    size, kind, flags, track, seconds, fraction, media = struct.unpack_from(">I4sIIIIQ", head)
    assert (size, kind, flags, track) == (32, b"prft", 1 << 24 | 24, 1)
    assert (seconds, fraction, media) == (2_208_988_800 + 1, 1 << 31, 0)

    head, _ = segment.chunk_head_write(replace(FIRST, wall_start_ns=-250_000_000), SAMPLES)
    assert struct.unpack_from(">II", head, 16) == (2_208_988_800 - 1, 3 << 30)


def test_sample_flags_tell_sync_other_and_leading() -> None:
    head, _ = segment.chunk_head_write(
        replace(FIRST, video_bytes=3),
        (Sample(1, 1, is_sync=True), Sample(1, 1), Sample(1, 1, -2, is_leading=True)),
    )
    at = head.index(b"trun") + 16
    rows = [struct.unpack_from(">IIIi", head, at + 16 * n) for n in range(3)]
    assert [flags for _, _, flags, _ in rows] == [0x02000000, 0x01010000, 0x05010000]
    assert rows[2][3] == -2


@pytest.mark.parametrize(
    ("claim", "samples", "kind", "rule"),
    [
        (FIRST, (), "value", "chunk without samples"),
        (FIRST, (Sample(1, 1),) * 2049, "limit", "VG_SAMPLES_MAX"),
        (FIRST, (Sample(1, 1),), "value", "video bytes are not the samples'"),
        (replace(FIRST, audio_bytes=1), SAMPLES, "value", "audio bytes are not the samples'"),
        (replace(FIRST, flags=ChunkFlag.BROKEN), SAMPLES, "value", "flags of a row in a claim"),
        (replace(FIRST, timescale=0), SAMPLES, "value", "timescale of the claim"),
        (replace(FIRST, version=2), SAMPLES, "unsupported", "version of the claim"),
        (FIRST, (Sample(1500, 2**32 - 1), Sample(0, 1)), "limit", "duration or size of a chunk"),
    ],
)
def test_a_chunk_that_cannot_be_is_refused(
    claim: Claim, samples: tuple[Sample, ...], kind: str, rule: str
) -> None:
    with pytest.raises(MediaError) as caught:
        segment.chunk_head_write(claim, samples)
    assert (caught.value.kind, caught.value.rule) == (kind, rule)


def test_the_largest_chunk_has_2048_samples() -> None:
    samples = (Sample(1, 1, is_sync=True),) * 2048
    head = placed(replace(FIRST, video_bytes=2048), samples)
    view = segment.chunk_parse(head)
    assert view is not None
    assert view.claim.samples == 2048
    assert len(head) < 48 * 1024


def test_an_id_of_another_size_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="camera has 3 bytes, not 16"):
        segment.chunk_head_write(replace(FIRST, camera=b"abc"), SAMPLES)


def boxes(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start and end of the boxes in `data`."""
    found = []
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        assert size >= 8
        found.append((data[at + 4 : at + 8], at, at + size))
        at += size
    assert at == len(data)
    return found


def test_a_segments_head_is_ftyp_and_moov_in_whole_blocks() -> None:
    head = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False)
    assert len(head) % 4096 == 0
    assert [kind for kind, _, _ in boxes(head)] == [b"ftyp", b"moov", b"free"]
    _, start, end = boxes(head)[1]
    assert [kind for kind, _, _ in boxes(head[start + 8 : end])] == [b"mvhd", b"trak", b"mvex"]


def test_equal_sets_give_equal_bytes() -> None:
    one = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False)
    assert one == segment.head_write(Codec.H264, [], [bytes(SPS)], [PPS], 90_000, False)
    assert one != segment.head_write(Codec.H264, (), (SPS,), (PPS + b"\x01",), 90_000, False)


@pytest.mark.parametrize(("inband", "entry"), [(False, b"avc1"), (True, b"avc3")])
def test_the_entry_says_where_the_sets_are_and_has_them_both_times(
    inband: bool, entry: bytes
) -> None:
    head = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, inband)
    assert entry in head
    config = head.index(b"avcC")
    assert head[config + 4 : config + 9] == bytes([1, 0x42, 0xC0, 0x0A, 0xFF])
    assert SPS in head
    assert PPS in head


@pytest.mark.parametrize(
    ("sps", "pps", "kind", "rule"),
    [
        ((), (PPS,), "value", "sample entry without SPS"),
        ((SPS,), (), "value", "sample entry without PPS"),
        ((SPS,), (b"",), "value", "empty PPS"),
        ((SPS,), (PPS,) * 9, "limit", "parameter sets of one kind"),
        ((SPS,), (bytes(40_000),), "limit", "VG_HEAD_MAX"),
        ((SPS,), (bytes(70_000),), "limit", "size of a parameter set"),
    ],
)
def test_sets_that_make_no_entry_are_refused(
    sps: tuple[bytes, ...], pps: tuple[bytes, ...], kind: str, rule: str
) -> None:
    with pytest.raises(MediaError) as caught:
        segment.head_write(Codec.H264, (), sps, pps, 90_000, False)
    assert (caught.value.kind, caught.value.rule) == (kind, rule)


def test_another_codec_is_unsupported() -> None:
    with pytest.raises(MediaError, match="codec of the sample entry"):
        segment.head_write(4, (), (SPS,), (PPS,), 90_000, False)
