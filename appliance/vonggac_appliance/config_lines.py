"""On which line of the configuration a key stands: for errors, since tomllib does not tell."""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]")


def line_of(text: str, name: str, section: str, entry: str) -> str:
    """`NAME, line N` of a key, or of its section where `entry` is empty; `name` where it is not
    found.
    """
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        match = _HEADER.match(line)
        if match:
            inside = match[1]
            if not entry and section in (inside, inside.split(".")[0]):
                return f"{name}, line {number}"
            continue
        key = line.split("=")[0].replace('"', "").replace(" ", "").strip()
        full = f"{inside}.{key}" if inside else key
        if full == f"{section}.{entry}" or (not entry and full.split(".")[0] == section):
            return f"{name}, line {number}"
    return name
