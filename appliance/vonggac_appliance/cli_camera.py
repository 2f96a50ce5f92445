"""`vonggac camera add|list|remove`; `show` and `forget-learnt` are in `cli_camera_learnt`."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import Refused, Unavailable
from vonggac.evidence.chain import Action
from vonggac.registry.camera import Camera, OwnerKind, Stream, Transport, Uplink
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac.registry.rules import may_record
from vonggac.rtsp.url import CameraUrl, Credentials
from vonggac_appliance import (
    bus_control,
    cli_camera_basis,
    cli_camera_capture,
    cli_camera_device,
    cli_camera_learnt,
    cli_camera_probe,
    cli_camera_push,
    cli_camera_tls,
    config,
    control,
)
from vonggac_appliance.admission import admission, asked
from vonggac_appliance.cli_camera_address import parse_address, read_login
from vonggac_appliance.cli_common import (
    UsageError,
    emit,
    group,
    leaf,
    note,
    note_event,
    table,
)
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.secrets import ensure_record_key, parse_credentials, seal

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "camera", "the cameras of this box")
    _add_add(nested)
    leaf(nested, "list", "show what every camera does", "vonggac camera list", _list, has_json=True)
    cli_camera_probe.add(nested)
    cli_camera_capture.add(nested)
    cli_camera_learnt.add(nested)
    cli_camera_device.add(nested)
    cli_camera_push.add(nested)
    remove = leaf(
        nested,
        "remove",
        "take a camera and its password out; what is recorded stays",
        "vonggac camera remove cam1",
        _remove,
    )
    remove.add_argument("id", metavar="ID")


def _add_add(nested: Commands) -> None:
    parser = leaf(
        nested,
        "add",
        "enrol a camera; a running recorder begins at once",
        "vonggac camera add cam1 --url rtsp://192.168.1.20/main \\\n"
        "    --sub-url rtsp://192.168.1.20/sub --credentials-file cam1.login \\\n"
        "    --owner-kind state --point 'ngã ba chợ'",
        _add,
        has_json=True,
    )
    parser.add_argument("id", metavar="ID", help="letters, digits, . _ - ; unique in the box")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--url", metavar="URL", help="of the main stream: rtsp://…")
    way.add_argument(
        "--push", action="store_true", help="it calls the box itself, with a key that is shown once"
    )
    parser.add_argument("--push-sub", action="store_true", help="and publishes a sub stream too")
    parser.add_argument("--sub-url", metavar="URL", help="of the sub stream")
    parser.add_argument(
        "--credentials-file",
        metavar="FILE",
        help="`user:password` in one line, or in two; - reads stdin. Kept encrypted",
    )
    cli_camera_tls.add_option(parser)
    parser.add_argument("--transport", choices=[kind.value for kind in Transport], default="tcp")
    parser.add_argument(
        "--owner-kind",
        choices=[kind.value for kind in OwnerKind],
        default=OwnerKind.UNCLASSIFIED.value,
        help="whose it is; unclassified is recorded, shown red, hidden from officers",
    )
    parser.add_argument(
        "--uplink", choices=[kind.value for kind in Uplink], default=Uplink.UNKNOWN.value
    )
    parser.add_argument("--point", default="", metavar="TEXT", help="the place it stands at")
    parser.add_argument("--area", default="", metavar="TEXT", help="the resident group")
    parser.add_argument("--camera-purpose", default="", metavar="TEXT", help="what it is for")
    cli_camera_basis.add_options(parser)
    parser.add_argument(
        "--strict", action="store_true", help="refuse it where a promise of days would break"
    )


def _add(args: argparse.Namespace) -> int:
    if not _CODE.fullmatch(args.id):
        raise UsageError(f"{args.id!r} is no camera id: letters, digits, . _ - and at most 63")
    cli_camera_push.check_push(args)
    settings = config.load(args.home)
    now_ns = wall_ns()
    key, push = cli_camera_push.new_key(now_ns) if args.push else ("", None)
    if push is not None:
        streams, credentials = cli_camera_push.push_streams(has_sub=args.push_sub), None
    else:
        streams, credentials = _called(args, settings.cameras)
    camera = Camera(
        id=secrets.token_bytes(16),
        code=args.id,
        streams=streams,
        push=push,
        tls_authority=cli_camera_tls.authority(args),
        created_ns=now_ns,
        point=args.point,
        area=args.area,
        owner_kind=OwnerKind(args.owner_kind),
        uplink=Uplink(args.uplink),
        admin_state_by=local_person(os.getuid()).name,
        admin_state_ns=now_ns,
        purpose=args.camera_purpose,
        basis=cli_camera_basis.agreement(args, now_ns),
    )
    with Catalog(args.home) as catalog:
        sealed = None
        outlook = admission(
            catalog.cameras(), camera, settings.retention, catalog.disks(), asked(args.home)
        )
        if args.strict and outlook is not None and outlook.is_at_risk:
            raise Refused(f"{camera.code} is not added: {outlook.sentence()}")
        if credentials is not None:
            sealed = seal(ensure_record_key(args.home), camera.id, credentials)
        catalog.add_camera(camera, sealed)
    _tell_recorder(args.home)
    note_event(args.home, Action.CAMERA_ADD, camera.code)
    answer = may_record(camera, now_ns)
    facts = {
        "id": camera.code,
        "camera_id": camera.id.hex(),
        "streams": [
            {"name": s.name, "stream_id": s.id.hex(), "url": s.url} for s in camera.streams
        ],
        "has_credentials": credentials is not None,
        "may_record": answer.is_allowed,
        "red": answer.is_red,
        "what": answer.sentence,
        "retention": None if outlook is None else outlook.facts(),
    }
    verb = "will be recorded" if answer.is_allowed else "is NOT recorded"
    emit(args, facts, f"{camera.code} {verb}" + (f": {answer.sentence}" if answer.sentence else ""))
    if key:
        cli_camera_push.tell_key(args.home, camera, key)
    if outlook is not None:
        note(outlook.sentence())
    if camera.owner_kind is OwnerKind.HOUSEHOLD and camera.basis is None:
        note("add it with --basis-mode C or D once its owner has signed")
    return 0


def _called(
    args: argparse.Namespace, cameras: config.CameraConfig
) -> tuple[tuple[Stream, ...], Credentials | None]:
    """The streams of a camera that is called, and its login."""
    urls = [("main", args.url)] + ([("sub", args.sub_url)] if args.sub_url is not None else [])
    parsed = [(name, parse_address(url, cameras)) for name, url in urls]
    streams = tuple(
        Stream(secrets.token_bytes(16), name, url.request_uri, Transport(args.transport))
        for name, url in parsed
    )
    return streams, _credentials(args, [url for _, url in parsed])


def _credentials(args: argparse.Namespace, urls: list[CameraUrl]) -> Credentials | None:
    """The camera's one login, from the file or out of the addresses."""
    found = {url.credentials for url in urls if url.credentials is not None}
    if found:
        note("the login was moved into the encrypted store; --credentials-file keeps it out of ps")
    if args.credentials_file is not None:
        found.add(parse_credentials(read_login(args.credentials_file)))
    if len(found) > 1:
        raise UsageError("main and sub stream of a camera share one login; these differ")
    return found.pop() if found else None


def _list(args: argparse.Namespace) -> int:
    with Catalog(args.home, is_readonly=True) as catalog:
        cameras = catalog.cameras()
    try:
        running = {status.id: status for status in control.status(args.home).cameras}
        is_running = True
    except Unavailable:
        running, is_running = {}, False
    now_ns = wall_ns()
    facts = [_facts(camera, running.get(camera.code), now_ns) for camera in cameras]
    if args.json:
        emit(args, {"cameras": facts}, "")
        return 0
    rows = []
    for camera, fact in zip(cameras, facts, strict=True):
        status = running.get(camera.code)
        what = status.what if status is not None and status.what else str(fact["what"])
        rows.append(
            [camera.code, str(fact["state"]), _shapes(status), camera.owner_kind.value, what]
        )
    print(table(("id", "state", "streams", "owner", "what"), rows))
    if not is_running:
        note("the recorder is not running (vonggac record)")
    return 0


def _facts(
    camera: Camera, status: bus_control.CameraStatus | None, now_ns: int
) -> dict[str, object]:
    answer = may_record(camera, now_ns)
    seen = {stream.name: stream for stream in status.streams} if status is not None else {}
    return {
        "id": camera.code,
        "state": "stopped" if status is None else status.state,
        "streams": [_stream_facts(stream.name, seen.get(stream.name)) for stream in camera.streams],
        "gap_reason": None if status is None else status.gap_reason,
        "owner_kind": camera.owner_kind.value,
        "point": camera.point,
        "area": camera.area,
        "red": answer.is_red,
        "what": answer.sentence,
    }


def _stream_facts(name: str, status: bus_control.StreamStatus | None) -> dict[str, object]:
    if status is None:
        return {"name": name, "codec": None, "width": None, "height": None, "state": "stopped"}
    return {
        "name": name,
        "codec": status.codec,
        "width": status.width or None,
        "height": status.height or None,
        "state": status.state,
    }


def _shapes(status: bus_control.CameraStatus | None) -> str:
    if status is None:
        return ""
    return ", ".join(
        f"{s.name} {s.codec} {s.width}x{s.height}" if s.codec else f"{s.name} -"
        for s in status.streams
    )


def _remove(args: argparse.Namespace) -> int:
    with Catalog(args.home) as catalog:
        camera = catalog.remove_camera(args.id)
    _tell_recorder(args.home)
    note_event(args.home, Action.CAMERA_REMOVE, camera.code)
    print(f"{camera.code} is out; what is recorded of it stays as long as it would have")
    return 0


def _tell_recorder(home: Path) -> None:
    """A running recorder looks at once; one that is down reads the catalog when it starts."""
    with contextlib.suppress(Unavailable):
        control.ask(home, bus_control.Changed())
