"""All live views and pages of this process: who hears news, whose session has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vonggac.errors import TooMany
from vonggac.registry.camera import Stream
from vonggac.registry.catalog import Catalog
from vonggac_appliance import bus_events
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.live_view import LiveView
from vonggac_appliance.look import Look
from vonggac_appliance.recorder_events import RecorderEvents

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Session

__all__ = ["LiveViews", "Page"]

_PAGES_MAX = 64
"""Each takes one of the page's threads."""
_PAGES_OF_SESSION_MAX = 16


class Page(Protocol):
    """A page's socket (`live_page.LivePage`)."""

    session: Session

    def hear(self, event: bus_events.CameraChanged) -> None: ...
    def end(self) -> None: ...


class LiveViews:
    """All live views of this process. Makes no thread until somebody looks."""

    def __init__(
        self, home: Path, catalog: Catalog, events: RecorderEvents, *, clock: Clock = wall_ns
    ) -> None:
        self.catalog = catalog
        self._home = home
        self._events = events
        self._clock = clock
        self._views: set[LiveView] = set()
        self._pages: set[Page] = set()
        self._is_closed = False
        self._lock = threading.Lock()
        self._unlisten: Callable[[], None] | None = None

    def watch(
        self, look: Look, stream: Stream, again: Callable[[], Look | None] | None = None
    ) -> LiveView:
        """The view of a stream; iterating it waits. `again` gives the look as it stands now."""
        view = LiveView(self._home, self.catalog, look, stream, again, self._clock, self._forget)
        with self._lock:
            self._views.add(view)
            self._listen()
        return view

    @property
    def viewers(self) -> int:
        """How many views are open."""
        with self._lock:
            return len(self._views)

    def attend(self, page: Page) -> None:
        """The page hears news until it leaves. TooMany: of its session, or of all, or we end."""
        with self._lock:
            if self._is_closed:  # else it would hold up the end that it was not told of
                raise TooMany("the page is about to end", 2.0)
            own = sum(other.session.id == page.session.id for other in self._pages)
            if own >= _PAGES_OF_SESSION_MAX or len(self._pages) >= _PAGES_MAX:
                raise TooMany("too many pages are open", 10.0)
            self._pages.add(page)
            self._listen()

    def leave(self, page: Page) -> None:
        """The page is closed."""
        with self._lock:
            self._pages.discard(page)

    def end_session(self, session_id: str) -> None:
        """A session has ended: so do the sockets of its pages, within a second."""
        with self._lock:
            for page in self._pages:
                if page.session.id == session_id:
                    page.end()

    def close(self) -> None:
        """Ends all views and pages."""
        with self._lock:
            self._is_closed = True
            views, unlisten = list(self._views), self._unlisten
            for page in self._pages:
                page.end()
        for view in views:
            view.close()
        if unlisten is not None:
            unlisten()

    def _forget(self, view: LiveView) -> None:
        with self._lock:
            self._views.discard(view)

    def _listen(self) -> None:
        if self._unlisten is None:
            self._unlisten = self._events.listen(self._hear)

    def _hear(self, event: bus_events.Event) -> None:
        """Pages are told; a view that waits for this camera need not wait for its next try."""
        if not isinstance(event, bus_events.CameraChanged):
            return
        with self._lock:
            for page in self._pages:
                page.hear(event)
            for view in self._views:
                if event.state == "recording" and view.look.camera.code == event.camera:
                    view.wake()
