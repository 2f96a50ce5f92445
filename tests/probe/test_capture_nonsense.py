"""A capture comes from a stranger: whatever stands in it is read, or refused as no capture."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import MediaError
from vonggac.probe.capture import VERSION, read_capture

HEAD = json.dumps({"capture": VERSION})
USUAL = {"at_ms": 1.5, "connection": 1, "from": "us"}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    [*USUAL, "message", "garbage_bytes", "event", "bytes", "kept", "channel", "blanks", "socket"]
)


@given(st.lists(st.dictionaries(NAMES, VALUES), max_size=3))
def test_any_lines_are_read_or_refused(lines: list[dict[str, object]]) -> None:
    text = "\n".join([HEAD, *(json.dumps({**USUAL, **line}) for line in lines)])
    with contextlib.suppress(MediaError):
        read_capture(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for whole in (text, f"{HEAD}\n{text}"):
        with contextlib.suppress(MediaError):
            read_capture(whole)


@pytest.mark.parametrize(
    "line",
    [
        "5",
        '"message"',
        "[" * 100_000,
        json.dumps({**USUAL, "garbage_bytes": 10**15}),
        json.dumps({**USUAL, "message": "a", "blanks": 10**15}),
        json.dumps({**USUAL, "message": "a", "at_ms": 10**400}),
        json.dumps({**USUAL, "message": "a", "at_ms": float("nan")}),
        json.dumps({**USUAL, "bytes": 4, "kept": {"x": "00"}}),
        json.dumps({**USUAL, "bytes": 4, "kept": {"0": 7}}),
    ],
    ids=["number", "text", "deep", "garbage", "blanks", "late", "no time", "place", "piece"],
)
def test_what_is_no_capture(line: str) -> None:
    with pytest.raises(MediaError):
        read_capture(f"{HEAD}\n{line}")
