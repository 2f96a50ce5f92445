"""What cameras' clocks do (rows 78 to 83 of the table of habits), from packets to claims.

Every camera here sends its pictures for a minute and a half, whatever it stamps. Whoever asks for a
moment must find what arrived then: that, and that no picture is lost, holds for all of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from loop_rig import PPS, SPS, idr, inter
from packetiser import rtp
from vonggac._native import parse, segment
from vonggac._native.arena import BLOCK_BYTES, ArenaReader, format_arena
from vonggac._native.assembler import CODEC_H264, Assembler
from vonggac._native.chunker import Chunker
from vonggac.media.chunk import ChunkFlag, Claim, Codec

START_NS = 1_763_700_000_000_000_000
PICTURE_NS = 40_000_000
SECOND_NS = 1_000_000_000
TICKS = 3600
PICTURES = 90 * 25
BLOCKS = 1600
NAL_TYPES = {0x67: 7, 0x68: 8, 0x65: 5, 0x41: 1}

Stamps = Callable[[int], int]
"""Picture number to RTP timestamp."""


@dataclass
class Recorded:
    """What stands in the claims, and when each picture arrived."""

    claims: list[Claim] = field(default_factory=list)
    arrivals_ns: list[int] = field(default_factory=list)

    def errors_ns(self) -> Iterator[tuple[int, int]]:
        """For each chunk: its number of the first picture, and wall time less arrival."""
        picture = 0
        for claim in self.claims:
            yield picture, claim.wall_start_ns - self.arrivals_ns[picture]
            picture += claim.samples


def record(
    stamps: Stamps,
    *,
    gop: int = 50,
    arrives_ns: Callable[[int], int] = lambda n: n * PICTURE_NS,
    pictures: int = PICTURES,
) -> Recorded:
    """A camera's packets through the assembler and the chunker, a tick every second of arrival."""
    memory = os.memfd_create("arena", os.MFD_CLOEXEC)
    os.ftruncate(memory, BLOCKS * BLOCK_BYTES)
    format_arena(memory)
    chunker = Chunker(memory, Codec.H264, camera=b"c" * 16, stream=b"s" * 16, run=5)
    reader = ArenaReader(memory, BLOCKS * BLOCK_BYTES)
    assembler = Assembler(CODEC_H264, 96)
    made = Recorded()
    closed: list[int] = []
    sequence = 0

    def pull(at_ns: int) -> None:
        while (unit := assembler.pull()) is not None:
            nals = [(NAL_TYPES[nal[0]], nal) for nal in unit.nals]
            made.arrivals_ns.append(START_NS + at_ns)
            closed.extend(chunker.push(nals, unit.timestamp, unit.kind, START_NS + at_ns))

    tick = 1
    for n in range(pictures):
        at_ns = arrives_ns(n)
        while at_ns >= tick * SECOND_NS:
            closed.extend(chunker.tick())
            tick += 1
        nals = [SPS, PPS, idr(40, n)] if n % gop == 0 else [inter(20, n)]
        for nal in nals:
            data = rtp(nal, sequence=sequence, timestamp=stamps(n), marker=nal is nals[-1])
            packet = parse.rtp_parse(data)
            while not assembler.push(packet):
                pull(at_ns)
            sequence += 1
        pull(at_ns)
    assembler.flush()
    pull(arrives_ns(pictures - 1))
    closed.extend(chunker.end())
    made.claims = [segment.claim_read(reader.chunk(header).head)[0] for header in closed]
    del reader
    os.close(memory)
    return made


def honest(n: int) -> int:
    return 90_000 + n * TICKS


def outliers(n: int) -> int:
    """An Intelbras: single pictures hours ahead, others hours back, every few seconds."""
    return honest(n) + {0: 37_600, 60: -9_800}.get(n % 120, 0) * 90_000 if n > 10 else honest(n)


def restarts(n: int) -> int:
    """At 0, every 20 s."""
    return n % 500 * TICKS


def jumps_back(n: int) -> int:
    """By two seconds, every 10 s; then it goes on from there."""
    return honest(n) - n // 250 * 180_000


def wraps(n: int) -> int:
    return 0xFFFF_0000 + n * TICKS


def frozen(_n: int) -> int:
    return 123_456


def stops(n: int) -> int:
    """Its clock stands still for 30 s."""
    return honest(min(n, 500) if n < 1250 else n)


def crawls(n: int) -> int:
    """A clock of 1 kHz where 90 kHz are declared."""
    return n * 40


def races(n: int) -> int:
    """Ten times too fast."""
    return n * TICKS * 10


def pairs(n: int) -> int:
    """Every two pictures have one stamp."""
    return honest(n // 2 * 2)


def slow(n: int) -> int:
    """21 pictures a second by its stamps, where 25 come."""
    return n * TICKS * 25 // 21


def noise(n: int) -> int:
    return random.Random(n).randrange(1 << 32)


CASES: dict[str, tuple[Stamps, float]] = {
    "honest": (honest, 0.06),
    "single pictures hours away": (outliers, 0.06),
    "restarts at 0": (restarts, 0.06),
    "jumps back by seconds": (jumps_back, 0.06),
    "wraps": (wraps, 0.06),
    "equal in pairs": (pairs, 0.06),
    "a wrong number of pictures": (slow, 2.2),
    "frozen": (frozen, 0.2),
    "stands still for half a minute": (stops, 0.3),
    "a thousand ticks a second": (crawls, 4.5),
    "ten times too fast": (races, 10.5),
    "noise": (noise, 10.5),
}


@pytest.mark.parametrize(("stamps", "bound_s"), CASES.values(), ids=CASES)
def test_whatever_a_camera_stamps_its_pictures_lie_where_they_came(
    stamps: Stamps, bound_s: float
) -> None:
    made = record(stamps)
    assert sum(claim.samples for claim in made.claims) == PICTURES
    worst = max(made.errors_ns(), key=lambda one: abs(one[1]))
    assert abs(worst[1]) <= bound_s * SECOND_NS, f"picture {worst[0]}: {worst[1] / SECOND_NS} s"
    starts = [claim.wall_start_ns for claim in made.claims]
    assert starts == sorted(starts)
    media = [claim.media_start_ticks for claim in made.claims]
    assert media == sorted(set(media))
    assert all(claim.duration_ticks >= claim.samples for claim in made.claims)


def test_a_good_clock_is_never_set_anew() -> None:
    made = record(honest)
    assert not any(claim.flags & ChunkFlag.REANCHORED for claim in made.claims)
    assert sum(claim.duration_ticks for claim in made.claims) == PICTURES * TICKS


def test_a_camera_that_claims_25_and_sends_21_keeps_to_arrival_without_a_hole() -> None:
    made = record(honest, arrives_ns=lambda n: n * SECOND_NS // 21)
    assert max(abs(error) for _, error in made.errors_ns()) < 2.2 * SECOND_NS
    assert sum(claim.samples for claim in made.claims) == PICTURES
    recorded_ns = made.claims[-1].wall_start_ns - made.claims[0].wall_start_ns
    assert abs(recorded_ns - PICTURES * SECOND_NS // 21) < 3 * SECOND_NS


def test_a_gop_of_a_minute_and_a_half_reaches_the_disk_every_second() -> None:
    made = record(honest, gop=PICTURES)
    assert len(made.claims) >= 90
    assert max(claim.samples for claim in made.claims) <= 26
    assert [claim.kind != 0 for claim in made.claims].count(True) == 1
    assert max(abs(error) for _, error in made.errors_ns()) < 60_000_000


def test_a_gop_that_comes_at_once_is_put_where_it_came_within_seconds() -> None:
    """What a server had cached: four seconds of pictures in its first tenth."""
    made = record(honest, arrives_ns=lambda n: max(n // 10 * 10_000_000, (n - 100) * PICTURE_NS))
    late = [error for picture, error in made.errors_ns() if picture > 60 * 25]
    assert max(abs(error) for error in late) < 200_000_000
    starts = [claim.wall_start_ns for claim in made.claims]
    assert starts == sorted(starts)


def test_pictures_behind_a_stall_of_wifi_lie_where_they_were_taken() -> None:
    """Three seconds of nothing, then all of them at once: the camera's spacing holds."""
    made = record(honest, arrives_ns=lambda n: (max(n, 575) if 500 <= n < 575 else n) * PICTURE_NS)
    taken = [START_NS + n * PICTURE_NS for n in range(PICTURES)]
    picture = 0
    for claim in made.claims:
        assert abs(claim.wall_start_ns - taken[picture]) < 200_000_000
        picture += claim.samples
    assert not any(claim.flags & ChunkFlag.REANCHORED for claim in made.claims)
