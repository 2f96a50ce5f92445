"""Whether each run is all there: its numbers, its chain of claims, what the ledger names of it."""

from __future__ import annotations

from dataclasses import dataclass

from vonggac.media.chunk import ChunkFlag, ChunkView, Row
from vonggac.store.archive import Archive
from vonggac.store.check_report import DURABLE, Problem, Report
from vonggac.store.recovery import TORN_NS
from vonggac.store.vouched import Vouched

NOT_ITS_HASH = "the payload does not have its hash"
_ABSENT_MAX = 1000
"""A longer hole is none of one tick."""


@dataclass(frozen=True, slots=True)
class _End:
    """The newest chunk of a run so far; `claim_sha256` is empty where nobody read its head."""

    sequence: int
    claim_sha256: bytes
    segment: int


class Runs:
    """Of one disk; fed with its segments in the order of their epochs."""

    def __init__(self, archive: Archive, vouched: Vouched, report: Report) -> None:
        self.torn: set[tuple[int, int]] = set()
        """Segment and offset of chunks behind a hole that a cut may have left."""
        self._archive = archive
        self._vouched = vouched
        self._report = report
        self._ends: dict[tuple[bytes, int], _End] = {}
        """Where each (stream, run) stands over all its segments."""
        self._absent: dict[tuple[bytes, int], set[int]] = {}
        """What of them is missing or broken so far."""
        self._broken: list[tuple[int, int, tuple[bytes, int], int]] = []
        """Segment, offset, (stream, run) and sequence of what the index calls broken."""
        self._holes: list[tuple[Problem, tuple[bytes, int], range]] = []
        """What is wrong if any of these sequences of (stream, run) is nowhere."""

    def check_claim(self, number: int, entry: Row, view: ChunkView) -> None:
        """The chain of a run, over segments; its beginning may have been recycled."""
        claim, offset = view.claim, entry.offset
        key = (claim.stream, claim.run)
        known = self._ends.get(key)
        if self._is_filled(key, entry):
            return
        self._ends[key] = _End(claim.sequence, view.claim_sha256, number)
        says_first = claim.flags & ChunkFlag.FIRST and claim.previous_sha256 == bytes(32)
        if claim.sequence == 0 and not says_first:
            self._report.add(number, offset, DURABLE, "a run's first claim that does not say so")
        head = self._vouched.heads.get(key, {}).pop(claim.sequence, None)
        if head is not None and head != view.claim_sha256:
            what = f"run {claim.run}: chunk {claim.sequence} is not the one the ledger names"
            self._report.add(number, offset, DURABLE, what)
        if known is None:
            return
        if claim.sequence != known.sequence + 1:
            self._check_hole(number, entry, key, known)
        elif known.claim_sha256 and claim.previous_sha256 != known.claim_sha256:
            self._report.add(
                number, offset, DURABLE, f"run {claim.run}: the chain of claims is broken"
            )

    def pass_over(self, number: int, stream: bytes, row: Row) -> None:
        """A chunk that is being erased, whose head a cut has torn: the next keeper writes it again
        from the intent. Until then no link leads from it, and it is not missing.
        """
        self._vouched.heads.get((stream, row.run), {}).pop(row.sequence, None)
        self.check_numbers(number, stream, [row])

    def check_numbers(self, number: int, stream: bytes, indexed: list[Row]) -> None:
        """As `check_claim`, from rows alone: no number is missing, none is there twice."""
        for row in indexed:
            key = (stream, row.run)
            known = self._ends.get(key)
            if self._is_filled(key, row):
                continue
            self._ends[key] = _End(row.sequence, b"", number)
            if known is not None and row.sequence != known.sequence + 1:
                self._check_hole(number, row, key, known)

    def _is_filled(self, key: tuple[bytes, int], row: Row) -> bool:
        """Whether a chunk stands where an earlier copy is missing or broken: a keeper ended as it
        wrote, and the loop handed it over again, into another segment.
        """
        absent = self._absent.setdefault(key, set())
        if row.flags & ChunkFlag.BROKEN:
            absent.add(row.sequence)
            return False
        known = self._ends.get(key)
        if known is None or row.sequence > known.sequence or row.sequence not in absent:
            return False
        absent.remove(row.sequence)
        return True

    def add_broken(self, number: int, stream: bytes, row: Row) -> None:
        """A chunk that the index calls broken: is there a whole copy of it? `check_broken` tells,
        after the last segment.
        """
        self._broken.append((number, row.offset, (stream, row.run), row.sequence))

    def check_broken(self) -> None:
        for number, offset, key, sequence in self._broken:
            if sequence in self._absent.get(key, ()):
                self._report.add(number, offset, DURABLE, NOT_ITS_HASH)

    def _check_hole(self, number: int, row: Row, key: tuple[bytes, int], known: _End) -> None:
        """A hole in a run's numbers before `row`: erased with a tombstone, or on another disk, or
        never acknowledged, or lost.
        """
        before = known.sequence
        if row.sequence > before:
            is_buried = self._vouched.is_buried(*key, before + 1, row.sequence - 1)
            is_torn = (number, row.offset) in self.torn
            # What was torn off the end of a segment leaves no hole in it: its chunks just end.
            is_torn = is_torn or (known.segment != number and self.may_be_torn(key[0], row))
            missing = range(before + 1, row.sequence)
            is_short = len(missing) < _ABSENT_MAX
            if is_short:
                self._absent.setdefault(key, set()).update(missing)
            if is_buried or self._vouched.has_other_disks or is_torn:
                return
            if is_short:
                what = f"run {key[1]}: {row.sequence} follows {before}"
                self._holes.append((Problem(number, row.offset, DURABLE, what), key, missing))
                return
        self._report.add(
            number, row.offset, DURABLE, f"run {key[1]}: {row.sequence} follows {before}"
        )

    def add_hole(self, number: int, at: int, stream: bytes, row: Row, missing: range) -> None:
        """A hole in a segment, from `at` to `row`, where these sequences should be."""
        problem = Problem(number, at, DURABLE, f"no chunk up to {row.offset}")
        if missing:
            self._holes.append((problem, (stream, row.run), missing))
        else:
            self._report.problems.append(problem)

    def check_holes(self) -> None:
        """After the last segment: what was handed over again stands behind its hole."""
        for problem, key, missing in self._holes:
            if not self._absent.get(key, set()).isdisjoint(missing):
                self._report.problems.append(problem)

    def may_be_torn(self, stream: bytes, row: Row) -> bool:
        """Whether `row` shared its sync with the end of its run: then a cut may have taken what lay
        before it, or a part of it, and nobody had been told of either.
        """
        run = self._archive.run(stream, row.run)
        return run is not None and run.wall_end_ns - row.wall_start_ns <= TORN_NS

    def check_heads(self) -> None:
        """What the ledger vouches for and was not met: had it to go, or was it taken away?"""
        for (stream, run), heads in self._vouched.heads.items():
            numbers = [n for n in heads if not self._vouched.is_buried(stream, run, n, n)]
            if not numbers:
                continue
            what = f"stream {stream.hex()}, run {run}: the ledger names chunk {max(numbers)}"
            what += f" and {len(numbers) - 1} before it" if len(numbers) > 1 else ""
            self._report.add(-1, 0, DURABLE, f"{what}; it is gone, and no tombstone tells why")
