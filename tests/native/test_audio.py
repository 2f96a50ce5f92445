"""Packets of sound to frames: AAC (RFC 3640, ADTS), G.711, Opus."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from packetiser import rtp
from vonggac._native import audio
from vonggac._native.audio import AudioSource
from vonggac.errors import MediaError

FRAME = bytes(range(100))


class Sound:
    """A source and its packets, a thousand ticks apart."""

    def __init__(self, codec: int, **mode: int) -> None:
        self.source = AudioSource(codec, **mode)
        self.sequence = 65534
        self.timestamp = 0

    def send(self, payload: bytes, *, step: int = 1024) -> list[tuple[int, int, bytes]]:
        self.timestamp += step
        packet = rtp(payload, sequence=self.sequence, timestamp=self.timestamp)
        self.sequence += 1
        return self.source.push(packet)


def aus(frames: Sequence[bytes], sizes: Sequence[int] = (), junk: int = 0) -> bytes:
    """AAC-hbr: sizes of 13 bits, indexes of 3 (RFC 3640 3.3.6)."""
    told = sizes or [len(frame) for frame in frames]
    headers = b"".join(struct.pack(">H", size << 3 | junk) for size in told)
    return struct.pack(">H", 16 * len(told)) + headers + b"".join(frames)


def adts(frame: bytes, crc: bytes = b"") -> bytes:
    """A frame with the header of ISO/IEC 13818-7 6.2."""
    size = len(frame) + 7 + len(crc)
    first = 0xF0 if crc else 0xF1
    fixed = [0xFF, first, 0x6C, 0x80 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 31, 0xFC]
    return bytes(fixed) + crc + frame


def test_an_aac_packet_of_several_frames_gives_each_its_time() -> None:
    sound = Sound(audio.AAC)
    frames = [FRAME, FRAME[:7], FRAME[:30]]
    assert sound.send(aus(frames)) == [
        (1024 + n * 1024, 1024, frame) for n, frame in enumerate(frames)
    ]


def test_junk_in_the_indexes_is_no_matter() -> None:
    assert [frame for *_, frame in Sound(audio.AAC).send(aus([FRAME, FRAME], junk=5))] == [
        FRAME
    ] * 2


def test_other_lengths_of_fields_are_read() -> None:
    """AAC-lbr: sizes of 6 bits, indexes of 2 (RFC 3640 3.3.5)."""
    sound = Sound(audio.AAC, size_length=6, index_length=2, index_delta_length=2)
    packet = struct.pack(">HBB", 16, 20 << 2, 30 << 2) + FRAME[:50]
    assert [frame for *_, frame in sound.send(packet)] == [FRAME[:20], FRAME[20:50]]


def test_a_frame_in_several_packets_is_put_together() -> None:
    sound = Sound(audio.AAC)
    assert sound.send(aus([FRAME[:40]], [100])) == []
    assert sound.send(aus([FRAME[40:90]], [100]), step=0) == []
    assert sound.send(aus([FRAME[90:]], [100]), step=0) == [(1024, 1024, FRAME)]
    assert sound.send(aus([FRAME])) == [(2048, 1024, FRAME)]
    assert sound.source.counts == {"packets_lost": 0, "frames_dropped": 0, "adts": 0}


def test_a_frame_that_lost_a_fragment_is_dropped() -> None:
    sound = Sound(audio.AAC)
    assert sound.send(aus([FRAME[:40]], [100])) == []
    sound.sequence += 1
    assert sound.send(aus([FRAME])) == [(2048, 1024, FRAME)]
    assert sound.source.counts == {"packets_lost": 1, "frames_dropped": 1, "adts": 0}


@pytest.mark.parametrize("crc", [b"", b"\x01\x02"], ids=["bare", "with CRC"])
def test_bare_adts_is_taken_for_what_it_is(crc: bytes) -> None:
    sound = Sound(audio.AAC)
    found = sound.send(adts(FRAME, crc) + adts(FRAME[:9], crc))
    assert found == [(1024, 1024, FRAME), (2048, 1024, FRAME[:9])]
    assert sound.source.counts["adts"] == 1


def test_the_recorded_adts_of_a_no_name_camera_is_a_frame(fixtures: Path) -> None:
    payload = (fixtures / "rtsp/dev/go2rtc_rtp/aac_adts_instead_of_rfc3640.bin").read_bytes()
    ((_, ticks, frame),) = Sound(audio.AAC).send(payload)
    assert ticks == 1024
    assert payload.endswith(frame)
    assert len(payload) - len(frame) in (7, 9)


def test_recorded_aac_packets_give_their_frames(fixtures: Path) -> None:
    """Some are longer than a packet; none is dropped."""
    text = (fixtures / "rtsp/dev/media3/aac-dump.json").read_text()
    packets = [bytes.fromhex(one) for one in re.findall(r'"([0-9A-Fa-f]{60,})"', text)]
    source = AudioSource(audio.AAC)
    frames = [frame for packet in packets for frame in source.push(packet)]
    assert len(packets) == 290
    assert len(frames) == 283
    assert max(len(frame) for *_, frame in frames) > max(len(packet) for packet in packets)
    assert source.counts["frames_dropped"] == 0


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        (b"\0", "RFC 3640 3.2.1 AU-headers-length (short at byte 1)"),
        (b"\0\0abc", "RFC 3640 3.2.1 AU-headers-length (value at byte 0)"),
        (b"\xff\xffabc", "RFC 3640 3.2.1 AU-headers-length (value at byte 0)"),
    ],
)
def test_an_aac_packet_without_headers_is_a_fault(payload: bytes, fault: str) -> None:
    sound = Sound(audio.AAC)
    with pytest.raises(MediaError) as error:
        sound.send(payload)
    assert str(error.value) == fault
    assert sound.send(aus([FRAME])) == [(2048, 1024, FRAME)]


@pytest.mark.parametrize("sizes", [[0], [100, 4000]], ids=["of nothing", "beyond the packet"])
def test_a_frame_that_cannot_be_is_dropped(sizes: list[int]) -> None:
    sound = Sound(audio.AAC)
    assert len(sound.send(aus([FRAME], sizes))) == len(sizes) - 1
    assert sound.source.counts["frames_dropped"] == 1


@pytest.mark.parametrize(("channels", "ticks"), [(1, 100), (2, 50)])
def test_g711_is_its_payload(channels: int, ticks: int) -> None:
    assert Sound(audio.G711, channels=channels).send(FRAME) == [(1024, ticks, FRAME)]


@pytest.mark.parametrize(
    ("first", "ticks"),
    [
        pytest.param(b"\x08", 960, id="SILK 20 ms"),
        pytest.param(b"\x18", 2880, id="SILK 60 ms"),
        pytest.param(b"\x60", 480, id="hybrid 10 ms"),
        pytest.param(b"\x80", 120, id="CELT 2.5 ms"),
        pytest.param(b"\xf9", 1920, id="two frames of CELT 20 ms"),
        pytest.param(b"\xfb\x03", 2880, id="three frames of CELT 20 ms"),
    ],
)
def test_opus_says_how_long_it_lasts(first: bytes, ticks: int) -> None:
    assert Sound(audio.OPUS).send(first + FRAME) == [(1024, ticks, first + FRAME)]


def test_an_opus_packet_of_no_frames_is_a_fault() -> None:
    with pytest.raises(MediaError, match="RFC 6716"):
        Sound(audio.OPUS).send(b"\x03")


@pytest.mark.parametrize("codec", [audio.AAC, audio.G711, audio.OPUS])
def test_an_empty_packet_is_nothing(codec: int) -> None:
    assert Sound(codec).send(b"") == []


def test_any_shared_file_may_be_a_payload(fixtures: Path) -> None:
    for path in (fixtures / "rtsp").rglob("*"):
        if not path.is_file():
            continue
        for codec in (audio.AAC, audio.G711, audio.OPUS):
            try:
                frames = Sound(codec).send(path.read_bytes()[:60_000])
            except MediaError:
                continue
            assert all(frame for *_, frame in frames), path
