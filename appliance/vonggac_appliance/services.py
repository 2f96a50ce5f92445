"""What the page can ask for: one object, made once in the process that serves, after its fork.

A view of `vonggac_web` calls one function of one of these and renders what comes back.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vonggac.errors import VonggacError
from vonggac_appliance.config import Config

if TYPE_CHECKING:
    from vonggac_appliance.accounts import Accounts
    from vonggac_appliance.alarm_list import AlarmList
    from vonggac_appliance.box_status import BoxStatus
    from vonggac_appliance.camera_list import CameraList
    from vonggac_appliance.live_views import LiveViews
    from vonggac_appliance.looks import Looks
    from vonggac_appliance.motion_page import MotionSearches

__all__ = ["LOOPBACK_NAMES", "Front", "Services", "open_services"]

_log = logging.getLogger("vonggac.serve")

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Front:
    """How the page is reached."""

    is_tls: bool = False
    """Cookies carry `Secure` and the prefix `__Host-`."""
    names: frozenset[str] = LOOPBACK_NAMES
    """Lower-case names and addresses that a request may call us by (Host); `*.` stands for one
    label. Any other is an attempt to reach us through a foreign name."""

    def has(self, host: str) -> bool:
        """Whether `host`, without its port, is one of our names."""
        name = host.lower().rstrip(".")
        _, dot, rest = name.partition(".")
        return name in self.names or (bool(dot) and f"*.{rest}" in self.names)


@dataclass(frozen=True, slots=True)
class Services:
    """The services of the page."""

    home: Path
    config: Config
    accounts: Accounts
    """Who signs in, and who is signed in."""
    looks: Looks
    """What somebody may see now, and its lines in the audit chain."""
    live: LiveViews
    """Live pictures, from the recorder's loops."""
    cameras: CameraList
    """What is enrolled, and what each camera does."""
    status: BoxStatus
    """How the box is."""
    alarms: AlarmList
    """What a person has to look at."""
    motion: MotionSearches
    """Where anything moved, and the lines of who asked."""
    front: Front = field(default_factory=Front)
    turns: tuple[Callable[[], None], ...] = ()
    """Called each second, from one thread: what nobody asks for (the end of a look)."""
    ends: tuple[Callable[[], None], ...] = ()
    """Called once, in this order, by `close`: live views before looks, so that their lines in the
    audit chain say all that was shown."""

    def turn(self) -> None:
        """One turn of all. One that fails does not keep the others from theirs."""
        for turn in self.turns:
            try:
                turn()
            except VonggacError as error:
                _log.warning("%s", error)

    def close(self) -> None:
        """Ends all; one that cannot be ended in order does not keep the others from it."""
        for end in self.ends:
            try:
                end()
            except VonggacError as error:
                _log.error("not ended in order: %s", error)


def open_services(home: Path, config: Config, front: Front) -> Services:
    """Opens everything. After the fork, once a process. Raises ConfigError, StorageError."""
    # Here, so that a view's test need not load what it does not ask.
    from vonggac.registry.catalog import Catalog
    from vonggac_appliance.accounts import Accounts
    from vonggac_appliance.alarm_list import AlarmList
    from vonggac_appliance.box_status import BoxStatus
    from vonggac_appliance.camera_list import CameraList
    from vonggac_appliance.hook_metrics import HookWatch
    from vonggac_appliance.live_views import LiveViews
    from vonggac_appliance.looks import Looks
    from vonggac_appliance.motion_page import MotionSearches
    from vonggac_appliance.recorder_events import RecorderEvents
    from vonggac_appliance.recorder_watch import RecorderWatch
    from vonggac_appliance.serve_state import ServeState

    with contextlib.ExitStack() as stack:
        catalog = stack.enter_context(Catalog(home))
        state = stack.enter_context(ServeState(home))
        events = RecorderEvents(home)
        stack.callback(events.close)
        accounts = Accounts(home, catalog, state)
        looks = Looks(home, catalog, state)
        stack.callback(looks.close)
        live = LiveViews(home, catalog, events)
        stack.callback(live.close)
        # Pages first: the lines of the looks may have to wait for the chain.
        accounts.when_ended(live.end_session)
        accounts.when_ended(looks.end_session)
        motion = MotionSearches(home, catalog)
        accounts.when_ended(motion.end_session)
        watch = RecorderWatch(home, events)
        stack.callback(watch.close)
        cameras = CameraList(home, catalog, watch)
        stack.callback(cameras.close)
        hooks = HookWatch(home)
        stack.callback(hooks.close)
        status = BoxStatus(home, catalog, watch, hooks=hooks.now)
        stack.callback(status.close)
        return Services(
            home=home,
            config=config,
            accounts=accounts,
            looks=looks,
            live=live,
            cameras=cameras,
            status=status,
            alarms=AlarmList(home, catalog),
            motion=motion,
            front=front,
            turns=(accounts.sweep, looks.sweep),
            ends=(stack.pop_all().close,),
        )
