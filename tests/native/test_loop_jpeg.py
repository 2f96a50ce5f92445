"""An MJPEG camera through a loop: whole pictures in chunks that a player reads."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loop_rig import PAYLOAD_TYPE, Camera, Keeper, Rig, interleave
from packetiser import rtp
from rtp_jpeg import encoded_pictures, payload, payloads_of
from vonggac._native import parse, segment
from vonggac.media.chunk import Codec, SyncKind
from vonggac.playback.still import still, video_of
from vonggac_appliance.loop_wire import LoopEvent


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


class Sender:
    """Pictures on a connection, five a second."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._sequence = 0
        self._timestamp = 1000

    def send(self, payloads: list[bytes]) -> None:
        for part in payloads:
            packet = rtp(
                part,
                sequence=self._sequence,
                timestamp=self._timestamp,
                marker=part is payloads[-1],
                payload_type=PAYLOAD_TYPE,
            )
            self._camera.socket.sendall(interleave(packet))
            self._sequence += 1
        self._timestamp += 18_000


def whole(keeper: Keeper, folder: Path) -> Path:
    """All that was kept, as a segment would hold it."""
    path = folder / "kept.mp4"
    file = bytes(keeper.chunks[0].chunk.segment_head)
    for number, received in enumerate(keeper.chunks):
        head = bytearray(received.chunk.head)
        place = segment.chunk_place(
            head, received.claim.media_start_ticks, number + 1, b"d" * 16, 3, 9, len(file)
        )
        chunk = bytes(head) + received.payload
        file += chunk + free_box(place.chunk_bytes - len(chunk))
    path.write_bytes(file)
    return path


def free_box(size: int) -> bytes:
    """A `free` box of so many bytes."""
    return size.to_bytes(4, "big") + b"free" + bytes(size - 8) if size else b""


def test_pictures_stand_whole_in_chunks_that_play(
    rig: Rig, program: Callable[[str], str], tmp_path: Path
) -> None:
    pictures = encoded_pictures(program, tmp_path)
    keeper = rig.keeper()
    sender = Sender(rig.attach(codec=Codec.MJPEG))
    for picture in pictures:
        sender.send(payloads_of(picture))
    rig.detach()
    claims = [received.claim for received in keeper.chunks]
    assert sum(claim.samples for claim in claims) == len(pictures)
    assert all(claim.kind == SyncKind.IDR for claim in claims)
    kept = b"".join(received.payload for received in keeper.chunks)
    assert kept.startswith(b"\xff\xd8") and kept.endswith(b"\xff\xd9")
    video = video_of(bytes(keeper.chunks[0].chunk.segment_head))
    assert (video.codec, video.width, video.height) == ("mp4v.6C", 352, 288)

    def frames(path: Path) -> list[str]:
        told = subprocess.run(
            [program("ffmpeg"), "-v", "error", "-i", path, "-f", "framemd5", "-"],
            check=True, timeout=60, capture_output=True, text=True,
        ).stdout  # fmt: skip
        return [line.split()[-1] for line in told.splitlines() if not line.startswith("#")]

    path = whole(keeper, tmp_path)
    assert frames(path) == frames(tmp_path / "one.mjpeg")
    told = subprocess.run(
        [program("ffprobe"), "-v", "error", "-show_entries",
         "stream=codec_name,width,height", "-of", "csv=p=0", path],
        check=True, timeout=60, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert told.strip() == "mjpeg,352,288"
    first = keeper.chunks[0]
    head = bytearray(first.chunk.head)
    segment.chunk_place(head, 0, 1, b"d" * 16, 3, 9, 4096)
    alone = tmp_path / "still.mp4"
    alone.write_bytes(still(bytes(first.chunk.segment_head), bytes(head) + first.payload))
    assert frames(alone) == frames(tmp_path / "one.mjpeg")[:1]


def test_another_size_is_another_entry(rig: Rig) -> None:
    keeper = rig.keeper()
    sender = Sender(rig.attach(codec=Codec.MJPEG))
    for width in (320, 320, 640, 640):
        sender.send([payload(bytes(range(1, 90)), width=width)])
    rig.until(lambda: bool(rig.events(LoopEvent.ENTRY_CHANGED)))
    rig.detach()
    sizes = {parse.jpeg_size(received.payload) for received in keeper.chunks}
    assert sizes == {(320, 240), (640, 240)}
    for received in keeper.chunks:
        video = video_of(bytes(received.chunk.segment_head))
        assert parse.jpeg_size(received.payload) == (video.width, video.height)


def test_a_declared_size_is_that_of_pictures_too_large_to_tell_theirs(rig: Rig) -> None:
    keeper = rig.keeper()
    size = (2560).to_bytes(2, "big") + (1920).to_bytes(2, "big")
    sender = Sender(rig.attach(codec=Codec.MJPEG, sets=((), (size,), ())))
    for _ in range(3):
        sender.send([payload(bytes(range(1, 90)), width=0, height=0)])
    rig.detach()
    video = video_of(bytes(keeper.chunks[0].chunk.segment_head))
    assert (video.width, video.height) == (2560, 1920)
