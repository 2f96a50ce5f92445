"""Who uses the page: the first person and those who come after, sign-in, sessions.

Every act and every refusal stands in the audit chain before its answer; where the chain cannot be
written, nobody signs in. A name that nobody has is never written down: people type passwords there.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vonggac.errors import Invalid, Missing, NotSignedIn, Refused, TooMany
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.registry.catalog import Catalog
from vonggac.registry.passwords import (
    Hasher,
    PasswordRefused,
    checked_password,
    typed_password,
)
from vonggac.registry.people import Account, Person, Role, checked_areas, checked_name
from vonggac_appliance import audit_client
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.guesses import Guesses, TooSoon, name_guessed, network_of
from vonggac_appliance.messages_audit import AuditAppend
from vonggac_appliance.serve_state import ServeState
from vonggac_appliance.sessions import SessionRow, Sessions
from vonggac_appliance.setup_code import SetupCodes

__all__ = [
    "DEVICE_MAX",
    "Accounts",
    "Caller",
    "Session",
    "person_code",
    "set_password",
    "setup_code",
]

DEVICE_MAX = 200
"""Characters of what a browser calls itself."""
HASHES_MAX = 2
"""At once: each takes 64 MiB and a core for as long as it lasts."""
_LINE_MAX = 8
"""Who may stand in line for them; more would keep threads from those who are signed in."""
_NAME_READ_MAX = 256
_UNKNOWN = "unknown name"
_FIRST, _NEW = "first person", "new person"
_NOBODY = "unknown"
_NO_ROLE = "none"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from."""

    address: str
    """Of the network, as the kernel tells it."""
    device: str
    """What the browser calls itself, at most DEVICE_MAX characters, without control characters."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in, and how long that holds."""

    id: str
    """16 hex digits, public: stands in audit lines, opens nothing."""
    person: Person
    """`name` is the account's id, 32 hex digits."""
    display_name: str
    created_ns: int
    until_ns: int
    """When it ends if nothing more is asked."""


class Accounts:
    """The service. Thread-safe; one a process, over a catalog and a state that others share."""

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        state: ServeState,
        *,
        clock: Clock = wall_ns,
        monotonic: Clock = time.monotonic_ns,
        hasher: Hasher | None = None,
    ) -> None:
        self._home = home
        self._catalog = catalog
        self._codes = SetupCodes(state, clock)
        self._sessions = Sessions(state, self._ended, clock)
        self._guesses = Guesses(monotonic)
        self._clock = clock
        self._hasher = hasher or Hasher()
        self._line = threading.BoundedSemaphore(HASHES_MAX + _LINE_MAX)
        self._hashes = threading.BoundedSemaphore(HASHES_MAX)
        self._when_ended: list[Callable[[str], None]] = []

    def when_ended(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the id of every session that ends, from the thread that noticed."""
        self._when_ended.append(tell)

    def needs_setup(self) -> bool:
        """Whether there is nobody yet who could sign in."""
        return not self._catalog.has_people()

    def make_code(self) -> str:
        """The code with which the first person makes an account. Refused when there is one."""
        if not self.needs_setup():
            raise Refused("there are people already: vonggac person add NAME --role ROLE")
        # From a shell: the chain knows the caller by its user.
        event = AuditAppend(Action.SETUP_CODE, _FIRST, None, "done")
        return self._codes.make(line=audit_client.append(self._home, event).line)

    def make_person_code(self, name: str, role: Role, areas: tuple[str, ...]) -> str:
        """The code with which `name` makes an account of that role, from a shell as well.

        Raises Invalid (name, areas); Refused while nobody is there, or when the name is taken.
        """
        if self.needs_setup():
            raise Refused("nobody is there yet: the first person comes with vonggac setup-code")
        name, areas = checked_name(name), checked_areas(role, areas)
        if self._account_named(name) is not None:
            raise Refused(f"somebody called {name} is there already")
        what = ", ".join((str(role), *areas))
        event = AuditAppend(Action.SETUP_CODE, name, None, f"done: as {what}"[:TEXT_MAX])
        line = audit_client.append(self._home, event).line
        return self._codes.make(name, role, areas, line)

    def first_person(
        self, code: str, name: str, password: str, caller: Caller
    ) -> tuple[str, Session]:
        """Makes a commander and signs him in; gives the token and the session.

        Raises Invalid (code, name, password), Refused when there is somebody, TooMany.
        """
        if not self.needs_setup():
            raise Refused("the first person is there already")
        return self._enrol(code, name, password, caller, is_first=True)

    def new_person(
        self, code: str, name: str, password: str, caller: Caller
    ) -> tuple[str, Session]:
        """As the first one, somebody for whom a code was made under this very name."""
        if self.needs_setup():
            raise Refused("nobody is there yet")
        return self._enrol(code, name, password, caller, is_first=False)

    def _enrol(
        self, code: str, name: str, password: str, caller: Caller, *, is_first: bool
    ) -> tuple[str, Session]:
        who = _FIRST if is_first else _NEW
        name = checked_name(name)
        password = checked_password(password, (name, socket.gethostname()))
        keys = (network_of(caller.address),)
        self._begin(keys, Action.PERSON_ADD, who, caller)
        row = self._codes.matching(code, "" if is_first else name)
        if row is None:
            self._refusal(Action.PERSON_ADD, who, "wrong code", caller)
            raise Invalid("code", "the code is wrong, used, or older than 15 minutes")
        self._guesses.take_back(keys)
        with self._hashing(()):
            kept = self._hasher.hash(password)
        # As it was given on the terminal, where the role was given to it.
        name = row.name or name
        account = Account(secrets.token_bytes(16), name, row.role, kept, self._clock(), row.areas)
        self._say(Action.PERSON_ADD, name, "allowed", caller, account, about=row.line)
        try:
            self._catalog.add_account(account, is_first=is_first)
        except Refused:  # two typed the same code at once
            self._refusal(Action.PERSON_ADD, name, "somebody was first", caller)
            raise
        self._codes.use_up(row)
        return self._open(account, caller)

    def sign_in(self, name: str, password: str, caller: Caller) -> tuple[str, Session]:
        """Gives the token and the session.

        Raises NotSignedIn when name or password is wrong (it does not say which), TooMany.
        """
        account = self._account_named(name)
        known = _UNKNOWN if account is None else account.name
        own_key = name_guessed(name[:_NAME_READ_MAX])
        keys = (own_key, network_of(caller.address))
        self._begin(keys, Action.SIGN_IN, known, caller)
        with self._hashing(keys):
            is_right = self._is_right(account, password)
        if account is None or not is_right:
            why = "unknown name" if account is None else "wrong password"
            self._refusal(Action.SIGN_IN, known, why, caller)
            raise NotSignedIn("the name or the password is wrong")
        self._guesses.take_back(keys)
        self._guesses.forget(own_key)
        return self._open(account, caller)

    def set_password(self, name: str, password: str) -> None:
        """A new password for somebody who has forgotten his; all his sessions end. From a shell.

        Raises Missing, PasswordRefused; Unavailable or StorageError where no line can be written.
        """
        account = self._account_named(name)
        if account is None:
            raise Missing("nobody is called so")
        password = checked_password(password, (account.name, socket.gethostname()))
        kept = self._hasher.hash(password)
        event = AuditAppend(Action.PERSON_PASSWORD, account.name, None, "done")
        audit_client.append(self._home, event)
        self._catalog.set_password(account.id, kept)
        self._sessions.end_all(account.id)

    def session(self, token: str, *, moves: bool = True) -> Session:
        """Whose `token` is; moves its idle end, but for what a page asks without a person.

        Raises NotSignedIn when it is nobody's, or over.
        """
        row = self._sessions.find(token, moves=moves)
        account = None if row is None else self._catalog.account(row.account)
        if row is None or account is None:
            raise NotSignedIn("no session, or one that has ended")
        return _session(row, account)

    def sign_out(self, token: str, caller: Caller) -> None:
        """Ends the session at once, then writes it down; a token that is nobody's is nothing."""
        row = self._sessions.end(token)
        account = None if row is None else self._catalog.account(row.account)
        if row is not None and account is not None:
            self._say(Action.SIGN_OUT, account.name, "done", caller, account, row.id)

    def sweep(self) -> None:
        """Clears away sessions that are over; for `serve`'s thread, now and then."""
        self._sessions.sweep()

    def _open(self, account: Account, caller: Caller) -> tuple[str, Session]:
        row = self._sessions.new_row(account.id)
        self._say(Action.SIGN_IN, account.name, "allowed", caller, account, row.id)
        return self._sessions.begin(row), _session(row, account)

    def _account_named(self, name: str) -> Account | None:
        return None if len(name) > _NAME_READ_MAX else self._catalog.account_named(name)

    def _is_right(self, account: Account | None, password: str) -> bool:
        """Takes as long for a name that nobody has, and for a password that nobody may have."""
        try:
            typed, kept = typed_password(password), None if account is None else account.password
        except PasswordRefused:
            typed, kept = "", None
        return self._hasher.is_right(typed, kept)

    @contextlib.contextmanager
    def _hashing(self, keys: tuple[str, ...]) -> Iterator[None]:
        """A place among HASHES_MAX. TooMany at once when the line is full: `keys` do not count."""
        if not self._line.acquire(blocking=False):
            self._guesses.take_back(keys)
            raise TooMany("many people are signing in at this moment", 1.0)
        try:
            with self._hashes:
                yield
        finally:
            self._line.release()

    def _begin(self, keys: tuple[str, ...], action: str, target: str, caller: Caller) -> None:
        try:
            self._guesses.begin(keys)
        except TooSoon as error:
            if error.is_first:
                self._refusal(action, target, "too many tries", caller)
            raise

    def _refusal(self, action: str, target: str, why: str, caller: Caller) -> None:
        self._say(action, target, f"refused: {why}", caller)

    def _say(
        self,
        action: str,
        target: str,
        result: str,
        caller: Caller,
        account: Account | None = None,
        session: str = "",
        about: int = 0,
    ) -> None:
        """A line of the audit chain. Unavailable or StorageError: then what it says must not be."""
        event = AuditAppend(
            action=action,
            object=target,
            purpose=None,
            result=result,
            person=_NOBODY if account is None else account.id.hex(),
            role=_NO_ROLE if account is None else str(account.role),
            address=caller.address,
            device=caller.device,
            session=session,
            about=about,
        )
        audit_client.append(self._home, event)

    def _ended(self, row: SessionRow) -> None:
        for tell in self._when_ended:
            tell(row.id)


def setup_code(home: Path) -> str:
    """A code for the first person of `home`; for commands, which have nothing open yet."""
    with Catalog(home) as catalog, ServeState(home) as state:
        return Accounts(home, catalog, state).make_code()


def person_code(home: Path, name: str, role: Role, areas: tuple[str, ...]) -> str:
    """As `Accounts.make_person_code`, for a command."""
    with Catalog(home) as catalog, ServeState(home) as state:
        return Accounts(home, catalog, state).make_person_code(name, role, areas)


def set_password(home: Path, name: str, password: str) -> None:
    """As `Accounts.set_password`, for a command."""
    with Catalog(home) as catalog, ServeState(home) as state:
        Accounts(home, catalog, state).set_password(name, password)


def _session(row: SessionRow, account: Account) -> Session:
    return Session(row.id, account.person, account.name, row.created_ns, row.until_ns)
