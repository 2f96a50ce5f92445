"""`vonggac camera capture`: what passes between a camera and us, without its picture or its login.

The login is opened here as the recorder does it, by whoever may read the recorder's key; others
give it. The recorder itself is not asked: bytes of an unknown camera are no business of its parent.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import ConfigError, MediaError, Refused
from vonggac.evidence.chain import Action
from vonggac.probe.capture import CaptureWriter, spellings
from vonggac.probe.findings import StreamFindings
from vonggac.registry.camera import Camera, Stream
from vonggac.registry.catalog import Catalog
from vonggac.rtsp.url import Credentials
from vonggac_appliance import camera_known, config
from vonggac_appliance.camera_probe import Asked, probe_stream
from vonggac_appliance.cli_camera_address import parse_address, read_login
from vonggac_appliance.cli_camera_probe import run_session, seconds_of
from vonggac_appliance.cli_common import UsageError, camera_of, emit, leaf, note, note_event
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.secrets import open_sealed, parse_credentials, record_private_key

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]

_SECONDS = 30
_SECONDS_MAX = 120
_MOST_CHARACTERS = 128 << 20
"""Two minutes at 30 Mbit/s. A camera that floods shall not fill the memory of who records."""
_LINES_OF_NOTHING = 2
"""The first and the last: nobody was connected to."""
_LINE_BYTES = 64
"""What a line needs in memory beside its characters."""


def add(nested: Commands) -> None:
    """Put the command behind `vonggac camera`."""
    parser = leaf(
        nested,
        "capture",
        "write what passes between a camera and this box, without picture, login or names",
        "vonggac camera capture cam1 --seconds 30 --output cam1.capture",
        _capture,
        has_json=True,
    )
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--stream", choices=("main", "sub"), default="main")
    parser.add_argument(
        "--seconds", type=int, default=_SECONDS, metavar="N", help="of video (30; at most 120)"
    )
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="instead of ID.capture; must not exist"
    )
    parser.add_argument(
        "--credentials-file",
        metavar="FILE",
        help="for who may not read the recorder's key: `user:password`; - reads stdin",
    )
    parser.add_argument(
        "--anyway",
        action="store_true",
        help="also while it is recorded, has refused its login, or is another device by now",
    )


def _capture(args: argparse.Namespace) -> int:
    settings = config.load(args.home)
    seconds = seconds_of(args, _SECONDS_MAX)
    camera = camera_of(args.home, args.id)
    stream = _stream_of(camera, args.stream)
    path = args.output or Path(f"{camera.code}.capture")
    if path.exists():
        raise UsageError(f"{path} is there already")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder, so {path.name} cannot be written there")
    if not args.anyway:
        camera_known.refuse_if_recorded(args.home, [camera])
        camera_known.refuse_if_locking(args.home, [camera])
    credentials = _credentials(args, camera)
    host = parse_address(stream.url, settings.cameras).host
    secrets = [host] if "." in host or ":" in host else []  # a bare name may be a word of RTSP
    secrets += spellings(credentials.user, credentials.password) if credentials else []
    note_event(args.home, Action.CAMERA_CAPTURE, camera.code)
    lines = _Lines()
    writer = CaptureWriter(lines.put, _facts(stream, seconds), secrets)
    note(f"capturing for {seconds:.0f} s; Ctrl-C ends it, gives its session back, writes nothing")
    memory = camera_known.memory_of(args.home, [camera], any_device=args.anyway)
    authority = camera.tls_authority
    asked = Asked(stream.name, stream.url, stream.transport, seconds, authority)
    found = run_session(probe_stream(asked, credentials, settings.cameras, memory, writer))
    if lines.is_full:
        what = (
            "the camera sends so much that the capture would be too large: ask for less --seconds"
        )
        raise Refused(what)
    if found.reason is not None and len(lines.all) <= _LINES_OF_NOTHING:
        raise Refused(f"nothing passed to capture: {found.reason.words}: {found.what}")
    _write(path, "".join(lines.all))
    _tell(args, path, found, len(lines.all))
    return 0


class _Lines:
    """Of a capture, in memory until it is known to hold no secret."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.is_full = False
        self._characters = 0

    def put(self, line: str) -> None:
        """Keeps it, unless there is too much already."""
        self._characters += len(line) + _LINE_BYTES
        self.is_full |= self._characters > _MOST_CHARACTERS
        if not self.is_full:
            self.all.append(line)


def _stream_of(camera: Camera, name: str) -> Stream:
    stream = camera.stream(name)
    if stream is None or not stream.url:
        raise UsageError(f"{camera.code} has no {name} stream that this box asks for")
    return stream


def _facts(stream: Stream, seconds: float) -> dict[str, object]:
    return {
        "program": f"vonggac {importlib.metadata.version('vonggac')}",
        "made": iso(wall_ns())[:10],
        "stream": stream.name,
        "transport": str(stream.transport),
        "seconds": seconds,
    }


def _credentials(args: argparse.Namespace, camera: Camera) -> Credentials | None:
    if args.credentials_file is not None:
        return parse_credentials(read_login(args.credentials_file))
    with Catalog(args.home, is_readonly=True) as catalog:
        sealed = catalog.sealed_credentials(camera.id)
    if sealed is None:
        return None
    try:
        return open_sealed(record_private_key(args.home), camera.id, sealed)
    except (ConfigError, MediaError) as error:
        what = "its password is kept for the recorder: run this as root, or --credentials-file"
        raise Refused(f"{what} ({error})") from error


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for its owner alone. OSError is the command's to tell."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text)
    except OSError:
        path.unlink()
        raise


def _tell(args: argparse.Namespace, path: Path, found: StreamFindings, lines: int) -> None:
    pictures = 0 if found.figures is None else found.figures.pictures
    facts = {
        "path": str(path),
        "lines": lines,
        "pictures": pictures,
        "reason": None if found.reason is None else found.reason.words,
        "what": found.what,
    }
    ended = "" if found.reason is None else f"; {found.reason.words}: {found.what}"
    emit(args, facts, f"{path}: {lines} lines, headers of {pictures} pictures{ended}")
    note("it is text: read it before you send it")
