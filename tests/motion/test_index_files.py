"""The files of the index: bounded, told where they are damaged, whole after any stop."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from refusing_disk import no_file_above
from vonggac._native.segment import crc32c
from vonggac.errors import ConfigError, StorageError
from vonggac.motion import region
from vonggac.motion.episodes import Found
from vonggac.motion.heat import heat_of_day
from vonggac.motion.index import Known, MotionIndex
from vonggac.motion.query import DAY_SECONDS, Ask, Query
from vonggac.motion.slots import Slot, Tier, cells_of

A, B = b"a" * 16, b"b" * 16
DAY = 20_780
HEAD_BYTES = 32 + 42 * 16
"""Before its CRC."""
START = DAY * DAY_SECONDS
LEFT, RIGHT = region.rectangle(0, 0, 0.25, 0.2), region.rectangle(0.75, 0.8, 0.25, 0.2)


def opened(folder: Path, max_bytes: int = 1 << 30) -> MotionIndex:
    return MotionIndex(folder, max_bytes=max_bytes)


def moving(start_s: int, seconds: int, cells: int = 20, seed: int = 1) -> list[Slot]:
    """Seconds in which some cells of the upper left and of the lower right move."""
    rng = random.Random(seed)
    made = []
    for second in range(start_s, start_s + seconds):
        left = [row * 64 + column for row in range(7) for column in range(16)]
        right = [2303 - cell for cell in left]
        few = rng.sample(left, cells // 2) + rng.sample(right, cells // 2)
        made.append(Slot(second, cells_of(few), Tier.FULL))
    return made


def found(index: MotionIndex, mask: bytes = region.EVERYWHERE, stream: bytes = A) -> list[object]:
    query = Query((Ask(stream, mask),), 0, START * 2)
    return [one.episode for one in index.search(query) if isinstance(one, Found)]


def blocks(index: MotionIndex, from_s: int, to_s: int) -> list[tuple[int, int]]:
    """What is told before anything is read."""
    query = Query((Ask(A, LEFT),), from_s, to_s)
    return [span for coarse in index.blocks_found(query) for span in coarse.ranges]


def filed(index: MotionIndex) -> None:
    """Puts everything into files of days, open blocks too."""
    index.flush()
    assert index.compact() == []


def day_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("days/*/*.motion"))


def test_what_is_told_is_searched_at_once(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START + 5, 3))
    (episode,) = found(index)
    assert (episode.from_s, episode.to_s, episode.cells) == (START + 5, START + 8, 20)
    assert blocks(index, START, START + 200) == [(START, START + 120)]


@pytest.mark.parametrize("is_filed", [False, True])
def test_blocks_tell_nothing_of_what_moved_before_or_after_the_range(
    tmp_path: Path, is_filed: bool
) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START + 5, 3))
    index.add(A, moving(START + 245, 3))
    if is_filed:
        filed(index)
    assert blocks(index, START + 8, START + 245) == []
    assert blocks(index, START + 8, START + 400) == [(START + 240, START + 360)]
    # What lies in a part of a block is left to the seconds where they are on the disk.
    part = [] if is_filed else [(START + 240, START + 246)]
    assert blocks(index, START + 8, START + 246) == part


def test_a_search_can_be_left_at_any_answer(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for day in range(3):
        index.add(A, moving(START + day * DAY_SECONDS, 10))
    filed(index)
    query = Query((Ask(A, LEFT),), START, START * 2)
    whole = list(index.search(query))
    for taken in range(len(whole)):
        answers = index.search(query)
        assert [next(answers) for _ in range(taken)] == whole[:taken]
        answers.close()


def test_two_searches_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for day in range(3):
        index.add(A, moving(START + day * DAY_SECONDS, 10))
        index.add(B, moving(START + day * DAY_SECONDS + 50, 10))
    filed(index)
    queries = [Query((Ask(stream, LEFT),), START, START * 2) for stream in (A, B)]
    alone = [list(index.search(query)) for query in queries]
    pairs = zip(index.search(queries[0]), index.search(queries[1]), strict=True)
    assert [list(answers) for answers in zip(*pairs, strict=True)] == alone


def test_an_unbroken_stretch_is_known_as_one(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START - 30, 60))
    filed(index)
    index.add(A, moving(START + 30, 30))
    assert index.covered(A, 0, START * 2) == [Known(START - 30, START + 60, Tier.FULL)]
    assert index.covered(A, START, START + 10) == [Known(START, START + 10, Tier.FULL)]
    assert index.covered(B, 0, START * 2) == []


def test_what_is_forgotten_is_in_no_file(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 600))
    index.add(B, moving(START, 10))
    filed(index)
    index.forget(A, START, START + 300)
    assert found(index)[-1].from_s == START + 300
    index.forget(A, 0, START * 2)
    assert index.streams() == {B}
    filed(index)
    assert [path.parent.name for path in day_files(tmp_path)] == [B.hex()]
    assert not list(tmp_path.glob("log/*.log"))
    assert index.size_bytes == sum(path.stat().st_size for path in day_files(tmp_path))


@pytest.mark.parametrize("step", range(4))
def test_what_was_forgotten_does_not_come_back_with_a_crash(tmp_path: Path, step: int) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 240))
    index.add(A, moving(START + DAY_SECONDS, 240))
    index.flush()
    for _ in range(step):
        index.compact_step()
    index.forget(A, START, START + 120)
    index.add(A, moving(START + 60, 10, seed=5))
    index.flush()
    told = found(index)
    again = opened(tmp_path)  # the first one never gets to say more
    assert found(again) == told
    again.compact()
    assert found(again) == told and found(opened(tmp_path)) == told


def test_a_torn_log_costs_its_last_record(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 120))
    index.add(A, moving(START + 120, 120))
    (log,) = tmp_path.glob("log/*.log")
    whole = log.read_bytes()
    for size in range(0, len(whole), 997):
        log.write_bytes(whole[:size])
        known = opened(tmp_path).covered(A, 0, START * 2)
        assert known in ([], [Known(START, START + 120, Tier.FULL)])
    log.write_bytes(whole[:-1])
    again = opened(tmp_path)
    assert again.covered(A, 0, START * 2) == [Known(START, START + 120, Tier.FULL)]
    again.add(A, moving(START + 120, 120))
    assert len(list(tmp_path.glob("log/*.log"))) == 2  # nothing is written behind what is torn
    again.compact()
    assert opened(tmp_path).covered(A, 0, START * 2) == [Known(START, START + 240, Tier.FULL)]


def test_a_rotten_file_costs_what_is_rotten_and_is_told(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 300, cells=4))
    index.add(B, moving(START, 300))
    filed(index)
    left, right, other = found(index, LEFT), found(index, RIGHT), found(index, LEFT, B)
    path = day_files(tmp_path)[0]
    whole = path.read_bytes()
    for at in range(0, len(whole), 61):
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x40,)) + whole[at + 1 :])
        again = opened(tmp_path)
        answers = found(again, LEFT), found(again, RIGHT)
        assert found(again, LEFT, B) == other
        assert [(one.stream, one.day) for one in again.damages] == [(A, DAY)]
        assert again.covered(A, 0, START * 2) == []  # so it is made again
        if path.exists():  # a strip is rotten, and the other half of the picture is not
            assert left == answers[0] or right == answers[1]
        else:
            assert answers == ([], [])
            assert again.size_bytes < index.size_bytes
    again.add(A, moving(START, 300, cells=4))
    filed(again)
    assert not again.damages and found(again, LEFT) == left


def test_a_file_cut_short_counts_as_unknown(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 300))
    filed(index)
    (path,) = day_files(tmp_path)
    whole = path.read_bytes()
    for size in (0, 1, 100, 711, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert opened(tmp_path).covered(A, 0, START * 2) == []
        path.parent.mkdir(exist_ok=True)
    index.add(B, moving(START, 5))
    path.write_bytes(whole[:-1])  # behind the back of who has it open
    assert len(found(index, stream=B)) == 1
    found(index)
    assert [one.stream for one in index.damages] == [A]


def test_a_bad_sector_costs_a_day_or_a_log_not_the_index(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for stream in (A, B):
        index.add(stream, moving(START, 240))
    filed(index)
    index.add(B, moving(START + 240, 120))
    (path, _) = day_files(tmp_path)
    path.unlink()
    for unreadable in (path, tmp_path / "log" / "00000001.log"):
        unreadable.symlink_to("/proc/self/mem")  # what begins there cannot be read: EIO
    again = opened(tmp_path)
    assert again.covered(A, 0, START * 2) == []
    assert again.covered(B, 0, START * 2) == [Known(START, START + 360, Tier.FULL)]
    assert [(one.stream, one.day) for one in again.damages] == [(A, DAY)]
    again.compact()
    assert not list(tmp_path.glob("log/*.log"))


def test_a_newer_programs_file_is_refused_and_kept(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 3))
    filed(index)
    (path,) = day_files(tmp_path)
    whole = path.read_bytes()
    newer = whole[:8] + b"\0\2" + whole[10:HEAD_BYTES]
    path.write_bytes(newer + crc32c(newer).to_bytes(4, "big") + whole[HEAD_BYTES + 4 :])
    with pytest.raises(ConfigError, match="newer"):
        opened(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("bit", range(16))
def test_a_version_in_which_a_bit_flipped_costs_a_day_not_the_index(
    tmp_path: Path, bit: int
) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 3))
    index.add(B, moving(START, 3))
    filed(index)
    path = day_files(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[8 + bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    again = opened(tmp_path)
    assert [(one.stream, one.day) for one in again.damages] == [(A, DAY)]
    assert again.covered(B, 0, START * 2) == [Known(START, START + 3, Tier.FULL)]


def test_a_full_index_drops_its_oldest_days_and_takes_no_older_ones(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for day in range(6):
        for stream in (A, B):
            index.add(stream, moving(START + day * DAY_SECONDS, 400, seed=day))
    filed(index)
    assert index.floor_s == 0
    each = index.size_bytes // 6
    bounded = opened(tmp_path, max_bytes=each * 17 // 4)
    assert bounded.compact() == [DAY, DAY + 1]
    assert bounded.size_bytes <= each * 17 // 4
    assert bounded.floor_s == START + 2 * DAY_SECONDS
    bounded.add(A, moving(START, 10))
    assert bounded.covered(A, 0, START + DAY_SECONDS) == []
    assert found(bounded)[-1].from_s == START + 2 * DAY_SECONDS


def test_what_was_dropped_is_not_taken_again_before_there_is_room_for_it(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for day in range(3):
        index.add(A, moving(START + day * DAY_SECONDS, 400, seed=day))
    filed(index)
    last_s = START + 2 * DAY_SECONDS
    bounded = opened(tmp_path, max_bytes=index.size_bytes // 2)
    assert bounded.compact() == [DAY, DAY + 1]
    assert bounded.size_bytes < index.size_bytes // 2 * 0.9
    assert bounded.floor_s == last_s
    bounded.add(A, moving(START + DAY_SECONDS, 400, seed=1))
    assert [known.from_s for known in bounded.covered(A, 0, START * 2)] == [last_s]
    bounded.forget(A, last_s, last_s + 350)
    assert bounded.floor_s == 0
    bounded.add(A, moving(START + DAY_SECONDS, 10))
    assert bounded.covered(A, 0, last_s)


def test_a_disk_that_refuses_costs_nothing_that_it_took(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 240))
    told = found(index)
    with no_file_above(1000):
        with pytest.raises(StorageError):
            index.add(A, moving(START + 1000, 500))
        with pytest.raises(StorageError):
            index.compact()
        assert len(found(index)) == 2  # what could not be logged is searched all the same
        assert not list(tmp_path.glob("days/*/*.new"))
        assert found(opened(tmp_path)) == told
    filed(index)
    assert len(found(opened(tmp_path))) == 2


def test_blocks_that_no_log_takes_are_bounded(tmp_path: Path) -> None:
    index = opened(tmp_path)
    with no_file_above(0):
        for block in range(80):
            with pytest.raises(StorageError):
                index.add(A, moving(START + block * 120, 120))
    (known,) = index.covered(A, 0, START * 2)
    assert known.to_s == START + 80 * 120
    assert known.to_s - known.from_s <= 61 * 120


def test_a_disk_that_refuses_again_and_again_leaves_one_log(tmp_path: Path) -> None:
    index = opened(tmp_path)
    with no_file_above(100):
        for block in range(20):
            with pytest.raises(StorageError):
                index.add(A, moving(START + block * 120, 120))
    (log,) = tmp_path.glob("log/*.log")
    assert log.stat().st_size == index.size_bytes == 0
    index.flush()
    assert opened(tmp_path).covered(A, 0, START * 2) == index.covered(A, 0, START * 2)


def test_what_a_stop_in_the_middle_of_a_file_left_is_removed(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 300))
    filed(index)
    (path,) = day_files(tmp_path)
    path.with_suffix(".new").write_bytes(path.read_bytes())
    again = opened(tmp_path)
    again.forget(A, 0, START * 2)  # the copy would know of it for ever
    assert not list(tmp_path.rglob("*.new")) and not day_files(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_may_only_be_read_is_searched(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(A, moving(START, 240))
    filed(index)
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        again = opened(tmp_path)
        assert found(again) == found(index)
        with pytest.raises(StorageError):
            again.add(A, moving(START + 600, 400))
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "motion").write_text("")
    with pytest.raises(StorageError, match="motion index"):
        opened(tmp_path / "motion")


def test_a_killed_process_leaves_what_it_had_logged(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from vonggac.motion.index import MotionIndex\n"
        "from vonggac.motion.slots import Slot, Tier, cells_of\n"
        "start, folder = int(sys.argv[1]), Path(sys.argv[2])\n"
        "index = MotionIndex(folder, max_bytes=1 << 30)\n"
        "for block in range(100_000):\n"
        "    first = start + block * 120\n"
        "    cells = cells_of([block % 2304, (block * 7) % 2304])\n"
        "    index.add(b'a' * 16, [Slot(first + s, cells, Tier.FULL) for s in range(120)])\n"
        "    if block % 3 == 2:\n"
        "        index.compact()\n"
        "    print(block, flush=True)\n"
    )
    total = 0
    for lines in (4, 30, 61):
        start = START + total * 120
        with subprocess.Popen(
            [sys.executable, "-c", script, str(start), str(tmp_path)],
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for _ in range(lines):
                last = process.stdout.readline()
            process.kill()
            rest = process.stdout.read().split()
        total += int(rest[-1] if rest else last) + 1
        index = opened(tmp_path)
        (known,) = index.covered(A, 0, START * 2)
        assert (known.from_s, known.to_s >= START + total * 120) == (START, True)
        assert not index.damages
        total = (known.to_s - START) // 120  # the kill may have come behind the log
        assert {one.cells for one in found(index)} <= {1, 2}
        assert heat_of_day(index, {A: 0}, START // DAY_SECONDS, START, START * 2)[0] > 0
