"""`vonggac audit run`: writes the chain for everybody else, and answers with receipts.

One thread, one batch a turn: whoever asked while the disk was syncing shares the next sync. The
chain being unwritable ends nothing: appends are refused, so viewing stops, and recording goes on.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vonggac.errors import ConfigError, MediaError, StorageError, Unavailable
from vonggac.evidence import chain, ledger, receipt
from vonggac.evidence.receipt import Permit
from vonggac.registry.people import Role, local_person
from vonggac_appliance import backup_tail, sockets
from vonggac_appliance.audit_event import check, fields_of, receipt_camera, utc
from vonggac_appliance.audit_log import AuditLog
from vonggac_appliance.clock import Clock, wall_ns
from vonggac_appliance.ledger import write_list
from vonggac_appliance.messages import Kind, Refused
from vonggac_appliance.messages_audit import (
    AskChain,
    AuditAppend,
    AuditReceipt,
    Chain,
    LedgerEntries,
    LedgerWritten,
    audit_path,
)
from vonggac_appliance.notify import Notifier
from vonggac_appliance.secrets import AUDIT_USER, RECORD_USER, SERVE_USER, receipt_key

__all__ = ["AuditServer", "main"]

CALLERS_MAX = 256
BATCH_MAX = 256
"""Events in one sync: 4 MiB of lines at most."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ask:
    """An append that passed all checks and waits for this turn's sync."""

    caller: socket.socket
    request: int
    append: AuditAppend | None
    """None: a list for the ledger, which is written already and waits for its line."""
    event: dict[str, chain.Value]


class AuditServer:
    """The socket and the log. `turn` does what is there to do, and waits at most its argument."""

    def __init__(self, home: Path, clock: Clock = wall_ns) -> None:
        self._clock = clock
        self._is_single_user = sockets.service_uid(AUDIT_USER) != os.geteuid()
        self._serve_uid = sockets.service_uid(SERVE_USER)
        self._record_uid = sockets.service_uid(RECORD_USER)
        self._home = home
        self._key = receipt_key(home)
        self._log = AuditLog(home)
        self._has_started_line = False
        sockets.prepare_class(home, "audit")
        self._path = audit_path(home)
        self._try_start_line()  # first: a second writer ends here, before it takes the socket
        self._listener = sockets.listen(self._path)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._callers: dict[int, socket.socket] = {}

    def close(self) -> None:
        """End all connections and give the log back."""
        for caller in list(self._callers.values()):
            self._drop(caller)
        self._selector.close()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        self._log.close()

    def watch(self, fd: int) -> None:
        """Let `turn` return when `fd` becomes readable."""
        self._selector.register(fd, selectors.EVENT_READ)

    def turn(self, wait_s: float | None) -> None:
        """Accept, read, write one batch, answer."""
        asks: list[_Ask] = []
        for key, _ in self._selector.select(wait_s):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fd in self._callers:
                asks += self._read(self._callers[key.fd], BATCH_MAX - len(asks))
        if asks:
            self._write(asks)

    def _accept(self) -> None:
        try:
            caller, _ = self._listener.accept()
        except OSError as error:  # gone again, or no descriptor left: the next turn tries anew
            _log.warning("a caller could not be accepted (%s), waiting for the next", error)
            return
        caller.setblocking(False)
        if len(self._callers) >= CALLERS_MAX:
            self._answer(caller, Kind.REFUSED, 0, Refused("limit", "too many callers at once"))
            caller.close()
            return
        self._callers[caller.fileno()] = caller
        self._selector.register(caller, selectors.EVENT_READ)

    def _read(self, caller: socket.socket, room: int) -> list[_Ask]:
        """What this caller asks, at most `room`; the rest waits in its socket."""
        asks: list[_Ask] = []
        while len(asks) < room:
            try:
                message = sockets.recv(caller)
            except BlockingIOError:
                break
            except (MediaError, Unavailable):
                self._drop(caller)
                break
            message.close_fds()
            if message.kind == Kind.ASK_CHAIN:
                self._tell_chain(caller, message)
                break
            try:
                asks.append(self._checked(caller, message))
            except (MediaError, StorageError) as error:
                code = "malformed" if isinstance(error, MediaError) else "unwritable"
                refusal = Refused(code, str(error))
                self._answer(caller, Kind.REFUSED, message.request, refusal)
                break
        return asks

    def _checked(self, caller: socket.socket, message: sockets.Message) -> _Ask:
        if message.kind == Kind.LEDGER_ENTRIES:
            entries = sockets.decode(message, LedgerEntries)
            event = self._listed(entries, sockets.peer_of(caller))
            return _Ask(caller, message.request, None, event)
        if message.kind != Kind.AUDIT_APPEND:
            raise MediaError("value", f"message kind {message.kind}", 2)
        append = sockets.decode(message, AuditAppend)
        check(append)
        peer = sockets.peer_of(caller)
        event = self._base(append.action, append.object, append.result)
        event |= fields_of(append, peer, may_name=self._may_name(peer))
        return _Ask(caller, message.request, append, event)

    def _tell_chain(self, caller: socket.socket, message: sockets.Message) -> None:
        """How long it is; for a backup of the recorder its last lines as well, sealed."""
        chain_now = Chain(*self._log.end)
        try:
            ask = sockets.decode(message, AskChain)
            sealed = None
            if ask.tail_bytes > 0 and self._is_recorder(sockets.peer_of(caller)):
                sealed = backup_tail.sealed_tail(self._home, self._log, ask.tail_bytes)
        except (MediaError, ConfigError, OSError) as error:
            _log.error("the backup gets no lines of the audit chain: %s", error)
            sealed = None
        if sealed is None:
            self._answer(caller, Kind.CHAIN, message.request, chain_now)
            return
        try:
            told = msgspec.structs.replace(chain_now, tail_from=sealed.first_line)
            self._answer(caller, Kind.CHAIN, message.request, told, (sealed.fd,))
        finally:
            os.close(sealed.fd)

    def _is_recorder(self, peer: sockets.Peer) -> bool:
        return peer.uid == (os.geteuid() if self._is_single_user else self._record_uid)

    def _listed(self, entries: LedgerEntries, peer: sockets.Peer) -> dict[str, chain.Value]:
        """Writes a list; gives the line that will carry its root."""
        if not self._is_recorder(peer):
            raise MediaError("value", "a list for the ledger, and not from the recorder", 0)
        if (fault := ledger.fault_of(entries.kind, entries.lines)) is not None:
            raise MediaError("value", fault, 0)
        name, root = write_list(self._home, entries.kind, entries.lines, utc(self._clock()))
        person = local_person(peer.uid)
        return self._base(chain.Action.LEDGER, name, "done") | {
            "actor": person.name,
            "role": str(person.role),
            "peer": {"pid": peer.pid, "uid": peer.uid, "gid": peer.gid},
            "purpose": None,
            "root": root,
            "entries": len(entries.lines),
        }

    def _may_name(self, peer: sockets.Peer) -> bool:
        """Whether this process may say who the person is: `serve`, which signs people in.

        Without service users `serve` runs as the writer does, and so does whoever poses as it:
        the line says `single_user`.
        """
        return peer.uid == (os.geteuid() if self._is_single_user else self._serve_uid)

    def _base(self, action: str, target: str, result: str) -> dict[str, chain.Value]:
        event: dict[str, chain.Value] = {
            "time": utc(self._clock()),
            "action": action,
            "object": target,
            "result": result,
        }
        if self._is_single_user:
            event["single_user"] = True
        return event

    def _write(self, asks: list[_Ask]) -> None:
        try:
            first = self._append([ask.event for ask in asks])
        except (StorageError, Unavailable) as error:
            _log.error("%s; appends are refused, so nobody can look; recording goes on", error)
            self._log.count_refused(len(asks))
            for ask in asks:
                refusal = Refused("unwritable", str(error))
                self._answer(ask.caller, Kind.REFUSED, ask.request, refusal)
            return
        for number, ask in enumerate(asks, first):
            if ask.append is None:
                written = LedgerWritten(str(ask.event["root"]), number)
                self._answer(ask.caller, Kind.LEDGER_WRITTEN, ask.request, written)
                continue
            answer = AuditReceipt(number, self._receipt(number, ask.append))
            self._answer(ask.caller, Kind.AUDIT_RECEIPT, ask.request, answer)

    def _append(self, events: list[dict[str, chain.Value]]) -> int:
        """The number of the first of `events`; the start line goes before, if it still has to."""
        start = [] if self._has_started_line else [self._start_event()]
        first = self._log.append([*start, *events]) + len(start)
        self._has_started_line = True
        return first

    def _try_start_line(self) -> None:
        """A second writer is fatal (Unavailable); a disk that refuses now may not do so later."""
        try:
            self._append([])
        except StorageError as error:
            _log.error("%s; trying again with the next append", error)

    def _start_event(self) -> dict[str, chain.Value]:
        event = self._base(chain.Action.AUDIT_START, "audit", "done")
        person = local_person(os.geteuid())
        event |= {"actor": person.name, "role": str(Role.LOCAL), "purpose": None}
        return event

    def _receipt(self, number: int, append: AuditAppend) -> bytes:
        if not append.permit:
            return b""
        return receipt.write(
            self._key,
            receipt.Receipt(
                line=number,
                camera=receipt_camera(append),
                streams=append.streams,
                from_ns=append.from_ns,
                to_ns=append.to_ns,
                permit=Permit(append.permit),
                expires_ns=self._clock() + receipt.LIFETIME_NS,
            ),
        )

    def _answer(
        self,
        caller: socket.socket,
        kind: Kind,
        request: int,
        body: msgspec.Struct,
        fds: Sequence[int] = (),
    ) -> None:
        try:
            sockets.send(caller, kind, body, request, fds)
        except (BlockingIOError, Unavailable):
            self._drop(caller)  # it does not read its answers

    def _drop(self, caller: socket.socket) -> None:
        if self._callers.pop(caller.fileno(), None) is not None:
            self._selector.unregister(caller)
        caller.close()


def main(home: Path) -> int:
    """Serve until SIGTERM or SIGINT."""
    notifier = Notifier.from_environment(os.environ)
    server = AuditServer(home)
    wake, woken = socket.socketpair()
    wake.setblocking(False)
    is_ending: list[int] = []
    before = signal.set_wakeup_fd(wake.fileno())
    restore = [
        (number, signal.signal(number, lambda got, _: is_ending.append(got)))
        for number in (signal.SIGTERM, signal.SIGINT)
    ]
    try:
        server.watch(woken.fileno())
        notifier.ready("the audit chain is open")
        while not is_ending:
            server.turn(notifier.watchdog_interval_s)
            notifier.watchdog()
        notifier.stopping()
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in restore:
            signal.signal(number, handler)
        server.close()
        wake.close()
        woken.close()
    return 0
