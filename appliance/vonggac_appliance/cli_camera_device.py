"""`vonggac camera confirm-device`: a person's word on which device is a camera's."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac.errors import Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac.rtsp.device import Device
from vonggac_appliance import audit_client, bus_control, control, learnt_store
from vonggac_appliance.bus_control import CameraLearnt
from vonggac_appliance.cli_common import camera_of, leaf, note
from vonggac_appliance.clock import iso
from vonggac_appliance.messages_audit import AuditAppend

if TYPE_CHECKING:
    from pathlib import Path

    from vonggac.registry.camera import Camera
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "device_facts", "device_rows"]

_SHOWN = 16
"""Hex digits of a certificate's hash that people compare."""


def add(nested: Commands) -> None:
    """Put the command behind `vonggac camera`."""
    confirm = leaf(
        nested,
        "confirm-device",
        "say that the device which answers at a camera's address by now is the camera",
        "vonggac camera show cam1; vonggac camera confirm-device cam1",
        _confirm,
    )
    confirm.add_argument("id", metavar="ID")
    confirm.add_argument(
        "--known-is-back",
        action="store_true",
        help="instead: the device that was known is there again, the other one is nobody's",
    )


def device_facts(learnt: CameraLearnt) -> dict[str, object]:
    """For `camera show --json`."""
    other = None
    if learnt.other_ns:
        certificate = learnt.other_certificate.hex() or None
        other = {**learnt.other_device, "certificate": certificate, "since": iso(learnt.other_ns)}
    own = {**learnt.device, "certificate": learnt.certificate.hex() or None}
    return {"device": own, "other_device": other}


def device_rows(learnt: CameraLearnt) -> list[list[str]]:
    """For the table of `camera show`."""
    rows = []
    if learnt.device or learnt.certificate:
        rows.append(["device", _words(learnt.device, learnt.certificate)])
    if learnt.other_ns:
        words = _words(learnt.other_device, learnt.other_certificate)
        rows.append(["another device answered", f"{words}, since {iso(learnt.other_ns)}"])
    return rows


def _words(facts: dict[str, str], certificate: bytes) -> str:
    shown = [str(Device.of(facts))] if facts else []
    if certificate:
        shown.append(f"certificate {certificate.hex()[:_SHOWN]}…")
    return ", ".join(shown)


def _confirm(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.id)
    learnt = _learnt(args.home, camera)
    if not learnt.other_ns:
        raise Refused(f"no other device waits for a word about {camera.code}")
    words = _words(learnt.other_device, learnt.other_certificate)
    said = f"the known one is back, not {words}" if args.known_is_back else words
    # The line first: without it nothing is done, and nobody is recorded on somebody's word alone.
    event = AuditAppend(Action.CAMERA_DEVICE, f"{camera.code}: {said}", None, "done")
    audit_client.append(args.home, event)
    _tell(args.home, camera, is_known_back=args.known_is_back)
    print(f"{camera.code}: {said}; it is recorded again as its rules allow")
    if not args.known_is_back:
        note("the best log-in that the one before asked for still counts; forget-learnt forgets it")
    return 0


def _learnt(home: Path, camera: Camera) -> CameraLearnt:
    """What the recorder says; without one, what it left behind."""
    try:
        cameras = control.status(home).cameras
    except Unavailable:
        row = learnt_store.read_stopped(home).get(camera.id, learnt_store.LearntRow())
        return learnt_store.told(row)
    found = next((one.learnt for one in cameras if one.id == camera.code), None)
    return found or CameraLearnt()


def _tell(home: Path, camera: Camera, *, is_known_back: bool) -> None:
    try:
        reply = control.ask(home, bus_control.ConfirmDevice(camera.code, is_known_back))
    except Unavailable:
        learnt_store.confirm_stopped(home, camera.id, is_known_back=is_known_back)
    else:
        if isinstance(reply, bus_control.Failed):
            raise Refused(reply.what)
