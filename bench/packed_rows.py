"""What does a day of a stream cost in the index: bytes, and time to find its ranges?

    python bench/packed_rows.py

Rows as a camera of 25 pictures a second makes them: a sync sample every 2 s, chunks cut there and
at every second, in values of a minute. Prints a table; docs/ref/segment-format.md quotes it.
"""

from __future__ import annotations

import platform
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise

from vonggac._native import segment
from vonggac.media.chunk import ChunkFlag, PackedRow, Row, SyncKind

DAY_MS = 86_400_000
MINUTE_NS = 60 * 10**9
START_NS = 1_763_700_000_123_456_789
SEGMENT_BYTES = 32 << 20
_HEADER_BYTES = 23
"""With sums; without them a value has version 1 and three."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a stream's times go."""

    name: str
    jitter_ticks: int
    drift: float
    noise_ns: int


KINDS = (
    Kind("steady", 0, 0.0, 12),
    Kind("jitter of 300 ticks", 300, 0.0, 12),
    Kind("and slewed by 50 ppm, 2 us of noise", 300, 5e-5, 2_000),
    Kind("slewed by up to 2 ms up and down in every chunk", 300, 0.0, 2_000_000),
)


def cuts_ms() -> Iterator[tuple[int, int]]:
    """Start and end of each chunk: at ticks and before sync samples."""
    return pairwise(sorted([*range(1000, DAY_MS, 1000), *range(370, DAY_MS, 2000)]))


def day(kind: Kind) -> Iterator[PackedRow]:
    """The rows of a day, always the same ones."""
    rng = random.Random(kind.name)
    offset, number, epoch, wall_ns = 4096, 17, 1 << 40 | 500, START_NS
    for sequence, (start_ms, end_ms) in enumerate(cuts_ms()):
        samples = max(1, (end_ms - start_ms) // 40)
        is_sync = start_ms % 2000 == 370
        duration = samples * 3600 + rng.randint(-kind.jitter_ticks, kind.jitter_ticks)
        head = 335 + 88 + 16 * samples + 8
        first = max(300, int(rng.gauss(60_000 if is_sync else 6_000, 2_500)))
        others = int(rng.gauss(6_000 * (samples - 1), 2_500 * samples**0.5))
        chunk = -(-(head + first + max(0, others)) // 4096) * 4096
        if offset + chunk > SEGMENT_BYTES:
            offset, number, epoch = 4096, rng.randrange(9000), epoch + 1
        wall_end = wall_ns + int(duration * (1 + kind.drift) * 100_000) // 9
        wall_end += rng.randint(-kind.noise_ns, kind.noise_ns)
        flags = ChunkFlag.CLOCK_SYNCED | (ChunkFlag.SETS_DROPPED if is_sync else 0)
        sync_kind = SyncKind.IDR if is_sync else SyncKind.NONE
        yield PackedRow(
            number,
            epoch,
            Row(offset, chunk, head - 343, head + first, wall_ns, wall_end, duration, samples,
                int(flags), sync_kind, START_NS // 1000, sequence),
        )  # fmt: skip
        offset, wall_ns = offset + chunk, wall_end


def unpack_all(values: Sequence[bytes]) -> int:
    """Makes every row a Python value; gives their number."""
    return sum(len(segment.rows_unpack(value)) for value in values)


def best_ms(work: Callable[[], object], times: int) -> float:
    """The shortest of several: the machine's other work only ever adds."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took) * 1000


def main() -> None:
    """Prints the table."""
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print("| stream | rows | a day | a row | ranges by rows | by sums | as Python values |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind in KINDS:
        rows = list(day(kind))
        minutes = groupby(rows, key=lambda packed: packed.row.wall_start_ns // MINUTE_NS // 4)
        values = [segment.rows_pack(list(group)) for _, group in minutes]
        plain = [b"\x01" + value[1:3] + value[_HEADER_BYTES:] for value in values]
        size = sum(map(len, values))
        rows_ms = best_ms(partial(segment.rows_spans, plain, 0, 2**63 - 1), 50)
        sums_ms = best_ms(partial(segment.rows_spans, values, 0, 2**63 - 1), 50)
        unpack_ms = best_ms(partial(unpack_all, values), 2)
        print(
            f"| {kind.name} | {len(rows):,} | {size / 1e6:.2f} MB | {size / len(rows):.1f} B "
            f"| {rows_ms:.1f} ms | {sums_ms:.2f} ms | {unpack_ms:.0f} ms |"
        )


if __name__ == "__main__":
    main()
