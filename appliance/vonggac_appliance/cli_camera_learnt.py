"""`vonggac camera show|forget-learnt`: what connections to a camera have taught."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac.errors import Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac.registry.camera import Camera
from vonggac.registry.rules import pauses_for_another_device
from vonggac.rtsp.habits import Habit
from vonggac_appliance import bus_control, control, learnt_store
from vonggac_appliance.bus_control import CameraLearnt
from vonggac_appliance.cli_camera_device import device_facts, device_rows
from vonggac_appliance.cli_camera_publisher import publisher_facts, publisher_rows
from vonggac_appliance.cli_camera_sound import sound_facts, sound_rows
from vonggac_appliance.cli_common import camera_of, emit, leaf, note, note_event, table
from vonggac_appliance.clock import iso

if TYPE_CHECKING:
    from pathlib import Path

    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]

_WORDS = (
    ("transport", "video came by"),
    ("login", "best log-in it asked for"),
    ("keepalive", "its session is kept by"),
    ("url_form", "address of its track"),
    ("session_rule", "session id that counts"),
)
_AS_USUAL = "as usual"


def add(nested: Commands) -> None:
    """Put the commands behind `vonggac camera`."""
    show = leaf(
        nested,
        "show",
        "show what a camera does, and what its connections have taught",
        "vonggac camera show cam1",
        _show,
        has_json=True,
    )
    show.add_argument("id", metavar="ID")
    forget = leaf(
        nested,
        "forget-learnt",
        "forget what was learnt about a camera and connect to it as to a new one",
        "vonggac camera forget-learnt cam1",
        _forget,
    )
    forget.add_argument("id", metavar="ID")


def _show(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.id)
    status, learnt = _facts_of(args.home, camera)
    habits = [
        {"name": name, "row": Habit(name).row if name in list(Habit) else None, "count": count}
        for name, count in sorted(learnt.habits.items())
    ]
    facts = {
        "id": camera.code,
        "state": "stopped" if status is None else status.state,
        "what": "" if status is None else status.what,
        "streams": [{"name": stream.name, "url": stream.url} for stream in camera.streams],
        "learnt": {name: getattr(learnt, name) for name, _ in _WORDS},
        "publishers": publisher_facts(status),
        "sound": sound_facts(status),
        "refused_until": _time(learnt.refused_until_ns),
        "habits": habits,
        **device_facts(learnt),
    }
    emit(args, facts, "" if args.json else _text(camera, status, learnt))
    return 0


def _facts_of(home: Path, camera: Camera) -> tuple[bus_control.CameraStatus | None, CameraLearnt]:
    """What the recorder says; without one, what it left behind."""
    try:
        cameras = control.status(home).cameras
    except Unavailable:
        row = learnt_store.read_stopped(home).get(camera.id, learnt_store.LearntRow())
        return None, learnt_store.told(row)
    status = next((one for one in cameras if one.id == camera.code), None)
    learnt = None if status is None else status.learnt
    return status, learnt or CameraLearnt()


def _text(camera: Camera, status: bus_control.CameraStatus | None, learnt: CameraLearnt) -> str:
    rows = [["state", "stopped" if status is None else status.state]]
    if status is not None and status.what:
        rows.append(["", status.what])
    rows += [[stream.name, stream.url or "published by the camera"] for stream in camera.streams]
    rows += publisher_rows(status)
    rows += sound_rows(status)
    rows += [[words, getattr(learnt, name) or _AS_USUAL] for name, words in _WORDS]
    rows += device_rows(learnt)
    if learnt.refused_until_ns:
        rows.append(["login refused; next try", str(_time(learnt.refused_until_ns))])
    lines = [table((camera.code, ""), rows)]
    if learnt.habits:
        met = [[name, str(count)] for name, count in sorted(learnt.habits.items())]
        lines += ["", table(("habit", "met"), met)]
    return "\n".join(lines)


def _time(at_ns: int) -> str | None:
    return iso(at_ns) if at_ns else None


def _forget(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.id)
    try:
        reply = control.ask(args.home, bus_control.ForgetLearnt(camera.code))
    except Unavailable:
        keeps_other = pauses_for_another_device(camera)
        learnt_store.forget_stopped(args.home, camera.id, keeps_other=keeps_other)
    else:
        if isinstance(reply, bus_control.Failed):
            raise Refused(reply.what)
    note_event(args.home, Action.CAMERA_FORGET, camera.code)
    print(f"{camera.code}: forgotten; the next connection learns anew")
    note("it may now also ask for a weaker log-in than before, and would get it")
    if pauses_for_another_device(camera) and _facts_of(args.home, camera)[1].other_ns:
        note("another device answered in its place: nothing is recorded before confirm-device")
    return 0
