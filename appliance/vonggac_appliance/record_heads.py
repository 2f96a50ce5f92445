"""The newest claim of every run goes into the ledger every 15 minutes, and when the recorder ends.

A head vouches for all of its run before it, so what is exchanged or removed on a disk later is
found by `disk check --deep`. Recording never waits for it: while `audit run` is down heads wait
here, and only the newest of each run is worth sending.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from vonggac.errors import MediaError, Refused, StorageError, Unavailable
from vonggac.evidence import ledger
from vonggac_appliance import audit_client
from vonggac_appliance.messages_keeper import StreamEnd

__all__ = ["EVERY_S", "Heads"]

EVERY_S = 900.0
_LAST_DEADLINE_S = 2.0
"""For the last list, while systemd waits for the recorder's end."""
_WAITING_MAX = 20_000
"""Runs whose heads wait; a flapping camera must not fill memory while `audit run` is down."""

_log = logging.getLogger("vonggac.record")


class Heads:
    """In the parent's asyncio thread; what waits for `audit run` runs in another."""

    def __init__(self, home: Path, every_s: float = EVERY_S) -> None:
        self._home = home
        self._every_s = every_s
        self._waiting: dict[tuple[bytes, int], ledger.Head] = {}

    def note(self, disk: bytes, ends: Sequence[StreamEnd]) -> None:
        """These runs are durable so far."""
        for end in ends:
            if end.claim_sha256:
                self._waiting[end.stream, end.run] = ledger.Head(
                    disk, end.stream, end.run, end.sequence, end.wall_end_ns, end.claim_sha256
                )
        while len(self._waiting) > _WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]

    async def serve(self) -> None:
        """Sends for ever."""
        while True:
            await asyncio.sleep(self._every_s)
            await self._send(audit_client.DEADLINE_S)

    async def end(self) -> None:
        """Sends a last time."""
        await self._send(_LAST_DEADLINE_S)

    async def _send(self, deadline_s: float) -> None:
        if not self._waiting:
            return
        sent, self._waiting = self._waiting, {}
        texts = [head.to_text() for head in sent.values()]
        try:
            await asyncio.to_thread(
                audit_client.send_list, self._home, ledger.HEADS, texts, deadline_s
            )
        except (Unavailable, StorageError, Refused, MediaError) as error:
            self._waiting = sent | self._waiting
            _log.warning("the newest claims wait for the ledger: %s", error)
        except asyncio.CancelledError:
            self._waiting = sent | self._waiting  # sent twice does no harm
            raise
