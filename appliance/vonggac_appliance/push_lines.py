"""Who called as which camera, from where: lines of the audit chain, behind the recording.

Recording never waits for the chain: while `audit run` is away lines wait here, and then say when it
was. What strangers and flapping lines can cause is bounded (`line_budget`), and what was left out
is told by the next line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vonggac.errors import MediaError, Refused, StorageError, Unavailable
from vonggac.evidence.chain import Action
from vonggac.ingest.callers import neighbourhood
from vonggac.ingest.line_budget import LineBudget
from vonggac_appliance import audit_client
from vonggac_appliance.audit_event import utc
from vonggac_appliance.bus_rows import Publisher
from vonggac_appliance.clock import wall_ns
from vonggac_appliance.messages_audit import AuditAppend, AuditReceipt

__all__ = ["PushLines"]

_log = logging.getLogger("vonggac.record")

_SESSIONS_A_DAY = 12
"""Of one camera from where it called before, begin and end; and as many from elsewhere."""
_REFUSALS_A_DAY = 6
"""Of one camera and one reason."""
_WRONG_KEYS_A_DAY = 48
"""Of the whole box: whoever is in the Internet may try."""
_UNKNOWN_A_DAY = 2
"""Lines about names that no camera has."""
_PLACES_MAX = 4
_WAITING_MAX = 1000
_AGAIN_S = 5.0
_LATE_S = 5.0
"""A line that has waited longer says when it was: the chain's own time is that of its writing."""
_LAST_DEADLINE_S = 2.0
"""For what waits, while systemd waits for the recorder's end."""

_REASONS = {
    401: "wrong key",
    403: "may not be recorded",
    404: "no such stream",
    415: "no description of a camera",
    453: "another one publishes",
    503: "not taken now",
}


@dataclass(frozen=True, slots=True)
class _Begun:
    """A session whose begin was written."""

    what: str
    since_s: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    line: AuditAppend
    at_ns: int
    """Wall time of what it tells."""
    since_s: float

    def told(self, late_s: float) -> AuditAppend:
        """As it is written now."""
        if time.monotonic() - self.since_s < late_s:
            return self.line
        late = f"{self.line.object}; written late, it was at {utc(self.at_ns)}"
        return msgspec.structs.replace(self.line, object=late)


class PushLines:
    """Used in the recorder's one thread; what waits for `audit run` runs in another."""

    def __init__(self, home: Path, *, late_s: float = _LATE_S) -> None:
        self._home = home
        self._late_s = late_s
        self._budget = LineBudget()
        self._waiting: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._sending: asyncio.Future[AuditReceipt] | None = None
        self._lost = 0
        self._begun: dict[bytes, _Begun] = {}
        """By stream id."""
        self._places: dict[str, deque[str]] = {}
        """By camera's code, from where it called lately."""

    def began(self, stream: bytes, camera: str, name: str, who: Publisher) -> None:
        """A publisher was taken for a stream, of this name."""
        now_s = time.monotonic()
        places = self._places.setdefault(camera, deque(maxlen=_PLACES_MAX))
        place = neighbourhood(who.address)
        kind = "again" if place in places else "elsewhere"
        if kind == "elsewhere":
            places.append(place)
        left_out = self._budget.takes(f"{kind} {camera}", _SESSIONS_A_DAY, now_s)
        if left_out is None:
            return
        what = f"{camera}/{name} from {who}"
        self._begun[stream] = _Begun(what, now_s)
        self._say(Action.CAMERA_PUBLISH, what, "allowed", left_out)

    def ended(self, stream: bytes) -> None:
        """It publishes no more."""
        if (begun := self._begun.pop(stream, None)) is not None:
            lasted = f"{begun.what}, for {time.monotonic() - begun.since_s:.0f} s"
            self._say(Action.CAMERA_PUBLISH_END, lasted, "done", 0)

    def refused(self, camera: str | None, name: str, status: int, who: Publisher) -> None:
        """Somebody was not taken; `camera`: None where no camera that calls has the name."""
        now_s = time.monotonic()
        reason = _REASONS.get(status, f"refused with {status}")
        if camera is None:
            kind, a_day, subject = "unknown", _UNKNOWN_A_DAY, "unknown name"
        else:
            kind, a_day, subject = f"{status} {camera}", _REFUSALS_A_DAY, f"{camera}/{name}"
        left_out = self._budget.takes(kind, a_day, now_s)
        if left_out is not None and status == 401:
            others = self._budget.takes("wrong keys", _WRONG_KEYS_A_DAY, now_s)
            if others is None:
                self._budget.gives_back(kind, left_out)
            left_out = None if others is None else left_out + others
        if left_out is not None:
            self._say(Action.CAMERA_PUBLISH, f"{subject} from {who}", reason, left_out)

    def _say(self, action: str, what: str, result: str, left_out: int) -> None:
        if left_out:
            what += f"; {left_out} more like it since the line before were not written"
        line = AuditAppend(action, what, None, result)
        self._waiting.append(_Waiting(line, wall_ns(), time.monotonic()))
        if len(self._waiting) > _WAITING_MAX:
            self._waiting.popleft()
            self._lost += 1
        self._some.set()

    # --- to the chain -------------------------------------------------------------------------

    async def serve(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._some.wait()
            if not await self._send(audit_client.DEADLINE_S):
                await asyncio.sleep(_AGAIN_S)

    async def end(self) -> None:
        """Sends what waits, as long as the chain takes it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * _LAST_DEADLINE_S):
                if self._sending is not None:
                    await self._sent(self._sending)
                while self._waiting and await self._send(_LAST_DEADLINE_S):
                    pass
        if self._waiting:
            _log.error("%d lines about callers were not written", len(self._waiting))

    async def _send(self, deadline_s: float) -> bool:
        """The oldest; False: it has to wait."""
        if not self._waiting:
            self._some.clear()
            return True
        line = self._waiting[0].told(self._late_s)
        call = asyncio.to_thread(audit_client.append, self._home, line, deadline_s)
        self._sending = sending = asyncio.ensure_future(call)
        # Whoever is cancelled here leaves it to `end`: a line that is written twice is no line.
        return await self._sent(asyncio.shield(sending))

    async def _sent(self, sending: Awaitable[object]) -> bool:
        try:
            await sending
        except (Unavailable, StorageError) as error:
            _log.warning("who called waits for the audit chain: %s", error)
            self._sending = None
            return False
        except (Refused, MediaError) as error:  # our own mistake: it would be refused for ever
            _log.error("a line about a caller was refused: %s", error)
        self._sending = None
        self._waiting.popleft()
        if self._lost:
            _log.error("%d lines about callers were lost", self._lost)
            self._lost = 0
        return True
