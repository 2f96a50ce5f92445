"""Packets of sound: what comes out of them, whatever a camera makes of the RFCs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sound_maker import AAC, LATM, OPUS, PCMA, PCMU, adts_header, au_headers, g711, latm
from vonggac._native.sound import SoundReader, refusal
from vonggac.errors import MediaError
from vonggac.media.sound import Sound, SoundCodec

UNITS = [bytes([n]) * (20 + n) for n in range(1, 8)]


def test_a_packet_of_g711_is_a_frame_as_long_as_it_has_samples() -> None:
    reader = SoundReader(PCMA)
    first, second = g711(2)
    assert reader.push(first, 1, 800) == [(first, 800, 160)]
    assert reader.push(second[:80], 2, 960) == [(second[:80], 960, 80)]


def test_two_channels_of_g711_share_a_packet() -> None:
    reader = SoundReader(replace(PCMU, channels=2))
    assert reader.push(bytes(320), 1, 0) == [(bytes(320), 0, 160)]
    with pytest.raises(MediaError, match="samples of all channels"):
        reader.push(bytes(321), 2, 160)


@pytest.mark.parametrize(
    ("first", "ticks"),
    [
        (b"\x00", 480), (b"\x18", 2880), (b"\x60", 480), (b"\x68", 960), (b"\x80", 120),
        (b"\xf8", 960), (b"\xf9", 1920), (b"\xfb\x03", 2880), (b"\x08", 960),
    ],
)  # fmt: skip
def test_opus_tells_itself_how_long_it_plays(first: bytes, ticks: int) -> None:
    data = first + b"sound"
    assert SoundReader(OPUS).push(data, 1, 7) == [(data, 7, ticks)]


def test_opus_that_plays_longer_than_any_may_is_dropped_and_silence_is_nothing() -> None:
    reader = SoundReader(OPUS)
    assert reader.push(b"", 1, 0) == []
    with pytest.raises(MediaError, match="RFC 6716"):
        reader.push(b"\x1b\x30", 2, 960)
    assert reader.counts()[4] == 1


def test_one_access_unit_of_aac_stands_behind_its_header() -> None:
    assert SoundReader(AAC).push(au_headers(21) + UNITS[0], 1, 5) == [(UNITS[0], 5, 1024)]


def test_several_access_units_follow_each_other_in_time() -> None:
    payload = au_headers(*(len(unit) for unit in UNITS)) + b"".join(UNITS)
    found = SoundReader(AAC).push(payload, 1, 1000)
    assert found == [(unit, 1000 + 1024 * n, 1024) for n, unit in enumerate(UNITS)]


def test_the_index_of_an_access_unit_is_not_looked_at() -> None:
    header = (16).to_bytes(2) + (len(UNITS[0]) << 3 | 5).to_bytes(2)
    assert SoundReader(AAC).push(header + UNITS[0], 1, 0) == [(UNITS[0], 0, 1024)]


def test_an_access_unit_in_several_packets_is_put_together() -> None:
    reader = SoundReader(AAC)
    unit = bytes(range(256)) * 3
    header = au_headers(len(unit))
    assert reader.push(header + unit[:300], 1, 9) == []
    assert reader.push(header + unit[300:600], 2, 9) == []
    assert reader.push(header + unit[600:], 3, 9) == [(unit, 9, 1024)]


def test_a_lost_fragment_costs_its_access_unit_alone() -> None:
    reader = SoundReader(AAC)
    unit = bytes(range(256)) * 3
    header = au_headers(len(unit))
    assert reader.push(header + unit[:300], 1, 9) == []
    assert reader.push(header + unit[600:], 3, 9) == []
    assert reader.push(au_headers(21) + UNITS[0], 4, 1033) == [(UNITS[0], 1033, 1024)]
    assert reader.counts()[1] == 1


def test_adts_in_place_of_access_units_is_read() -> None:
    """rtsp.md row 112; also where the header stands inside of an access unit."""
    reader = SoundReader(AAC)
    framed = [adts_header(len(unit)) + unit for unit in UNITS[:2]]
    assert reader.push(b"".join(framed), 1, 0) == [(UNITS[0], 0, 1024), (UNITS[1], 1024, 1024)]
    inside = au_headers(len(framed[0])) + framed[0]
    assert reader.push(inside, 2, 2048) == [(UNITS[0], 2048, 1024)]


def test_headers_of_other_sizes_are_read_as_they_are_declared() -> None:
    low = replace(AAC, size_bits=6, index_bits=2, delta_bits=2)
    payload = (16).to_bytes(2) + bytes([21 << 2, 22 << 2]) + UNITS[0] + UNITS[1]
    assert [unit for unit, _, _ in SoundReader(low).push(payload, 1, 0)] == UNITS[:2]


def test_an_access_unit_that_ends_behind_its_packet_is_dropped_and_those_before_it_are_kept() -> (
    None
):
    reader = SoundReader(AAC)
    with pytest.raises(MediaError, match="AU-size"):
        reader.push(au_headers(21, 99) + UNITS[0] + b"short", 1, 0)
    assert reader.counts()[3:] == (1, 1)


@pytest.mark.parametrize("size", [1, 254, 255, 256, 510, 765, 4000])
def test_an_access_unit_in_latm_stands_behind_its_length(size: int) -> None:
    unit = bytes(n % 251 + 1 for n in range(size))
    assert SoundReader(LATM).push(latm(unit), 1, 5) == [(unit, 5, 1024)]


def test_several_access_units_of_a_latm_element_follow_each_other_in_time() -> None:
    """And what fills the element up is none."""
    found = SoundReader(LATM).push(latm(*UNITS) + bytes(2), 1, 1000)
    assert found == [(unit, 1000 + 1024 * n, 1024) for n, unit in enumerate(UNITS)]


def test_a_latm_element_in_several_packets_is_put_together_wherever_it_is_cut() -> None:
    unit = bytes(range(256)) * 3
    element = latm(unit, UNITS[0])
    for cut in range(1, len(element)):
        reader = SoundReader(LATM)
        first = reader.push(element[:cut], 1, 9)
        rest = reader.push(element[cut:], 2, 9)
        if cut == len(latm(unit)):  # whole by itself: the second one comes a frame too early
            assert (first, rest) == ([(unit, 9, 1024)], [(UNITS[0], 9, 1024)])
        else:
            assert (first, rest) == ([], [(unit, 9, 1024), (UNITS[0], 1033, 1024)])


def test_behind_a_loss_no_sound_is_made_of_the_middle_of_a_latm_element() -> None:
    reader = SoundReader(LATM)
    element = latm(b"\x01\x55" * 200)
    assert reader.push(element[:200], 1, 9) == []
    assert len(reader.push(element[200:], 2, 9)) == 1
    with pytest.raises(MediaError, match="begin was lost"):
        reader.push(element[202:], 4, 1033)  # lengths of one, each with its byte
    assert reader.push(latm(UNITS[0]), 5, 2057) == [(UNITS[0], 2057, 1024)]
    assert reader.counts()[1] == 1


def test_behind_a_loss_a_camera_that_splits_nothing_is_heard_at_once() -> None:
    reader = SoundReader(LATM)
    assert reader.push(latm(UNITS[0]), 1, 0) == [(UNITS[0], 0, 1024)]
    assert reader.push(latm(UNITS[1]), 3, 2048) == [(UNITS[1], 2048, 1024)]


def test_a_latm_element_without_an_end_costs_itself_alone() -> None:
    reader = SoundReader(LATM)
    endless = b"\xff" * 1000
    for number in range(8):
        assert reader.push(endless, number, 9) == []
    with pytest.raises(MediaError, match="without end"):
        reader.push(endless, 8, 9)
    assert reader.push(latm(UNITS[0]), 9, 1033) == [(UNITS[0], 1033, 1024)]
    cut_off = latm(UNITS[1])[:-1]
    assert reader.push(cut_off, 10, 2057) == []
    assert reader.push(latm(UNITS[2]), 11, 3081) == [(UNITS[2], 3081, 1024)]
    assert reader.counts()[4] == 2


def test_what_came_already_is_not_heard_twice() -> None:
    reader = SoundReader(PCMA)
    frames = g711(3)
    assert [len(reader.push(frames[n], n, 160 * n)) for n in (0, 1, 1, 0, 2)] == [1, 1, 0, 0, 1]
    assert reader.counts()[2] == 2


def test_a_camera_that_counts_anew_is_followed_at_once() -> None:
    reader = SoundReader(PCMA)
    frames = g711(3)
    assert reader.push(frames[0], 40_000, 0)
    assert reader.push(frames[1], 7, 0, ssrc=9)
    assert reader.push(frames[2], 30_000, 0, ssrc=9)


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (replace(PCMA, channels=0), "channels"),
        (replace(PCMA, channels=9), "channels"),
        (replace(PCMA, clock_rate=0), "clock rate"),
        (replace(PCMA, sample_rate=200_000), "sample rate"),
        (replace(OPUS, clock_rate=16_000), "RFC 7587"),
        (replace(AAC, config=b""), "configuration"),
        (replace(AAC, frame_ticks=0), "AAC frame"),
        (replace(AAC, size_bits=0), "AU header"),
        (replace(AAC, config=bytes(65)), "VG_SOUND_CONFIG_MAX"),
    ],
)
def test_a_description_that_cannot_be_is_refused(sound: Sound, why: str) -> None:
    assert why in (refusal(sound) or "")


def test_what_can_be_is_not() -> None:
    sounds = (AAC, PCMA, PCMU, OPUS, LATM)
    assert [refusal(sound) for sound in sounds] == [None] * 5
    assert {sound.codec for sound in sounds} == set(SoundCodec)
