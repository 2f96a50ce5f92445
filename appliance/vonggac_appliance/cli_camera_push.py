"""Cameras that call the box: `vonggac camera push-key`, and what `camera add --push` has of it."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from vonggac.errors import Refused
from vonggac.evidence.chain import Action
from vonggac.registry.camera import Camera, Push, Stream
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import local_person
from vonggac.registry.push_keys import digest_of
from vonggac_appliance import config
from vonggac_appliance.cli_common import UsageError, camera_of, emit, leaf, note, note_event
from vonggac_appliance.clock import iso, wall_ns

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add", "check_push", "new_key", "push_streams", "tell_key"]

_KEY_BYTES = 24
"""192 random bits, 32 characters that stand in an address as they are."""


def add(nested: Commands) -> None:
    """Put the command behind `vonggac camera`."""
    key = leaf(
        nested,
        "push-key",
        "tell since when a camera that calls has its key; with --renew give it another one",
        "vonggac camera push-key nha12 --renew",
        _push_key,
        has_json=True,
    )
    key.add_argument("id", metavar="ID")
    key.add_argument(
        "--renew",
        action="store_true",
        help="make a new key and show it once; whoever publishes with the old one is cut off",
    )


def check_push(args: argparse.Namespace) -> None:
    """What does not go together with `--push`. Raises UsageError."""
    if not args.push:
        if args.push_sub:
            raise UsageError("--push-sub is for a camera that calls: --push")
        return
    wrong = (
        ("--sub-url", args.sub_url is not None),
        ("--credentials-file", args.credentials_file is not None),
        ("--transport udp", args.transport != "tcp"),
    )
    for option, is_given in wrong:
        if is_given:
            raise UsageError(f"{option} is for a camera that is called, not with --push")
    if args.json:
        raise UsageError("with --push a key is shown, which has no place in JSON: leave out --json")


def push_streams(*, has_sub: bool) -> tuple[Stream, ...]:
    """The streams of a camera that calls: their addresses are the box's."""
    names = ("main", "sub") if has_sub else ("main",)
    return tuple(Stream(secrets.token_bytes(16), name, "") for name in names)


def new_key(now_ns: int) -> tuple[str, Push]:
    """A key, and what is kept of it."""
    key = secrets.token_urlsafe(_KEY_BYTES)
    return key, Push(digest_of(key), now_ns, local_person(os.getuid()).name)


def tell_key(home: Path, camera: Camera, key: str) -> None:
    """Shows the key, this once."""
    settings = config.load(home).push
    port = f":{settings.port}" if settings.port else ":PORT"
    print(f"its key: {key}")
    for stream in camera.streams:
        path = camera.code if stream.name == "main" else f"{camera.code}/{stream.name}"
        print(f"{stream.name}: rtsps://{camera.code}:{key}@BOX{port}/{path}")
    note("the key is shown this once; BOX is the name or address under which the camera finds us")
    if not sys.stdout.isatty():
        note("this output is no terminal: whoever reads it has the key")
    if not settings.port:
        note("no camera may call this box yet: set port, certificate and key in [push]")


def _push_key(args: argparse.Namespace) -> int:
    camera = camera_of(args.home, args.id)
    if camera.push is None:
        raise Refused(f"{camera.code} is called, it does not call")
    if not args.renew:
        facts = {"id": camera.code, "made": iso(camera.push.made_ns), "by": camera.push.made_by}
        emit(args, facts, f"{camera.code}: its key was made {facts['made']} by {facts['by']}")
        return 0
    if args.json:
        raise UsageError("a new key is shown, which has no place in JSON: leave out --json")
    key, push = new_key(wall_ns())
    with Catalog(args.home) as catalog:
        catalog.change_camera(msgspec.structs.replace(camera, push=push))
    # The recorder sees that the row was changed within a second, and cuts off the old key's caller.
    note_event(args.home, Action.CAMERA_PUSH_KEY, camera.code)
    tell_key(args.home, camera, key)
    return 0
