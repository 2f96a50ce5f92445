"""Why footage of a day is there, or is not any more."""

from __future__ import annotations

from vonggac.media.chunk import GapReason
from vonggac.store.retention import DAY_NS, HOUR_NS, Limits
from vonggac.store.timeline import Gap, Range, Timeline
from vonggac.store.whereabouts import Grave, Kind, Span, whereabouts

DAY = 1_760_000_000 * 1_000_000_000
NOW = DAY + 5 * DAY_NS
KEPT = Limits(3, 30, 5, "camera")


def hours(n: float) -> int:
    return DAY + int(n * HOUR_NS)


def seen(ranges: list[tuple[int, int]], gaps: list[tuple[int, int, int]] | None = None) -> Timeline:
    found = tuple(Range(start, end, 1, 1) for start, end in ranges)
    return Timeline(found, tuple(Gap(*gap) for gap in gaps or ()), None)


def test_what_is_recorded_says_until_when_it_is_promised_and_when_it_goes() -> None:
    (span,) = whereabouts(seen([(hours(0), hours(24))]), [], [], KEPT, NOW)
    assert span.kind is Kind.RECORDED
    assert span.promised_until_ns == DAY + 3 * DAY_NS
    assert span.erased_from_ns == DAY + 30 * DAY_NS


def test_what_is_over_and_not_erased_yet_is_expired() -> None:
    limits = Limits(3, 4, 5, "agreement")
    (span,) = whereabouts(seen([(hours(0), hours(2))]), [], [], limits, NOW)
    assert (span.kind, span.days, span.by, span.gone_ns) == (Kind.EXPIRED, 4, "agreement", None)


def test_a_lock_cuts_out_what_it_holds() -> None:
    spans = whereabouts(seen([(hours(0), hours(9))]), [(hours(3), hours(4))], [], KEPT, NOW)
    assert [(s.from_ns, s.to_ns, s.kind) for s in spans] == [
        (hours(0), hours(3), Kind.RECORDED),
        (hours(3), hours(4), Kind.LOCKED),
        (hours(4), hours(9), Kind.RECORDED),
    ]


def test_a_hole_tells_what_was_erased_recycled_and_never_recorded() -> None:
    line = seen(
        [(hours(8), hours(9))],
        [(hours(0), hours(8), int(GapReason.UNKNOWN)), (hours(9), hours(10), GapReason.NETWORK)],
    )
    graves = [
        Grave(hours(1), hours(2), "expired", 30, "agreement", NOW - 9),
        Grave(hours(2), hours(3), "expired", 30, "agreement", NOW - 5),
        Grave(hours(4), hours(8), "recycled", 0, "", NOW - 7),
    ]
    spans = whereabouts(line, [], graves, KEPT, NOW)
    assert [(s.from_ns, s.to_ns, s.kind, s.gone_ns) for s in spans] == [
        (hours(0), hours(1), Kind.NOTHING, None),
        (hours(1), hours(3), Kind.EXPIRED, NOW - 5),
        (hours(3), hours(4), Kind.NOTHING, None),
        (hours(4), hours(8), Kind.RECYCLED, NOW - 7),
        (hours(8), hours(9), Kind.RECORDED, None),
        (hours(9), hours(10), Kind.NOTHING, None),
    ]
    assert spans[-1] == Span(hours(9), hours(10), Kind.NOTHING, gap_reason=int(GapReason.NETWORK))
