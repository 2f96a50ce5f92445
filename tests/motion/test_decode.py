"""Samples as the ring has them, to luma: by libavcodec on the caller's thread."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import pytest

import motion_scenes as scenes
from vonggac._native.motion import means
from vonggac._native.segment import head_write
from vonggac.errors import MediaError
from vonggac.media.chunk import Codec
from vonggac.motion.decode import Luma, LumaDecoder
from vonggac.motion.detect import MEANS_COLUMNS, MEANS_ROWS, Detector
from vonggac.motion.slots import Tier
from vonggac.playback.still import entry_of

SCENE = scenes.Scene(3, (scenes.Body(0, 3, (0.1, 0.5), (0.9, 0.5), 60, 90, 220),))
START_NS = 1_700_000_000_250_000_000
STEP_NS = 100_000_000


class Sample(NamedTuple):
    data: bytes
    wall_ns: int
    is_sync: bool


class Footage(NamedTuple):
    entry: bytes
    samples: list[Sample]
    planes: list[bytes]
    """In order of presentation, as PyAV's own container decodes them."""


@pytest.fixture(scope="module", params=["libx264", "libx265"])
def footage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Footage:
    path = scenes.write(SCENE, tmp_path_factory.mktemp("f") / "f.mp4", request.param, 384)
    return taken(path)


def taken(path: Path) -> Footage:
    raw = path.read_bytes()
    with av.open(str(path)) as film:
        samples = [
            Sample(bytes(p), START_NS + int(p.pts * p.time_base * 1_000_000_000), p.is_keyframe)
            for p in film.demux(video=0)
            if p.size and p.pts is not None and p.time_base is not None
        ]
    with av.open(str(path)) as film:
        planes = [bytes(frame.planes[0]) for frame in film.decode(video=0)]
    return Footage(entry_of(raw[raw.index(b"stsd") :]), samples, planes)


def pushed(decoder: LumaDecoder, samples: list[Sample]) -> list[Luma]:
    return [luma for data, wall_ns, _ in samples for luma in decoder.push(data, wall_ns)]


def means_of(luma: Luma) -> bytes:
    return means(luma.plane, luma.stride, luma.width, luma.height)


def test_pictures_are_those_of_the_film_with_the_times_they_were_given(footage: Footage) -> None:
    decoder = LumaDecoder(footage.entry)
    lumas = pushed(decoder, footage.samples) + decoder.finish()
    assert [bytes(memoryview(luma.plane)) for luma in lumas] == footage.planes
    assert [luma.wall_ns for luma in lumas] == [START_NS + at * STEP_NS for at in range(30)]
    assert {(luma.width, luma.height, luma.bits) for luma in lumas} == {(640, 360, 8)}


def test_a_memoryview_of_a_chunk_is_a_sample_too(footage: Footage) -> None:
    data = memoryview(b"in front" + footage.samples[0].data + b"behind")[8:-6]
    decoder = LumaDecoder(footage.entry)
    assert len(decoder.push(data, START_NS) + decoder.finish()) == 1


def test_key_frames_alone_come_out_at_once(footage: Footage) -> None:
    decoder = LumaDecoder(footage.entry)
    for number, (data, wall_ns, _) in enumerate(s for s in footage.samples if s.is_sync):
        (luma,) = [*decoder.push(data, wall_ns), *decoder.finish()]
        assert luma.wall_ns == wall_ns
        assert bytes(memoryview(luma.plane)) == footage.planes[20 * number]


def test_key_frames_alone_have_the_means_that_they_have_with_the_loop_filter(
    footage: Footage,
) -> None:
    plain, spared = LumaDecoder(footage.entry), LumaDecoder(footage.entry, Tier.KEY)
    for data, wall_ns, _ in (s for s in footage.samples if s.is_sync):
        ((one,), (other,)) = ([*d.push(data, wall_ns), *d.finish()] for d in (plain, spared))
        assert bytes(memoryview(one.plane)) != bytes(memoryview(other.plane))
        assert max(abs(a - b) for a, b in zip(means_of(one), means_of(other), strict=True)) <= 2


def test_no_thread_is_started(footage: Footage) -> None:
    before = len(os.listdir("/proc/self/task"))
    decoder = LumaDecoder(footage.entry)
    pushed(decoder, footage.samples)
    assert len(os.listdir("/proc/self/task")) == before


@pytest.mark.parametrize("damage", [b"", bytes(60), b"\xff" * 500])
def test_what_cannot_be_decoded_is_told_and_what_follows_can(
    footage: Footage, damage: bytes
) -> None:
    decoder = LumaDecoder(footage.entry)
    before = pushed(decoder, footage.samples[:5])
    with pytest.raises(MediaError):
        decoder.push(damage, START_NS + 5 * STEP_NS)
    before += decoder.finish()
    lumas = pushed(decoder, footage.samples[20:]) + decoder.finish()
    assert [bytes(memoryview(luma.plane)) for luma in lumas] == footage.planes[20:]
    assert len(before) <= 5


def test_what_follows_nothing_gives_no_picture_until_a_sync_sample(footage: Footage) -> None:
    decoder = LumaDecoder(footage.entry)
    assert decoder.finish() == []
    seen: list[Luma] = []
    for data, wall_ns, _ in footage.samples[3:]:
        try:
            seen += decoder.push(data, wall_ns)
        except MediaError:
            assert wall_ns < footage.samples[20].wall_ns
    seen += decoder.finish()
    assert [luma.wall_ns for luma in seen] == [sample.wall_ns for sample in footage.samples[20:]]


def test_pictures_out_of_order_come_in_order(tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10, options={"bf": "3", "b_adapt": "0"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for at, luma in enumerate(scenes.seen(SCENE)):
            frame = av.VideoFrame(640, 360, "yuv420p")
            frame.planes[0].update(luma.tobytes())
            frame.pts = at
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    ours = taken(path)
    times = [sample.wall_ns for sample in ours.samples]
    assert times != sorted(times)
    decoder = LumaDecoder(ours.entry)
    lumas = pushed(decoder, ours.samples) + decoder.finish()
    assert [bytes(memoryview(luma.plane)) for luma in lumas] == ours.planes
    assert [luma.wall_ns for luma in lumas] == sorted(times)


def jpeg_of(width: int, height: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj422p"
    encoder.time_base = Fraction(1, 10)
    frame = av.VideoFrame(width, height, "yuvj422p")
    for plane in frame.planes:
        plane.update(b"\x50" * plane.buffer_size)
    frame.pts = 0
    (jpeg,) = [*encoder.encode(frame), *encoder.encode(None)]
    return bytes(jpeg)


def jpeg_entry(width: int, height: int) -> bytes:
    size = struct.pack(">HH", width, height)
    return entry_of(head_write(Codec.MJPEG, [], [size], [], 90_000, False))


def test_mjpeg_of_the_ring_is_decoded_too() -> None:
    decoder = LumaDecoder(jpeg_entry(100, 70))
    (luma,) = [*decoder.push(jpeg_of(100, 70), START_NS), *decoder.finish()]
    assert (luma.width, luma.height, luma.wall_ns) == (100, 70, START_NS)
    assert abs(memoryview(luma.plane)[0] - 0x50) <= 2


@pytest.mark.parametrize(("side", "is_decoded"), [(5952, True), (6016, False)])
def test_no_room_is_made_for_pictures_larger_than_any_level_has(
    side: int, is_decoded: bool
) -> None:
    jpeg = bytearray(jpeg_of(4096, 4096))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, side, side)  # T.81 B.2.2
    decoder = LumaDecoder(jpeg_entry(4096, 4096))
    if is_decoded:
        assert decoder.push(bytes(jpeg), START_NS)[0].width == side
        return
    with pytest.raises(MediaError, match="libavcodec"):
        decoder.push(bytes(jpeg), START_NS)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (b"", "unsupported"),
        (bytes(4) + b"vp09" + bytes(200), "unsupported"),
        (bytes(4) + b"avc1" + bytes(200), "value"),
        (bytes(4) + b"hvc1" + bytes(78) + (108).to_bytes(4) + b"avcC" + bytes(100), "value"),
        (bytes(4) + b"avc1" + bytes(78) + (8).to_bytes(4) + b"avcC", "value"),
    ],
)
def test_an_entry_that_is_not_known_is_refused(entry: bytes, kind: str) -> None:
    with pytest.raises(MediaError) as told:
        LumaDecoder(entry)
    assert told.value.kind == kind


def test_a_configuration_that_cannot_be_is_told_with_the_first_sample(footage: Footage) -> None:
    config = 94
    entry = footage.entry[:config] + b"\xff" * (len(footage.entry) - config)
    with pytest.raises(MediaError, match="libavcodec"):
        pushed(LumaDecoder(entry), footage.samples)


def test_a_detector_tells_seconds_and_means(footage: Footage) -> None:
    decoder, detector = LumaDecoder(footage.entry), Detector(Tier.FULL)
    assert detector.means() is None and detector.finish() == []
    slots = [s for luma in pushed(decoder, footage.samples) for s in detector.push(luma)]
    slots += [s for luma in decoder.finish() for s in detector.push(luma)]
    slots += detector.finish()
    first = START_NS // 1_000_000_000
    assert [slot.second for slot in slots] == [first, first + 1, first + 2, first + 3]
    assert all(any(slot.cells) and not slot.is_global for slot in slots)
    means = detector.means()
    assert means is not None and len(means) == MEANS_COLUMNS * MEANS_ROWS
    detector.part()
    assert detector.means() is None
