"""Formatting and opening a disk, and every way in which that is refused."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest

from store.maker import BOX, SEGMENT_BYTES, SMALL_BYTES, make_disk, opened
from vonggac.errors import ConfigError, Unavailable
from vonggac.store.disk import IDENTITY_NAME, open_disk
from vonggac.store.formatting import format_disk, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("100G", 100 << 30), ("32M", 32 << 20), ("1t", 1 << 40), ("4096", 4096), ("7K", 7168)],
)
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "1.5G", "-1G", "10 G", "10GB", "1e3", "٣G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no size"):
        parse_size(text)


def test_a_disk_stays_within_its_size_and_all_files_are_there(tmp_path: Path) -> None:
    identity = make_disk(tmp_path / "disk")
    files = [path for path in (tmp_path / "disk").rglob("*") if path.is_file()]
    assert sum(path.stat().st_blocks * 512 for path in files) <= SMALL_BYTES
    assert sum(path.suffix == ".mp4" for path in files) == identity.segments
    assert oct((tmp_path / "disk/segments/0000/00000000.mp4").stat().st_mode)[-3:] == "640"


def test_recording_makes_no_file_and_changes_no_size(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    make_disk(where)

    def sizes() -> dict[str, int]:
        return {str(path): path.stat().st_size for path in where.rglob("*") if path.is_file()}

    before = sizes()
    bench, stream = opened(where)
    for number in range(250):
        bench.tick([stream.chunk(1_000_000)])
        if number % 10 == 0:
            bench.commit()
    assert sizes() == before
    bench.crash()


def test_places_that_cannot_be_a_disk_are_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(ConfigError, match="not a directory"):
        format_disk(file, SMALL_BYTES, BOX, SEGMENT_BYTES)
    with pytest.raises(ConfigError, match="not empty"):
        format_disk(tmp_path, SMALL_BYTES, BOX, SEGMENT_BYTES)
    with pytest.raises(ConfigError, match="too few"):
        format_disk(tmp_path / "a", 64 << 20, BOX, SEGMENT_BYTES)
    with pytest.raises(ConfigError, match="bytes free"):
        format_disk(tmp_path / "b", 1 << 60, BOX, SEGMENT_BYTES)
    with pytest.raises(ConfigError, match="powers of two"):
        format_disk(tmp_path / "c", SMALL_BYTES, BOX, 20 << 20)
    assert sorted(os.listdir(tmp_path)) == ["b", "file"] and not os.listdir(tmp_path / "b")


def test_a_disk_is_not_formatted_twice(tmp_path: Path) -> None:
    identity = make_disk(tmp_path / "disk")
    with pytest.raises(ConfigError, match="already"):
        make_disk(tmp_path / "disk")
    with open_disk(tmp_path / "disk", BOX, exclusive=False) as disk:
        assert disk.identity == identity


def test_what_is_missing_or_another_boxs_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mounted"):
        open_disk(tmp_path / "nowhere", BOX, exclusive=True)
    with pytest.raises(ConfigError, match="no vonggac disk"):
        open_disk(tmp_path, BOX, exclusive=True)
    make_disk(tmp_path / "disk")
    with pytest.raises(ConfigError, match="another box"):
        open_disk(tmp_path / "disk", bytes(16), exclusive=True)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    make_disk(tmp_path / "disk")
    where = tmp_path / "disk" / IDENTITY_NAME
    facts = json.loads(where.read_text())
    where.write_text(json.dumps(facts | {"format": 2}))
    with pytest.raises(ConfigError, match="newer"):
        open_disk(tmp_path / "disk", BOX, exclusive=True)
    damages = ({"disk": "00"}, {"era": 0}, {"segment_bytes": 5}, {"segments": None})
    endless = json.dumps(facts | {"era": float("inf")})
    for text in (*(json.dumps(facts | damage) for damage in damages), endless, "[" * 60_000):
        where.write_text(text)
        with pytest.raises(ConfigError):
            open_disk(tmp_path / "disk", BOX, exclusive=True)


def test_readers_share_a_disk_and_a_recorder_has_it_alone(tmp_path: Path) -> None:
    make_disk(tmp_path / "disk")
    with (
        open_disk(tmp_path / "disk", exclusive=False),
        open_disk(tmp_path / "disk", exclusive=False),
        pytest.raises(Unavailable, match="in use"),
    ):
        open_disk(tmp_path / "disk", exclusive=True)


def test_an_identity_that_finds_no_room_leaves_the_one_that_stands(where: Path) -> None:
    before = (where / IDENTITY_NAME).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_disk(where, BOX, exclusive=True) as disk:
        # No file may grow beyond this: the first write takes a part, as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))
        try:
            with pytest.raises(OSError, match="too large"):
                disk.raise_era()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (where / IDENTITY_NAME).read_bytes() == before
