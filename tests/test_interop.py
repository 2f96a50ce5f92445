"""The table of cameras' habits is whole, and each row's tests exist."""

from __future__ import annotations

import re
from pathlib import Path

from vonggac.rtsp.habits import ROWS

ROOT = Path(__file__).resolve().parent.parent
ROWS_IN_ALL = 116


def rows() -> dict[int, tuple[str, str, str]]:
    """Habit, decision and tests of each row."""
    text = (ROOT / "docs" / "design" / "rtsp-interop.md").read_text()
    found = re.findall(r"^\| (\d+) \| (.*) \| (.*) \| ?(.*?) ?\|$", text, re.MULTILINE)
    numbers = [int(number) for number, *_ in found]
    assert len(numbers) == len(set(numbers)), "a row stands there twice"
    return {int(number): (habit, decided, tests) for number, habit, decided, tests in found}


def functions() -> set[str]:
    """Every test there is."""
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)}


def test_no_row_is_missing() -> None:
    assert list(rows()) == list(range(1, ROWS_IN_ALL + 1))


def test_every_row_is_decided() -> None:
    for number, (_, decided, tests) in rows().items():
        assert re.match(r"(done|not)\b", decided), number
        assert "test_" in tests or decided.startswith("not"), f"{number} is done without a test"


def test_every_test_that_is_named_exists() -> None:
    known = functions()
    quirks = "".join(path.read_text() for path in (ROOT / "tests" / "quirks").glob("*.py"))
    for number, (_, _, tests) in rows().items():
        names = re.findall(r"`(test_\w+)(?:\[([\w-]+)\])?`", tests)
        assert len(names) == tests.count("`") // 2, f"{number}: {tests}"
        for name, camera in names:
            assert name in known, f"{number}: {name}"
            assert not camera or f'"{camera}"' in quirks, f"{number}: {camera}"


def test_a_habit_that_is_counted_stands_in_its_row() -> None:
    table = rows()
    for habit, number in ROWS.items():
        assert f"`{habit.value}`" in table[number][0], habit


def test_every_habit_is_described_with_its_row() -> None:
    text = (ROOT / "docs" / "ref" / "metrics.md").read_text()
    described = set(re.findall(r"^\| `([\w-]+)` \| (\d+) \|$", text, re.MULTILINE))
    assert described == {(habit.value, str(number)) for habit, number in ROWS.items()}
