"""One page's socket: the looks it keeps open, the tiles that show live views, the news it hears.

The wire is docs/ref/http.md's. A tile is a thread that gives each message on as it comes: there
is no queue here, so a page that does not read is dropped by the loop, and told.
"""

from __future__ import annotations

import json
import logging
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from vonggac.errors import Invalid, Missing, VonggacError
from vonggac.registry.camera import Stream
from vonggac.registry.rules import may_know
from vonggac_appliance import bus_events
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.live_view import LiveMessage, LiveState, LiveView
from vonggac_appliance.live_views import LiveViews
from vonggac_appliance.look import Look

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Session
    from vonggac_appliance.looks import Looks

__all__ = ["TILES_MAX", "LivePage", "PageGone", "binary"]

TILES_MAX = 16
_HOLDS_MAX = 64
_TILE_MAX = 255
_NEWS_MAX = 512
_JOIN_S = 12.0
"""A send that gets nowhere ends before that."""
_HOLE_NS = 200_000_000
"""Between two pictures, more than jitter: it was not sent."""
_HEAD = struct.Struct(">BBHIq")
_TYPES = {"init": 1, "media": 2}

_log = logging.getLogger("vonggac.serve")

Send = Callable[[str | bytes], None]


class PageGone(Exception):
    """The browser is not there any more."""


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """What a page may say. One of `hold`, `watch`, `unwatch`."""

    hold: list[str] | None = None
    watch: str | None = None
    unwatch: int | None = None
    tile: int = 0
    stream: str = "sub"


def binary(tile: int, message: LiveMessage) -> bytes:
    """A message as it travels."""
    head = _HEAD.pack(
        _TYPES[message.kind], tile, message.flags, message.number, message.wall_ns // 1000
    )
    return head + message.data


@dataclass(slots=True)
class _Tile:
    number: int
    look: Look
    view: LiveView
    thread: threading.Thread


class LivePage:
    """`take`, `turn` and `close` are called by one thread; `end` and `hear` by any."""

    def __init__(
        self,
        live: LiveViews,
        looks: Looks,
        session: Session,
        send: Send,
        *,
        clock: Clock = wall_ns,
    ) -> None:
        """Raises TooMany."""
        self.session = session
        self.is_over = False
        """The session has ended: the socket closes."""
        self._live = live
        self._looks = looks
        self._send = send
        self._clock = clock
        self._is_gone = False
        self._tiles: dict[int, _Tile] = {}
        self._held: dict[str, object] = {}
        self._news: deque[bus_events.CameraChanged] = deque(maxlen=_NEWS_MAX)
        live.attend(self)

    # --- what the page says

    def take(self, text: str | bytes) -> None:
        """A message. Raises Invalid for what is none; the socket ends then."""
        try:
            said = msgspec.json.decode(text, type=Said)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Invalid("message", "the page says what is no message") from error
        if said.hold is not None:
            self._hold(said.hold)
        elif said.watch is not None:
            self._watch(said.watch, said.tile, said.stream)
        elif said.unwatch is not None:
            self._unwatch(said.unwatch)
        else:
            raise Invalid("message", "the page says nothing")

    def _hold(self, ids: list[str]) -> None:
        if len(ids) > _HOLDS_MAX:
            raise Invalid("hold", f"a page holds at most {_HOLDS_MAX} looks")
        for look_id in [held for held in self._held if held not in ids]:
            self._looks.release(look_id, self._held.pop(look_id))
        for look_id in ids:
            if look_id in self._held:
                continue
            try:
                self._looks.get(self.session, look_id)
            except Missing:
                self._tell(look=look_id, state="ended", code="missing")
                continue
            self._held[look_id] = holder = object()
            self._looks.hold(look_id, holder)

    def _watch(self, look_id: str, number: int, stream_name: str) -> None:
        if not 0 < number <= _TILE_MAX:
            raise Invalid("tile", f"a tile has a number from 1 to {_TILE_MAX}")
        before = self._tiles.pop(number, None)
        if before is not None:
            before.view.close()
        if len(self._tiles) >= TILES_MAX:
            self._tell(tile=number, state="refused", code="too-many")
            return
        try:
            look = self._looks.get(self.session, look_id)
        except Missing:
            self._tell(tile=number, state="refused", code="missing")
            return
        stream = look.stream(stream_name)
        if stream is None or look.kind != "live":
            self._tell(tile=number, state="refused", code="stream" if stream is None else "kind")
            return
        view = self._live.watch(look, stream, lambda: self._again(look_id))
        thread = threading.Thread(
            target=self._show,
            args=(number, look, stream, view, None if before is None else before.thread),
            name=f"tile-{number}",
            daemon=True,
        )
        self._tiles[number] = _Tile(number, look, view, thread)
        thread.start()

    def _unwatch(self, number: int) -> None:
        tile = self._tiles.pop(number, None)
        if tile is not None:
            tile.view.close()
            tile.thread.join(_JOIN_S)
            self._tell(tile=number, state="ended", code="unwatched")

    def _again(self, look_id: str) -> Look | None:
        try:
            return self._looks.get(self.session, look_id)
        except Missing:
            return None

    # --- a tile's thread

    def _show(
        self,
        number: int,
        look: Look,
        stream: Stream,
        view: LiveView,
        before: threading.Thread | None,
    ) -> None:
        if before is not None:
            before.join()  # its last message must not come between ours
        holder = object()
        self._looks.hold(look.id, holder)
        sent = _Sent(lambda a, b: self._looks.delivered(look.id, stream.id, a, b))
        is_done = False
        try:
            for item in view:
                if isinstance(item, LiveState):
                    self._tell_state(number, item)
                else:
                    self._send(binary(number, item))
                    sent.add(item)
            is_done = True
        except PageGone:
            pass
        except VonggacError as error:
            _log.warning("a live view of %s ended: %s", look.camera.code, error)
        finally:
            self._is_gone |= not is_done  # the page connects anew
            view.close()
            self._looks.release(look.id, holder)

    def _tell_state(self, number: int, state: LiveState) -> None:
        facts: dict[str, object] = {"tile": number, "state": state.state}
        if state.code:
            facts["code"] = state.code
        if state.codec:
            facts["codec"] = state.codec
            facts["mime"] = f'video/mp4; codecs="{state.codec}"'
        self._tell(**facts)

    # --- what it hears, and its end

    def hear(self, event: bus_events.CameraChanged) -> None:
        """News for the page; told in the next turn."""
        self._news.append(event)

    def end(self) -> None:
        """Its session has ended."""
        self.is_over = True

    def turn(self) -> None:
        """Several times a second: news. PageGone when nobody is there."""
        if self._is_gone:
            raise PageGone
        while self._news:
            event = self._news.popleft()
            camera = self._live.catalog.camera(event.camera)
            if camera is not None and may_know(self.session.person, camera):
                self._tell(
                    event="camera",
                    camera=event.camera,
                    id=camera.id.hex(),
                    stream=event.stream,
                    state=event.state,
                    gap_reason=event.gap_reason,
                )

    def check(self) -> None:
        """Once a second: looks that have ended meanwhile are told."""
        there = {look.id for look in self._looks.of_session(self.session)}
        for look_id in [held for held in self._held if held not in there]:
            del self._held[look_id]
            self._tell(look=look_id, state="ended", code="ended")

    def close(self) -> None:
        """Ends all tiles; what was sent is with the looks when it returns."""
        self._live.leave(self)
        tiles = list(self._tiles.values())
        for tile in tiles:
            tile.view.close()
        for tile in tiles:
            tile.thread.join(_JOIN_S)
        for look_id, holder in self._held.items():
            self._looks.release(look_id, holder)
        self._held.clear()

    def _tell(self, **facts: object) -> None:
        # So that the page can tell how old a picture is by the clock that says when it was.
        facts["at_ms"] = self._clock() // 1_000_000
        self._send(json.dumps(facts, ensure_ascii=False))


class _Sent:
    """Wall ranges that were sent, told as they grow: a look may end before its tile does."""

    def __init__(self, deliver: Callable[[int, int], None]) -> None:
        self._deliver = deliver
        self._from_ns = 0
        self._until_ns = 0

    def add(self, message: LiveMessage) -> None:
        """A message was sent."""
        if message.kind != "media":
            return
        if not self._from_ns - _HOLE_NS <= message.wall_ns <= self._until_ns + _HOLE_NS:
            self._from_ns = self._until_ns = message.wall_ns  # a hole, or the clock stepped back
        self._until_ns = max(self._until_ns, message.until_ns)
        self._deliver(self._from_ns, self._until_ns)
