"""What programs were given, in the audit chain: a line before the first message of each minute.

It is of one hook and one camera. At the end of a minute a line a hook says how much it was. Where
the chain cannot be written nothing is given to anybody.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path

from vonggac.errors import Unavailable, VonggacError
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.registry.hooks import Hook, HookKind
from vonggac_appliance import audit_client
from vonggac_appliance.hook_limits import spare
from vonggac_appliance.hook_lines import lines_of
from vonggac_appliance.messages_audit import AuditAppend

__all__ = ["HookLog"]

_log = logging.getLogger("vonggac.hooks")

_MINUTE_NS = 60_000_000_000
_DEADLINE_S = 3.0
"""Of all lines of a turn together: a chain that is slow for each of 32 hooks would hold up what
ends grants, who shakes hands, and the watchdog."""
_AGAIN_S = 5.0
"""Between two tries; all that comes meanwhile is given to nobody."""
_OWED_MAX = 10_000


class HookLog:
    """In one thread, which waits for the chain: no other program is given anything meanwhile."""

    def __init__(self, home: Path) -> None:
        self._chain = audit_client.Appender(home, spare)
        self._open: set[tuple[int, str]] = set()
        """Hook and camera, of this minute."""
        self._minute = 0
        self._given: Counter[tuple[int, str, str]] = Counter()
        """Messages of this minute, by hook, camera and kind."""
        self._owed: list[AuditAppend] = []
        """Sums of minutes that could not be written yet, the oldest first."""
        self._again_s = 0.0
        self._left_s = _DEADLINE_S

    def begin_turn(self) -> None:
        """Of the process: the chain may be waited for again."""
        self._left_s = _DEADLINE_S

    def open(self, hook: Hook, camera: str, now_ns: int, now_s: float) -> bool:
        """Whether `camera` may be told to `hook` in this minute: its line is in the chain."""
        self.turn(now_ns, now_s)
        if (hook.number, camera) in self._open:
            return True
        words = f"{camera} to hook {hook.number} «{hook.name}»"
        kinds = "+".join(kind for kind in HookKind if kind in hook.kinds)
        event = AuditAppend(
            Action.HOOK_DELIVERY, words[:TEXT_MAX], ("khác", hook.purpose), f"allowed: {kinds}"
        )
        if not self._append(event, now_s):
            return False
        self._open.add((hook.number, camera))
        return True

    def gave(self, hook: Hook, camera: str, kind: HookKind) -> None:
        """A message was sent."""
        self._given[hook.number, camera, kind.value] += 1

    def turn(self, now_ns: int, now_s: float) -> None:
        """Each second: says what the minute before was."""
        minute = now_ns // _MINUTE_NS
        if minute != self._minute:
            self._minute = minute
            self._open.clear()
            self._owed += _sums(self._given)
            self._given.clear()
            if len(self._owed) > _OWED_MAX:
                _log.error("sums of %d minutes are lost: the chain is not written", _OWED_MAX)
                del self._owed[:-_OWED_MAX]
        while self._owed and self._append(self._owed[0], now_s):
            del self._owed[0]

    def close(self) -> None:
        """Says what this minute was until now."""
        self.begin_turn()
        self._owed += _sums(self._given)
        self._given.clear()
        for event in self._owed:
            if not self._append(event, self._again_s):
                _log.error("what programs were given last does not stand in the audit chain")
                break
        self._chain.close()

    def _append(self, event: AuditAppend, now_s: float) -> bool:
        if now_s < self._again_s:
            return False
        began_s = time.monotonic()
        try:
            if self._left_s <= 0:
                raise Unavailable("the audit chain is too slow")
            self._chain.append(event, self._left_s)
        except VonggacError as error:
            _log.warning("nothing is given to programs: %s", error)
            self._again_s = now_s + (time.monotonic() - began_s) + _AGAIN_S
            return False
        finally:
            self._left_s -= time.monotonic() - began_s
        return True


def _sums(given: Counter[tuple[int, str, str]]) -> list[AuditAppend]:
    """A line a hook, or more where its cameras do not fit into one."""
    lines: list[AuditAppend] = []
    for number in sorted({hook for hook, _, _ in given}):
        parts = [
            f"{c}: {n} {kind}" for (hook, c, kind), n in sorted(given.items()) if hook == number
        ]
        for text in lines_of("delivered ", parts):
            lines.append(AuditAppend(Action.HOOK_DELIVERY, f"hook {number}", None, text[:TEXT_MAX]))
    return lines
