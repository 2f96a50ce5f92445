"""Records of two minutes: what comes back is what was told, and of a torn record nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac._native.tiles import Grid
from vonggac.errors import MediaError
from vonggac.motion.block import (
    Block,
    Forgotten,
    PackedBlock,
    decode,
    encode,
    forget_record,
    merge,
    records,
)
from vonggac.motion.slots import Slot, Tier, active_cells, cells_of

STREAM = bytes(range(16))
REF = Path(__file__).resolve().parent.parent.parent / "docs/ref/motion.md"

slots = st.builds(
    Slot,
    st.integers(240, 359),
    st.lists(st.integers(0, 2303), max_size=30).map(cells_of),
    st.sampled_from(Tier),
    st.booleans(),
)
blocks = st.lists(slots, unique_by=lambda slot: slot.second).map(
    lambda found: Block(STREAM, 2, tuple(sorted(found, key=lambda slot: slot.second)))
)


@given(blocks)
def test_a_block_comes_back(block: Block) -> None:
    assert decode(encode(block)) == block


@given(blocks, blocks)
@settings(max_examples=50)
def test_two_tellings_of_a_block_are_one(one: Block, other: Block) -> None:
    both = merge(one, other)
    assert merge(other, one) == both
    told = {slot.second: [slot] for slot in one.slots}
    for slot in other.slots:
        told.setdefault(slot.second, []).append(slot)
    assert [slot.second for slot in both.slots] == sorted(told)
    for slot in both.slots:
        best = min(one_told.tier for one_told in told[slot.second])
        kept = [one_told for one_told in told[slot.second] if one_told.tier == best]
        assert slot.tier == best
        cells = {cell for one_told in kept for cell in active_cells(one_told.cells)}
        assert set(active_cells(slot.cells)) == cells
        assert slot.is_global == any(one_told.is_global for one_told in kept)


def test_a_second_of_another_block_is_refused() -> None:
    with pytest.raises(ValueError, match="not in block 2"):
        encode(Block(STREAM, 2, (Slot(360, cells_of([1]), Tier.FULL),)))


def test_of_a_log_cut_at_any_byte_every_whole_record_is_read() -> None:
    first = encode(Block(STREAM, 1, (Slot(120, cells_of([5, 70, 2303]), Tier.FULL),)))
    second = forget_record(Forgotten(STREAM, 5, 130))
    third = encode(Block(STREAM, 9, (Slot(1085, cells_of(range(64)), Tier.KEY, True),)))
    log = first + second + third
    ends = [len(first), len(first) + len(second), len(log)]
    for size in range(len(log) + 1):
        found = list(records(log[:size]))
        assert len(found) == sum(end <= size for end in ends)
    kinds = [type(record) for _, record in records(log)]
    assert kinds == [PackedBlock, Forgotten, PackedBlock]


def test_behind_a_hole_the_next_record_is_found() -> None:
    record = encode(Block(STREAM, 1, (Slot(120, cells_of([5]), Tier.FULL),)))
    for hole in (bytes(4096), b"vgmo", record[:-1], b"vgmo" + bytes(60)):
        assert [at for at, _ in records(record + hole + record)] == [0, len(record) + len(hole)]


def test_a_wrong_bit_anywhere_costs_that_record_alone() -> None:
    record = encode(Block(STREAM, 1, (Slot(120, cells_of([5, 900]), Tier.FULL),)))
    for at in range(len(record)):
        for bit in (0, 7):
            wrong = bytearray(record)
            wrong[at] ^= 1 << bit
            found = list(records(bytes(wrong) + record))
            assert [place for place, _ in found] == [len(record)]
            with pytest.raises(MediaError):
                decode(bytes(wrong))


def test_the_example_of_the_reference_is_what_is_written() -> None:
    text = REF.read_text()
    example = text.split("<!-- example: record -->")[1].split("```")[1]
    lines = [line.split("|")[0] for line in example.splitlines()]
    stated = bytes.fromhex("".join(re.sub(r"[^0-9a-f]", "", line) for line in lines))
    block = Block(
        bytes(range(16)),
        2,
        (
            Slot(240, cells_of([0, 1, 64]), Tier.FULL),
            Slot(241, cells_of([]), Tier.FULL),
            Slot(359, cells_of([8]), Tier.KEY, True),
        ),
    )
    assert encode(block).hex(" ") == stated.hex(" ")
    assert decode(stated) == block


@given(st.binary(max_size=300))
def test_bytes_that_are_no_strips_are_refused(data: bytes) -> None:
    grid = Grid(120)
    try:
        grid.unpack(data)
    except MediaError:
        return
    again = Grid(120)
    again.unpack(grid.pack())
    assert all(again.cells(at) == grid.cells(at) for at in range(120))
