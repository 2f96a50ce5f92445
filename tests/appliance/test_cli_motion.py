"""`vonggac motion …` before anything is found: what is typed, and what is logged."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_rig import audit_run, chain_of, vonggac
from footage_maker import CAMERA_ROW, make_home
from vonggac.errors import Invalid
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac_appliance.cli_motion_search import points_of

_SEARCH = ("motion", "search", "cam1", "--from", "-1h", "--to", "now")


def test_a_rectangle_is_its_four_corners() -> None:
    assert points_of("0.25,0.5,0.5,0.25") == [
        (0.25, 0.5), (0.75, 0.5), (0.75, 0.75), (0.25, 0.75),
    ]  # fmt: skip


def test_a_polygon_is_read_with_spaces_commas_or_semicolons() -> None:
    corners = [(0.1, 0.2), (0.3, 0.2), (0.3, 0.5)]
    assert points_of("0.1,0.2 0.3,0.2 0.3,0.5") == corners
    assert points_of("0.1, 0.2; 0.3, 0.2; 0.3, 0.5") == corners


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.1,0.2",
        "0.1,0.2,0.3",
        "0.1,0.2,0.3,0.4,0.5",
        "a,b,c,d",
        "0.1,0.1,-0.5,0.5",
        "0.1,0.1,0,0.5",
        "0.8,0.1,0.5,0.5",
        "nan,0.1,0.5,0.5",
        "0.1,0.1 0.9,0.9 0.9,0.1 0.1,0.9",
    ],
)
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        points_of(text)

    assert refused.value.field == "region"


@pytest.mark.parametrize(
    "words",
    [
        ("--region", "0.1,0.1,0,0"),
        ("--region", "cam2=0,0,0.5,0.5"),
        ("--region", "cam1="),
        ("--mask", "0,0,1,1"),
        ("--cells", "0"),
        ("--hours", "20-02"),
        ("--hours", "20:00-02:60"),
        ("--hours", "25:00-26:00"),
        ("--limit", "0"),
        ("--purpose", "x" * 501),
        ("--to", "-2h"),
    ],
)
def test_wrong_usage_ends_with_2(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    make_home(home)
    with audit_run(home):
        assert vonggac(home, *_SEARCH, *words) == 2

    assert capsys.readouterr().err.startswith("vonggac: ")


def test_a_search_is_logged_though_nobody_answers(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_home(home)
    with audit_run(home):
        assert vonggac(home, *_SEARCH, "--region", "0,0,0.5,0.5", "--purpose", "vụ 17") == 1

    assert "`vonggac motion run` is not running" in capsys.readouterr().err
    line = chain_of(home)[-1]
    assert (line["action"], line["object"]) == ("motion search", "cam1")
    assert line["search"] == "motion in 0,0 0.5,0 0.5,0.5 0,0.5"
    assert line["purpose"] == {"code": "khác", "text": "vụ 17"}


def test_each_camera_may_have_a_region_of_its_own_and_one_for_all_is_remarked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [CAMERA_ROW, *(_camera(n) for n in (2, 3))]
    make_home(home, *rows)
    search = ("motion", "search", "cam1", "cam2", "cam3", "--from", "-1h", "--to", "now")
    regions = ("--region", "0,0,0.5,0.5", "--region", "cam2=0.5,0.5,0.5,0.5")
    with audit_run(home):
        assert vonggac(home, *search, *regions, "--mask", "cam3=0,0,0.1,0.1") == 1

    assert "one region in the pictures of cam1, cam3" in capsys.readouterr().err
    said = {line["object"]: line["search"] for line in chain_of(home)[-3:]}
    everywhere = "motion in 0,0 0.5,0 0.5,0.5 0,0.5"
    assert said == {
        "cam1": everywhere,
        "cam2": "motion in 0.5,0.5 1,0.5 1,1 0.5,1",
        "cam3": f"{everywhere}, without 0,0 0.1,0 0.1,0.1 0,0.1",
    }


def _camera(number: int) -> Camera:
    key = bytes([number])
    streams = (Stream(key * 16, "sub", "rtsp://127.0.0.1/"),)
    return Camera(key * 16, f"cam{number}", streams, 1, owner_kind=OwnerKind.STATE)


def test_nothing_is_searched_unlogged(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_home(home)

    assert vonggac(home, *_SEARCH) == 1
    assert "nothing is shown unlogged" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("motion", "status"), ("motion", "rebuild", "cam1")])
def test_without_the_process_there_is_nothing_to_tell(home: Path, words: tuple[str, ...]) -> None:
    make_home(home)

    assert vonggac(home, *words) == 1
