"""What monitoring is told of the motion index. `FAMILIES`: name, kind, what it says."""

from __future__ import annotations

from collections.abc import Iterator

from vonggac_appliance.messages_motion import MotionStatusReply

__all__ = ["FAMILIES", "samples"]

FAMILIES = (
    ("vonggac_motion_up", "gauge", "1 while the motion process answers."),
    ("vonggac_motion_behind_seconds", "gauge", "Newest footage that is not indexed yet."),
    ("vonggac_motion_backlog_seconds", "gauge", "Older footage that is to be indexed."),
    ("vonggac_motion_whole", "gauge", "1 while all pictures are decoded, 0: key frames or none."),
    ("vonggac_motion_cpu_cores", "gauge", "Of CPU that decoding takes, over half a minute."),
    ("vonggac_motion_cpu_budget_cores", "gauge", "Of CPU that it may take."),
    ("vonggac_motion_index_bytes", "gauge", "Size of the motion index."),
    ("vonggac_motion_skipped_chunks_total", "counter", "Chunks that could not be decoded."),
)

_Sample = tuple[str, float, tuple[tuple[str, str], ...]]
"""Family, value, labels."""


def samples(told: MotionStatusReply | None) -> Iterator[_Sample]:
    """`told`: None where the motion process does not answer."""
    yield "vonggac_motion_up", float(told is not None), ()
    if told is None:
        return
    for one in told.streams:
        labels = ("camera", one.code), ("stream", one.stream)
        yield "vonggac_motion_behind_seconds", one.behind_s, labels
        yield "vonggac_motion_backlog_seconds", one.backlog_s, labels
        yield "vonggac_motion_whole", float(one.tier == "full"), labels
    yield "vonggac_motion_cpu_cores", told.cpu_permille / 1000, ()
    yield "vonggac_motion_cpu_budget_cores", told.cpu_budget_permille / 1000, ()
    yield "vonggac_motion_index_bytes", told.index_bytes, ()
    yield "vonggac_motion_skipped_chunks_total", told.skipped, ()
