"""The rules of alarms, and that none is raised that nobody has words for."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vonggac.registry.alarms import KINDS, Alarm, acknowledged, repeated, seen, surplus

S = 1_000_000_000
FIRST = Alarm(1, "disk-slow", "/srv/a", "a tick takes 700 ms", 10 * S, 10 * S)


def test_a_repeat_is_counted_and_keeps_the_first_time() -> None:
    again = repeated(FIRST, "a tick takes 900 ms", 12 * S)

    assert (again.count, again.first_ns, again.last_ns) == (2, 10 * S, 12 * S)
    assert again.what == "a tick takes 900 ms"


def test_a_clock_that_was_set_back_takes_nothing_from_a_row() -> None:
    assert repeated(FIRST, "", 3 * S).last_ns == 10 * S


def test_the_first_who_saw_it_and_the_first_who_answers_for_it_stay() -> None:
    row = acknowledged(seen(FIRST, "An", 11 * S), "Bình", "replaced", 12 * S)
    later = acknowledged(seen(row, "Chi", 13 * S), "Chi", "", 13 * S)

    assert later == row
    assert (row.seen_by, row.acknowledged_by, row.note) == ("An", "Bình", "replaced")
    assert FIRST.is_open
    assert not row.is_open


def test_who_acknowledges_has_seen_it() -> None:
    row = acknowledged(FIRST, "An", "", 11 * S)

    assert (row.seen_by, row.seen_ns) == ("An", 11 * S)


def test_acknowledged_ones_are_forgotten_before_open_ones_and_old_before_new() -> None:
    rows = [Alarm(n, "flood", f"cam{n}", "", n, n) for n in range(6)]
    rows[4] = acknowledged(rows[4], "An", "", 9)

    assert surplus(rows, 6) == []
    assert surplus(rows, 3) == [4, 0, 1]


def test_every_alarm_of_the_code_is_one_that_the_page_has_words_for(root: Path) -> None:
    raised: set[str] = set()
    for path in (root / "appliance/vonggac_appliance").glob("*.py"):
        text = path.read_text("utf-8")
        raised.update(re.findall(r'(?:[._]alarm|_warn|KeeperAlarm)\(\s*"([a-z-]+)"', text))
        raised.update(re.findall(r'^ALARM\w* = "([a-z-]+)"', text, re.MULTILINE))

    assert raised == KINDS
    for language in ("vi", "en"):
        words = json.loads((root / f"web/vonggac_web/translations/{language}.json").read_text())
        for before in ("alarm.", "alarm-help."):
            assert {key.removeprefix(before) for key in words if key.startswith(before)} == KINDS
