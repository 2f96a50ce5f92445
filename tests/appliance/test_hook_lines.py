"""Every camera that a program was let in for stands in the audit chain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from audit_rig import audit_run, chain_of
from hook_rig import answering
from vonggac.errors import MediaError
from vonggac.evidence.chain import TEXT_MAX
from vonggac.registry.camera import Camera, OwnerKind, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import HookKind, HookOrder
from vonggac.registry.people import Account, Role, local_person
from vonggac_appliance.hook_lines import lines_of
from vonggac_appliance.hooking import Hooking
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_audit import AuditReceipt, audit_path
from vonggac_appliance.sockets import prepare_class

COMMANDER = Account(b"\1" * 16, "Nguyễn Văn An", Role.COMMANDER, "", 1)


def order_of(wanted: int) -> HookOrder:
    cameras = tuple(
        Camera(
            number.to_bytes(16, "big"),
            f"cam-gate-{number:03d}",
            (Stream(number.to_bytes(16, "little"), "main", "rtsp://127.0.0.1/x"),),
            1,
            owner_kind=OwnerKind.STATE,
        )
        for number in range(1, wanted + 1)
    )
    until_ns = time.time_ns() + 3600 * 1_000_000_000
    return HookOrder("desk", "counts", cameras, (HookKind.MOTION,), 7701, "k" * 40, until_ns)


def test_a_grant_of_many_cameras_names_all_of_them(home: Path) -> None:
    order = order_of(64)
    with audit_run(home), Catalog(home) as catalog:
        row = Hooking(home, catalog).add(order, COMMANDER, local_person(0))
    lines = [line["object"] for line in chain_of(home) if line["action"] == "hook add"]

    assert len(row.cameras) == 64
    named = [code for line in lines for code in line.split(", of ")[1].split(", ")]
    assert named == [camera.code for camera in order.cameras]
    assert {line.split(", of ")[0] for line in lines} == {lines[0].split(", of ")[0]}


def test_where_the_chain_does_not_take_all_lines_nothing_is_granted(home: Path) -> None:
    prepare_class(home, "audit")
    answers = iter([AuditReceipt(1, b"")])
    with (
        answering(audit_path(home), Kind.AUDIT_RECEIPT, lambda _: next(answers, b"\xc1")),
        Catalog(home) as catalog,
    ):
        with pytest.raises(MediaError):
            Hooking(home, catalog).add(order_of(64), COMMANDER, local_person(0))

        assert next(answers, None) is None, "the first line was taken"
        assert catalog.hooks() == []


def test_what_fits_stands_in_one_line_and_nothing_is_left_out() -> None:
    parts = [f"cam{number}" for number in range(300)]
    lines = lines_of("of ", parts)

    assert lines_of("of ", ["cam1", "cam2"]) == ["of cam1, cam2"]
    assert max(map(len, lines)) <= TEXT_MAX
    assert ", ".join(line.removeprefix("of ") for line in lines).split(", ") == parts
