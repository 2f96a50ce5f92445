"""What a search of motion or marks asks, checked, and as the words of its line in the audit chain.

Both who asks and `motion run` make the words from the question itself, so that a receipt for one
region opens no other. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from vonggac.errors import Invalid, Refused
from vonggac.evidence.chain import SEARCH_MAX
from vonggac.evidence.receipt import STREAMS_MAX
from vonggac.motion import region
from vonggac.motion.marks import MarkKind
from vonggac.motion.slots import CELL_COUNT, NO_CELLS
from vonggac.registry.masks import CameraMasks, Corners
from vonggac_appliance.messages_motion import MotionQuery, Points, Watched

__all__ = [
    "CAMERAS_MAX",
    "LIMIT_MAX",
    "LINES_MAX",
    "MARKS_LIMIT_MAX",
    "RANGE_MAX_NS",
    "check",
    "check_regions",
    "groups",
    "kept_of",
    "mask_of",
    "words_of",
]

CAMERAS_MAX = 512
RANGE_MAX_NS = 400 * 86_400 * 1_000_000_000
"""A search shows no picture: it may reach back as far as anything is kept."""
LIMIT_MAX = 100_000
MARKS_LIMIT_MAX = 10_000
LINES_MAX = 64
"""Of one search in the audit chain: each is synced, and others wait for theirs."""
_JOIN_MAX_S = 600
_MINUTES_PER_DAY = 1440
_OFFSET_MAX_MINUTES = 14 * 60
_PRECISION = 4
"""Decimals of a corner: a sixth of a thousandth of a cell is nobody's intention."""


def check(query: MotionQuery, now_ns: int) -> None:
    """Raises Invalid for what nobody can have meant, but for the regions (`check_regions`)."""
    if not 1 <= len(query.cameras) <= CAMERAS_MAX:
        raise Invalid("camera", f"a search has 1 to {CAMERAS_MAX} cameras")
    if len({watched.camera for watched in query.cameras}) != len(query.cameras):
        raise Invalid("camera", "a camera stands twice in the search")
    if not 0 <= query.from_ns < query.to_ns < 1 << 62:
        raise Invalid("to", "a range ends after it begins")
    if query.to_ns - query.from_ns > RANGE_MAX_NS:
        raise Invalid("to", "a search has 400 days at most")
    if query.from_ns >= now_ns:
        raise Invalid("from", "nothing is recorded yet of the time to come")
    if not 1 <= query.cells_min <= CELL_COUNT:
        raise Invalid("cells", "1 to 2304 cells")
    if not 1 <= query.limit <= LIMIT_MAX:
        raise Invalid("limit", f"1 to {LIMIT_MAX} hits")
    if not 0 <= query.join_s <= _JOIN_MAX_S:
        raise Invalid("join", f"0 to {_JOIN_MAX_S} seconds")
    _check_hours(query)
    _check_marks(query)
    # Before masks are made: of as many corners as a message may have that takes half a minute.
    lines = groups(query)
    if any(len(words) > SEARCH_MAX for words, _ in lines):
        raise Invalid("region", "the regions, with what is left out, have too many corners")
    if len(lines) > LINES_MAX:
        raise Invalid("region", f"a search of so many different regions: {LINES_MAX} lines at most")


def check_regions(
    query: MotionQuery, kept: Mapping[bytes, Sequence[Corners]] | None = None
) -> None:
    """Raises Invalid where one is none, or hidden. `kept`: by camera, masks that the query names.

    Behind `check`, which bounds what this takes: a second, of very many polygons that are new.
    """
    for watched in query.cameras:
        mask_of(watched, (kept or {}).get(watched.camera, ()))


def _check_hours(query: MotionQuery) -> None:
    if abs(query.utc_offset_minutes) > _OFFSET_MAX_MINUTES:
        raise Invalid("hours", "no clock is so far from UTC")
    if query.hours is not None:
        if not all(0 <= minute <= _MINUTES_PER_DAY for minute in query.hours):
            raise Invalid("hours", "hours are from 00:00 to 24:00")
        if query.hours[0] == query.hours[1]:
            raise Invalid("hours", "hours end after they begin")


def _check_marks(query: MotionQuery) -> None:
    if query.marks is None:
        return
    if not set(query.marks) <= set(MarkKind) or len(set(query.marks)) != len(query.marks):
        raise Invalid("kinds", f"a mark is one of {', '.join(MarkKind)}")
    if query.limit > MARKS_LIMIT_MAX:
        raise Invalid("limit", f"1 to {MARKS_LIMIT_MAX} marks")


def kept_of(watched: Watched, masks: CameraMasks) -> tuple[Corners, ...]:
    """The camera's own masks that a search names. Refused where one was taken away meanwhile."""
    held = {mask.number: mask.corners for mask in masks.held}
    if not held.keys() >= set(watched.kept):
        raise Refused("a mask that this search was logged without is gone: search again")
    return tuple(held[number] for number in watched.kept)


def mask_of(watched: Watched, kept: Sequence[Corners] = ()) -> bytes:
    """The cells that count, 288 bytes (`vonggac.motion.region`).

    Raises Invalid("region"), or Invalid("masks") where the camera's own ones leave nothing of it.
    """
    shown = (
        region.union(region.polygon(points) for points in watched.regions)
        if watched.regions
        else region.EVERYWHERE
    )
    if watched.masks:
        shown = region.without(shown, region.union(region.polygon(p) for p in watched.masks))
    if shown == NO_CELLS:
        raise Invalid("region", "the region has no cell: it is masked out")
    if kept:
        shown = region.without(shown, region.union(map(region.polygon, kept)))
    if shown == NO_CELLS:
        raise Invalid("masks", "all of the region lies behind masks that the camera has")
    return shown


def groups(query: MotionQuery, *, is_heat: bool = False) -> list[tuple[str, tuple[bytes, ...]]]:
    """The words of each line that the search needs, and the cameras in it (at most 16)."""
    by_words: dict[str, list[Watched]] = {}
    for watched in query.cameras:
        by_words.setdefault(words_of(query, watched, is_heat=is_heat), []).append(watched)
    lines = []
    for words, cameras in by_words.items():
        for at in range(0, len(cameras), STREAMS_MAX):
            few = cameras[at : at + STREAMS_MAX]
            lines.append((words + _kept_words(few), tuple(one.camera for one in few)))
    return lines


def words_of(query: MotionQuery, watched: Watched, *, is_heat: bool = False) -> str:
    """Where in this camera's picture, how much and when.

    Masks are named, too: what all but a door is left out of is a search of that door. Those that
    the camera has are named in the line (`groups`).
    """
    if is_heat:
        return "heat of the whole picture"
    where = "; ".join(map(_points, watched.regions)) if watched.regions else "the whole picture"
    words = f"{'motion' if query.marks is None else _marks(query.marks)} in {where}"
    if watched.masks:
        words += f", without {'; '.join(map(_points, watched.masks))}"
    if query.cells_min > 1 and query.marks is None:
        words += f", at least {query.cells_min} cells"
    if query.hours is not None:
        offset = f"{query.utc_offset_minutes // 60:+03d}:{query.utc_offset_minutes % 60:02d}"
        words += f", {_clock(query.hours[0])} to {_clock(query.hours[1])} {offset}"
    return words


def _marks(kinds: list[str]) -> str:
    """In the order of the list of kinds, so that the same question has the same words."""
    sought = ", ".join(kind for kind in MarkKind if kind in kinds)
    return f"marks of {sought or 'all kinds'}"


def _kept_words(cameras: Sequence[Watched]) -> str:
    """By number: the line that says a mask was made has its corners."""
    named = [(" ".join(map(str, one.kept)), at) for at, one in enumerate(cameras, 1) if one.kept]
    if not named:
        return ""
    if len(cameras) == 1:
        return f", without its masks {named[0][0]}"
    return ", without masks " + ", ".join(f"{numbers} of camera {at}" for numbers, at in named)


def _points(points: Points) -> str:
    if not all(math.isfinite(part) for point in points for part in point):
        raise Invalid("region", "a region needs finite numbers")
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(part: float) -> str:
    return f"{part:.{_PRECISION}f}".rstrip("0").rstrip(".") or "0"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
