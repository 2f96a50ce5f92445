"""The page's pure script, by node's own test runner."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

JS = Path(__file__).resolve().parent / "js"


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.name) for path in sorted(JS.glob("*.test.mjs"))]
)
def test_a_script_does_what_its_own_tests_say(path: Path, program: Callable[[str], str]) -> None:
    command = [program("node"), "--test", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
