"""The memory between loops and keepers (vg/arena.h)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vonggac._native.arena import BLOCK_BYTES, ArenaReader, ArenaWriter, format_arena
from vonggac.errors import MediaError

BLOCKS = 40


@pytest.fixture
def memory() -> Iterator[int]:
    fd = os.memfd_create("arena", os.MFD_CLOEXEC)
    os.ftruncate(fd, BLOCKS * BLOCK_BYTES)
    format_arena(fd)
    yield fd
    os.close(fd)


def put(
    writer: ArenaWriter,
    sequence: int,
    payload: bytes = b"p" * 100,
    *,
    segment_head: bytes = b"s" * 4096,
    send: bool = True,
) -> int:
    return writer.put(
        camera=b"c" * 16,
        stream=b"s" * 16,
        run=7,
        sequence=sequence,
        keeper=3,
        wall_end_ns=99,
        entry_sha256=b"e" * 32,
        head=b"h" * 300,
        segment_head=segment_head,
        payload=payload,
        send=send,
    )


def test_a_reader_sees_what_was_handed_over(memory: int) -> None:
    writer = ArenaWriter(memory)
    payload = os.urandom(3 * BLOCK_BYTES + 17)
    chunk = ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(put(writer, 5, payload))
    assert (chunk.camera, chunk.stream, chunk.run, chunk.sequence) == (b"c" * 16, b"s" * 16, 7, 5)
    assert (chunk.keeper, chunk.wall_end_ns, chunk.entry_sha256) == (3, 99, b"e" * 32)
    assert (bytes(chunk.head), chunk.segment_head) == (b"h" * 300, b"s" * 4096)
    assert b"".join(chunk.payload) == payload
    assert chunk.payload_bytes == len(payload)


def test_neighbouring_blocks_are_one_view(memory: int) -> None:
    header = put(ArenaWriter(memory), 0, bytes(5 * BLOCK_BYTES))
    assert len(ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(header).payload) == 1


def test_a_view_of_a_payload_outlives_its_reader(memory: int) -> None:
    header = put(ArenaWriter(memory), 0, b"still here")
    view = ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(header).payload[0]
    assert bytes(view) == b"still here"
    assert view.readonly


def test_what_is_being_filled_is_not_handed_over(memory: int) -> None:
    header = put(ArenaWriter(memory), 0, send=False)
    with pytest.raises(MediaError, match="header block"):
        ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(header)


def test_durable_frees_every_block(memory: int) -> None:
    writer = ArenaWriter(memory)
    header = put(writer, 0, bytes(3 * BLOCK_BYTES))
    assert writer.used == 4
    writer.durable(header)
    assert writer.used == 0


def test_a_full_arena_has_no_block(memory: int) -> None:
    writer = ArenaWriter(memory)
    with pytest.raises(MemoryError):
        put(writer, 0, bytes(BLOCKS * BLOCK_BYTES))


def test_low_blocks_are_taken_first(memory: int) -> None:
    writer = ArenaWriter(memory)
    first = put(writer, 0)
    put(writer, 1)
    writer.durable(first)
    assert put(writer, 2) == first


def test_idle_blocks_are_those_behind_all_that_was_used_since_the_last_look(memory: int) -> None:
    writer = ArenaWriter(memory)
    writer.idle()  # whatever a predecessor wrote to counts as touched
    low = put(writer, 0)
    high = put(writer, 1, bytes(30 * BLOCK_BYTES))
    assert writer.idle()[1] == 0  # in use
    writer.durable(high)
    assert writer.idle()[1] == 0  # in use when the last look was had
    assert writer.idle() == (low + 2, 31)
    assert writer.idle()[1] == 0  # given back already


def test_a_few_idle_blocks_are_kept(memory: int) -> None:
    writer = ArenaWriter(memory)
    writer.idle()
    header = put(writer, 0, bytes(10 * BLOCK_BYTES))
    writer.durable(header)
    writer.idle()
    assert writer.idle()[1] == 0


def test_all_of_a_predecessors_blocks_may_cost_memory(memory: int) -> None:
    put(ArenaWriter(memory), 0)
    successor = ArenaWriter(memory)
    successor.recover()
    assert successor.idle() == (3, BLOCKS - 3)


def test_a_successor_keeps_what_was_sent_and_frees_what_was_filled(memory: int) -> None:
    dead = ArenaWriter(memory)
    sent = [put(dead, n, bytes(2 * BLOCK_BYTES)) for n in range(3)]
    put(dead, 3, send=False)
    dead.durable(sent[1])
    successor = ArenaWriter(memory)
    assert successor.recover() == [sent[0], sent[2]]
    assert successor.used == 6
    late = put(successor, 4)
    reader = ArenaReader(memory, BLOCKS * BLOCK_BYTES)
    assert reader.chunk(late).order > reader.chunk(sent[2]).order


def test_payload_that_looks_like_a_header_is_none(memory: int) -> None:
    """A camera chooses the payload's bytes: a copy of a header in it must not be recovered."""
    writer = ArenaWriter(memory)
    header = put(writer, 0)
    with open(f"/proc/self/fd/{memory}", "rb") as arena:
        arena.seek(header * BLOCK_BYTES)
        forged = arena.read(BLOCK_BYTES)
    second = put(writer, 1, forged)
    assert ArenaWriter(memory).recover() == [header, second]
    with pytest.raises(MediaError):
        ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(second + 1)


@pytest.mark.parametrize("header", [0, BLOCKS, 2**31, 2**32 - 1])
def test_no_index_reads_outside(memory: int, header: int) -> None:
    with pytest.raises(MediaError):
        ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(header)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.integers(0, 919), st.binary(min_size=1, max_size=40))
def test_a_description_gone_wrong_is_an_error_or_lies_inside(
    memory: int, offset: int, junk: bytes
) -> None:
    writer = ArenaWriter(memory)
    writer.recover()
    header = put(writer, 0, bytes(BLOCK_BYTES + 5))
    with open(f"/proc/self/fd/{memory}", "rb") as arena:
        arena.seek(header * BLOCK_BYTES)
        good = arena.read(1024)
    writer.poke(header * BLOCK_BYTES + offset, junk)
    try:
        chunk = ArenaReader(memory, BLOCKS * BLOCK_BYTES).chunk(header)
        assert sum(len(view) for view in chunk.payload) == chunk.payload_bytes
    except MediaError:
        pass
    writer.poke(header * BLOCK_BYTES, good)
    writer.durable(header)


def test_a_block_that_two_chunks_claim_is_the_first_ones(memory: int) -> None:
    writer = ArenaWriter(memory)
    first = put(writer, 0, bytes(BLOCK_BYTES))
    second = put(writer, 1, bytes(2 * BLOCK_BYTES))
    blocks = 136  # of vg_arena_chunk
    with open(f"/proc/self/fd/{memory}", "rb") as arena:
        arena.seek(first * BLOCK_BYTES + blocks)
        claimed = arena.read(4)
    writer.poke(second * BLOCK_BYTES + blocks + 4, claimed)
    assert writer.recover() == [first]
    assert writer.used == 2
    writer.durable(first)
    assert writer.used == 0


def test_what_is_no_arena_is_refused() -> None:
    fd = os.memfd_create("plain", os.MFD_CLOEXEC)
    os.ftruncate(fd, 4 * BLOCK_BYTES)
    with pytest.raises(MediaError):
        ArenaReader(fd, 4 * BLOCK_BYTES)
    format_arena(fd)
    with pytest.raises(ValueError, match="smaller"):
        ArenaReader(fd, 8 * BLOCK_BYTES)
    os.close(fd)
