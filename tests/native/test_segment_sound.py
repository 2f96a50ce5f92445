"""Chunks with sound, byte by byte: what is written is read, and nothing else is taken for it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from sound_maker import AAC, OPUS, PCMA, PCMU
from vonggac._native import segment
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkFlag, Claim, Codec, Sample, SyncKind
from vonggac.media.sound import Sound, SoundSamples, first_decode_ticks, has_sound

SPS = bytes.fromhex("6742c00ada11e4")
PPS = bytes.fromhex("68ce3880")
SAMPLES = (Sample(9, 3600, 0, is_sync=True), Sample(7, 3600, 0))
SOUND = SoundSamples(-900, ((160, 1800), (160, 1800), (80, 900)))
VIDEO = bytes(range(16))
AUDIO = (-900).to_bytes(8, signed=True) + bytes(400)
CLAIM = Claim(
    flags=int(ChunkFlag.FIRST),
    camera=b"c" * 16,
    stream=b"s" * 16,
    run=5,
    sequence=0,
    wall_start_ns=1_763_700_000_000_000_000,
    media_start_ticks=0,
    kind=SyncKind.IDR,
    video_bytes=len(VIDEO),
    video_sha256=hashlib.sha256(VIDEO).digest(),
    previous_sha256=bytes(32),
    audio_bytes=len(AUDIO),
    audio_sha256=hashlib.sha256(AUDIO).digest(),
)


def placed(decode_time: int = 90_000) -> bytearray:
    head, _ = segment.chunk_head_write(CLAIM, SAMPLES, SOUND)
    segment.chunk_place(head, decode_time, 3, b"d" * 16, 7, 9, 4096)
    return head


def test_a_chunk_with_sound_is_read_as_it_was_written() -> None:
    view = segment.chunk_parse(placed())
    assert view is not None
    assert view.sound_start_ticks == -900
    assert view.decode_time_ticks == 90_000
    assert view.claim.audio_bytes == 408
    assert view.claim.samples == 2
    assert view.place.chunk_bytes == 4096
    assert view.place.moof_bytes == 88 + 16 * 2 + 68 + 8 * 3


def test_sound_keeps_its_distance_from_the_pictures_wherever_the_chunk_goes() -> None:
    head = placed()
    before, sha256 = segment.claim_read(head)
    for time in (200_000, 90_000, 1 << 40):
        segment.chunk_place(head, time, 1, b"e" * 16, 1, 2, 8192)
        view = segment.chunk_parse(head)
        assert view is not None
        assert (view.decode_time_ticks, view.sound_start_ticks) == (time, -900)
    assert segment.claim_read(head) == (before, sha256)


def test_the_hash_covers_the_timing_of_pictures_and_sound() -> None:
    head = placed()
    first, second = head.index(b"trun"), head.rindex(b"trun")
    pictures = bytes(head[first - 4 : first + 16 + 32])
    sound = bytes(head[second - 4 : second + 16 + 24])
    view = segment.chunk_parse(head)
    assert view is not None
    assert view.claim.trun_sha256 == hashlib.sha256(pictures + sound).digest()


def test_no_byte_of_a_head_with_sound_can_change_unseen() -> None:
    head = placed()
    for at in range(len(head)):
        spoiled = bytearray(head)
        spoiled[at] ^= 1
        assert kind_of(spoiled) in ("no chunk", "short", "unsupported"), at


def kind_of(head: bytearray) -> str:
    try:
        return "chunk" if segment.chunk_parse(head) else "no chunk"
    except MediaError as error:
        return error.kind


def test_a_head_that_is_cut_short_asks_for_more() -> None:
    head = placed()
    for size in range(1, len(head)):
        with pytest.raises(MediaError) as caught:
            segment.chunk_parse(head[:size])
        assert caught.value.kind == "short", size


def test_a_claim_must_tell_the_bytes_of_its_sound() -> None:
    for audio_bytes in (0, 400, 409):
        with pytest.raises(MediaError, match="audio bytes are not the samples'"):
            segment.chunk_head_write(replace(CLAIM, audio_bytes=audio_bytes), SAMPLES, SOUND)


def test_the_most_sound_of_a_chunk_fits_beside_the_most_pictures() -> None:
    pictures = (Sample(1, 1, is_sync=True),) * 2048
    sound = SoundSamples(0, ((1, 1),) * 1024)
    claim = replace(CLAIM, video_bytes=2048, audio_bytes=1024 + 8)
    head, _ = segment.chunk_head_write(claim, pictures, sound)
    assert len(head) < 48 * 1024
    with pytest.raises(MediaError, match="VG_SOUND_SAMPLES_MAX"):
        segment.chunk_head_write(claim, pictures, SoundSamples(0, ((1, 1),) * 1025))


@pytest.mark.parametrize(
    ("sound", "entry"), [(AAC, b"mp4a"), (PCMA, b"alaw"), (PCMU, b"ulaw"), (OPUS, b"Opus")]
)
def test_the_second_track_is_there_only_where_sound_is_recorded(sound: Sound, entry: bytes) -> None:
    without = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False)
    found = segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False, sound)
    assert entry in found
    assert entry not in without
    assert (found.count(b"trak"), without.count(b"trak")) == (2, 1)
    assert (has_sound(found), has_sound(without)) == (True, False)
    assert (first_decode_ticks(found), first_decode_ticks(without)) == (90_000, 0)


def test_an_entry_of_sound_that_cannot_be_is_refused() -> None:
    with pytest.raises(MediaError, match="channels"):
        segment.head_write(Codec.H264, (), (SPS,), (PPS,), 90_000, False, replace(PCMA, channels=0))
