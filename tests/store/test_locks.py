"""Locked time: asked by bisection, compared with a plain walk."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vonggac.store.journal import Lock
from vonggac.store.locks import LockSet, union, without

A, B = b"a" * 16, b"b" * 16
L1, L2 = b"1" * 16, b"2" * 16

ranges = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda r: (r[0], r[0] + r[1]))
locks = st.lists(
    st.builds(
        lambda name, stream, span: Lock(name, stream, *span),
        st.sampled_from([L1, L2]),
        st.sampled_from([A, B]),
        ranges,
    ),
    max_size=12,
)


def covers(lock: Lock, stream: bytes, ns: int) -> bool:
    return lock.stream == stream and lock.from_ns <= ns < lock.to_ns


@given(locks, ranges)
def test_a_range_is_locked_if_any_of_its_moments_is(
    held: list[Lock], span: tuple[int, int]
) -> None:
    expected = any(covers(lock, A, ns) for lock in held for ns in range(*span))

    assert LockSet.of(held).is_locked(A, *span) == expected


@given(locks, ranges)
def test_what_is_unlocked_is_the_rest_of_the_range(held: list[Lock], span: tuple[int, int]) -> None:
    parts = LockSet.of(held).unlocked(A, *span)

    expected = [ns for ns in range(*span) if not any(covers(lock, A, ns) for lock in held)]
    assert [ns for part in parts for ns in range(*part)] == expected
    assert all(end < start for (_, end), (start, _) in pairwise(parts))


@given(locks, locks)
def test_a_union_holds_all_that_either_held(held: list[Lock], more: list[Lock]) -> None:
    both = LockSet.of(union(held, more))

    assert all(both.is_locked(k.stream, k.from_ns, k.to_ns) for k in (*held, *more))
    assert not any(
        part for k in (*held, *more) for part in both.unlocked(k.stream, k.from_ns, k.to_ns)
    )


def test_what_lasts_no_time_is_locked_where_it_lies() -> None:
    held = LockSet.of([Lock(L1, A, 10, 20)])

    assert held.is_locked(A, 10, 10) and held.is_locked(A, 19, 19)
    assert not held.is_locked(A, 20, 20) and not held.is_locked(A, 9, 9)


def test_only_a_locks_own_name_takes_it_away() -> None:
    held = (Lock(L1, A, 0, 10), Lock(L1, B, 0, 10), Lock(L2, A, 5, 15))

    assert without(held, {L1}) == (Lock(L2, A, 5, 15),)
    assert without(held, {bytes(16)}) == held


def test_a_lock_that_two_tell_differently_is_as_wide_as_both() -> None:
    assert union([Lock(L1, A, 5, 10)], [Lock(L1, A, 7, 12)]) == (Lock(L1, A, 5, 12),)
