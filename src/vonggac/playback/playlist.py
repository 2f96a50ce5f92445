"""HLS playlists (RFC 8216) over the ring's own segments, and the map between their two times. Pure.

A player's time is the sum of durations; wall time jumps at gaps and drifts against the camera's.
Both come from the same fragments here: the tag EXT-X-PROGRAM-DATE-TIME wherever the two part, and a
map in pieces for the page, since players lose the gap just after a seek (docs/design/looks.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from vonggac.media.chunk import ChunkFlag
from vonggac.media.fragment import Fragment
from vonggac.playback.fragments import Playable

__all__ = ["MapPiece", "Video", "clock_map", "damaged", "iframes", "master", "media"]

_VIETNAM = timezone(timedelta(hours=7))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS_PER_S = 100_000
"""EXTINF has five decimals."""
_APART_NS = 40_000_000
"""A picture's time: what differs by more is told."""
_GROWING_TARGET_S = 10
"""At least: a growing list should not change its mind (4.3.3.1), and longer ones are rare."""
_DAMAGED = ChunkFlag.DAMAGED | ChunkFlag.BROKEN


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


def media(shown: Playable, disks: Sequence[str], *, is_growing: bool, is_ended: bool) -> str:
    """The list for playing. `disks`: their names in addresses, by `Fragment.disk`."""
    lines = _Lines(disks)
    rest, breaks, extinf, out = shown.rest, shown.breaks, lines.extinf, lines.out
    ticks = steps = 0
    for at, fragment in enumerate(shown.fragments):
        # As in `iframes`, with fewer calls: a day has 43,200.
        late_ns = fragment.wall_start_ns - lines.wall_ns - (ticks - lines.at_ticks) * 100_000 // 9
        if at in breaks or not at or not -_APART_NS <= late_ns <= _APART_NS:
            lines.tell(at in breaks, not at, ticks, fragment)
        ticks += fragment.duration_ticks if at not in rest else _ticks(shown, at)
        length = (ticks * 10 + 4) // 9 - steps
        steps += length
        duration = extinf.get(length) or lines.duration(length)
        if at not in rest:
            size, start = fragment.size_bytes, fragment.offset
            out.append(f"{duration}#EXT-X-BYTERANGE:{size}@{start}\n{lines.uri}")
        else:
            out.append(f"{duration}{lines.joined(shown.parts(at))}")
    return lines.text("", is_growing, is_ended)


def iframes(shown: Playable, disks: Sequence[str], *, is_growing: bool, is_ended: bool) -> str:
    """The list of key frames: from `moof` to the end of the first sample (4.3.3.6)."""
    lines = _Lines(disks)
    ticks = steps = 0
    for at, fragment in enumerate(shown.fragments):
        late_ns = fragment.wall_start_ns - lines.wall_ns - _ns(ticks - lines.at_ticks)
        if at in shown.breaks or not at or abs(late_ns) > _APART_NS:
            lines.tell(at in shown.breaks, not at, ticks, fragment)
        ticks += fragment.duration_ticks if at not in shown.rest else _ticks(shown, at)
        length = (ticks * 10 + 4) // 9 - steps
        steps += length
        size = fragment.first_sample_end - fragment.moof_start
        start = fragment.offset + fragment.moof_start
        lines.out.append(f"{lines.duration(length)}#EXT-X-BYTERANGE:{size}@{start}\n{lines.uri}")
    return lines.text("#EXT-X-I-FRAMES-ONLY\n", is_growing, is_ended)


def clock_map(shown: Playable) -> list[MapPiece]:
    """Where the player's time lies in wall time: pieces in the order of playing.

    Wall times of two pieces may overlap: the box's clock was set back in between.
    """
    pieces: list[MapPiece] = []
    ticks = start_ticks = 0
    start_ns = end_ns = 0
    was_uneven = False
    breaks, rest = shown.breaks, shown.rest
    for at, fragment in enumerate(shown.fragments):
        end_of_it_ns = shown.parts(at)[-1].wall_end_ns if at in rest else fragment.wall_end_ns
        length = _ticks(shown, at) if at in rest else fragment.duration_ticks
        length_ns = end_of_it_ns - fragment.wall_start_ns
        # A stall inside of it: nothing before or behind shares its pace.
        is_uneven = abs(length_ns - _ns(length)) > _APART_NS
        late_ns = fragment.wall_start_ns - start_ns - _ns(ticks - start_ticks)
        if not at or at in breaks or was_uneven or is_uneven or abs(late_ns) > _APART_NS:
            if at:
                pieces.append(_piece(start_ns, end_ns, start_ticks, ticks))
            start_ns, start_ticks = fragment.wall_start_ns, ticks
        was_uneven = is_uneven
        ticks += length
        end_ns = end_of_it_ns
    if shown.fragments:
        pieces.append(_piece(start_ns, end_ns, start_ticks, ticks))
    return pieces


def damaged(shown: Playable) -> list[tuple[int, int]]:
    """Wall ranges (ns) where something was lost on the way or has changed on the disk."""
    ranges: list[tuple[int, int]] = []
    rest = [part for parts in shown.rest.values() for part in parts]
    hurt = [part for part in (*shown.fragments, *rest) if part.flags & _DAMAGED]
    for fragment in sorted(hurt, key=lambda part: (part.run, part.sequence)):
        if ranges and abs(ranges[-1][1] - fragment.wall_start_ns) <= _APART_NS:
            ranges[-1] = (ranges[-1][0], fragment.wall_end_ns)
        else:
            ranges.append((fragment.wall_start_ns, fragment.wall_end_ns))
    return ranges


def _piece(start_ns: int, end_ns: int, start_ticks: int, end_ticks: int) -> MapPiece:
    length_s = (end_ticks - start_ticks) / 90_000
    return MapPiece(start_ns, start_ticks / 90_000, end_ns - start_ns, length_s)


def _ticks(shown: Playable, at: int) -> int:
    return sum(part.duration_ticks for part in shown.parts(at))


def _ns(ticks: int) -> int:
    return ticks * 100_000 // 9


class _Lines:
    """A playlist being written. Steps are 10 us; sums are rounded, not parts, so that rounding
    never adds up.
    """

    def __init__(self, disks: Sequence[str]) -> None:
        self.out: list[str] = []
        self.uri = ""
        self.wall_ns = 0
        """Wall time at `at_ticks`: the last tag that told it."""
        self.at_ticks = 0
        self.extinf: dict[int, str] = {}
        """By steps: few durations are new."""
        self._disks = disks

    def tell(self, is_break: bool, is_first: bool, ticks: int, fragment: Fragment) -> None:
        """The tags where a timeline begins, or wall time is not as expected."""
        if is_break:
            self.out.append("#EXT-X-DISCONTINUITY")
        if is_break or is_first:
            name = self._name(fragment)
            self.out.append(f'#EXT-X-MAP:URI="I-{name}"')
            self.uri = f"S-{name}"
        self.wall_ns, self.at_ticks = fragment.wall_start_ns, ticks
        self.out.append(f"#EXT-X-PROGRAM-DATE-TIME:{_iso(fragment.wall_start_ns)}")

    def duration(self, steps: int) -> str:
        """EXTINF."""
        if steps not in self.extinf:
            seconds, rest = divmod(steps, _STEPS_PER_S)
            self.extinf[steps] = f"#EXTINF:{seconds}.{rest:05d},\n"
        return self.extinf[steps]

    def joined(self, parts: Sequence[Fragment]) -> str:
        """The address of a fragment that lies in several segments; it has no range."""
        names = (
            f"{self._disks[f.disk]}.{f.segment}.{f.epoch}.{f.offset}.{f.size_bytes}" for f in parts
        )
        return f"J-{'-'.join(names)}.mp4"

    def text(self, tag: str, is_growing: bool, is_ended: bool) -> str:
        """All of it. A list that may still grow is of type EVENT, for good."""
        target_s = -(-max(self.extinf, default=0) // _STEPS_PER_S)
        if is_growing:
            target_s = max(target_s, _GROWING_TARGET_S)
        kind = "EVENT" if is_growing else "VOD"
        head = (
            f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{max(target_s, 1)}\n"
            f"#EXT-X-PLAYLIST-TYPE:{kind}\n{tag}"
        )
        end = "#EXT-X-ENDLIST\n" if is_ended else ""
        body = "\n".join(self.out)
        return f"{head}{body}\n{end}" if body else f"{head}{end}"

    def _name(self, fragment: Fragment) -> str:
        return f"{self._disks[fragment.disk]}.{fragment.segment}.{fragment.epoch}.mp4"


def _iso(wall_ns: int) -> str:
    moment = (_EPOCH + timedelta(microseconds=wall_ns // 1000)).astimezone(_VIETNAM)
    return moment.isoformat(timespec="milliseconds")
