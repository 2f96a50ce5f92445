"""The table of states is the one in the document, and every state can be left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vonggac.rtsp.states import NEXT, READING, State, Step


def test_the_document_shows_the_table(root: Path) -> None:
    path = root / "docs" / "design" / "rtsp.md"
    if not path.exists():
        pytest.skip("the documents are not here")
    rows = re.findall(r"^\| ([A-Z]+) \| ([A-Z]+) \| ([A-Z]+) \|$", path.read_text(), re.MULTILINE)
    shown = {(State[state], Step[step]): State[after] for state, step, after in rows}
    assert shown == NEXT
    assert len(rows) == len(NEXT)


def test_every_state_can_fail_and_be_reached() -> None:
    assert {state for state, step in NEXT if step is Step.FAILED} == set(State)
    assert set(NEXT.values()) == set(State) - {State.NEW}


def test_a_session_reads_until_it_plays() -> None:
    assert set(State) - READING == {State.NEW, State.PLAYING, State.ENDED}
