"""Why footage of a camera is still there, or is not any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from vonggac.store.retention import DAY_NS, Limits
from vonggac.store.timeline import Gap, Timeline

__all__ = ["Grave", "Kind", "Span", "whereabouts"]

Range = tuple[int, int]


class Kind(Enum):
    """What has become of a span of time."""

    RECORDED = "recorded"
    LOCKED = "locked"
    EXPIRED = "expired"
    """Older than it may be kept: it is zeroed within a day, or was."""
    RECYCLED = "recycled"
    """The ring was full."""
    NOTHING = "nothing"
    """Nothing was recorded, or nobody knows."""


@dataclass(frozen=True, slots=True)
class Grave:
    """A tombstone's part that matters here."""

    from_ns: int
    to_ns: int
    rule: str
    days: int
    by: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time with one answer."""

    from_ns: int
    to_ns: int
    kind: Kind
    promised_until_ns: int | None = None
    """Of what is recorded: the last of it may go first then."""
    erased_from_ns: int | None = None
    """Of what is recorded: the first of it is due then; None: never by time."""
    gone_ns: int | None = None
    """When it was given up or erased."""
    days: int = 0
    """Of what has expired: it was older than that."""
    by: str = ""
    """Who set the days."""
    gap_reason: int | None = None


def whereabouts(
    seen: Timeline, locked: Sequence[Range], graves: Iterable[Grave], limits: Limits, now_ns: int
) -> list[Span]:
    """Every span of a timeline with its answer, in order. `locked`: merged ranges, in order."""
    told = sorted(graves, key=lambda grave: grave.at_ns)
    spans: list[Span] = []
    for one in seen.ranges:
        for from_ns, to_ns, is_locked in _cut((one.from_ns, one.to_ns), locked):
            spans.append(_recorded(from_ns, to_ns, is_locked, limits, now_ns))
    for gap in seen.gaps:
        spans += _gone(gap, told)
    return sorted(spans, key=lambda span: (span.from_ns, span.to_ns))


def _recorded(from_ns: int, to_ns: int, is_locked: bool, limits: Limits, now_ns: int) -> Span:
    if is_locked:
        return Span(from_ns, to_ns, Kind.LOCKED)
    due_ns = None if limits.days_max is None else from_ns + limits.days_max * DAY_NS
    is_over = limits.days_max is not None and to_ns + limits.days_max * DAY_NS <= now_ns
    return Span(
        from_ns,
        to_ns,
        Kind.EXPIRED if is_over else Kind.RECORDED,
        promised_until_ns=from_ns + limits.days_min * DAY_NS,
        erased_from_ns=due_ns,
        days=limits.days_max or 0,
        by=limits.by,
    )


def _gone(gap: Gap, graves: Sequence[Grave]) -> list[Span]:
    """A gap, with the tombstones that lie in it; the rest was never recorded."""
    left: list[Range] = [(gap.from_ns, gap.to_ns)]
    spans: list[Span] = []
    for grave in graves:
        rest: list[Range] = []
        for whole in left:
            for from_ns, to_ns, is_hit in _cut(whole, [(grave.from_ns, grave.to_ns)]):
                if not is_hit:
                    rest.append((from_ns, to_ns))
                    continue
                kind = Kind.RECYCLED if grave.rule == "recycled" else Kind.EXPIRED
                spans.append(
                    Span(
                        from_ns,
                        to_ns,
                        kind,
                        gone_ns=grave.at_ns,
                        days=grave.days,
                        by=grave.by,
                    )
                )
        left = rest
    spans += [Span(start, end, Kind.NOTHING, gap_reason=gap.reason) for start, end in left]
    return _joined(sorted(spans, key=lambda span: span.from_ns))


def _joined(spans: list[Span]) -> list[Span]:
    """Neighbours with one answer: a day of a busy camera has hundreds of tombstones."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if (
            last is not None
            and span.from_ns <= last.to_ns + 1_000_000_000
            and (last.kind, last.days, last.by, last.gap_reason)
            == (span.kind, span.days, span.by, span.gap_reason)
        ):
            gone_ns = max(last.gone_ns or 0, span.gone_ns or 0) or None
            joined[-1] = Span(
                last.from_ns,
                max(last.to_ns, span.to_ns),
                span.kind,
                gone_ns=gone_ns,
                days=span.days,
                by=span.by,
                gap_reason=span.gap_reason,
            )
        else:
            joined.append(span)
    return joined


def _cut(whole: Range, by: Sequence[Range]) -> list[tuple[int, int, bool]]:
    """The parts of a range, and whether one of `by` covers them."""
    at, end = whole
    parts: list[tuple[int, int, bool]] = []
    for from_ns, to_ns in by:
        if to_ns <= at or from_ns >= end:
            continue
        if from_ns > at:
            parts.append((at, from_ns, False))
        parts.append((max(at, from_ns), min(end, to_ns), True))
        at = min(end, to_ns)
    if at < end:
        parts.append((at, end, False))
    return parts
