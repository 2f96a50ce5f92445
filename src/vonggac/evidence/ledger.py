"""The ledger: lists of run heads and of tombstones, each under one Merkle root (RFC 6962).

Pure; files are written by `appliance`. The audit chain carries the root of every list, so that a
list cannot be altered; and because it is a tree, one line of a list can be shown to an outsider and
proven (`proof`) without the other lines, which are other people's cameras.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

__all__ = [
    "HEADS",
    "KINDS",
    "LINES_MAX",
    "LINE_BYTES_MAX",
    "TOMBSTONES",
    "Head",
    "canonical_text",
    "fault_of",
    "is_list_name",
    "list_name",
    "parse",
    "proof",
    "root",
    "split",
]

HEADS: Final = "heads"
TOMBSTONES: Final = "tombstones"
KINDS: Final = (HEADS, TOMBSTONES)
"""What a list may hold: newest claims of runs; segments that were given up or erased."""
LINE_BYTES_MAX: Final = 2000
LINES_MAX: Final = 4000
"""In one list; a message of 64 KiB holds fewer."""
_TEXT_ROOM_BYTES: Final = 60_000
"""Of all texts of one message: 64 KiB less what MessagePack and the header add."""

_NAME = re.compile(r"(?:heads|tombstones)/\d{4}-\d\d-\d\d/\d{6}\.\d{3}Z-[0-9a-f]{16}\.jsonl")
_LEAF, _NODE = b"\0", b"\1"

Entry = dict[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Head:
    """The newest claim of a run when the list was made: no footage before it can be exchanged."""

    disk: bytes
    stream: bytes
    run: int
    sequence: int
    wall_end_ns: int
    claim_sha256: bytes

    def to_text(self) -> str:
        """Its line, without newline."""
        return canonical_text(
            {
                "claim": self.claim_sha256.hex(),
                "disk": self.disk.hex(),
                "run": self.run,
                "sequence": self.sequence,
                "stream": self.stream.hex(),
                "until_ns": self.wall_end_ns,
            }
        )

    @classmethod
    def from_entry(cls, entry: Entry) -> Self | None:
        """None: it is no line of a list of heads."""
        ids = [_hex_of(entry, name) for name in ("disk", "stream", "claim")]
        numbers = [entry.get(name) for name in ("run", "sequence", "until_ns")]
        if [len(i) for i in ids] != [16, 16, 32] or any(type(n) is not int for n in numbers):
            return None
        run, sequence, until_ns = (n for n in numbers if isinstance(n, int))
        return cls(ids[0], ids[1], run, sequence, until_ns, ids[2])


def canonical_text(entry: Entry) -> str:
    """The one spelling of an entry: keys sorted, no spaces; the file adds a newline."""
    return json.dumps(
        entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def parse(text: str | bytes) -> Entry | None:
    """An entry from its line, with or without newline; None where it is no canonical entry."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    line = line.removesuffix("\n")
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict) or canonical_text(entry) != line:
            return None
    except (ValueError, RecursionError):
        return None
    plain = all(isinstance(v, str | int | None) for v in entry.values())
    return entry if plain else None


def fault_of(kind: str, texts: Sequence[str]) -> str | None:
    """Why these cannot be a list, or None."""
    if kind not in KINDS:
        return f"a list of {kind[:40]!r}"
    if not 1 <= len(texts) <= LINES_MAX:
        return f"a list of {len(texts)} lines"
    for text in texts:
        entry = parse(text) if len(text) <= LINE_BYTES_MAX else None
        if entry is None or "\n" in text:
            return "a line that is no entry in canonical form"
        if kind == HEADS and Head.from_entry(entry) is None:
            return "a head without its run, or without its hash"
    return None


def split(texts: Sequence[str]) -> list[list[str]]:
    """The texts as lists that each fit into one message."""
    lists: list[list[str]] = []
    room = 0
    for text in texts:
        size = len(text.encode()) + 5  # MessagePack's header of a text
        if size > room or len(lists[-1]) == LINES_MAX:
            lists.append([])
            room = _TEXT_ROOM_BYTES
        lists[-1].append(text)
        room -= size
    return lists


def root(lines: Sequence[bytes]) -> str:
    """The Merkle tree hash (RFC 6962, 2.1) of lines with their newlines, 64 hex digits."""
    return _tree([_leaf(line) for line in lines]).hex()


def proof(lines: Sequence[bytes], index: int) -> list[str]:
    """What proves line `index` under the root (RFC 6962, 2.1.1), from the leaf upwards."""
    return [node.hex() for node in _path([_leaf(line) for line in lines], index)]


def list_name(kind: str, time_utc: str, root_hex: str) -> str:
    """Where a list lies in the ledger. `time_utc`: as 2026-11-22T05:15:00.123Z."""
    day, clock = time_utc.split("T")
    return f"{kind}/{day}/{clock.replace(':', '')}-{root_hex[:16]}.jsonl"


def is_list_name(name: str) -> bool:
    """Whether a name of the audit chain leads to a list and nowhere else."""
    return _NAME.fullmatch(name) is not None


def _hex_of(entry: Entry, name: str) -> bytes:
    value = entry.get(name)
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _leaf(line: bytes) -> bytes:
    return hashlib.sha256(_LEAF + line).digest()


def _tree(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    left = _left_of(len(leaves))
    return hashlib.sha256(_NODE + _tree(leaves[:left]) + _tree(leaves[left:])).digest()


def _path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    left = _left_of(len(leaves))
    if index < left:
        return [*_path(leaves[:left], index), _tree(leaves[left:])]
    return [*_path(leaves[left:], index - left), _tree(leaves[:left])]


def _left_of(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << ((count - 1).bit_length() - 1)
