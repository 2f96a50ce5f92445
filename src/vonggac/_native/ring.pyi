"""Writing a tick: every chunk with pwritev, then one syncfs (native/include/vg/ring_file.h)."""

from collections.abc import Sequence

from typing_extensions import Buffer

def write_batch(writes: Sequence[tuple[int, int, Sequence[Buffer]]]) -> list[int]:
    """Writes each (descriptor, offset, buffers); gives an errno each, 0 where it is written whole.

    A write that fails does not stop the others. The GIL is released once for all of them.
    """

def sync(fd: int) -> int:
    """syncfs of the descriptor's file system: 0 or errno. A failed one is never tried again."""

def zero(fd: int, size: int, offset: int = 0) -> int:
    """Zeros [offset, offset + size) of a file without changing its size: 0 or errno."""

def free_box(size: int) -> bytes:
    """A `free` box of `size` bytes, header and zeros; nothing for 0. 1 to 7 do not exist."""

def free_header(size: int) -> bytes:
    """The 8 bytes that start a `free` box of `size` bytes, for room that is zero already."""
