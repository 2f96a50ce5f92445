"""`vonggac retention`, and what `camera add` foretells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit_rig import audit_run
from vonggac.evidence import ledger
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog, DiskRow
from vonggac.registry.retention import Classes, ClassLimits
from vonggac_appliance import bus_control
from vonggac_appliance.admission import admission
from vonggac_appliance.cli import main
from vonggac_appliance.graves import graves_of

GIGA = 1 << 30
CLASSES = Classes(ClassLimits(30, None, 5), {})
DISK = DiskRow(b"d" * 16, "/disk", 1024, 1 << 20, 0)


def camera(code: str) -> Camera:
    stream = Stream(code.encode().ljust(16, b"s"), "main", "rtsp://127.0.0.1/x")
    return Camera(code.encode().ljust(16, b"c"), code, (stream,), 0, owner_kind=OwnerKind.STATE)


def disk_told(tick_ms: float = 0.0, **rates: int) -> bus_control.DiskRetention:
    streams = [
        bus_control.StreamRetention(camera(n).streams[0].id, camera(n).id, 1, 0, 1, rate)
        for n, rate in rates.items()
    ]
    return bus_control.DiskRetention(
        "d", "/disk", GIGA, 0, 0, 0, "", False, None, 0, [], tick_ms, streams
    )


@pytest.fixture
def box(home: Path) -> Path:
    with Catalog(home) as catalog:
        catalog.add_camera(camera("cam1"))
        catalog.enrol_disk(DISK)
    return home


def run(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["--home", str(home), *words])
    return code, capsys.readouterr().out


def test_limits_are_set_and_shown_with_whose_word_they_are(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("retention", "set", "cam1", "--days-min", "7", "--days-max", "14", "--json")
    code, out = run(box, capsys, *words)
    expected = {"days_min": 7, "days_max": 14, "priority": 5, "min_by": "camera"}
    assert code == 0 and expected.items() <= json.loads(out).items()
    assert run(box, capsys, "retention", "set", "cam1", "--days-max", "-")[0] == 0
    out = run(box, capsys, "retention", "show", "cam1", "--json")[1]
    (row,) = json.loads(out)["cameras"]
    assert (row["days_min"], row["days_max"], row["oldest"]) == (7, None, None)


@pytest.mark.parametrize(
    "words",
    [
        ("set", "cam1"),
        ("set", "cam1", "--days-max", "ten"),
        ("set", "cam1", "--priority", "10"),
        ("show", "--day", "2026-11-21"),
        ("show", "cam1", "--day", "yesterday"),
    ],
)
def test_what_is_no_limit_and_no_day_is_wrong_usage(box: Path, words: tuple[str, ...]) -> None:
    assert main(["--home", str(box), "retention", *words]) == 2


def test_a_camera_that_was_taken_out_is_shown_with_its_limits(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(box, capsys, "retention", "set", "cam1", "--days-max", "9")
    run(box, capsys, "camera", "remove", "cam1")
    (row,) = json.loads(run(box, capsys, "retention", "show", "--json")[1])["cameras"]
    assert (row["id"], row["removed"], row["days_max"]) == ("cam1", True, 9)


def test_a_promise_that_would_break_is_foretold_from_measured_rates() -> None:
    told = [disk_told(cam1=GIGA // 20)]
    now = admission([camera("cam1")], None, CLASSES, [DISK], told)
    assert now is not None and now.outlook.holds_days == pytest.approx(20, rel=0.01)

    more = admission([camera("cam1")], camera("cam2"), CLASSES, [DISK], told)
    assert more is not None and more.is_at_risk and not more.is_assumed
    assert more.sentence() == "10.0 days at the present rate; 30 promised; at risk: cam1, cam2"


def test_seeks_are_counted_where_a_disk_has_been_busy() -> None:
    told = [disk_told(tick_ms=500.0, cam1=1000)]
    full = admission([camera("cam1")], camera("cam2"), CLASSES, [DISK], told)
    assert full is not None and full.is_at_risk
    assert "2 of 1 streams of the disks' seeks" in full.sentence()


def test_strict_refuses_a_camera_and_without_it_the_sentence_is_said(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--home", str(box), "camera", "add", "cam2", "--url", "rtsp://127.0.0.1/x"]
    assert main([*words, "--strict"]) == 1
    assert "cam2 is not added" in capsys.readouterr().err
    assert main(words) == 0
    assert "30 promised; at risk: cam1, cam2" in capsys.readouterr().err


def test_the_ledgers_tombstones_of_a_stream_are_found(home: Path) -> None:
    stream = b"s" * 16
    entry: ledger.Entry = {
        "at_ns": 99,
        "by": "camera",
        "days": 3,
        "from_ns": 10,
        "rule": "expired",
        "stream": stream.hex(),
        "to_ns": 20,
    }
    other = entry | {"stream": (b"o" * 16).hex()}
    folder = home / "ledger" / "tombstones" / "2026-11-22"
    folder.mkdir(parents=True)
    lines = [ledger.canonical_text(line) for line in (entry, other)]
    (folder / "101500.000Z-0123456789abcdef.jsonl").write_text("\n".join([*lines, "no line"]))

    (grave,) = graves_of(home, {stream}, 0, 15)
    assert (grave.rule, grave.days, grave.by, grave.at_ns) == ("expired", 3, "camera", 99)
    assert graves_of(home, {stream}, 20, 30) == []


def test_nothing_is_confirmed_that_the_audit_chain_does_not_hold(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(box), "retention", "confirm"]) != 0
    assert "not erased unlogged" in capsys.readouterr().err
    with audit_run(box):
        assert main(["--home", str(box), "retention", "confirm"]) != 0
    assert "unlogged" not in capsys.readouterr().err, "the recorder alone is missing"
