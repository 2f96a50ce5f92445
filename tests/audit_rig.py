"""The real audit writer in a thread, and the command line called as a function."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vonggac_appliance import cli
from vonggac_appliance.audit import AuditServer


@contextmanager
def audit_run(home: Path) -> Iterator[None]:
    """Writes the chain of `home` until the block ends."""
    server = AuditServer(home)
    is_ending = threading.Event()

    def serve() -> None:
        while not is_ending.is_set():
            server.turn(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        is_ending.set()
        thread.join()
        server.close()


def vonggac(home: Path, *words: str) -> int:
    """The exit status of a command."""
    try:
        return cli.main(["--home", str(home), *words])
    except SystemExit as ended:  # argparse
        return int(ended.code or 0)


def chain_of(home: Path) -> list[dict[str, Any]]:
    """The lines of the audit chain."""
    text = (home / "audit" / "log.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
