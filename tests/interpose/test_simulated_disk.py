"""The simulated disk keeps what was synced, and of the rest whatever it likes."""

from __future__ import annotations

import random
from pathlib import Path

from interpose.files import Files
from interpose.preload import Call
from interpose.simulated_disk import SimulatedDisk

FOLDER = Path("/nowhere")


def call(what: str, name: str, offset: int = 0, data: bytes = b"", length: int = 0) -> Call:
    return Call(what, str(FOLDER / name), offset, length, data)


def disk_with(name: str, data: bytes) -> SimulatedDisk:
    disk = SimulatedDisk(Files(), FOLDER)
    for made in (call("c", name), call("w", name, 0, data), call("s", name)):
        disk.feed(made)
    return disk


def content(files: Files, name: str) -> bytes:
    file = files.files[files.names[name]]
    blocks = range(-(-file.size // 4096))
    return b"".join(file.blocks.get(n, bytes(4096)) for n in blocks)[: file.size]


def images(disk: SimulatedDisk, name: str) -> set[bytes]:
    return {content(image, name) for image in disk.each_image(64)}


def test_what_was_synced_is_in_every_image() -> None:
    disk = disk_with("a", b"x" * 5000)
    assert images(disk, "a") == {b"x" * 5000}
    assert disk.pending == []


def test_a_write_is_kept_dropped_or_torn_at_a_sector() -> None:
    disk = disk_with("a", b"x" * 1024)
    disk.feed(call("w", "a", 0, b"y" * 1024))
    x, y = b"x" * 512, b"y" * 512
    assert images(disk, "a") == {x + x, y + y, y + x, x + y}


def test_writes_reach_the_disk_in_any_order() -> None:
    disk = disk_with("a", b"x")
    disk.feed(call("w", "a", 0, b"1"))
    disk.feed(call("w", "a", 0, b"2"))
    seen = {content(disk.any_image(random.Random(n)), "a") for n in range(60)}
    assert seen == {b"x", b"1", b"2"}


def test_zeroing_is_a_write_like_others() -> None:
    disk = disk_with("a", b"x" * 8192)
    disk.feed(call("z", "a", 0, length=8192))
    assert {content(image, "a").count(0) for image in disk.each_image(64)} == {0, 4096, 8192}


def test_a_file_s_sync_covers_that_file_alone() -> None:
    disk = disk_with("a", b"x")
    for done in (call("c", "b"), call("w", "b", 0, b"1"), call("s", "b")):
        disk.feed(done)
    for done in (call("w", "a", 0, b"y"), call("w", "b", 0, b"2"), call("g", "b")):
        disk.feed(done)
    assert images(disk, "b") == {b"2"} and images(disk, "a") == {b"x", b"y"}


def test_a_write_that_is_its_own_sync_covers_nothing_else() -> None:
    disk = disk_with("a", b"xx")
    disk.feed(call("w", "a", 0, b"y"))
    disk.feed(call("d", "a", 1, b"z"))
    assert images(disk, "a") == {b"xz", b"yz"}


def test_names_come_back_up_to_a_moment() -> None:
    disk = disk_with("a", b"old")
    new = (call("c", "b"), call("w", "b", 0, b"new"), call("f", "b"))
    for done in (*new, Call("r", str(FOLDER / "b"), 0, 0, bytes(FOLDER / "a"))):
        disk.feed(done)
    assert images(disk, "a") == {b"old", b"new"}
    disk.feed(call("s", "a"))
    assert images(disk, "a") == {b"new"}


def test_a_file_that_was_emptied_is_empty_in_a_folder(tmp_path: Path) -> None:
    disk = disk_with("a", b"x" * 300)
    disk.feed(call("t", "a"))
    disk.everything().write_to(tmp_path)
    assert (tmp_path / "a").read_bytes() == b""


def test_an_image_is_what_a_folder_holds(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(9000) + bytes(8192) + b"end"
    disk = disk_with("deep/a", data)
    disk.durable.write_to(tmp_path)
    assert (tmp_path / "deep" / "a").read_bytes() == data
    assert disk.durable.differs_from(tmp_path) == []
    (tmp_path / "deep" / "a").write_bytes(b"other")
    assert disk.durable.differs_from(tmp_path) == ["deep/a"]
