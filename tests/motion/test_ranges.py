"""Sets of seconds, compared with sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vonggac.motion import ranges
from vonggac.motion.ranges import Range, Ranges

_ANY = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def seconds(of: list[Range] | Ranges) -> set[int]:
    return {second for start, end in of for second in range(start, end)}


def is_tidy(of: Ranges) -> bool:
    edges = [edge for pair in of for edge in pair]
    return edges == sorted(set(edges))


@given(_ANY)
def test_any_ranges_become_disjoint_ones(some: list[Range]) -> None:
    found = ranges.union(some)

    assert seconds(found) == seconds(some)
    assert is_tidy(found)
    assert ranges.total(found) == len(seconds(some))


@given(_ANY, _ANY)
def test_what_is_taken_is_left_out(some: list[Range], taken: list[Range]) -> None:
    found = ranges.minus(ranges.union(some), ranges.union(taken))

    assert seconds(found) == seconds(some) - seconds(taken)
    assert is_tidy(found)


@given(_ANY, st.integers(0, 60), st.integers(0, 60))
def test_a_part_is_cut_out(some: list[Range], start: int, end: int) -> None:
    found = ranges.within(ranges.union(some), start, end)

    assert seconds(found) == seconds(some) & set(range(start, end))


def test_ranges_with_little_between_them_become_one() -> None:
    assert ranges.union([(1, 3), (4, 6), (9, 10)], join=1) == ((1, 6), (9, 10))


def test_the_newest_part_is_the_end_of_the_last() -> None:
    assert ranges.newest(((1, 5), (10, 100)), 20) == (80, 100)
    assert ranges.newest(((1, 5), (10, 12)), 20) == (10, 12)
    assert ranges.newest((), 20) is None


def test_a_second_counts_where_any_part_of_it_was_recorded() -> None:
    s = 1_000_000_000
    assert ranges.of_spans([(s // 2, 2 * s + 1), (5 * s, 6 * s)]) == ((0, 3), (5, 6))
