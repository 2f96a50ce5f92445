"""What does the list of a day cost `serve`: 43,200 fragments, from packed rows to text?

    python bench/playlist.py

The rows are those of bench/packed_rows.py. Times are of the thread's own processor time, since the
machine may do other work, and beside them a loop that only counts, so that a slow machine is seen.
The question to the keeper and the network are not in it: bench/web.py has the whole way.
"""

from __future__ import annotations

import gzip
import platform
import time
from collections.abc import Callable
from itertools import groupby

from packed_rows import KINDS, MINUTE_NS, START_NS, day

from vonggac._native import playlist as native
from vonggac._native import segment
from vonggac.playback import playlist
from vonggac.playback.fragments import playable

ROUNDS = 5
FOREVER_NS = 1 << 62


def best_ms(work: Callable[[], object]) -> float:
    """The least processor time of ROUNDS."""
    took = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        work()
        took.append(time.thread_time() - start)
    return min(took) * 1000


def count() -> int:
    """A million additions."""
    total = 0
    for number in range(1_000_000):
        total += number
    return total


def main() -> None:
    rows = list(day(KINDS[1]))
    values = [
        segment.rows_pack(list(group))
        for _, group in groupby(rows, key=lambda packed: packed.row.wall_start_ns // MINUTE_NS)
    ]
    found = native.rows_fragments(values, 0, FOREVER_NS)
    shown = playable([found], START_NS)
    names = playlist.Names(("d0d0d0d0",))

    def media() -> bytes:
        return playlist.media(shown, names, is_growing=False, is_ended=True)

    def iframes() -> bytes:
        return playlist.iframes(shown, names, is_growing=False, is_ended=True)

    text = media()
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"{len(rows)} rows, {len(found)} fragments, {len(shown.stretches)} stretches")
    print(f"{len(text)} bytes of text, {len(gzip.compress(text, 1))} packed\n")
    steps: list[tuple[str, Callable[[], object]]] = [
        ("a million additions, to compare", count),
        ("rows_fragments", lambda: native.rows_fragments(values, 0, FOREVER_NS)),
        ("playable", lambda: playable([found], START_NS)),
        ("media.m3u8", media),
        ("iframes.m3u8", iframes),
        ("map.json's pieces", lambda: playlist.clock_map(shown)),
        ("gzip, level 1", lambda: gzip.compress(text, 1)),
    ]
    for name, work in steps:
        print(f"{name:32} {best_ms(work):8.1f} ms")


if __name__ == "__main__":
    main()
