"""Many names in the audit chain, whose texts have an end. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from vonggac.evidence.chain import TEXT_MAX

__all__ = ["lines_of"]


def lines_of(head: str, parts: Iterable[str]) -> list[str]:
    """As many texts as it needs, each with `head` and what fits behind it: no part is left out."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= TEXT_MAX:
            lines[-1] += ", " + part
        else:
            lines.append(head + part)
    return lines
