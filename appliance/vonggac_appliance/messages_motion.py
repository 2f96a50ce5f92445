"""What `vonggac motion run` is asked on its socket `motion`, and what it answers.

ZeroMQ ROUTER over `ipc://` below HOME/run; a message is one frame, a tagged struct in MessagePack.
Answers to a search come in batches; after `WINDOW` of them the asker says `MoreMotion` for each one
it has used, so that a slow asker costs no memory and one that is gone is soon forgotten. Fields are
added at the end with a default, never changed. Nothing is found for anybody without receipts of the
audit chain for exactly this question (`search_words`).
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from vonggac_appliance.sockets import socket_path

__all__ = [
    "WINDOW",
    "AskHeat",
    "AskMarks",
    "AskMotion",
    "AskMotionStatus",
    "CancelMotion",
    "MarkFound",
    "MarksFound",
    "MoreMotion",
    "Motion",
    "MotionCoarse",
    "MotionCovered",
    "MotionDone",
    "MotionHeat",
    "MotionHit",
    "MotionHits",
    "MotionOk",
    "MotionQuery",
    "MotionRefused",
    "MotionReply",
    "MotionStatusReply",
    "MotionStream",
    "Points",
    "RebuildMotion",
    "Watched",
    "motion_path",
]

WINDOW = 8
"""Answers of one search under way without a `MoreMotion`."""

Points = list[tuple[float, float]]
"""Corners in order, 0..1 from the top left; a rectangle is its four."""


class Watched(msgspec.Struct, frozen=True):
    """A camera of a search, and where in its picture."""

    camera: bytes
    regions: list[Points] = []
    """A cell that any of them touches counts; none: the whole picture."""
    masks: list[Points] = []
    """Cells that any of these touches do not count, such as a tree's."""
    kept: list[int] = []
    """Numbers of masks that the catalog has of this camera: left out in the same way."""


class MotionQuery(msgspec.Struct, frozen=True):
    """What is searched: [from_ns, to_ns) of each camera."""

    cameras: list[Watched]
    from_ns: int
    to_ns: int
    cells_min: int = 1
    """So many cells of the region in the same second."""
    hours: tuple[int, int] | None = None
    """Minutes of the day [from, to), past midnight where to is not after from; None: all day."""
    utc_offset_minutes: int = 420
    """Of the clock that `hours` mean."""
    limit: int = 1000
    """Hits at most; the newest come first."""
    join_s: int = 2
    """Seconds without motion that a hit passes over."""
    marks: list[str] | None = None
    """Kinds of marks that are sought, none: all; None: motion is. Of marks `cells_min` and `join_s`
    do not count."""


class AskMotion(msgspec.Struct, frozen=True, tag="ask-motion"):
    """Where did anything move? MotionCovered, MotionCoarse, MotionHits…, MotionDone."""

    number: int
    """Chosen by who asks, repeated in every answer."""
    query: MotionQuery
    receipts: list[bytes]
    """Of the audit chain: together they name every camera of the query."""
    v: int = 1


class AskHeat(msgspec.Struct, frozen=True, tag="ask-heat"):
    """How often did each cell move? A MotionHeat for each camera, then MotionDone.

    Regions, masks, hours and `cells_min` of the query do not count; `kept` does.
    """

    number: int
    query: MotionQuery
    receipts: list[bytes]
    v: int = 1


class AskMarks(msgspec.Struct, frozen=True, tag="ask-marks"):
    """What did programs say they saw? MarksFound…, MotionDone. `query.marks` is there."""

    number: int
    query: MotionQuery
    receipts: list[bytes]
    v: int = 1


class MoreMotion(msgspec.Struct, frozen=True, tag="more"):
    """One answer was used."""

    number: int
    v: int = 1


class CancelMotion(msgspec.Struct, frozen=True, tag="cancel"):
    """Nobody wants the rest; it is not answered."""

    number: int
    v: int = 1


class AskMotionStatus(msgspec.Struct, frozen=True, tag="ask-status"):
    """How far is the index? MotionStatusReply."""

    number: int = 0
    v: int = 1


class RebuildMotion(msgspec.Struct, frozen=True, tag="rebuild"):
    """Forgets [from_ns, to_ns) of these cameras and indexes it anew from the ring. MotionOk."""

    number: int
    cameras: list[bytes]
    from_ns: int
    to_ns: int
    v: int = 1


Motion = (
    AskMotion | AskHeat | AskMarks | MoreMotion | CancelMotion | AskMotionStatus | RebuildMotion
)


class MotionCovered(msgspec.Struct, frozen=True, tag="covered"):
    """What of the range the index knows of a camera; elsewhere nobody can say what moved."""

    number: int
    camera: bytes
    ranges: list[tuple[int, int]]
    """Unix seconds, half open, oldest first; at most 1,000, the newest."""
    v: int = 1
    masks: list[int] = []
    """Of the camera's own ones, those that are left out; none where this is said again."""
    complete_from_s: int = 0
    """Other than 0: earlier ranges were too many to be told."""


class MotionCoarse(msgspec.Struct, frozen=True, tag="coarse"):
    """Two-minute stretches in which something may have moved there; the hits say when."""

    number: int
    camera: bytes
    ranges: list[tuple[int, int]]
    """Unix seconds, half open."""
    v: int = 1


class MotionHit(msgspec.Struct, frozen=True):
    """Motion in the region from `from_s` until `to_s`, unix seconds, half open."""

    camera: bytes
    from_s: int
    to_s: int
    strongest_s: int
    cells: int
    """Of the region, in the strongest second."""
    tier: str
    """`full`, or `key`: from key frames alone, to their distance (10 s at most); some is missed."""
    is_global: bool = False
    """Nearly the whole picture changed in every second of it, as when a light is switched."""


class MotionHits(msgspec.Struct, frozen=True, tag="hits"):
    """The next ones, of each camera the newest first."""

    number: int
    hits: list[MotionHit]
    v: int = 1


class MotionHeat(msgspec.Struct, frozen=True, tag="heat"):
    """Of a camera."""

    number: int
    camera: bytes
    counts: list[int]
    """Seconds with motion of each of 64 x 36 cells, row by row."""
    seconds: int
    """Indexed seconds in the range."""
    v: int = 1
    masks: list[int] = []
    """Of the camera's own ones, those that are left out: 0 there."""


class MarkFound(msgspec.Struct, frozen=True):
    """A program says that it saw something: no fact before a person has looked."""

    camera: bytes
    from_ns: int
    to_ns: int
    kind: str
    """A word of `vonggac.motion.marks.MarkKind`, or of a newer program's."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom in parts of the picture."""
    score: float
    """How sure the program is, 0 to 1; its own measure."""
    hook: int
    """Whose program says so."""
    name: str
    """As the grant calls it."""


class MarksFound(msgspec.Struct, frozen=True, tag="marks"):
    """The next ones of all cameras together, by their ends, the newest first."""

    number: int
    marks: list[MarkFound]
    v: int = 1


class MotionDone(msgspec.Struct, frozen=True, tag="done"):
    """The end of a search."""

    number: int
    cameras: int
    seconds_searched: int
    """Indexed seconds in the range, of all cameras together."""
    elapsed_ms: int
    is_limited: bool = False
    """There may be more hits than `limit`."""
    v: int = 1
    complete_from_ns: int = 0
    """Of marks: all that end after it were told; 0: all of the range."""


class MotionStream(msgspec.Struct, frozen=True):
    """How a camera is indexed."""

    camera: bytes
    stream: str
    """`main` or `sub`."""
    tier: str
    """`full`, `key`, or `none`: it cannot be decoded here, and `what` says why."""
    indexed_until_ns: int
    """0: nothing is yet."""
    behind_s: int
    """Recorded and not indexed: the newest part of it."""
    backlog_s: int
    """Older footage that is still to be indexed."""
    cpu_permille: int
    """Of one core, over the last half minute."""
    what: str = ""
    code: str = ""
    """What people call the camera."""


class MotionStatusReply(msgspec.Struct, frozen=True, tag="status"):
    """Everything at once."""

    number: int
    streams: list[MotionStream]
    cpu_permille: int
    cpu_budget_permille: int
    index_bytes: int
    skipped: int
    """Chunks that could not be decoded, since the process began."""
    at_ns: int
    v: int = 1


class MotionOk(msgspec.Struct, frozen=True, tag="ok"):
    """Done, or begun."""

    number: int
    v: int = 1


class MotionRefused(msgspec.Struct, frozen=True, tag="refused"):
    """Nothing more comes. `code`: receipt, malformed, region, busy, stopping, failed."""

    number: int
    code: str
    what: str
    v: int = 1


MotionReply = (
    MotionCovered
    | MotionCoarse
    | MotionHits
    | MotionHeat
    | MarksFound
    | MotionDone
    | MotionStatusReply
    | MotionOk
    | MotionRefused
)


def motion_path(home: Path) -> Path:
    """The socket on which `motion run` is asked."""
    return socket_path(home, "motion", "motion.sock")
