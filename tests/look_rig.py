"""A page over real footage: keepers, the audit writer, accounts and looks; nothing is pretended."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from werkzeug.serving import make_server

from audit_rig import audit_run, chain_of
from crash.keeper_peer import Arena, KeeperPeer
from footage_maker import CAMERA
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher
from vonggac.registry.people import Account, Person, Purpose, PurposeCode, Role
from vonggac_appliance import config
from vonggac_appliance.accounts import Accounts, Caller, Session
from vonggac_appliance.look import LookAsk
from vonggac_appliance.looks import Looks
from vonggac_appliance.motion_page import MotionSearches
from vonggac_appliance.serve_state import ServeState
from vonggac_appliance.services import Services
from web_rig import Browser, browser

HERE = Caller("192.168.1.7", "Firefox")
PASSWORD = "trời mưa thì ướt sân 7"
CASE = Purpose(PurposeCode.CRIME, "2026/17")
CHEAP = Hasher(time_cost=1, memory_kib=64)


@dataclass(slots=True)
class Hands:
    """Wall time as the test wants it: the true one, and what was added."""

    ahead_ns: int = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead_ns

    def pass_s(self, seconds: float) -> None:
        self.ahead_ns += int(seconds * 1e9)


@dataclass(slots=True)
class Page:
    """The page of a home, with one person signed in."""

    home: Path
    services: Services
    looks: Looks
    clock: Hands
    token: str
    session: Session

    @property
    def client(self) -> Browser:
        return browser(self.services, self.token)

    def ask(self, from_ns: int, to_ns: int, **more: Any) -> dict[str, Any]:
        """A look at `cam1` over HTTP; gives the answer, which must be 201."""
        answer = self.client.post("/api/v1/looks", json=asked(from_ns, to_ns, **more))
        assert answer.status_code == 201, answer.json
        told: dict[str, Any] = answer.json
        return told

    def lines(self) -> list[dict[str, Any]]:
        """The audit chain."""
        return chain_of(self.home)

    def other(self, role: Role, *areas: str, name: str = "Bình") -> Page:
        """The same page for somebody else."""
        accounts = self.services.accounts
        with_role = Account(os.urandom(16), name, role, CHEAP.hash(PASSWORD), time.time_ns(), areas)
        accounts._catalog.add_account(with_role)
        token, session = accounts.sign_in(name, PASSWORD, HERE)
        return Page(self.home, self.services, self.looks, self.clock, token, session)


def asked(from_ns: int, to_ns: int, **more: Any) -> dict[str, Any]:
    """The body of POST /api/v1/looks."""
    return {
        "camera": CAMERA.hex(),
        "kind": "stored",
        "from": from_ns // 1_000_000,
        "to": to_ns // 1_000_000,
        "purpose": {"code": "hình sự", "text": "2026/17"},
    } | more


def ask_of(from_ns: int, to_ns: int, purpose: Purpose | None = CASE) -> LookAsk:
    return LookAsk(CAMERA, "stored", from_ns, to_ns, purpose)


@contextlib.contextmanager
def keepers(home: Path, *disks: Path) -> Iterator[list[KeeperPeer]]:
    """A keeper process for each disk, which answers questions; nothing is recorded."""
    arenas = [Arena.make() for _ in disks]
    peers = [KeeperPeer(disk, home, arena) for disk, arena in zip(disks, arenas, strict=True)]
    try:
        for peer in peers:
            peer.ready()
        yield peers
    finally:
        for peer in peers:
            if peer.process.poll() is None:
                peer.kill()
        for arena in arenas:
            arena.close()


@contextlib.contextmanager
def page(home: Path, *, has_audit: bool = True) -> Iterator[Page]:
    """The page of a home that has cameras and disks; a commander is signed in."""
    clock = Hands()
    with contextlib.ExitStack() as stack:
        audit = stack.enter_context(contextlib.ExitStack())
        audit.enter_context(audit_run(home))
        catalog = stack.enter_context(Catalog(home))
        state = stack.enter_context(ServeState(home))
        accounts = Accounts(home, catalog, state, hasher=CHEAP)
        looks = Looks(home, catalog, state, clock=clock)
        accounts.when_ended(looks.end_session)
        motion = MotionSearches(home, catalog, clock=clock)
        accounts.when_ended(motion.end_session)
        services = Services(
            home=home,
            config=config.parse("", "empty"),
            accounts=accounts,
            looks=looks,
            live=cast(Any, None),
            cameras=cast(Any, None),
            status=cast(Any, None),
            alarms=cast(Any, None),
            motion=motion,
        )
        if accounts.needs_setup():
            token, session = accounts.first_person(accounts.make_code(), "An", PASSWORD, HERE)
        else:
            token, session = accounts.sign_in("An", PASSWORD, HERE)
        if not has_audit:
            audit.close()
        yield Page(home, services, looks, clock, token, session)
        looks.footage.leases.close_idle(0.0)


@contextlib.contextmanager
def served(page: Page) -> Iterator[str]:
    """The page on a port of loopback; gives its address."""
    app = page.client.application
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def person(role: Role = Role.COMMANDER, *areas: str) -> Session:
    """Somebody signed in, for what needs no accounts."""
    now_ns = time.time_ns()
    name = os.urandom(16).hex()
    return Session(os.urandom(8).hex(), Person(name, role, areas), "An", now_ns, now_ns + 10**12)
