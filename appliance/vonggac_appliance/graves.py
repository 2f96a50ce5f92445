"""Tombstones of a camera, as the home's ledger has them."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from vonggac.errors import StorageError
from vonggac.evidence import ledger
from vonggac.store.whereabouts import Grave

__all__ = ["graves_of"]


def graves_of(home: Path, streams: Set[bytes], from_ns: int, to_ns: int) -> list[Grave]:
    """Those that touch [from_ns, to_ns). StorageError where the ledger may not be read."""
    found = []
    wanted = {stream.hex() for stream in streams}
    for path in _lists(home):
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        for line in lines:
            entry = ledger.parse(line)
            grave = None if entry is None or entry.get("stream") not in wanted else _grave(entry)
            if grave is not None and grave.from_ns < to_ns and grave.to_ns > from_ns:
                found.append(grave)
    return found


def _lists(home: Path) -> Iterator[Path]:
    folder = home / "ledger" / ledger.TOMBSTONES
    try:
        yield from sorted(folder.glob("*/*.jsonl"))
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error


def _grave(entry: ledger.Entry) -> Grave | None:
    numbers = [entry.get(name) for name in ("from_ns", "to_ns", "days", "at_ns")]
    rule, by = entry.get("rule"), entry.get("by")
    if not (isinstance(rule, str) and isinstance(by, str)):
        return None
    from_ns, to_ns, days, at_ns = (n if isinstance(n, int) else 0 for n in numbers)
    return Grave(from_ns, to_ns, rule, days, by, at_ns)
