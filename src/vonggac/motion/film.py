"""What the index would hold for a film: an MP4 of anybody's, from its first picture on.

For measuring and for people; the ring's own chunks never pass here.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vonggac.errors import MediaError
from vonggac.motion.decode import decoding_options, luma_of
from vonggac.motion.detect import Detector
from vonggac.motion.slots import CELL_COUNT, GRID_COLUMNS, GRID_ROWS, Slot, Tier

__all__ = ["Film", "film_of", "npy"]

_SECOND_NS = 1_000_000_000
_SECONDS_MAX = 86_400
"""0.2 GB for numpy; times of a damaged file may be anything."""


@dataclass(slots=True)
class Film:
    """The slots of a file; second 0 begins with its first picture."""

    seconds: int = 0
    """Up to that of the last picture."""
    slots: list[Slot] = field(default_factory=list)
    pictures: int = 0
    skipped: int = 0
    """Samples that could not be decoded, and pictures without a time."""
    restarts: int = 0
    """Changes of the picture's size; nothing is compared across one."""


def film_of(path: Path, tier: Tier = Tier.FULL) -> Film:
    """Decodes a film with one thread. OSError; MediaError: what is wrong with it, and nothing told.

    A film that is turned for showing is refused: the index holds pictures as they are coded, and
    its cells would not lie where a player shows them.
    """
    with _opened(path) as container:
        if not container.streams.video:
            raise MediaError("unsupported", "a file without video")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = decoding_options(tier)
        if tier is Tier.KEY:
            stream.codec_context.skip_frame = "NONKEY"
        film, detector = Film(), Detector(tier)
        size, first_ns = None, None
        for frame in _frames(container, stream, film, detector, tier):
            if frame.rotation:
                raise MediaError("unsupported", f"a film turned by {frame.rotation} degrees")
            if frame.pts is None or frame.time_base is None:
                film.skipped += 1
                continue
            time_ns = int(frame.pts * frame.time_base * _SECOND_NS)
            first_ns = time_ns if first_ns is None else first_ns
            film.seconds = max(film.seconds, (time_ns - first_ns) // _SECOND_NS + 1)
            if film.seconds > _SECONDS_MAX:
                raise MediaError("limit", "a film of more than a day")
            film.pictures += 1
            film.restarts += size not in (None, (frame.width, frame.height))
            size = frame.width, frame.height
            film.slots += detector.push(luma_of(frame, max(0, time_ns - first_ns)))
        if first_ns is None:
            raise MediaError("value", "a film of which no picture can be decoded")
        film.slots += detector.finish()
        return film


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """By a descriptor and as MP4: a name cannot be an address, nor a file a list of others."""
    with path.open("rb") as file:
        try:
            with av.open(file, mode="r", format="mp4") as container:
                yield container
        except (av.FFmpegError, OSError) as error:
            # Of an empty file libavformat looks for a place in front of its beginning.
            if not isinstance(error, av.FFmpegError) and error.errno != errno.EINVAL:
                raise
            raise MediaError("value", f"no MP4 that can be read ({error.strerror})") from error


def _frames(
    container: InputContainer, stream: VideoStream, film: Film, detector: Detector, tier: Tier
) -> Iterator[VideoFrame]:
    """The pictures in order of presentation; MediaError where the file ends before it says."""
    packets = 0
    for packet in container.demux(stream):
        is_end = packet.size == 0
        packets += not is_end
        if is_end and packets < stream.frames:
            raise MediaError("short", f"a film cut off after {packets} of {stream.frames} samples")
        if tier is Tier.KEY and not is_end and not packet.is_keyframe:
            continue
        try:
            yield from packet.decode()
        except av.FFmpegError:
            film.skipped += 1
            detector.part()


def npy(film: Film) -> bytes:
    """bool, (seconds, 36, 64), as numpy stores it (NEP 1, version 1.0)."""
    shape = f"({film.seconds}, {GRID_ROWS}, {GRID_COLUMNS})"
    head = f"{{'descr': '|b1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    cells = [0] * film.seconds
    for slot in film.slots:  # of a second there are two where times went back
        cells[slot.second] |= int.from_bytes(slot.cells, "little")
    spread = bytes.maketrans(b"01", b"\0\1")
    body = b"".join(f"{of:0{CELL_COUNT}b}"[::-1].encode().translate(spread) for of in cells)
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + body
