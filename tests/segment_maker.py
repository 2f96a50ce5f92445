"""Makes segments out of Annex B streams as the recorder would, for tests that need whole ones.

They are cut by tests/packetiser.py: none of the code under test is needed for it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from packetiser import access_units, nal_type, split_annex_b
from vonggac._native import segment
from vonggac._native.ring import free_box, free_header
from vonggac.media.chunk import ChunkFlag, Claim, Codec, Row, Sample, SyncKind, row_of

CAMERA = bytes(range(16))
STREAM = bytes(range(16, 32))
DISK = bytes(range(32, 48))
SEGMENT_BYTES = 16 << 20
WALL_START_NS = 1_763_700_000_000_000_000
TICKS_PER_SECOND = 90_000


@dataclass(frozen=True, slots=True)
class Unit:
    """An access unit in decode order."""

    nals: tuple[bytes, ...]
    presentation_ticks: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """An encoded stream and what describes it."""

    codec: Codec
    vps: tuple[bytes, ...]
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    units: tuple[Unit, ...]


_SETS = {Codec.H264: ((), (7,), (8,)), Codec.H265: ((32,), (33,), (34,))}
_SYNC = {Codec.H264: (5,), Codec.H265: (16, 17, 18, 19, 20, 21)}


def read_stream(codec: Codec, annexb: bytes, presentation_ticks: list[int] | None) -> Stream:
    """Cuts a stream into access units; None: 25 pictures a second in the order they stand."""
    nals = split_annex_b(annexb)
    units = access_units(codec, nals)
    ticks = presentation_ticks or [n * 3600 for n in range(len(units))]
    sets = [
        tuple(dict.fromkeys(nal for nal in nals if nal_type(codec, nal) in kinds))
        for kinds in _SETS[codec]
    ]
    return Stream(
        codec,
        *sets,
        tuple(
            Unit(tuple(unit), at, any(nal_type(codec, nal) in _SYNC[codec] for nal in unit))
            for unit, at in zip(units, ticks, strict=True)
        ),
    )


def output_of(*command: str) -> bytes:
    """What a program prints; raises if it fails."""
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout


def encode(
    ffmpeg: str, codec: Codec, folder: Path, seconds: int, b_frames: int, gop_s: int = 2
) -> Stream:
    """A stream of the test picture at 25 pictures a second."""
    name, muxer = ("x264", "h264") if codec is Codec.H264 else ("x265", "hevc")
    keyint = 25 * gop_s
    params = f"repeat-headers=1:keyint={keyint}:min-keyint={keyint}:scenecut=0:bframes={b_frames}"
    if codec is Codec.H265:
        params += ":open-gop=0:log-level=error:pools=1"
    source = str(folder / f"source-{codec.name}.ts")
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=25:d={seconds}", "-pix_fmt", "yuv420p")
    encoder = ("-c:v", f"lib{name}", "-preset", "ultrafast", "-threads", "1", "-bf", str(b_frames))
    quiet = (ffmpeg, "-v", "error", "-y")
    output_of(*quiet, *picture, *encoder, f"-{name}-params", params, source)
    annexb = output_of(*quiet, "-i", source, "-c", "copy", "-f", muxer, "-")
    probe = str(Path(ffmpeg).with_name("ffprobe"))
    listed = output_of(probe, "-v", "error", "-show_packets", "-of", "json", source)
    # A transport stream counts in 90 kHz.
    ticks = [int(packet["pts"]) for packet in json.loads(listed)["packets"]]
    return read_stream(codec, annexb, [t - min(ticks) for t in ticks])


@dataclass(slots=True)
class SegmentMaker:
    """Puts chunks behind each other into a segment."""

    stream: Stream
    inband: bool = False
    run: int = 1_763_700_000_000_000
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)
    rows: list[Row] = field(default_factory=list)
    previous_sha256: bytes = bytes(32)
    decode_ticks: int = 0

    def __post_init__(self) -> None:
        s = self.stream
        self.head = segment.head_write(s.codec, s.vps, s.sps, s.pps, 90_000, self.inband)

    def payload_of(self, unit: Unit) -> bytes:
        """The sample: NAL units with lengths, without the sets that the sample entry has."""
        kept = unit.nals
        if not self.inband:
            entry = {*self.stream.vps, *self.stream.sps, *self.stream.pps}
            kept = tuple(nal for nal in kept if nal not in entry)
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in kept)

    def add_all(self) -> None:
        """Chunks as the loop cuts them: before every sync sample and at every second."""
        presentation = sorted(unit.presentation_ticks for unit in self.stream.units)
        start = 0
        for n in range(1, len(presentation) + 1):
            at_end = n == len(presentation)
            second = not at_end and (
                presentation[n] // TICKS_PER_SECOND != presentation[n - 1] // TICKS_PER_SECOND
            )
            if at_end or self.stream.units[n].is_sync or second:
                self.add(start, n, presentation)
                start = n

    def add(self, first: int, end: int, presentation: list[int]) -> None:
        """One chunk of the units [first, end)."""
        units = self.stream.units[first:end]
        payloads = [self.payload_of(unit) for unit in units]
        decode = [*presentation, presentation[-1] + 3600]
        samples = [
            Sample(
                len(payload),
                decode[n + 1] - decode[n],
                unit.presentation_ticks - decode[n],
                unit.is_sync,
            )
            for n, (unit, payload) in enumerate(zip(units, payloads, strict=True), first)
        ]
        payload = b"".join(payloads)
        number = len(self.rows)
        claim = Claim(
            flags=(ChunkFlag.FIRST if number == 0 else 0)
            | (ChunkFlag.INBAND if self.inband else ChunkFlag.SETS_DROPPED)
            | ChunkFlag.CLOCK_SYNCED,
            camera=CAMERA,
            stream=STREAM,
            run=self.run,
            sequence=number,
            wall_start_ns=WALL_START_NS + decode[first] * 100_000 // 9,
            media_start_ticks=decode[first],
            kind=SyncKind.IDR if units[0].is_sync else SyncKind.NONE,
            video_bytes=len(payload),
            video_sha256=hashlib.sha256(payload).digest(),
            previous_sha256=self.previous_sha256,
        )
        head, self.previous_sha256 = segment.chunk_head_write(claim, samples)
        offset = len(self.head) + len(self.body)
        place = segment.chunk_place(
            head, self.decode_ticks, number + 1, DISK, 7, 1 << 40 | 5, offset
        )
        self.body += head + payload
        self.body += free_box(place.chunk_bytes - len(head) - len(payload))
        duration = decode[end] - decode[first]
        self.decode_ticks += duration
        whole = replace(claim, duration_ticks=duration, samples=len(samples))
        self.rows.append(row_of(whole, place, WALL_START_NS + decode[end] * 100_000 // 9))

    def write_open(self, path: Path) -> None:
        """The segment as it lies on the disk while it is filled: zeros to the end."""
        with path.open("wb") as out:
            out.write(self.head + self.body)
            out.truncate(SEGMENT_BYTES)

    def write_sealed(self, path: Path) -> None:
        """The segment with its table."""
        table = segment.table_write(self.rows, SEGMENT_BYTES)
        with path.open("wb") as out:
            out.write(self.head + self.body)
            out.write(free_header(SEGMENT_BYTES - out.tell() - len(table)))
            out.truncate(SEGMENT_BYTES)
            out.seek(SEGMENT_BYTES - len(table))
            out.write(table)
