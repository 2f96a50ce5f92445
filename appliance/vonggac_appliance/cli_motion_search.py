"""`vonggac motion search`: when something moved in a part of the picture."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from vonggac.errors import Invalid
from vonggac.evidence.chain import TEXT_MAX
from vonggac.motion import region
from vonggac.registry.camera import Camera
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose, PurposeCode, local_person
from vonggac_appliance.cli_common import UsageError, camera_of, leaf, note
from vonggac_appliance.clock import iso, parse_time, wall_ns
from vonggac_appliance.messages_motion import (
    MotionCovered,
    MotionDone,
    MotionHit,
    MotionHits,
    MotionQuery,
    Points,
    Watched,
)
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, MotionPermit, Searcher

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to", "points_of"]

_S = 1_000_000_000
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def add_to(commands: Commands) -> None:
    """Put the command beside the others of `motion`."""
    search = leaf(
        commands,
        "search",
        "tell when something moved in a region of cameras' pictures, once that is logged",
        "vonggac motion search cam1 cam2 --from -24h --to now --region 0.1,0.5,0.3,0.4 \\\n"
        "    --hours 20:00-02:00 --purpose 'case 2026/17'",
        _search,
        has_json=True,
    )
    search.add_argument("cameras", nargs="+", metavar="ID")
    for name in ("--from", "--to"):
        search.add_argument(
            name,
            dest=f"{name[2:]}_time",
            required=True,
            metavar="TIME",
            help="ISO 8601, -10m (back from now), or now",
        )
    for name, what in (("--region", "where to look"), ("--mask", "what is left out, as a tree")):
        search.add_argument(
            name,
            action="append",
            default=[],
            metavar="REGION",
            help=f"{what}: x,y,width,height or the corners x,y x,y x,y … from 0 to 1; "
            "may be given again; ID=REGION for one of the cameras",
        )
    search.add_argument(
        "--no-masks", action="store_true", help="search behind the masks that cameras have, too"
    )
    search.add_argument(
        "--cells", type=int, default=1, metavar="K", help="at least so many at once"
    )
    search.add_argument("--hours", metavar="HH:MM-HH:MM", help="of the box's own day")
    search.add_argument("--limit", type=int, default=1000, metavar="N", help="the newest N")
    search.add_argument(
        "--purpose", metavar="TEXT", help="why; without it the line in the audit chain is red"
    )


def points_of(text: str) -> Points:
    """`x,y,width,height` or a polygon's corners. Raises Invalid("region")."""
    words = [word for word in re.split(r"[,;\s]+", text.strip()) if word]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise Invalid("region", f"«{text}» is no list of numbers") from None
    if len(numbers) == 4:
        x, y, width, height = numbers
        region.rectangle(x, y, width, height)
        return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if len(numbers) < 6 or len(numbers) % 2:
        raise Invalid("region", "a region is x,y,width,height or at least three corners x,y")
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    region.polygon(points)
    return points


def _search(args: argparse.Namespace) -> int:
    try:
        cameras = [camera_of(args.home, code) for code in dict.fromkeys(args.cameras)]
        query = _query(args, cameras)
        purpose = None if args.purpose is None else Purpose(PurposeCode.OTHER, args.purpose)
        if purpose is not None and len(purpose.text) > TEXT_MAX:
            raise UsageError(f"--purpose has at most {TEXT_MAX} characters")
        with Catalog(args.home, is_readonly=True) as catalog:
            looks = MotionLooks(args.home, catalog)
            who = Searcher(local_person(os.getuid()))
            permit = looks.permit(who, purpose, query, has_masks=not args.no_masks)
    except Invalid as error:
        raise UsageError(str(error)) from error
    if permit.red:
        note(f"this search is red in the audit chain: {permit.red}")
    _note_shared(query, cameras)
    _print(args, cameras, permit)
    return 0


def _note_shared(query: MotionQuery, cameras: Sequence[Camera]) -> None:
    """A place in one camera's picture is another one in the next."""
    for number, watched in enumerate(query.cameras):
        same = [
            camera.code
            for camera, other in zip(cameras, query.cameras, strict=True)
            if watched.regions and other.regions == watched.regions
        ]
        if len(same) > 1 and cameras[number].code == same[0]:
            shared = ", ".join(same)
            note(f"one region in the pictures of {shared}: they show different places (ID=REGION)")


def _query(args: argparse.Namespace, cameras: Sequence[Camera]) -> MotionQuery:
    now_ns = wall_ns()
    from_ns, to_ns = parse_time(args.from_time, now_ns), parse_time(args.to_time, now_ns)
    if to_ns <= from_ns:
        raise UsageError("--to is not after --from")
    codes = [camera.code for camera in cameras]
    regions, masks = _by_camera(args.region, codes), _by_camera(args.mask, codes)
    return MotionQuery(
        [Watched(camera.id, regions[camera.code], masks[camera.code]) for camera in cameras],
        from_ns,
        to_ns,
        args.cells,
        None if args.hours is None else _hours_of(args.hours),
        _utc_offset_minutes(),
        args.limit,
    )


def _by_camera(texts: Sequence[str], codes: Sequence[str]) -> dict[str, list[Points]]:
    """Of each camera its own ones, or where it has none those of all."""
    own: dict[str, list[Points]] = {}
    for text in texts:
        code, mark, rest = text.rpartition("=")
        if mark and code not in codes:
            raise UsageError(f"{text}: {code} is not among the cameras of this search")
        own.setdefault(code, []).append(points_of(rest))
    return {code: own.get(code, own.get("", [])) for code in codes}


def _hours_of(text: str) -> tuple[int, int]:
    found = _HOURS.fullmatch(text)
    if found is None:
        raise UsageError("--hours are written as 20:00-02:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    if minute > 59 or to_minute > 59:
        raise UsageError("--hours are written as 20:00-02:00")
    return hour * 60 + minute, to_hour * 60 + to_minute


def _utc_offset_minutes() -> int:
    """Of the box's own clock, now."""
    offset = datetime.now().astimezone().utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def _print(args: argparse.Namespace, cameras: Sequence[Camera], permit: MotionPermit) -> None:
    """Hits as they come; the first ones stand there while the rest is searched."""
    codes = {camera.id: camera.code for camera in cameras}
    masks: dict[str, list[int]] = {}
    with MotionClient(args.home) as client:
        for answer in client.search(permit.query, permit.receipts):
            if isinstance(answer, MotionHits):
                for hit in answer.hits:
                    _print_hit(args, codes[hit.camera], hit)
            elif isinstance(answer, MotionCovered) and answer.masks:
                masks[codes[answer.camera]] = answer.masks
            elif isinstance(answer, MotionDone):
                _print_done(args, answer, masks)


def _print_hit(args: argparse.Namespace, code: str, hit: MotionHit) -> None:
    from_time, to_time = iso(hit.from_s * _S), iso(hit.to_s * _S)
    if args.json:
        facts = {
            "camera": code,
            "from": from_time,
            "to": to_time,
            "cells": hit.cells,
            "tier": hit.tier,
            "strongest": iso(hit.strongest_s * _S),
            "global": hit.is_global,
        }
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    more = ["key frames alone, to 10 s"] if hit.tier == "key" else []
    more += ["the light changed"] if hit.is_global else []
    said = f" ({'; '.join(more)})" if more else ""
    print(f"{code}  {from_time}  {to_time}  {hit.cells} cells{said}", flush=True)


def _print_done(args: argparse.Namespace, done: MotionDone, masks: Mapping[str, list[int]]) -> None:
    """`masks`: by camera, those that were left out."""
    if args.json:
        facts = {
            "done": True,
            "cameras": done.cameras,
            "seconds_searched": done.seconds_searched,
            "elapsed_ms": done.elapsed_ms,
            "limited": done.is_limited,
            "masks": masks,
        }
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    hours, seconds = divmod(done.seconds_searched, 3600)
    note(
        f"searched {hours} h {seconds // 60} min of footage of {done.cameras} cameras "
        f"in {done.elapsed_ms} ms"
    )
    for code, numbers in masks.items():
        few = "mask" if len(numbers) == 1 else "masks"
        shown = ", ".join(map(str, numbers))
        note(f"not searched: what lies behind {few} {shown} of {code} (--no-masks searches it)")
    if done.is_limited:
        note("there may be more: --limit")
