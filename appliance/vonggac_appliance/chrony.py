"""How far the box's clock is off, where chrony keeps it (`chronyc -c tracking`)."""

from __future__ import annotations

import subprocess

__all__ = ["offset_s", "parse_tracking"]

_ANSWER_S = 2.0
_FIELDS = 14
_OFFSET = 4
"""*System time*: the correction still to be made, in seconds; positive where the box is slow."""
_LEAP = 13


def offset_s() -> float | None:
    """Seconds that the box is ahead of chrony's time; None where chrony does not keep it."""
    try:
        done = subprocess.run(
            ["chronyc", "-c", "-n", "tracking"],  # noqa: S607 -- wherever the distribution has it
            capture_output=True,
            text=True,
            timeout=_ANSWER_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_tracking(done.stdout) if done.returncode == 0 else None


def parse_tracking(line: str) -> float | None:
    """Seconds ahead, from a line of comma-separated values; None when chrony follows nothing."""
    fields = line.strip().split(",")
    if len(fields) < _FIELDS or fields[_LEAP] == "Not synchronised":
        return None
    try:
        return -float(fields[_OFFSET])
    except ValueError:
        return None
