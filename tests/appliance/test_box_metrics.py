"""Figures for monitoring: the format, the names, and counters that never fall."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from vonggac.store.forecast import forecast
from vonggac_appliance import bus_control, bus_events
from vonggac_appliance.box_counters import BoxCounters, PageCounters
from vonggac_appliance.box_facts import BoxFacts, ChainFacts, ClockFacts, DiskFacts
from vonggac_appliance.box_metrics import FAMILIES, Sample, box_metrics, text_of
from vonggac_appliance.messages_motion import MotionStatusReply, MotionStream
from vonggac_appliance.recorder_watch import Seen

S = 1_000_000_000
NOW = 1_800_000_000 * S
STRANGE = 'a"b\\c\n<script>'


def status(
    run: int, size_bytes: int, code: str = "cam1", **changes: int
) -> bus_control.StatusReply:
    stream = bus_control.StreamStatus(
        name="main",
        state="recording",
        run=run,
        bytes=size_bytes,
        samples=size_bytes // 10,
        packets_lost=size_bytes // 100,
        keyframe_interval_ms=2000,
        durable_until_ns=NOW,
        counted_ns=NOW + size_bytes,
    )
    scrub = bus_control.ScrubStatus(4096, 1, NOW, 0.25)
    disk = bus_control.DiskStatus("d1", "/srv/disk1", "recording", scrub=scrub)
    learnt = bus_control.CameraLearnt(habits={"cseq": 3})
    camera = bus_control.CameraStatus(code, "recording", [stream], learnt=learnt)
    push = bus_control.PushStatus(True, 3, 40, {"key": 5, "crowd": 1})
    return bus_control.StatusReply([camera], [disk], [], NOW, 1, 2, push, {"push": NOW})


def total(counters: BoxCounters, code: str = "cam1") -> int:
    return counters.streams()[code, "main"].size_bytes


def test_habits_of_a_camera_are_counted_by_name() -> None:
    now = status(1, 100)
    learnt = bus_control.CameraLearnt(habits={"cseq": 3, "garbage": 40})
    cameras = [msgspec.structs.replace(now.cameras[0], learnt=learnt)]
    seen = Seen(msgspec.structs.replace(now, cameras=cameras), True)
    found = text_of(box_metrics(seen, BoxFacts(0), BoxCounters(), PageCounters(), 0))
    assert 'vonggac_camera_habits_total{camera="cam1",habit="cseq"} 3\n' in found
    assert 'vonggac_camera_habits_total{camera="cam1",habit="garbage"} 40\n' in found


def test_the_door_for_cameras_that_call_says_whom_it_refused_and_why() -> None:
    now = status(1, 100)
    found = text_of(box_metrics(Seen(now, True), BoxFacts(0), BoxCounters(), PageCounters(), 0))
    assert "vonggac_push_up 1\n" in found
    assert "vonggac_push_publishers 3\n" in found
    assert 'vonggac_push_refused_total{reason="key"} 5\n' in found
    shut = msgspec.structs.replace(now, push=bus_control.PushStatus(is_open=False))
    found = text_of(box_metrics(Seen(shut, True), BoxFacts(0), BoxCounters(), PageCounters(), 0))
    assert "vonggac_push_up 0\n" in found
    none = msgspec.structs.replace(now, push=None)
    found = text_of(box_metrics(Seen(none, True), BoxFacts(0), BoxCounters(), PageCounters(), 0))
    assert "vonggac_push" not in found


def test_a_new_run_adds_to_what_was_before() -> None:
    counters = BoxCounters()
    seen = []
    for run, size in ((1, 100), (1, 500), (2, 30), (2, 400), (5, 7)):
        counters.status(status(run, size))
        seen.append(total(counters))

    assert seen == [100, 500, 530, 900, 907]
    assert counters.streams()["cam1", "main"].samples == 50 + 40 + 0


def test_a_stream_without_a_run_keeps_its_sums() -> None:
    counters = BoxCounters()
    counters.status(status(1, 100))
    away = bus_control.StreamStatus(name="main", state="waiting")
    counters.status(
        bus_control.StatusReply([bus_control.CameraStatus("cam1", "waiting", [away])], [], [], NOW)
    )
    counters.status(status(2, 50))

    assert total(counters) == 150


def test_a_camera_that_was_taken_out_is_not_counted_on() -> None:
    counters = BoxCounters()
    counters.status(status(1, 100))
    counters.status(status(1, 100, code="cam2"))

    assert list(counters.streams()) == [("cam2", "main")]


def test_gaps_ticks_and_failures_are_summed_from_events() -> None:
    counters = BoxCounters()
    counters.status(status(1, 100))
    for event in (
        bus_events.GapClosed("cam1", "main", NOW - 90 * S, NOW - 30 * S, "network", 2),
        bus_events.GapClosed(
            "cam1", "main", NOW, NOW - 5 * S, "network", 3
        ),  # the clock was set back
        bus_events.DurableTick("ab", 30.0, 1000, []),
        bus_events.DurableTick("ab", 9000.0, 500, []),
        bus_events.DiskChanged("ab", "/disk", "failed", "a sync failed"),
        bus_events.DiskChanged("ab", "/disk", "recording", ""),
    ):
        counters.event(event, NOW)

    sums = counters.streams()["cam1", "main"]
    assert (sums.reconnects, sums.gap_ns) == (2, 60 * S)
    ticks = counters.ticks()
    assert (sum(ticks.counts), ticks.counts[2], ticks.counts[-1]) == (2, 1, 1)
    assert ticks.sum_s == pytest.approx(9.03)
    assert (counters.written_bytes, counters.disk_errors) == (1500, 1)


def test_the_rate_of_a_disk_is_of_the_last_day() -> None:
    counters = BoxCounters()
    for minute in range(3 * 1440):
        size = 6_000_000 if minute < 2 * 1440 else 60_000_000
        counters.event(bus_events.DurableTick("ab", 1.0, size, []), NOW + minute * 60 * S)
        if minute == 5:
            assert counters.written("ab", NOW + minute * 60 * S) is None  # too little seen

    rate, over_ns = counters.written("ab", NOW + 3 * 1440 * 60 * S) or (0.0, 0)
    assert rate == pytest.approx(1_000_000, rel=0.01)
    assert over_ns == 86_400 * S
    assert counters.written("cd", NOW) is None


def facts() -> BoxFacts:
    told = forecast(1, 1, 1, 2, None)
    disk = DiskFacts("ab", "/disk", "recording", 1000, 400, NOW - S, 12.5, 1262.5, told, 200)
    chain = ChainFacts(True, True, 17, "00" * 32)
    streams = [
        MotionStream(b"c" * 16, "sub", "full", NOW, 2, 600, 7, code="cam1"),
        MotionStream(b"d" * 16, "main", "key", NOW, 0, 0, 60, code="cam2"),
    ]
    motion = MotionStatusReply(1, streams, 67, 500, 4711, 3, NOW)
    hooks = bus_events.HookCounts([bus_events.HookCount(3, 7, {"full": 2, "camera": 1})], 4096, NOW)
    return BoxFacts(NOW, (disk,), ClockFacts(True, -0.25), (), chain, motion, (hooks, True))


def everything() -> str:
    counters = BoxCounters()
    counters.status(status(1, 123))
    counters.event(bus_events.GapClosed("cam1", "main", NOW - S, NOW, "network", 2), NOW)
    counters.event(bus_events.DurableTick("ab", 30.0, 1000, []), NOW)
    page = PageCounters()
    page.request(0.03)
    page.sign_in_refused()
    return text_of(box_metrics(Seen(status(1, 123), True, NOW), facts(), counters, page, 3))


def test_every_family_has_its_help_and_type_before_its_values() -> None:
    text = everything()
    sample = re.compile(r'^([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (-?[0-9.e+-]+)$')
    for family in FAMILIES:
        head = f"# HELP {family.name} {family.says}\n# TYPE {family.name} {family.kind}\n"
        assert text.count(head) == 1, family.name
        values = text.split(head)[1].split("# HELP")[0].splitlines()
        assert values
        for line in values:
            found = sample.match(line)
            assert found and found[1].startswith(family.name), line
    assert text.endswith("\n")


def test_marks_are_counted_by_hook_and_why_they_were_refused() -> None:
    text = text_of(box_metrics(Seen(status(1, 1000), True), facts(), *both(), 0))
    assert "vonggac_hooks_up 1\n" in text
    assert 'vonggac_hook_marks_total{hook="3"} 7\n' in text
    assert 'vonggac_hook_marks_refused_total{hook="3",reason="full"} 2\n' in text
    assert "vonggac_hook_marks_bytes 4096\n" in text

    told = facts().hooks
    assert told is not None
    silent = replace(facts(), hooks=(told[0], False))
    text = text_of(box_metrics(Seen(None, False), silent, *both(), 0))
    assert "vonggac_hooks_up 0\n" in text and "vonggac_hook_marks" not in text
    text = text_of(box_metrics(Seen(None, False), replace(silent, hooks=None), *both(), 0))
    assert "vonggac_hook" not in text


def both() -> tuple[BoxCounters, PageCounters]:
    return BoxCounters(), PageCounters()


def test_the_motion_index_says_how_far_it_is_and_who_is_not_decoded_whole() -> None:
    text = everything()
    assert "vonggac_motion_up 1\n" in text
    assert 'vonggac_motion_backlog_seconds{camera="cam1",stream="sub"} 600\n' in text
    assert 'vonggac_motion_whole{camera="cam1",stream="sub"} 1\n' in text
    assert 'vonggac_motion_whole{camera="cam2",stream="main"} 0\n' in text
    assert "vonggac_motion_cpu_cores 0.067\n" in text
    away = BoxFacts(0)
    seen = Seen(status(1, 100), True)
    without = text_of(box_metrics(seen, away, BoxCounters(), PageCounters(), 0))
    assert "vonggac_motion_up 0\n" in without
    assert "vonggac_motion_behind" not in without


def test_names_carry_base_units_and_counters_their_total() -> None:
    for family in FAMILIES:
        assert family.name.startswith("vonggac_")
        assert (family.kind == "counter") == family.name.endswith("_total"), family.name
        assert not re.search(r"_(ms|ns|percent|kb|mb)(_|$)", family.name)


def test_the_values_are_those_that_were_told() -> None:
    text = everything()
    labels = '{camera="cam1",stream="main"}'
    for line in (
        f"vonggac_camera_up{labels} 1",
        f"vonggac_camera_received_bytes_total{labels} 123",
        f"vonggac_camera_last_fragment_timestamp_seconds{labels} 1800000000",
        f"vonggac_recording_gap_seconds_total{labels} 1",
        'vonggac_storage_write_duration_seconds_bucket{le="0.025"} 0',
        'vonggac_storage_write_duration_seconds_bucket{le="0.05"} 1',
        'vonggac_storage_write_duration_seconds_bucket{le="+Inf"} 1',
        "vonggac_storage_write_duration_seconds_sum 0.03",
        "vonggac_storage_loss_bound_seconds 1.2625",
        "vonggac_storage_pinned_bytes 200",
        "vonggac_audit_lines_total 17",
        "vonggac_alarms_open 2",
        'vonggac_certificate_end_timestamp_seconds{section="push"} 1800000000',
        "vonggac_live_viewers 3",
        'vonggac_http_request_duration_seconds_bucket{le="0.05"} 1',
        "vonggac_login_failures_total 1",
        "vonggac_clock_offset_seconds -0.25",
    ):
        assert f"\n{line}\n" in text, line


def test_labels_are_escaped() -> None:
    labels = (("camera", STRANGE),)
    line = text_of([Sample("vonggac_camera_up", 1, labels)]).splitlines()[-1]

    assert line == 'vonggac_camera_up{camera="a\\"b\\\\c\\n<script>"} 1'


def test_what_nobody_knows_is_left_out() -> None:
    text = text_of(box_metrics(Seen(), BoxFacts(0), BoxCounters(), PageCounters(), 0))

    assert "vonggac_recorder_up 0" in text and "vonggac_audit_up 0" in text
    for name in ("camera_up", "clock_", "capacity", "used_bytes", "oldest", "loss_bound"):
        assert name not in text, name


def test_a_recorder_that_is_away_records_nothing() -> None:
    text = text_of(
        box_metrics(Seen(status(1, 5), False, NOW), facts(), BoxCounters(), PageCounters(), 0)
    )

    assert 'vonggac_camera_up{camera="cam1",stream="main"} 0' in text


def test_the_reference_names_every_metric_and_no_other(root: Path) -> None:
    text = (root / "docs/ref/metrics.md").read_text()
    rows = dict(re.findall(r"^\| `(vonggac_\w+)` \| (\w+) \|", text, re.MULTILINE))

    assert rows == {family.name: family.kind for family in FAMILIES}


def test_the_scrub_is_told_by_disk() -> None:
    text = everything()
    assert 'vonggac_scrub_faults_total{disk="/srv/disk1"} 1\n' in text
    assert 'vonggac_scrub_round_done_ratio{disk="/srv/disk1"} 0.25\n' in text
