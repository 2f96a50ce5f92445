"""`vonggac clock status|confirm`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from vonggac.evidence.chain import Action
from vonggac_appliance import clock_watch
from vonggac_appliance.cli_common import emit, group, leaf, note_event
from vonggac_appliance.clock import is_synchronised, iso

if TYPE_CHECKING:
    from vonggac.ingest.clock_steps import StepNote
    from vonggac_appliance.cli_common import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Put the commands into the parser."""
    nested = group(commands, "clock", "the box's clock")
    leaf(
        nested,
        "status",
        "say whether the clock is kept, and whether a step of it waits for a person",
        "vonggac clock status",
        _status,
        has_json=True,
    )
    leaf(
        nested,
        "confirm",
        "say that the clock is right again after a step of more than a minute",
        "date; vonggac clock confirm",
        _confirm,
        has_json=True,
    )


def _status(args: argparse.Namespace) -> int:
    is_synced, note = is_synchronised(), clock_watch.unconfirmed(args.home)
    words = "synchronised" if is_synced else "not synchronised (apt install chrony)"
    waits = f"\n{_sentence(note)}; if it is right now: vonggac clock confirm" if note else ""
    emit(args, {"synchronised": is_synced, **_facts(note)}, f"clock {words}{waits}")
    return 0


def _confirm(args: argparse.Namespace) -> int:
    note = clock_watch.confirm(args.home)
    if note is not None:
        note_event(args.home, Action.CLOCK_CONFIRM, f"clock {clock_watch.span_words(note.step_ns)}")
    text = "no step of the clock waits" if note is None else f"confirmed: {_sentence(note)}"
    emit(args, {"confirmed": note is not None, **_facts(note)}, text)
    return 0


def _facts(note: StepNote | None) -> dict[str, object]:
    if note is None:
        return {"step_seconds": None, "steps": 0, "at": None}
    return {"step_seconds": note.step_ns / 1e9, "steps": note.count, "at": iso(note.at_ns)}


def _sentence(note: StepNote) -> str:
    times = "" if note.count == 1 else f" (the last of {note.count} steps)"
    return f"the clock was set {clock_watch.span_words(note.step_ns)} at {iso(note.at_ns)}{times}"
