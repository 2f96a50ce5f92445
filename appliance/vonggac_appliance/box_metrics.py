"""Figures for monitoring, in Prometheus' text format. `FAMILIES` is the whole list.

Base units, `_total` on what only rises, and no label but a camera's code and its stream: never an
address, a path or a person. docs/ref/metrics.md is checked against the table.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vonggac.ingest.states import State
from vonggac_appliance import bus_control, hook_metrics, motion_metrics
from vonggac_appliance.box_counters import BoxCounters, Histogram, PageCounters
from vonggac_appliance.box_facts import BoxFacts
from vonggac_appliance.recorder_watch import Seen

__all__ = ["CONTENT_TYPE", "FAMILIES", "Family", "Sample", "box_metrics", "text_of"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric's name, kind (gauge, counter, histogram) and what it says."""

    name: str
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A value; `suffix`: of a histogram's parts."""

    family: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


FAMILIES = (
    Family("vonggac_build_info", "gauge", "Version of this program; always 1."),
    Family("vonggac_recorder_up", "gauge", "1 while the recorder answers."),
    Family("vonggac_alarms_open", "gauge", "Alarms that nobody has acknowledged."),
    Family("vonggac_audit_up", "gauge", "1 while the audit chain answers and its log is open."),
    Family("vonggac_audit_lines_total", "counter", "Lines in the audit chain."),
    Family("vonggac_camera_up", "gauge", "1 while the stream is being recorded."),
    Family("vonggac_camera_received_bytes_total", "counter", "Bytes of the stream's connections."),
    Family("vonggac_camera_frames_total", "counter", "Pictures (access units) received."),
    Family("vonggac_camera_rtp_lost_packets_total", "counter", "RTP packets that never came."),
    Family("vonggac_camera_damaged_frames_total", "counter", "Pictures with something lost."),
    Family("vonggac_camera_dropped_frames_total", "counter", "Pictures without room, or in flood."),
    Family("vonggac_camera_reconnects_total", "counter", "Times that video came (again)."),
    Family(
        "vonggac_camera_last_fragment_timestamp_seconds",
        "gauge",
        "Unix time up to which the stream survives a power cut.",
    ),
    Family(
        "vonggac_camera_keyframe_interval_seconds",
        "gauge",
        "Time between the two newest sync samples.",
    ),
    Family(
        "vonggac_camera_habits_total",
        "counter",
        "Times that a camera broke a rule, by the habit's name.",
    ),
    Family(
        "vonggac_recording_gap_seconds_total",
        "counter",
        "Time without recording, of gaps that were closed.",
    ),
    Family(
        "vonggac_storage_write_duration_seconds",
        "histogram",
        "From the first write of a tick to the end of its sync, all disks.",
    ),
    Family("vonggac_storage_written_bytes_total", "counter", "Bytes made durable, all disks."),
    Family("vonggac_storage_capacity_bytes", "gauge", "Size of the rings of all disks."),
    Family("vonggac_storage_used_bytes", "gauge", "Of them, in segments that hold footage."),
    Family("vonggac_storage_pinned_bytes", "gauge", "Of them, in segments that locks hold."),
    Family(
        "vonggac_storage_oldest_fragment_timestamp_seconds",
        "gauge",
        "Unix time of the oldest footage of all disks.",
    ),
    Family("vonggac_storage_loss_bound_seconds", "gauge", "What a power cut may take just now."),
    Family("vonggac_disk_errors_total", "counter", "Times that a disk failed."),
    Family(
        "vonggac_scrub_read_bytes_total", "counter", "Old footage read again and hashed, by disk."
    ),
    Family("vonggac_scrub_faults_total", "counter", "Places that are not as they were written."),
    Family("vonggac_scrub_round_start_timestamp_seconds", "gauge", "When this round of it began."),
    Family("vonggac_scrub_round_done_ratio", "gauge", "How far it has come."),
    Family("vonggac_push_up", "gauge", "1 while the door for cameras that call is open."),
    Family("vonggac_push_publishers", "gauge", "Streams that cameras publish by calling."),
    Family("vonggac_push_calls_total", "counter", "Connections to that door."),
    Family("vonggac_push_refused_total", "counter", "Of them, those that came to nothing."),
    Family(
        "vonggac_certificate_end_timestamp_seconds",
        "gauge",
        "Unix time at which a certificate that is shown ends.",
    ),
    *(Family(*one) for one in motion_metrics.FAMILIES),
    *(Family(*one) for one in hook_metrics.FAMILIES),
    Family("vonggac_live_viewers", "gauge", "Live views that are open."),
    Family(
        "vonggac_http_request_duration_seconds",
        "histogram",
        "From a request to the begin of its answer; sockets are not in it.",
    ),
    Family("vonggac_login_failures_total", "counter", "Times that somebody was not let in."),
    Family("vonggac_clock_synchronised", "gauge", "1 while something keeps the box's clock."),
    Family("vonggac_clock_offset_seconds", "gauge", "How far the box is ahead of chrony's time."),
)


def box_metrics(
    seen: Seen, facts: BoxFacts, counters: BoxCounters, page: PageCounters, live_viewers: int
) -> list[Sample]:
    """Everything that has a source now; what nobody knows is left out rather than said as 0."""
    return [
        Sample("vonggac_build_info", 1, (("version", importlib.metadata.version("vonggac")),)),
        Sample("vonggac_recorder_up", float(seen.is_answering)),
        *_alarms(seen),
        *_streams(seen, counters),
        *_storage(facts, counters),
        *_scrubs(seen),
        *_push(seen),
        *_certificates(seen),
        *(Sample(*one) for one in motion_metrics.samples(facts.motion)),
        *(Sample(*one) for one in hook_metrics.samples(facts.hooks)),
        Sample("vonggac_live_viewers", live_viewers),
        *_histogram("vonggac_http_request_duration_seconds", page.requests()),
        Sample("vonggac_login_failures_total", page.sign_ins_refused),
        *_chain_and_clock(facts),
    ]


def _alarms(seen: Seen) -> Iterator[Sample]:
    if seen.status is not None and seen.is_answering:
        yield Sample("vonggac_alarms_open", seen.status.alarms_open)


def _push(seen: Seen) -> Iterator[Sample]:
    """Nothing where no port is set for cameras that call: most boxes have none."""
    if seen.status is None or seen.status.push is None:
        return
    push = seen.status.push
    yield Sample("vonggac_push_up", float(seen.is_answering and push.is_open))
    yield Sample("vonggac_push_publishers", push.publishing)
    yield Sample("vonggac_push_calls_total", push.calls)
    for reason, count in sorted(push.refused.items()):
        yield Sample("vonggac_push_refused_total", count, (("reason", reason),))


def _certificates(seen: Seen) -> Iterator[Sample]:
    if seen.status is not None:
        for section, ends_ns in sorted(seen.status.certificates.items()):
            labels = (("section", section),)
            yield Sample("vonggac_certificate_end_timestamp_seconds", ends_ns / 1e9, labels)


def text_of(samples: Iterable[Sample]) -> str:
    """The text format: each family once, with its help and type."""
    of: dict[str, list[Sample]] = {}
    for sample in samples:
        of.setdefault(sample.family, []).append(sample)
    lines: list[str] = []
    for family in FAMILIES:
        if found := of.pop(family.name, None):
            lines += [
                f"# HELP {family.name} {_escaped(family.says)}",
                f"# TYPE {family.name} {family.kind}",
                *(_line(sample) for sample in found),
            ]
    assert not of, f"families that are in no table: {list(of)}"
    return "\n".join(lines) + "\n"


def _streams(seen: Seen, counters: BoxCounters) -> Iterator[Sample]:
    cameras: Sequence[bus_control.CameraStatus] = () if seen.status is None else seen.status.cameras
    for camera in cameras:
        habits = {} if camera.learnt is None else camera.learnt.habits
        for habit, count in sorted(habits.items()):
            labels = ("camera", camera.id), ("habit", habit)
            yield Sample("vonggac_camera_habits_total", count, labels)
        for stream in camera.streams:
            labels = ("camera", camera.id), ("stream", stream.name)
            is_up = seen.is_answering and stream.state == State.RECORDING
            yield Sample("vonggac_camera_up", float(is_up), labels)
            if stream.durable_until_ns is not None:
                seconds = stream.durable_until_ns / 1e9
                yield Sample("vonggac_camera_last_fragment_timestamp_seconds", seconds, labels)
            if is_up and stream.keyframe_interval_ms:
                seconds = stream.keyframe_interval_ms / 1e3
                yield Sample("vonggac_camera_keyframe_interval_seconds", seconds, labels)
    for (code, name), sums in sorted(counters.streams().items()):
        labels = ("camera", code), ("stream", name)
        for family, value in (
            ("vonggac_camera_received_bytes_total", sums.size_bytes),
            ("vonggac_camera_frames_total", sums.samples),
            ("vonggac_camera_rtp_lost_packets_total", sums.packets_lost),
            ("vonggac_camera_damaged_frames_total", sums.damaged),
            ("vonggac_camera_dropped_frames_total", sums.dropped),
            ("vonggac_camera_reconnects_total", sums.reconnects),
            ("vonggac_recording_gap_seconds_total", sums.gap_ns / 1e9),
        ):
            yield Sample(family, value, labels)


def _storage(facts: BoxFacts, counters: BoxCounters) -> Iterator[Sample]:
    yield from _histogram("vonggac_storage_write_duration_seconds", counters.ticks())
    yield Sample("vonggac_storage_written_bytes_total", counters.written_bytes)
    yield Sample("vonggac_disk_errors_total", counters.disk_errors)
    if facts.disks:
        capacity_bytes = sum(disk.capacity_bytes for disk in facts.disks)
        yield Sample("vonggac_storage_capacity_bytes", capacity_bytes)
    if facts.disks and all(disk.used_bytes is not None for disk in facts.disks):
        used_bytes = sum(disk.used_bytes or 0 for disk in facts.disks)
        yield Sample("vonggac_storage_used_bytes", used_bytes)
    if facts.disks and all(disk.pinned_bytes is not None for disk in facts.disks):
        pinned_bytes = sum(disk.pinned_bytes or 0 for disk in facts.disks)
        yield Sample("vonggac_storage_pinned_bytes", pinned_bytes)
    oldest = [disk.oldest_ns for disk in facts.disks if disk.oldest_ns is not None]
    if oldest:
        family = "vonggac_storage_oldest_fragment_timestamp_seconds"
        yield Sample(family, min(oldest) / 1e9)
    if facts.loss_bound_ms is not None:
        yield Sample("vonggac_storage_loss_bound_seconds", facts.loss_bound_ms / 1e3)


def _scrubs(seen: Seen) -> Iterator[Sample]:
    for disk in () if seen.status is None else seen.status.disks:
        if disk.scrub is not None:
            labels = (("disk", disk.path),)
            yield Sample("vonggac_scrub_read_bytes_total", disk.scrub.read_bytes, labels)
            yield Sample("vonggac_scrub_faults_total", disk.scrub.faults, labels)
            began_s = disk.scrub.began_ns / 1e9
            yield Sample("vonggac_scrub_round_start_timestamp_seconds", began_s, labels)
            yield Sample("vonggac_scrub_round_done_ratio", disk.scrub.done, labels)


def _histogram(family: str, found: Histogram) -> Iterator[Sample]:
    total = 0
    bounds = [f"{bound_s:g}" for bound_s in found.bounds_s]
    for bound, count in zip([*bounds, "+Inf"], found.counts, strict=True):
        total += count
        yield Sample(family, total, (("le", bound),), "_bucket")
    yield Sample(family, found.sum_s, (), "_sum")
    yield Sample(family, total, (), "_count")


def _chain_and_clock(facts: BoxFacts) -> Iterator[Sample]:
    yield Sample("vonggac_audit_up", float(facts.chain.is_open))
    if facts.chain.is_open:
        yield Sample("vonggac_audit_lines_total", facts.chain.lines)
    if facts.at_ns:
        yield Sample("vonggac_clock_synchronised", float(facts.clock.is_synchronised))
    if facts.clock.offset_s is not None:
        yield Sample("vonggac_clock_offset_seconds", facts.clock.offset_s)


def _line(sample: Sample) -> str:
    name = sample.family + sample.suffix
    labels = ",".join(f'{key}="{_escaped(value, is_label=True)}"' for key, value in sample.labels)
    value = f"{sample.value:.0f}" if float(sample.value).is_integer() else repr(sample.value)
    return f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"


def _escaped(text: str, *, is_label: bool = False) -> str:
    """As the format asks: backslash and newline, and the quote where it would end the label."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if is_label else text
