"""What has to be forgotten is forgotten, also where the disk refuses all that is written."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from refusing_disk import mounted, no_file_above, read_only
from vonggac.errors import StorageError
from vonggac.motion.index import Known, MotionIndex
from vonggac.motion.query import DAY_SECONDS
from vonggac.motion.slots import Slot, Tier, cells_of

A, B = b"a" * 16, b"b" * 16
DAY = 20_780
START = DAY * DAY_SECONDS
FAR = START * 2
LENGTH_S = 3600
NO_REWRITE_BYTES = 300
"""A record that something is forgotten fits, the head of a day does not."""


def opened(folder: Path) -> MotionIndex:
    return MotionIndex(folder, max_bytes=1 << 30)


def three_days(folder: Path) -> MotionIndex:
    """An hour of each day, in files, of two streams."""
    index = opened(folder)
    for stream in (A, B):
        for day in range(3):
            first = START + day * DAY_SECONDS
            slots = [Slot(first + s, cells_of([s % 2304]), Tier.FULL) for s in range(LENGTH_S)]
            index.add(stream, slots)
    index.flush()
    index.compact()
    return index


def hour(day: int) -> Known:
    first = START + day * DAY_SECONDS
    return Known(first, first + LENGTH_S, Tier.FULL)


def files_of(folder: Path, stream: bytes) -> list[Path]:
    return sorted(folder.glob(f"days/{stream.hex()}/*"))


def test_a_full_disk_forgets_whole_days_and_the_day_it_cannot_write_anew(tmp_path: Path) -> None:
    index = three_days(tmp_path)
    with no_file_above(NO_REWRITE_BYTES):
        with pytest.raises(StorageError):  # it is told: a day has gone that had more than that
            index.forget(A, START + 60, START + 2 * DAY_SECONDS)
        assert index.covered(A, 0, FAR) == [hour(2)]
        assert [(one.stream, one.day) for one in index.damages] == [(A, DAY)]
        assert len(files_of(tmp_path, A)) == 1
        assert opened(tmp_path).covered(A, 0, FAR) == [hour(2)]
    index.forget(A, 0, START + DAY_SECONDS)
    assert index.damages == [], "of that day nothing is to be made again"
    assert index.covered(B, 0, FAR) == [hour(day) for day in range(3)]
    assert index.size_bytes == sum(p.stat().st_size for p in tmp_path.rglob("*.*") if p.is_file())


def test_an_index_is_opened_though_the_disk_takes_no_day_without_what_was_forgotten(
    tmp_path: Path,
) -> None:
    index = three_days(tmp_path)
    kept = {path: path.read_bytes() for path in files_of(tmp_path, A)}
    index.forget(A, START + 60, START + 2 * DAY_SECONDS)
    for path, content in kept.items():
        path.write_bytes(content)  # as if it had been killed behind the word in the log
    with no_file_above(0):
        again = opened(tmp_path)
        assert again.covered(A, 0, FAR) == [hour(2)]
        assert again.covered(B, 0, FAR) == [hour(day) for day in range(3)]


def test_what_cannot_even_be_removed_is_hidden_until_it_is(tmp_path: Path) -> None:
    index = three_days(tmp_path)
    index.close()
    with read_only(tmp_path / "days"):
        with pytest.raises(StorageError):
            index.forget(A, 0, START + DAY_SECONDS + 60)
        assert len(files_of(tmp_path, A)) == 3
        for one in (index, opened(tmp_path)):
            assert one.covered(A, 0, FAR) == [hour(2)]
            with pytest.raises(StorageError):
                one.compact()  # or the log would be gone that says so
        assert opened(tmp_path).covered(A, 0, FAR) == [hour(2)]
    index.compact()
    assert len(files_of(tmp_path, A)) == 1 and not list(tmp_path.glob("log/*"))
    assert index.size_bytes == sum(p.stat().st_size for p in tmp_path.rglob("*.motion"))
    assert opened(tmp_path).covered(A, 0, FAR) == [hour(2)]


def test_a_day_that_was_hidden_can_be_made_again(tmp_path: Path) -> None:
    index = three_days(tmp_path)
    with read_only(tmp_path / "days"):
        index.forget(A, 0, FAR)
    index.add(A, [Slot(START + s, cells_of([7]), Tier.FULL) for s in range(LENGTH_S)])
    index.flush()
    index.compact()
    assert opened(tmp_path).covered(A, 0, FAR) == index.covered(A, 0, FAR) == [hour(0)]
    assert len(files_of(tmp_path, A)) == 1


def test_whole_days_make_room_for_the_rest_of_one(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    with mounted(folder, "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        three_days(folder).close()
        index = opened(folder)  # which knows the oldest day first
        with (folder / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4096))
        with pytest.raises(StorageError):
            index.forget(A, START + 60, START + 2 * DAY_SECONDS)
        kept = Known(START, START + 60, Tier.FULL)
        assert index.covered(A, 0, FAR) == [kept, hour(2)]
        assert index.damages == []
        index.close()
