"""People who sign in, over the real audit writer; time is the test's, and hashing is cheap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit_rig import audit_run, chain_of
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import Hasher, checked_password
from vonggac.registry.people import Account, Role
from vonggac_appliance.accounts import Accounts, Caller
from vonggac_appliance.serve_state import ServeState

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
BEGIN_NS = 1_800_000_000 * SECOND_NS
NAME = "Nguyễn Văn An"
PASSWORD = "con ngựa đúng pin ghim"
HERE = Caller("192.168.1.7", "Firefox")
ELSEWHERE = Caller("192.168.1.99", "Chrome")
CHEAP = Hasher(1, 8, 1)


@dataclass
class Time:
    """Both clocks, which move when told."""

    now_ns: int = BEGIN_NS

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)


@dataclass
class Office:
    """A home with its people."""

    home: Path
    catalog: Catalog
    state: ServeState
    time: Time
    accounts: Accounts

    def enrol(self, name: str = NAME, password: str = PASSWORD) -> Account:
        """Somebody more, past the page."""
        number = len(self.catalog.people())
        kept = CHEAP.hash(checked_password(password))
        row = Account(bytes([number]) * 16, name, Role.COMMANDER, kept, self.time())
        self.catalog.add_account(row)
        return row

    def again(self) -> Accounts:
        """The service after `serve` was started again."""
        return Accounts(
            self.home,
            self.catalog,
            self.state,
            clock=self.time,
            monotonic=self.time,
            hasher=CHEAP,
        )


@contextmanager
def closed_office(home: Path) -> Iterator[Office]:
    """Nobody writes the audit chain."""
    with Catalog(home) as catalog, ServeState(home) as state:
        time = Time()
        accounts = Accounts(home, catalog, state, clock=time, monotonic=time, hasher=CHEAP)
        yield Office(home, catalog, state, time, accounts)


@contextmanager
def office(home: Path) -> Iterator[Office]:
    """The audit chain is written."""
    with audit_run(home), closed_office(home) as made:
        yield made


def said(home: Path) -> list[tuple[str, str, str]]:
    """Action, object and result of every line but the first."""
    return [(line["action"], line["object"], line["result"]) for line in chain_of(home)[1:]]
