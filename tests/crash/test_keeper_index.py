"""A keeper whose index is damaged under its hands: the next one makes it again, and records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crash.keeper_peer import Arena, KeeperPeer
from store.maker import BOX, FakeStream, opened
from vonggac._native import segment as native
from vonggac.store import disk as disks
from vonggac.store.archive import Archive
from vonggac.store.check import check
from vonggac.store.index import Index, Table
from vonggac.store.start import open_for_reading
from vonggac_appliance.keep_faults import Faults


def sequences(where: Path, stream: FakeStream) -> list[int]:
    reading = open_for_reading(where)
    try:
        values = list(reading.archive.packed_minutes(stream.stream, 0, 1 << 62))
        return [r.row.sequence for value in values for r in native.rows_unpack(value)]
    finally:
        reading.close()


def damage_every_free_segment(where: Path) -> None:
    """Their rows: read when the next spare is reserved, and not while a disk is started."""
    disk = disks.open_disk(where, BOX, exclusive=True)
    index = Index.open(disk.index_path(), disk.identity.disk, disk.index_bytes(), writable=True)
    for number, _ in list(Archive(index).reusable()):
        index.put(Table.SEGMENTS, number.to_bytes(4, "big"), b"nonsense")
    index.commit_now(index.meta.highest_epoch, index.meta.seal_order)
    index.close()
    disk.close()


def test_an_index_that_says_what_cannot_be_is_made_again_by_the_next_keeper(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    bench, stream = opened(where)
    bench.tick([stream.chunk()])
    bench.commit()
    bench.crash()
    damage_every_free_segment(where)

    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.expect(5)
    status, said = peer.wait()
    assert status == 1 and "begins again" in said and "Traceback" not in said

    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.connect()
    peer.tick([stream.chunk()])
    peer.wait_for(1)
    status, said = peer.quit()
    assert status == 0 and "made again while recording goes on" in said
    assert sequences(where, stream) == [0, 1]
    assert check(where, is_deep=True).problems == []


_DIES = """
import os, signal, sys
from pathlib import Path
from vonggac_appliance.keep_faults import Faults
Faults(Path(sys.argv[1])).watch()
code = compile("os.kill(os.getpid(), signal.SIGSEGV)", sys.argv[2], "exec")
exec(code)
"""


@pytest.mark.parametrize(
    ("where_it_died", "is_distrusted"),
    [("/usr/lib/vonggac/store/index.py", True), ("/usr/lib/vonggac/store/ring.py", False)],
)
def test_a_process_that_died_reading_its_index_is_told_of(
    tmp_path: Path, where_it_died: str, is_distrusted: bool
) -> None:
    path = tmp_path / "suspect" / "disk.fault"
    done = subprocess.run(
        [sys.executable, "-c", _DIES, path, where_it_died], stderr=subprocess.DEVNULL
    )
    assert done.returncode == -signal.SIGSEGV
    faults = Faults(path)
    assert bool(faults.why_distrusted()) == is_distrusted
    with path.open("rb+") as file:  # the next keeper's `watch` would empty it
        os.ftruncate(file.fileno(), 0)
    assert faults.why_distrusted() == ""


def test_a_keeper_that_dies_in_lmdb_leaves_its_disk_to_one_that_does_without(
    where: Path, tmp_path: Path, arena: Arena
) -> None:
    peer = KeeperPeer(where, tmp_path, arena)
    peer.ready()
    peer.kill()
    marks = list((tmp_path / "suspect").iterdir())
    assert len(marks) == 1 and marks[0].stat().st_size == 0
    marks[0].write_text('Fatal\n  File "/usr/lib/vonggac/store/index.py", line 1 in get\n')
    peer = KeeperPeer(where, tmp_path, arena)
    assert not peer.ready().suspect
    status, said = peer.quit()
    assert status == 0 and "has ended the last keeper" in said
    assert marks[0].stat().st_size == 0
