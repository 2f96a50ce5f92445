"""Searches of the motion index for people at the page: logged first, then told as they are found.

One search is one thread of the page, so they are counted; a session that ends is told nothing more.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import NotSignedIn, TooMany, Unavailable
from vonggac.registry.catalog import Catalog
from vonggac.registry.people import Purpose
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.messages_motion import (
    MarkFound,
    MarksFound,
    MotionDone,
    MotionHeat,
    MotionQuery,
    MotionReply,
)
from vonggac_appliance.motion_client import MotionClient
from vonggac_appliance.motion_looks import MotionLooks, Searcher
from vonggac_appliance.motion_masks import MotionMasks

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Caller, Session

__all__ = ["MotionSearches", "Told", "searcher_of"]

_OF_SESSION_MAX = 4
"""While a region is dragged, the one before may still be on its way out."""
_OF_BOX_MAX = 24
"""Well below the threads of the page, which has players to serve."""
_BUSY_S = 1.0
_GONE_MAX = 1024


class Told:
    """The answers of one search, in one thread. `close` cancels it, as does the end of all."""

    def __init__(
        self,
        answers: Iterator[MotionReply],
        searches: MotionSearches,
        session: str,
        ends: contextlib.ExitStack,
    ) -> None:
        self._answers = answers
        self._searches = searches
        self._session = session
        self._ends = ends

    def __iter__(self) -> Told:
        return self

    def __next__(self) -> MotionReply:
        """Raises NotSignedIn once the session has ended; Refused, TooMany and Unavailable."""
        self._searches.expect(self._session)
        answer = next(self._answers)  # it may have been waited for
        self._searches.expect(self._session)
        return answer

    def close(self) -> None:
        """May be called again."""
        self._ends.close()


class MotionSearches:
    """Of this box. Thread-safe; one a process."""

    def __init__(self, home: Path, catalog: Catalog, *, clock: Clock = wall_ns) -> None:
        self._home = home
        self._looks = MotionLooks(home, catalog, clock=clock)
        self.masks = MotionMasks(home, catalog, clock=clock)
        self._running: Counter[str] = Counter()
        self._gone: deque[str] = deque(maxlen=_GONE_MAX)
        self._lock = threading.Lock()

    def search(
        self,
        session: Session,
        caller: Caller,
        purpose: Purpose | None,
        query: MotionQuery,
        *,
        has_masks: bool = True,
    ) -> Told:
        """Logs the search, then begins it: MotionCovered, MotionCoarse, MotionHits…, MotionDone.

        Without what the cameras' masks hide, if `has_masks`.

        Raises as `MotionLooks.permit`; TooMany; Unavailable without a line where `motion run` does
        not listen. The caller closes what comes back.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._counted(session.id))
            client = stack.enter_context(MotionClient(self._home))
            who = searcher_of(session, caller)
            permit = self._looks.permit(who, purpose, query, has_masks=has_masks)
            answers = client.search(permit.query, permit.receipts)
            assert isinstance(answers, Generator)
            stack.callback(answers.close)  # before its connection: it says that it is cancelled
            # What is refused is refused before anything is told.
            told = chain([next(answers)], answers)
            return Told(told, self, session.id, stack.pop_all())

    def heat(
        self,
        session: Session,
        caller: Caller,
        purpose: Purpose | None,
        query: MotionQuery,
        *,
        has_masks: bool = True,
    ) -> list[MotionHeat]:
        """Logs it, then tells how often each cell moved. Raises as `search`."""
        with self._counted(session.id), MotionClient(self._home) as client:
            who = searcher_of(session, caller)
            permit = self._looks.permit(who, purpose, query, is_heat=True, has_masks=has_masks)
            told = client.heat(permit.query, permit.receipts)
            self.expect(session.id)
            return told

    def marks(
        self, session: Session, caller: Caller, purpose: Purpose | None, query: MotionQuery
    ) -> tuple[list[MarkFound], MotionDone]:
        """Logs the search, then tells what programs say they saw. Raises as `search`.

        Masks that cameras have hide none: they are for trees, which a program knows as trees.
        """
        with self._counted(session.id), MotionClient(self._home) as client:
            who = searcher_of(session, caller)
            permit = self._looks.permit(who, purpose, query, has_masks=False)
            marks: list[MarkFound] = []
            for answer in client.marks(permit.query, permit.receipts):
                self.expect(session.id)
                if isinstance(answer, MarksFound):
                    marks += answer.marks
                elif isinstance(answer, MotionDone):
                    return marks, answer
        raise Unavailable("the search of marks did not end")

    def expect(self, session: str) -> None:
        """Raises NotSignedIn where it has ended."""
        if session in self._gone:
            raise NotSignedIn("the session has ended")

    def end_session(self, session: str) -> None:
        """It was signed out or has run out."""
        with self._lock:
            self._gone.append(session)
        self._looks.forget(session)

    @contextlib.contextmanager
    def _counted(self, session: str) -> Iterator[None]:
        with self._lock:
            if self._running[session] >= _OF_SESSION_MAX or self._running.total() >= _OF_BOX_MAX:
                raise TooMany("too many searches are under way", _BUSY_S)
            self._running[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[session] -= 1
                self._running += Counter()  # without those that are 0


def searcher_of(session: Session, caller: Caller) -> Searcher:
    """Who asks, as the chain names him."""
    return Searcher(session.person, session.id, caller.address, caller.device)
