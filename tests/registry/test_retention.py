"""Whose word about days holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from vonggac.registry.camera import Basis, Camera, Mode, OwnerKind, Retention, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.retention import Classes, ClassLimits, Policy, Removed, policy_of

ALL = ClassLimits(30, None, 5)
CLASSES = Classes(ALL, {OwnerKind.HOUSEHOLD: ClassLimits(30, 30, 5), OwnerKind.STATE: ALL})
CAMERA = Camera(
    id=b"c" * 16,
    code="cam1",
    streams=(Stream(b"s" * 16, "main", "rtsp://127.0.0.1/main"),),
    created_ns=0,
    owner_kind=OwnerKind.STATE,
)


def camera(
    retention: Retention | None = None,
    cap_days: int | None = None,
    kind: OwnerKind = OwnerKind.STATE,
) -> Camera:
    basis = None if cap_days is None else Basis(Mode.RECORDED, 0, retention_cap_days=cap_days)
    return msgspec.structs.replace(CAMERA, owner_kind=kind, retention=retention, basis=basis)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(camera(), Policy(30, None, 5, "class", ""), id="class"),
        pytest.param(
            camera(kind=OwnerKind.HOUSEHOLD), Policy(30, 30, 5, "class", "class"), id="household"
        ),
        pytest.param(
            camera(Retention(7, 14, 8)), Policy(7, 14, 8, "camera", "camera"), id="camera"
        ),
        pytest.param(
            camera(Retention(days_max=0), kind=OwnerKind.HOUSEHOLD),
            Policy(30, None, 5, "class", ""),
            id="lifted",
        ),
        pytest.param(
            camera(Retention(7, 14), cap_days=10),
            Policy(7, 10, 5, "camera", "agreement"),
            id="agreement-is-less",
        ),
        pytest.param(
            camera(Retention(7, 14), cap_days=20),
            Policy(7, 14, 5, "camera", "camera"),
            id="agreement-is-more",
        ),
        pytest.param(
            camera(Retention(days_max=0), cap_days=3),
            Policy(3, 3, 5, "agreement", "agreement"),
            id="never-longer-than-agreed",
        ),
        pytest.param(
            camera(Retention(days_max=10)), Policy(10, 10, 5, "camera", "camera"), id="cut"
        ),
    ],
)
def test_the_agreement_comes_before_the_camera_and_that_before_its_class(
    given: Camera, expected: Policy
) -> None:
    assert policy_of(given, CLASSES) == expected
    assert policy_of(Removed.of(given, 0), CLASSES) == expected


def test_a_camera_that_is_taken_out_keeps_its_limits_and_nothing_else(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        catalog.add_camera(camera(Retention(7, 14), cap_days=10), b"sealed")
        catalog.remove_camera("cam1")
        (removed,) = catalog.removed()
        assert removed.code == "cam1" and removed.streams == ((b"s" * 16, "main"),)
        assert policy_of(removed, CLASSES).days_max == 10
        assert catalog.sealed_credentials(CAMERA.id) is None
        assert b"127.0.0.1" not in msgspec.msgpack.encode(removed)


def test_a_class_that_is_not_listed_takes_the_default() -> None:
    assert CLASSES.of(OwnerKind.SCHOOL) == ALL
    assert replace(CLASSES, kinds={}).of(OwnerKind.HOUSEHOLD) == ALL
