"""Granting and revoking: the key of this box, the line in the audit chain, then the row."""

from __future__ import annotations

from pathlib import Path

import zmq

from vonggac.errors import ConfigError, Invalid, Missing, NotSignedIn, Refused
from vonggac.evidence.chain import TEXT_MAX, Action
from vonggac.registry.catalog import Catalog
from vonggac.registry.hooks import Hook, HookOrder, new_hook, revoked
from vonggac.registry.people import Account, Person
from vonggac_appliance import audit_client
from vonggac_appliance.clock import iso, wall_ns
from vonggac_appliance.hook_lines import lines_of
from vonggac_appliance.messages_audit import AuditAppend
from vonggac_appliance.secrets import HOOKS_USER, write_once

__all__ = ["Hooking", "box_key", "box_secret"]

_FOLDER = "hooks"
"""Not `keys`: whoever is let in there reads the key of receipts too."""
_SECRET, _PUBLIC = "box.key", "box.pub"
_Z85_BYTES = 40


def box_key(home: Path) -> str:
    """The public key that programs know this box by, in Z85; made with the secret one."""
    if not (home / _FOLDER / _PUBLIC).exists():
        _, secret = zmq.curve_keypair()
        write_once(home, _SECRET, secret, 0o600, HOOKS_USER, _FOLDER)
        # Read back: another command may have been first.
        public = zmq.curve_public(_read(home / _FOLDER / _SECRET))
        write_once(home, _PUBLIC, public, 0o644, HOOKS_USER, _FOLDER)
    return _read(home / _FOLDER / _PUBLIC).decode()


def box_secret(home: Path) -> bytes:
    """Only `hooks run` reads it. Raises ConfigError."""
    return _read(home / _FOLDER / _SECRET)


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) != _Z85_BYTES:
        raise ConfigError(f"{path} is no key of {_Z85_BYTES} characters")
    return raw


class Hooking:
    """What commands do with grants."""

    def __init__(self, home: Path, catalog: Catalog) -> None:
        self._home = home
        self._catalog = catalog

    def commander(self, name: str, password: str) -> Account:
        """The person who lets a program in. Raises NotSignedIn; the attempt is logged."""
        from vonggac.registry.passwords import Hasher, PasswordRefused, typed_password

        account = self._catalog.account_named(name)
        try:
            typed, kept = typed_password(password), None if account is None else account.password
        except PasswordRefused:
            typed, kept = "", None
        if not Hasher().is_right(typed, kept) or account is None:
            why = "wrong password" if account else "unknown name"
            self._log(Action.HOOK_ADD, "-", None, f"refused: {why}")
            raise NotSignedIn("the name or the password is wrong")
        return account

    def add(self, order: HookOrder, commander: Account, made_by: Person) -> Hook:
        """A grant; all of it is in the chain before. Raises Invalid, Refused, Unavailable."""
        try:
            row = new_hook(order, self._catalog.hooks(), commander, made_by, wall_ns())
        except Invalid:
            raise
        except Refused as error:
            self._log(Action.HOOK_ADD, "-", None, f"refused: {error}")
            raise
        head = (
            f"hook {row.number} «{row.name}», {'+'.join(row.kinds)} until {iso(row.until_ns)}, "
            f"approved by {row.approved_by}, of "
        )
        for words in lines_of(head, dict.fromkeys(camera.code for camera in order.cameras)):
            self._log(Action.HOOK_ADD, words, row.purpose, "allowed")
        self._catalog.put_hook(row, None)
        return row

    def revoke(self, number: int, by: Person) -> Hook:
        """The grant ends within a second. Raises Missing, Refused.

        It ends also where the chain cannot be written: nobody sees more by that.
        """
        before = next((row for row in self._catalog.hooks() if row.number == number), None)
        if before is None:
            raise Missing(f"there is no hook {number} (vonggac hook list)")
        row = revoked(before, by, wall_ns())
        self._catalog.put_hook(row, before)
        self._log(Action.HOOK_REVOKE, f"hook {row.number} «{row.name}»", None, "done")
        return row

    def _log(self, action: str, words: str, purpose: str | None, result: str) -> None:
        why = None if purpose is None else ("khác", purpose)
        event = AuditAppend(action, words[:TEXT_MAX], why, result[:TEXT_MAX])
        audit_client.append(self._home, event)
