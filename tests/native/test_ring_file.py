"""The writes of a tick, on real files."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vonggac._native import ring


def test_a_batch_writes_every_part_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(bytes(3 * 4096))
    with path.open("r+b") as file:
        fd = file.fileno()
        errors = ring.write_batch(
            [
                (fd, 4096, [b"head", bytearray(b"-"), memoryview(b"xpayloadx")[1:-1], b""]),
                (fd, 8192, [b"second"]),
                (fd, 0, []),
            ]
        )
    assert errors == [0, 0, 0]
    data = path.read_bytes()
    assert data[4096:4108] == b"head-payload"
    assert data[8192:8198] == b"second"
    assert len(data) == 3 * 4096


def test_more_parts_than_one_call_takes_are_all_written(tmp_path: Path) -> None:
    parts = [bytes([n % 251]) * (n % 7) for n in range(3000)]
    with (tmp_path / "segment").open("w+b") as file:
        assert ring.write_batch([(file.fileno(), 5, parts)]) == [0]
    assert (tmp_path / "segment").read_bytes() == bytes(5) + b"".join(parts)


def test_a_write_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(bytes(10))
    with path.open("rb") as reader, path.open("r+b") as writer:
        errors = ring.write_batch(
            [(reader.fileno(), 0, [b"a"]), (-1, 0, [b"b"]), (writer.fileno(), 3, [b"c"])]
        )
    assert errors == [errno.EBADF, errno.EBADF, 0]
    assert path.read_bytes() == b"\0\0\0c" + bytes(6)


SHORT_WRITE = """
import resource, signal, sys
from vonggac._native import ring
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
with open(sys.argv[1], "r+b") as file:
    print(ring.write_batch([(file.fileno(), 0, [b"a" * 4096, b"b" * 4096])]))
"""


def test_a_short_write_goes_on_until_it_is_whole_or_fails(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}

    done = subprocess.run(
        [sys.executable, "-c", SHORT_WRITE, str(path)],
        check=True, capture_output=True, text=True, env=env,
    )  # fmt: skip

    # The limit cuts the first write in its second part; the second attempt is refused.
    assert done.stdout.strip() == f"[{errno.EFBIG}]"
    assert path.read_bytes() == b"a" * 4096 + b"b" * (6000 - 4096)


def test_a_buffer_cannot_be_resized_while_it_may_be_written_and_can_afterwards(
    tmp_path: Path,
) -> None:
    buffer = bytearray(b"abc")
    with (tmp_path / "segment").open("w+b") as file:
        assert ring.write_batch([(file.fileno(), 0, [buffer])]) == [0]
    buffer.append(1)


def test_what_is_no_buffer_leaves_nothing_held(tmp_path: Path) -> None:
    buffer = bytearray(b"abc")
    with (tmp_path / "segment").open("w+b") as file, pytest.raises(TypeError):
        ring.write_batch([(file.fileno(), 0, [buffer, 7])])  # type: ignore[list-item]
    buffer.append(1)


def test_sync_answers_with_an_errno(tmp_path: Path) -> None:
    with (tmp_path / "segment").open("w+b") as file:
        assert ring.sync(file.fileno()) == 0
    assert ring.sync(-1) == errno.EBADF


def folders(tmp_path: Path) -> list[Path]:
    """Where tests write, and a tmpfs, which cannot zero a range."""
    shm = Path("/dev/shm")
    return [tmp_path, shm] if os.access(shm, os.W_OK) else [tmp_path]


def test_zeroing_keeps_the_size_and_what_lies_behind(tmp_path: Path) -> None:
    for folder in folders(tmp_path):
        path = folder / f"vonggac-test-zero-{os.getpid()}"
        try:
            path.write_bytes(b"x" * 700_000)
            with path.open("r+b") as file:
                assert ring.zero(file.fileno(), 600_001) == 0
            assert path.read_bytes() == bytes(600_001) + b"x" * 99_999
        finally:
            path.unlink(missing_ok=True)


def test_zeroing_a_range_keeps_what_lies_around_it(tmp_path: Path) -> None:
    for folder in folders(tmp_path):
        path = folder / f"vonggac-test-range-{os.getpid()}"
        try:
            path.write_bytes(b"x" * 700_000)
            with path.open("r+b") as file:
                assert ring.zero(file.fileno(), 600_001, 4097) == 0
            assert path.read_bytes() == b"x" * 4097 + bytes(600_001) + b"x" * 95_902
        finally:
            path.unlink(missing_ok=True)


def test_zeroing_never_extends_a_file(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"x" * 100)
    with path.open("r+b") as file:
        assert ring.zero(file.fileno(), 101) == errno.EINVAL
        assert ring.zero(file.fileno(), 0) == 0
        assert ring.zero(file.fileno(), 1, 100) == errno.EINVAL
        assert ring.zero(file.fileno(), 2**64 - 1, 1) == errno.EINVAL
    assert path.read_bytes() == b"x" * 100


def test_a_free_box_says_its_size() -> None:
    assert ring.free_box(0) == b""
    assert ring.free_box(8) == b"\0\0\0\x08free"
    assert ring.free_box(4096) == b"\0\0\x10\0free" + bytes(4088)
    assert ring.free_header(1 << 20) == b"\0\x10\0\0free"
    for size in range(1, 8):
        with pytest.raises(ValueError, match="8 bytes at least"):
            ring.free_box(size)


def test_batches_leak_no_memory_and_no_buffers(tmp_path: Path) -> None:
    payload = bytes(64 * 1024)
    with (tmp_path / "segment").open("w+b") as file:
        batch = [(file.fileno(), 0, [payload] * 4)]
        for _ in range(50):
            ring.write_batch(batch)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        references = sys.getrefcount(payload)
        for _ in range(500):
            ring.write_batch(batch)
    assert sys.getrefcount(payload) == references
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 4096
