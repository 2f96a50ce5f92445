"""HLS playlists (RFC 8216) over the ring's own segments, and the map between their two times. Pure.

A player's time is the sum of durations; wall time jumps at gaps and drifts against the camera's.
Both come from the same fragments here: the tag EXT-X-PROGRAM-DATE-TIME wherever the two part, and a
map in pieces for the page, since players lose the gap just after a seek (docs/design/looks.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vonggac._native import playlist as native
from vonggac.media.chunk import ChunkFlag
from vonggac.media.fragment import Fragment
from vonggac.playback.fragments import Playable, Stretch

__all__ = [
    "Life",
    "MapPiece",
    "Names",
    "Video",
    "clock_map",
    "damaged",
    "iframes",
    "master",
    "media",
]

_APART_NS = 40_000_000
"""Ranges that miss each other by less are one."""
_GROWING_TARGET_S = 10
"""At least: a growing list should not change its mind (4.3.3.1), and longer ones are rare."""
_DAMAGED = ChunkFlag.DAMAGED | ChunkFlag.BROKEN

Life = tuple[int, int, int]
"""A segment's life: `Fragment.disk`, segment, epoch."""


@dataclass(frozen=True, slots=True)
class Video:
    """What a sample entry says."""

    codec: str
    """As RFC 6381 writes it, such as `avc1.64001f`."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MapPiece:
    """Wall time and player's time run alike from here on, for so long."""

    wall_ns: int
    media_s: float
    wall_length_ns: int
    media_length_s: float


@dataclass(frozen=True, slots=True)
class Names:
    """What addresses call disks and heads."""

    disks: Sequence[str]
    """By `Fragment.disk`."""
    heads: Mapping[Life, str] = field(default_factory=dict)
    """What a player needs before the first picture, by what it says: segments that were written
    with the same sample entry have one name, and a player asks for it once.
    """

    def segment(self, fragment: Fragment) -> str:
        return f"{self.disks[fragment.disk]}.{fragment.segment}.{fragment.epoch}.mp4"

    def head(self, fragment: Fragment) -> str:
        """By the segment itself where nothing is known of its head."""
        known = self.heads.get((fragment.disk, fragment.segment, fragment.epoch))
        return f"I-{self.segment(fragment)}" if known is None else f"H-{known}.mp4"

    def joined(self, stretch: Stretch) -> str:
        """Of a fragment that lies in several segments; it has no range."""
        parts = (
            f"{self.disks[f.disk]}.{f.segment}.{f.epoch}.{f.offset}.{f.size_bytes}"
            for f in (stretch.first, *stretch.rest)
        )
        return f"J-{'-'.join(parts)}.mp4"


def master(video: Video | None, bits_per_s: int, query: str = "") -> str:
    """The list of lists: one for playing, one of key frames alone, both of the same range."""
    facts = f"BANDWIDTH={max(bits_per_s, 1)}"
    if video is not None:
        facts += f',CODECS="{video.codec}",RESOLUTION={video.width}x{video.height}'
    return (
        "#EXTM3U\n#EXT-X-VERSION:7\n"
        f"#EXT-X-STREAM-INF:{facts}\nmedia.m3u8{query}\n"
        f'#EXT-X-I-FRAME-STREAM-INF:{facts},URI="iframes.m3u8{query}"\n'
    )


def media(shown: Playable, names: Names, *, is_growing: bool, is_ended: bool) -> bytes:
    """The list for playing."""
    lines = native.ListText()
    for stretch, is_new in _begun(lines, shown, names):
        if stretch.rest:
            name = names.joined(stretch)
            lines.entries(native.FILES, is_new, *_whole(stretch), name)
        else:
            name = f"S-{names.segment(stretch.first)}"
            lines.entries(native.RANGES, is_new, *_whole(stretch), name)
    return _text(lines, "", is_growing, is_ended)


def iframes(shown: Playable, names: Names, *, is_growing: bool, is_ended: bool) -> bytes:
    """The list of key frames: from `moof` to the end of the first sample (4.3.3.6)."""
    lines = native.ListText()
    for stretch, is_new in _begun(lines, shown, names):
        name = f"S-{names.segment(stretch.first)}"
        lines.entries(native.KEYS, is_new, *_whole(stretch), name)
    return _text(lines, "#EXT-X-I-FRAMES-ONLY\n", is_growing, is_ended)


def clock_map(shown: Playable) -> list[MapPiece]:
    """Where the player's time lies in wall time: pieces in the order of playing.

    Wall times of two pieces may overlap: the box's clock was set back in between.
    """
    pieces = native.MapPieces()
    for stretch in shown.stretches:
        pieces.add(stretch.is_break, *_whole(stretch))
    return [
        MapPiece(start_ns, start / 90_000, end_ns - start_ns, (end - start) / 90_000)
        for start_ns, end_ns, start, end in pieces.pieces()
    ]


def damaged(shown: Playable) -> list[tuple[int, int]]:
    """Wall ranges (ns) where something was lost on the way or has changed on the disk."""
    hurt: list[Fragment] = []
    for stretch in shown.stretches:
        hurt += stretch.fragments.flagged(stretch.start, stretch.stop, _DAMAGED)
        hurt += [part for part in stretch.rest if part.flags & _DAMAGED]
    ranges: list[tuple[int, int]] = []
    for fragment in sorted(hurt, key=lambda part: (part.run, part.sequence)):
        if ranges and abs(ranges[-1][1] - fragment.wall_start_ns) <= _APART_NS:
            ranges[-1] = (ranges[-1][0], fragment.wall_end_ns)
        else:
            ranges.append((fragment.wall_start_ns, fragment.wall_end_ns))
    return ranges


def _begun(lines: native.ListText, shown: Playable, names: Names) -> Iterator[tuple[Stretch, bool]]:
    """Each stretch, and whether a timeline begins with it: its tags are written already."""
    for number, stretch in enumerate(shown.stretches):
        is_new = stretch.is_break or not number
        if stretch.is_break:
            lines.tag("#EXT-X-DISCONTINUITY")
        if is_new:
            lines.tag(f'#EXT-X-MAP:URI="{names.head(stretch.first)}"')
        yield stretch, is_new


def _whole(stretch: Stretch) -> tuple[native.Fragments, int, int]:
    """Fragments as long as they are with what lies of them in other segments."""
    if not stretch.rest:
        return stretch.fragments, stretch.start, stretch.stop
    first = stretch.first
    ticks = sum(part.duration_ticks for part in (first, *stretch.rest))
    whole = first._replace(duration_ticks=ticks, wall_end_ns=stretch.last.wall_end_ns)
    return native.fragments_of([whole]), 0, 1


def _text(lines: native.ListText, tag: str, is_growing: bool, is_ended: bool) -> bytes:
    """All of it. A list that may still grow is of type EVENT, for good."""
    target_s = -(-lines.longest_steps // native.STEPS_S)
    if is_growing:
        target_s = max(target_s, _GROWING_TARGET_S)
    kind = "EVENT" if is_growing else "VOD"
    head = (
        f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{max(target_s, 1)}\n"
        f"#EXT-X-PLAYLIST-TYPE:{kind}\n{tag}"
    )
    return head.encode() + lines.text + (b"#EXT-X-ENDLIST\n" if is_ended else b"")
