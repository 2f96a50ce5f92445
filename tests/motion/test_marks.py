"""Marks: what is one, and that files keep them whatever happens to their ends."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import Invalid, OutOfSpace
from vonggac.motion.mark_files import MarkFiles, day_of, days_of, marks_of_day
from vonggac.motion.marks import Mark, MarkKind, check, pack, unpack

S = 1_000_000_000
NOON_NS = 1_800_000_000 * S
CAMERA, OTHER = b"c" * 16, b"d" * 16
GOOD = Mark(3, NOON_NS - 2 * S, NOON_NS, "lorry", (0.0, 0.5, 0.5, 1.0), 0.5, NOON_NS)
ALWAYS = (0, NOON_NS * 2)


def files(folder: Path, size: int = 1 << 20) -> MarkFiles:
    return MarkFiles(folder, size)


def kept(folder: Path, camera: bytes = CAMERA) -> list[int]:
    """The beginnings of what is there around noon."""
    days = days_of(folder, camera)
    return [mark.from_ns for day in days for mark in marks_of_day(folder, camera, day)]


def test_a_mark_of_each_kind_is_good() -> None:
    for kind in MarkKind:
        check(msgspec.structs.replace(GOOD, kind=kind.value), NOON_NS)


def test_no_kind_says_who_somebody_is() -> None:
    words = " ".join(MarkKind)

    assert not [word for word in ("face", "plate", "identity", "name", "person-") if word in words]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "face"),
        ("kind", "plate"),
        ("kind", ""),
        ("to_ns", NOON_NS + 6 * S),
        ("to_ns", GOOD.from_ns),
        ("to_ns", GOOD.from_ns + 3601 * S),
        ("from_ns", NOON_NS - 86_401 * S),
        ("box", (0.0, 0.0, 0.0, 1.0)),
        ("box", (0.5, 0.0, 0.4, 1.0)),
        ("box", (0.0, 0.0, 1.1, 1.0)),
        ("box", (-0.1, 0.0, 1.0, 1.0)),
        ("box", (math.nan, 0.0, 1.0, 1.0)),
        ("box", (0.0, 0.0, 1.0, math.inf)),
        ("score", math.nan),
        ("score", 1.5),
        ("score", -1.0),
    ],
)
def test_a_mark_that_is_none_is_told_by_its_field(field: str, value: object) -> None:
    wrong = msgspec.structs.replace(GOOD, **{field: value})
    if field == "from_ns":
        wrong = msgspec.structs.replace(wrong, to_ns=wrong.from_ns + S)

    with pytest.raises(Invalid) as told:
        check(wrong, NOON_NS)
    assert told.value.field == field


@given(st.binary(max_size=400))
def test_whatever_bytes_are_read_no_mark_is_invented(raw: bytes) -> None:
    before = [end for _, end in unpack(pack(GOOD) + raw)]

    assert before[0] == len(pack(GOOD))
    assert list(unpack(raw)) == [] or raw.startswith(b"\0")


def test_marks_are_found_by_camera_and_time(tmp_path: Path) -> None:
    store = files(tmp_path)
    yesterday = msgspec.structs.replace(
        GOOD, from_ns=NOON_NS - 86_400 * S, to_ns=NOON_NS - 86_399 * S
    )
    for mark in (GOOD, yesterday):
        store.add(CAMERA, mark)
    store.add(OTHER, GOOD)
    store.close()

    assert kept(tmp_path) == [yesterday.from_ns, GOOD.from_ns]
    assert days_of(tmp_path, CAMERA) == [day_of(yesterday.to_ns), day_of(GOOD.to_ns)]
    assert list(marks_of_day(tmp_path, CAMERA, day_of(GOOD.to_ns))) == [GOOD]
    assert kept(tmp_path, b"e" * 16) == []


def test_a_torn_end_at_every_byte_costs_that_mark_alone(tmp_path: Path) -> None:
    size = len(pack(GOOD))
    for cut in range(1, size + 1):
        folder = tmp_path / str(cut)
        store = files(folder)
        for second in range(3):
            store.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - second))
        store.close()
        (path,) = folder.glob("*/*.marks")
        with path.open("r+b") as opened:
            opened.truncate(8 + 3 * size - cut)
        again = files(folder)
        again.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 7))
        again.close()

        assert kept(folder) == [GOOD.from_ns - n for n in (0, 1, 7)]


def test_a_rotten_byte_costs_what_follows_in_that_part_and_nothing_later(tmp_path: Path) -> None:
    store = files(tmp_path)
    for second in range(3):
        store.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - second))
    store.close()
    (path,) = tmp_path.glob("*/*.marks")
    raw = bytearray(path.read_bytes())
    raw[8 + len(pack(GOOD)) + 20] ^= 1
    path.write_bytes(raw)
    again = files(tmp_path)
    again.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 7))
    again.close()

    assert kept(tmp_path) == [GOOD.from_ns, GOOD.from_ns - 7]
    assert path.read_bytes() == raw


def test_a_full_day_takes_no_more_and_loses_nothing(tmp_path: Path) -> None:
    store = MarkFiles(tmp_path, 1 << 20, day_max=2)
    store.add(CAMERA, GOOD)
    store.add(CAMERA, GOOD)
    with pytest.raises(OutOfSpace):
        store.add(CAMERA, GOOD)
    store.add(OTHER, GOOD)
    store.close()
    with pytest.raises(OutOfSpace):
        MarkFiles(tmp_path, 1 << 20, day_max=2).add(CAMERA, GOOD)

    assert len(kept(tmp_path)) == 2 and len(kept(tmp_path, OTHER)) == 1


def test_marks_of_two_cameras_in_turn_are_counted_without_reading_them_again(
    tmp_path: Path,
) -> None:
    store = MarkFiles(tmp_path, 1 << 20, day_max=2)
    store.add(CAMERA, GOOD)
    store.add(OTHER, GOOD)
    (path,) = (tmp_path / CAMERA.hex()).glob("*.marks")
    path.write_bytes(path.read_bytes()[:8])  # whoever read it again would find none
    store.add(CAMERA, GOOD)
    store.add(OTHER, GOOD)

    with pytest.raises(OutOfSpace):
        store.add(CAMERA, GOOD)
    store.close()


def test_all_files_together_are_bounded(tmp_path: Path) -> None:
    store = files(tmp_path, 8 + 2 * len(pack(GOOD)))
    store.add(CAMERA, GOOD)
    store.add(CAMERA, GOOD)
    with pytest.raises(OutOfSpace):
        store.add(CAMERA, GOOD)
    store.close()

    assert len(kept(tmp_path)) == 2


def test_a_hook_that_has_filled_its_share_takes_no_room_from_another(tmp_path: Path) -> None:
    size = len(pack(GOOD))
    store = MarkFiles(tmp_path, 1 << 20, day_max=3, hook_max_bytes=2 * (8 + 2 * size))
    for camera in (CAMERA, OTHER):
        store.add(camera, GOOD)
        store.add(camera, GOOD)
    for camera in (CAMERA, OTHER, b"e" * 16):
        with pytest.raises(OutOfSpace):
            store.add(camera, GOOD)
    other = msgspec.structs.replace(GOOD, hook=4)
    for _ in range(3):
        store.add(CAMERA, other)
    with pytest.raises(OutOfSpace):
        store.add(CAMERA, other)
    store.close()
    again = MarkFiles(tmp_path, 1 << 20, hook_max_bytes=2 * (8 + 2 * size))
    with pytest.raises(OutOfSpace):
        again.add(CAMERA, GOOD)
    again.close()

    assert len(kept(tmp_path)) == 5 and again.size_bytes == sum(
        path.stat().st_size for path in tmp_path.glob("*/*.marks")
    )


def test_marks_of_a_program_before_this_one_are_read_and_stay_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / CAMERA.hex()
    folder.mkdir()
    before = folder / f"{day_of(GOOD.to_ns)}.00.marks"
    before.write_bytes(b"VGMARKS1" + pack(GOOD))
    store = files(tmp_path)
    store.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 1))

    assert kept(tmp_path) == [GOOD.from_ns, GOOD.from_ns - 1]
    assert before.read_bytes() == b"VGMARKS1" + pack(GOOD)
    store.forget(CAMERA, NOON_NS + 2 * 86_400 * S)
    store.close()
    assert kept(tmp_path) == [] and store.size_bytes == 0


def test_days_before_a_limit_are_erased(tmp_path: Path) -> None:
    store = files(tmp_path)
    old = msgspec.structs.replace(GOOD, from_ns=NOON_NS - 86_400 * S, to_ns=NOON_NS - 86_399 * S)
    store.add(CAMERA, old)
    store.add(CAMERA, GOOD)
    store.add(OTHER, old)
    store.forget(CAMERA, NOON_NS)
    store.add(CAMERA, GOOD)

    assert kept(tmp_path) == [GOOD.from_ns] * 2
    assert kept(tmp_path, OTHER) == [old.from_ns]
    store.forget(CAMERA, NOON_NS + 86_400 * S)
    store.close()
    assert files(tmp_path).cameras() == [OTHER]


def test_of_a_day_only_what_is_wanted_stays_and_its_room_is_given_back(tmp_path: Path) -> None:
    size = len(pack(GOOD))
    store = files(tmp_path, 8 + 4 * size)
    for second in range(4):
        store.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - second))
    gone = store.keep_only(CAMERA, day_of(GOOD.to_ns), lambda mark: mark.from_ns >= GOOD.from_ns)
    store.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 9))

    assert (gone, store.size_bytes) == (3, 8 + 2 * size)
    assert kept(tmp_path) == [GOOD.from_ns, GOOD.from_ns - 9]
    assert store.keep_only(CAMERA, day_of(GOOD.to_ns), lambda mark: False) == 2
    store.close()
    assert store.size_bytes == 0 and list(tmp_path.iterdir()) == []


def test_a_part_that_went_whole_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    """Two parts, of which the first goes: the second has a torn end, and stays as it is."""
    store = files(tmp_path)
    store.add(CAMERA, GOOD)
    store.close()
    (first,) = tmp_path.glob("*/*.marks")
    second = first.with_name(first.name.replace("-00.", "-01."))
    torn = msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 1)
    second.write_bytes(b"VGMARKS1" + pack(torn) + pack(GOOD)[:-3])
    again = files(tmp_path)
    again.keep_only(CAMERA, day_of(GOOD.to_ns), lambda mark: mark != GOOD)
    again.add(CAMERA, msgspec.structs.replace(GOOD, from_ns=GOOD.from_ns - 2))
    again.close()

    assert not first.exists()
    assert kept(tmp_path) == [GOOD.from_ns - 1, GOOD.from_ns - 2]


def test_what_a_crash_left_half_written_counts_for_nothing(tmp_path: Path) -> None:
    store = files(tmp_path)
    store.add(CAMERA, GOOD)
    store.close()
    (path,) = tmp_path.glob("*/*.marks")
    path.with_suffix(".new").write_bytes(path.read_bytes()[:20])
    again = files(tmp_path)

    assert again.size_bytes == path.stat().st_size
    assert kept(tmp_path) == [GOOD.from_ns] and len(list(tmp_path.glob("*/*"))) == 1
