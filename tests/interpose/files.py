"""A directory tree in memory: sparse, shared between copies, and written to a folder in one go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BLOCK_BYTES = 4096
_ZEROS = bytes(BLOCK_BYTES)


@dataclass(slots=True)
class File:
    """A file's bytes: blocks that are not here are zero. Blocks are never changed in place."""

    size: int = 0
    blocks: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> File:
        return File(self.size, dict(self.blocks))

    def write(self, offset: int, data: bytes) -> None:
        at = 0
        while at < len(data):
            number, start = divmod(offset + at, BLOCK_BYTES)
            part = data[at : at + BLOCK_BYTES - start]
            if len(part) < BLOCK_BYTES:
                old = self.blocks.get(number, _ZEROS)
                part, size = old[:start] + part + old[start + len(part) :], len(part)
            else:
                size = BLOCK_BYTES
            self.blocks[number] = part
            at += size
        self.size = max(self.size, offset + len(data))

    def zero(self, offset: int, size: int) -> None:
        end = min(offset + size, self.size)
        whole = range(-(-offset // BLOCK_BYTES), end // BLOCK_BYTES)
        for number in [n for n in self.blocks if n in whole]:
            del self.blocks[number]
        for at in (offset // BLOCK_BYTES * BLOCK_BYTES, end // BLOCK_BYTES * BLOCK_BYTES):
            start, stop = max(at, offset), min(at + BLOCK_BYTES, end)
            if start < stop and stop - start < BLOCK_BYTES:
                self.write(start, bytes(stop - start))

    def resize(self, size: int) -> None:
        if size < self.size:
            old = self.size
            self.zero(size, old - size)
            for number in [n for n in self.blocks if n * BLOCK_BYTES >= size]:
                del self.blocks[number]  # zeroed, and `write_to` would make the file longer again
        self.size = size


@dataclass(slots=True)
class Files:
    """A directory tree by relative names; files are known by numbers, as inodes are."""

    names: dict[str, int] = field(default_factory=dict)
    files: dict[int, File] = field(default_factory=dict)

    def copy(self) -> Files:
        """Shares files: `own` before one is changed."""
        return Files(dict(self.names), dict(self.files))

    def own(self, number: int) -> File:
        self.files[number] = self.files[number].copy()
        return self.files[number]

    def write_to(self, folder: Path) -> None:
        """Makes the tree, with holes where there is nothing."""
        for name, number in self.names.items():
            path, file = folder / name, self.files[number]
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            try:
                os.ftruncate(fd, file.size)
                for start, parts in _runs(file.blocks):
                    os.pwritev(fd, parts, start * BLOCK_BYTES)
                if file.size % BLOCK_BYTES:
                    os.ftruncate(fd, file.size)
            finally:
                os.close(fd)

    @classmethod
    def read_from(cls, folder: Path) -> Files:
        tree = cls()
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            tree.names[str(path.relative_to(folder))] = len(tree.files)
            tree.files[len(tree.files)] = _read(path)
        return tree

    def differs_from(self, folder: Path) -> list[str]:
        """Names that are not the same there."""
        there = Files.read_from(folder)
        names = set(self.names) | set(there.names)
        return sorted(n for n in names if self._content(n) != there._content(n))

    def _content(self, name: str) -> tuple[int, dict[int, bytes]] | None:
        number = self.names.get(name)
        if number is None:
            return None
        file = self.files[number]
        return file.size, {n: b for n, b in file.blocks.items() if b != _ZEROS}


def _runs(blocks: dict[int, bytes]) -> Iterator[tuple[int, list[bytes]]]:
    run: list[bytes] = []
    start = -1
    for number in sorted(blocks):
        if run and number == start + len(run) and len(run) < 512:
            run.append(blocks[number])
            continue
        if run:
            yield start, run
        start, run = number, [blocks[number]]
    if run:
        yield start, run


def _read(path: Path) -> File:
    file = File(path.stat().st_size)
    with path.open("rb") as opened:
        at = 0
        while at < file.size:
            try:
                at = os.lseek(opened.fileno(), at, os.SEEK_DATA) // BLOCK_BYTES * BLOCK_BYTES
            except OSError:  # a hole up to the end
                break
            block = os.pread(opened.fileno(), BLOCK_BYTES, at)
            if block.count(0) != len(block):
                file.blocks[at // BLOCK_BYTES] = block + bytes(BLOCK_BYTES - len(block))
            at += BLOCK_BYTES
    return file
