"""A keeper's side of a loop's socket."""

from __future__ import annotations

import os
import socket
import struct
from collections import deque

import pytest

from vonggac._native.arena import ArenaReader, ArenaWriter, format_arena
from vonggac.errors import MediaError
from vonggac_appliance.keep_loops import Chunk, LoopLink, take

SIZE = 1 << 20


@pytest.mark.parametrize("flags", [os.MFD_CLOEXEC, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING])
def test_an_arena_that_may_shrink_is_refused(flags: int) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arena = os.memfd_create("arena", flags)
    os.ftruncate(arena, SIZE)
    hello = struct.pack(">HHIHH", 1, 96, 0, 0, 1) + struct.pack(">HIQ", 0, 0, SIZE)
    with ours, theirs:
        link = LoopLink(ours, number=0, incarnation=0)
        socket.send_fds(theirs, [hello], [arena])
        os.close(arena)
        with pytest.raises(MediaError, match="not sealed against shrinking"):
            link.read()
        assert link.is_ended


def _put(writer: ArenaWriter, sequence: int) -> int:
    return writer.put(
        camera=b"c" * 16,
        stream=b"s" * 16,
        run=1,
        sequence=sequence,
        keeper=0,
        wall_end_ns=0,
        entry_sha256=b"e" * 32,
        head=b"h",
        segment_head=b"s",
        payload=bytes(100_000),
    )


def test_a_batch_takes_chunks_in_order_until_it_holds_enough() -> None:
    arena = os.memfd_create("arena", os.MFD_CLOEXEC)
    os.ftruncate(arena, SIZE)
    format_arena(arena)
    writer = ArenaWriter(arena)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        link = LoopLink(ours, number=0, incarnation=0)
        link.reader = ArenaReader(arena, SIZE)
        headers = [_put(writer, n) for n in range(4)]
        broken = 0
        pending: deque[Chunk] = deque((link, header) for header in [broken, *headers])
        refused: list[tuple[Chunk, str]] = []

        first = [chunk.sequence for _, chunk in take(pending, 150_000, refused)]
        then = [chunk.sequence for _, chunk in take(pending, 1 << 30, refused)]

    os.close(arena)
    assert (first, then) == ([0, 1], [2, 3])
    assert [chunk for chunk, _ in refused] == [(link, broken)]
    assert not pending
