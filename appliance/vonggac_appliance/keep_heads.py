"""Which segments were written with the same sample entry: a keeper's answer for playlists.

A head (`ftyp` and `moov`) holds parameter sets and no picture, so it needs no lease.
"""

from __future__ import annotations

from collections.abc import Callable

from vonggac.errors import MediaError
from vonggac.store.archive import Archive
from vonggac.store.index_values import SegmentRow
from vonggac_appliance.messages_footage import AskHeads, Heads

__all__ = ["SEGMENTS_MAX", "heads"]

SEGMENTS_MAX = 4096
"""In one question: 43 hours of 8 Mbit/s."""
HEADS_MAX = 8
"""Different ones in one answer; a stream that changes more often is told by its segments."""
_UNKNOWN = (0, -1)


def heads(archive: Archive, current: Callable[[int], SegmentRow | None], ask: AskHeads) -> Heads:
    """Epoch and head of each segment that holds `ask.stream` now. MediaError: too many."""
    if len(ask.segments) > SEGMENTS_MAX:
        raise MediaError("limit", f"at most {SEGMENTS_MAX} segments", len(ask.segments))
    places: dict[bytes, int] = {}
    found: list[bytes] = []
    entries: list[tuple[int, int]] = []
    for number in ask.segments:
        row = current(number) if 0 <= number < 1 << 32 else None
        if row is None or row.stream != ask.stream:
            entries.append(_UNKNOWN)
            continue
        if row.entry_sha256 not in places and len(found) < HEADS_MAX:
            head = archive.entry(row.entry_sha256)
            if head is not None:
                places[row.entry_sha256] = len(found)
                found.append(head)
        entries.append((row.epoch, places.get(row.entry_sha256, -1)))
    return Heads(entries, found)
