"""The hash chain and what reading it finds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.evidence import chain
from vonggac.evidence.chain import GENESIS, Checkpoint, canonical_line, hash_line, verify

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def lines_of(count: int) -> list[bytes]:
    lines: list[bytes] = []
    prev = GENESIS
    for number in range(1, count + 1):
        event: dict[str, chain.Value] = {"action": "cut", "object": f"camera {number}", "ω": "mục"}
        lines.append(canonical_line(event, number, prev))
        prev = hash_line(lines[-1])
    return lines


LOG = lines_of(6)
HEAD = hash_line(LOG[-1])


def altered(line: bytes) -> bytes:
    return line.replace(b"camera", b"kamera")


def test_a_whole_chain_has_no_problem() -> None:
    result = verify(LOG, HEAD)
    assert (result.entries, result.head, result.problems, result.head_behind) == (6, HEAD, (), 0)


def test_an_empty_chain_ends_at_its_beginning() -> None:
    assert verify([], GENESIS).problems == ()
    assert verify([], None).problems == ()


def test_the_line_is_spelt_as_the_outsider_expects() -> None:
    line = canonical_line({"b": "đ", "a": 1}, 1, GENESIS)
    assert line == f'{{"a":1,"b":"đ","n":1,"prev":"{GENESIS}"}}\n'.encode()


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        pytest.param([*LOG[:2], altered(LOG[2]), *LOG[3:]], 3, "altered", id="altered"),
        pytest.param([altered(LOG[0]), *LOG[1:]], 1, "altered", id="altered-first"),
        pytest.param([*LOG[:5], altered(LOG[5])], 6, "altered", id="altered-last"),
        pytest.param([*LOG[:2], *LOG[3:]], 3, "line 3 was dropped", id="dropped"),
        pytest.param(LOG[1:], 1, "line 1 was dropped", id="dropped-first"),
        pytest.param([*LOG[:1], *LOG[4:]], 2, "lines 2 to 4", id="three-dropped"),
        pytest.param([*LOG[:2], LOG[3], LOG[2], *LOG[4:]], 4, "reordered", id="reordered"),
        pytest.param([*LOG[:3], LOG[2], *LOG[3:]], 4, "repeated", id="repeated"),
        pytest.param(LOG[:4], 4, "dropped", id="end-dropped"),
        pytest.param([*LOG[:5], LOG[5][:-9]], 6, "cut off", id="truncated"),
        pytest.param([*LOG[:5], b"\n"], 6, "canonical", id="blank"),
        pytest.param([*LOG[:3], b'{"n": 4}\n', *LOG[4:]], 4, "canonical", id="spaces"),
        pytest.param([*LOG[:3], b"[" * 9999 + b"\n", *LOG[4:]], 4, "canonical", id="brackets"),
    ],
)
def test_what_was_done_to_a_line_is_told_with_its_number(
    lines: list[bytes], line: int, words: str
) -> None:
    problems = verify(lines, HEAD).problems
    assert any(p.line == line and words in p.what for p in problems), problems


def test_a_head_that_a_crash_left_behind_is_told_and_no_problem() -> None:
    result = verify(LOG, hash_line(LOG[3]))
    assert result.problems == ()
    assert result.head_behind == 2


def test_a_tail_that_was_never_acknowledged_is_no_problem() -> None:
    result = verify([*LOG, b'{"action":"cu'], HEAD)
    assert (result.entries, result.problems) == (6, ())


def test_a_log_emptied_behind_its_head_is_a_problem() -> None:
    assert verify([], HEAD).problems[0].line == 1


def test_a_missing_head_is_a_problem() -> None:
    assert "missing" in verify(LOG, None).problems[0].what


def test_a_log_written_anew_is_found_by_an_old_checkpoint() -> None:
    note = Checkpoint(3, hash_line(LOG[2]))
    assert verify(LOG, HEAD, [note]).problems == ()
    anew: list[bytes] = []
    prev = GENESIS
    for number in range(1, 7):
        anew.append(canonical_line({"action": "look"}, number, prev))
        prev = hash_line(anew[-1])
    assert verify(anew, prev).problems == ()
    assert verify(anew, prev, [note]).problems[0].line == 3


def test_a_log_shorter_than_its_checkpoint_is_found() -> None:
    short = verify(LOG[:4], hash_line(LOG[3]), [Checkpoint(6, HEAD)])
    assert "6 lines" in short.problems[0].what


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_event_makes_one_line_that_verifies(event: dict[str, chain.Value]) -> None:
    line = canonical_line(event, 1, GENESIS)
    assert line.count(b"\n") == 1
    assert verify([line], hash_line(line)).problems == ()


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_lines_give_an_answer(lines: list[bytes]) -> None:
    whole = [line + b"\n" for line in lines if b"\n" not in line]
    assert bool(verify(whole, GENESIS).problems) is bool(whole)


@given(st.integers(0, 5), st.integers(0, 10_000))
def test_no_byte_can_be_changed_unseen(number: int, at: int) -> None:
    line = bytearray(LOG[number])
    line[at % (len(line) - 1)] ^= 1
    changed = [*LOG[:number], bytes(line), *LOG[number + 1 :]]
    problems = verify(changed, HEAD).problems
    assert problems
    assert number + 1 in {p.line for p in problems} | {p.line + 1 for p in problems}


def test_the_outsiders_script_agrees(fixtures: Path, tmp_path: Path) -> None:
    script = fixtures.parent / "recipes" / "verify_chain.sh"
    if not script.exists():
        pytest.skip(f"no {script}")
    (tmp_path / "head").write_text(HEAD)
    for lines, code in ((LOG, 0), (LOG[:4], 1), ([*LOG[:2], altered(LOG[2]), *LOG[3:]], 1)):
        (tmp_path / "log").write_bytes(b"".join(lines))
        run = subprocess.run(
            ["sh", script, tmp_path / "log", tmp_path / "head"], capture_output=True, check=False
        )
        assert run.returncode == code, run.stdout


def test_a_text_cannot_pose_as_the_previous_hash(fixtures: Path, tmp_path: Path) -> None:
    script = fixtures.parent / "recipes" / "verify_chain.sh"
    if not script.exists():
        pytest.skip(f"no {script}")
    line = canonical_line({"z": f'"prev":"{"f" * 64}"'}, 1, GENESIS)
    (tmp_path / "log").write_bytes(line)
    (tmp_path / "head").write_text(hash_line(line))
    command = ["sh", script, tmp_path / "log", tmp_path / "head"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
