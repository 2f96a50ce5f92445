"""The audit chain's file as whoever proves it reads it, beside its writer or without one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from vonggac.errors import ConfigError
from vonggac.evidence import chain
from vonggac_appliance import ledger

__all__ = ["lists_of", "read_checkpoint", "verify_home"]


def verify_home(home: Path, checkpoints: Iterable[chain.Checkpoint] = ()) -> chain.Verification:
    """Read a home's whole chain, and the ledger's lists whose roots stand in it.

    Works beside its writer, for the head is read first, and a list is there before its line.
    """
    directory = home / "audit"
    try:
        head = (directory / "head").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        head = None
    except OSError as error:
        raise ConfigError(f"{directory / 'head'} cannot be read: {error.strerror}") from error
    try:
        with (directory / "log.jsonl").open("rb") as lines:
            noted = _Noted()
            result = chain.verify(noted.passing(lines), head, checkpoints)
    except FileNotFoundError:
        raise ConfigError(f"no audit log in {home}: `vonggac audit run` makes it") from None
    except OSError as error:
        raise ConfigError(f"{directory / 'log.jsonl'} cannot be read: {error.strerror}") from error
    problems = (*result.problems, *noted.problems(ledger.check_lists(home, noted.lists)))
    return replace(result, problems=tuple(sorted(problems, key=lambda p: p.line)))


def lists_of(home: Path) -> list[ledger.Recorded]:
    """The ledger's lists that the chain names; none where there is no chain yet."""
    noted = _Noted()
    try:
        with (home / "audit" / "log.jsonl").open("rb") as lines:
            for _ in noted.passing(lines):
                pass
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"the audit log of {home} cannot be read: {error.strerror}") from error
    return noted.lists


class _Noted:
    """What lines say of the ledger, and of a home that was restored, as they pass by."""

    def __init__(self) -> None:
        self.lists: list[ledger.Recorded] = []
        self._restores: list[tuple[int, str]] = []
        """Line, and what it was restored from, with what that did to the log."""

    def passing(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines; those that matter are noted."""
        marks = [b'"action":"%s"' % x.encode() for x in (chain.Action.LEDGER, chain.Action.RESTORE)]
        for number, line in enumerate(lines, 1):
            if any(mark in line for mark in marks) and line.endswith(b"\n"):
                with contextlib.suppress(ValueError, RecursionError):  # the chain's walk says it
                    self._note(number, json.loads(line))
            yield line

    def problems(self, missing: Iterable[chain.Problem]) -> Iterator[chain.Problem]:
        """`missing` lists of the ledger; those that a restore did not bring back are one."""
        lost = dict.fromkeys((line for line, _ in self._restores), 0)
        for problem in missing:
            line = next((line for line in lost if line > problem.line), None)
            if line is None:
                yield problem
            else:
                lost[line] += 1
        for line, source in self._restores:
            yield chain.Problem(
                line,
                f"says that the home was restored from a {source}, and "
                f"{lost[line]} lists of the ledger that are named before it are lost",
            )

    def _note(self, number: int, event: object) -> None:
        found = ledger.Recorded.from_event(number, event)
        if found is not None:
            self.lists.append(found)
        elif isinstance(event, dict) and event.get("action") == chain.Action.RESTORE:
            after = "the log went on" if event.get("kept") else "what was logged after that is lost"
            self._restores.append((number, f"{event.get('object')}: {after}"))


def read_checkpoint(path: Path) -> chain.Checkpoint:
    """What `vonggac audit verify --json` printed some day: its entries and its head."""
    try:
        noted = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        noted = None
    entries = noted.get("entries") if isinstance(noted, dict) else None
    head = noted.get("head") if isinstance(noted, dict) else None
    if not isinstance(entries, int) or entries < 0 or not isinstance(head, str):
        raise ConfigError(f"{path} is no checkpoint: keep what `audit verify --json` prints")
    return chain.Checkpoint(entries, head)
