"""How many lines strangers may cause, and what is said of the rest."""

from __future__ import annotations

from vonggac.ingest.line_budget import LineBudget

DAY_S = 86_400.0


def test_a_days_worth_may_go_at_once_and_the_rest_is_counted() -> None:
    budget = LineBudget()
    taken = [budget.takes("cam1", 3, 0.0) for _ in range(5)]
    assert taken == [0, 0, 0, None, None]
    assert budget.takes("cam1", 3, DAY_S / 3 + 1.0) == 2
    assert budget.takes("cam1", 3, DAY_S / 3 + 2.0) is None
    assert budget.takes("cam1", 3, 9 * DAY_S) == 1


def test_one_name_takes_nothing_from_another() -> None:
    budget = LineBudget()
    assert budget.takes("cam1", 1, 0.0) == 0
    assert budget.takes("cam1", 1, 1.0) is None
    assert budget.takes("cam2", 1, 1.0) == 0


def test_no_crowd_writes_more_in_a_day_than_twice_the_bound() -> None:
    budget = LineBudget()
    written = sum(budget.takes("all", 48, 1.0 * second) is not None for second in range(86_400))
    assert 48 <= written <= 96


def test_a_line_that_another_budget_keeps_back_is_told_of_by_the_next() -> None:
    budget = LineBudget()
    assert [budget.takes("cam1", 1, 0.0) for _ in range(3)] == [0, None, None]
    left_out = budget.takes("cam1", 1, DAY_S)
    assert left_out == 2
    budget.gives_back("cam1", left_out)
    assert budget.takes("cam1", 1, DAY_S) == 2
    assert budget.takes("cam1", 1, DAY_S) is None
