"""`vonggac motion grid`: what the index would hold for a film."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import MediaError, Refused
from vonggac.motion.slots import CELL_COUNT, Tier
from vonggac_appliance.cli_common import emit, leaf, note

if TYPE_CHECKING:
    from vonggac_appliance.cli_common import Commands

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Put the command beside the others of `motion`."""
    grid = leaf(
        commands,
        "grid",
        "write what the index would hold for an MP4 file, to measure the detector",
        "vonggac motion grid film.mp4 --npy film.npy",
        _grid,
        has_json=True,
    )
    grid.add_argument("file", type=Path, metavar="FILE", help="an MP4; its first video is taken")
    grid.add_argument(
        "--npy",
        type=Path,
        required=True,
        metavar="OUT",
        help="for numpy: bool, (seconds, 36, 64), from the first picture on",
    )
    grid.add_argument(
        "--key-frames",
        action="store_true",
        help="decode key frames alone, as where the share of the processor does not allow more",
    )


def _grid(args: argparse.Namespace) -> int:
    from vonggac.motion.film import film_of, npy

    try:
        film = film_of(args.file, Tier.KEY if args.key_frames else Tier.FULL)
    except MediaError as error:
        raise Refused(f"{args.file}: {error.rule}") from error
    args.npy.write_bytes(npy(film))
    active = sum(int.from_bytes(slot.cells, "little").bit_count() for slot in film.slots)
    facts = {
        "seconds": film.seconds,
        "judged": len({slot.second for slot in film.slots}),
        "moved": sum(any(slot.cells) for slot in film.slots),
        "global": sum(slot.is_global for slot in film.slots),
        "cells": active,
        "pictures": film.pictures,
        "skipped": film.skipped,
        "restarts": film.restarts,
    }
    share = 100 * active / max(1, CELL_COUNT * film.seconds)
    emit(
        args,
        facts,
        f"{film.seconds} s, {film.pictures} pictures: something moved in {facts['moved']} s, "
        f"in {share:.2g} % of the picture on average",
    )
    if film.skipped:
        note(f"passed over because they could not be decoded: {film.skipped} samples")
    if film.restarts:
        note(f"nothing was compared where the picture's size changed, times: {film.restarts}")
    return 0
