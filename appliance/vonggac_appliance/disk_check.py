"""What `disk check` needs of a machine: threads to read with, the home's ledger, progress."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from vonggac.errors import VonggacError
from vonggac.registry.catalog import Catalog
from vonggac.store import vouched
from vonggac.store.check import Depth, check
from vonggac.store.check_report import Report
from vonggac.store.disk import open_disk
from vonggac.store.look import Job, Seen
from vonggac.store.vouched import Vouched
from vonggac_appliance import audit_reading, ledger
from vonggac_appliance.cli_common import note

__all__ = ["check_disk"]

_WORKERS_MAX = 8
_TERMINAL_S = 1.0
_LOG_S = 30.0


def check_disk(home: Path, path: Path, *, is_deep: bool) -> Report:
    """Checks a disk against itself and against the home's ledger; progress on stderr."""
    with closing(open_disk(path, exclusive=False)) as opened:
        disk = opened.identity.disk
    progress = _Progress(is_deep)
    depth = Depth(is_deep, _vouched(home, disk, is_deep=is_deep), _threads, progress.tell)
    try:
        return check(path, depth=depth)
    finally:
        progress.end()


def _threads(work: Callable[[Job], Seen], jobs: Iterable[Job]) -> Iterator[Seen]:
    """As `map`, a thread a core: they wait for the disk and hash, both without the interpreter."""
    workers = min(os.cpu_count() or 1, _WORKERS_MAX)
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Seen]] = deque()
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _vouched(home: Path, disk: bytes, *, is_deep: bool) -> Vouched:
    """What the ledger says of this disk; said on stderr where it cannot be read."""
    known = Vouched()
    try:
        lists = audit_reading.lists_of(home)
        known.add_graves(
            grave
            for line in ledger.tombstones_of(home, lists)
            if (grave := vouched.grave_of(line, disk)) is not None
        )
        if is_deep:
            known.add_heads(
                vouched.Head(head.stream, head.run, head.sequence, head.claim_sha256)
                for head in ledger.heads_of(home, lists)
                if head.disk == disk
            )
        if (home / "catalog").exists():
            with Catalog(home, is_readonly=True) as catalog:
                known.has_other_disks = any(row.uuid != disk for row in catalog.disks())
    except (VonggacError, OSError) as error:
        note(f"the disk is not compared with the ledger of {home}: {error}")
    return known


class _Progress:
    """A line on stderr: over and over on a terminal, now and then elsewhere."""

    def __init__(self, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._is_terminal = sys.stderr.isatty()
        self._began_s = self._told_s = time.monotonic()
        self._has_line = False

    def tell(self, done_bytes: int, all_bytes: int) -> None:
        now_s = time.monotonic()
        every_s = _TERMINAL_S if self._is_terminal else _LOG_S
        if not self._is_shown or now_s - self._told_s < every_s:
            return
        self._told_s = now_s
        rate = done_bytes / (now_s - self._began_s)
        left_s = (all_bytes - done_bytes) / rate if rate else 0.0
        text = f"{done_bytes / 1e9:.1f} of {all_bytes / 1e9:.1f} GB, {rate / 1e6:.0f} MB/s, "
        text += f"{left_s / 60:.0f} min left"
        if self._is_terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._has_line = True
        else:
            note(text)

    def end(self) -> None:
        if self._has_line:
            print(file=sys.stderr)
