"""Appending to the audit chain: nothing is shown before `append` has returned."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from vonggac.errors import Refused, StorageError, Unavailable
from vonggac.evidence import ledger
from vonggac_appliance import sockets
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages import Refused as RefusedMessage
from vonggac_appliance.messages_audit import (
    AskChain,
    AuditAppend,
    AuditReceipt,
    Chain,
    LedgerEntries,
    LedgerWritten,
    audit_path,
)

__all__ = ["Appender", "append", "ask_chain", "ask_tail", "send_list"]

DEADLINE_S = 10.0
"""A sync on a busy disk; then the look is refused rather than shown unlogged."""


def append(home: Path, event: AuditAppend, deadline_s: float = DEADLINE_S) -> AuditReceipt:
    """Write `event` and wait until it is synced.

    Raises Unavailable when `audit run` is down, StorageError when its disk refuses.
    """
    with contextlib.closing(Appender(home)) as appender:
        return appender.append(event, deadline_s)


class Appender:
    """Keeps its connection, so that it appends also where no descriptor is left. In one thread."""

    def __init__(
        self,
        home: Path,
        opening: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """`opening`: around the making of a connection."""
        self._path = audit_path(home)
        self._opening = opening
        self._sock: socket.socket | None = None

    def append(self, event: AuditAppend, deadline_s: float = DEADLINE_S) -> AuditReceipt:
        """As the function."""
        end_s = time.monotonic() + deadline_s
        try:
            try:
                message = self._asked(event, deadline_s)
            except sockets.Closed:
                # The writer was started anew. If it wrote this line before, two say the same.
                message = self._asked(event, max(0.01, end_s - time.monotonic()))
        except Unavailable as error:
            raise Unavailable(
                f"nothing is shown unlogged, and the audit chain does not answer ({error}): "
                "start `vonggac audit run`"
            ) from error
        return _receipt(message)

    def close(self) -> None:
        """Gives the connection back; the next `append` makes another."""
        if self._sock is not None:
            self._sock.close()
        self._sock = None

    def _asked(self, event: AuditAppend, deadline_s: float) -> sockets.Message:
        if self._sock is None:
            with self._opening():
                self._sock = sockets.connect(self._path, deadline_s)
        self._sock.settimeout(deadline_s)
        try:
            sockets.send(self._sock, Kind.AUDIT_APPEND, event, request=1)
            return sockets.recv(self._sock)
        except BaseException:
            self.close()  # a late answer would be taken for that to the next line
            raise


def _receipt(message: sockets.Message) -> AuditReceipt:
    message.close_fds()
    if message.kind == Kind.REFUSED:
        refused = sockets.decode(message, RefusedMessage)
        if refused.code == "unwritable":
            raise StorageError(f"nothing is shown unlogged: {refused.what}")
        raise Refused(f"the audit chain refused the line: {refused.what}")
    return sockets.decode(message, AuditReceipt)


def ask_chain(home: Path, deadline_s: float = DEADLINE_S) -> tuple[Chain, int]:
    """How far the chain goes, and the pid of its writer. Raises Unavailable."""
    with sockets.connect(audit_path(home), deadline_s) as sock:
        sockets.send(sock, Kind.ASK_CHAIN, AskChain(), request=1)
        message = sockets.recv(sock)
        pid = sockets.peer_of(sock).pid
    message.close_fds()
    if message.kind != Kind.CHAIN:
        raise Unavailable("the audit chain does not tell how long it is")
    return sockets.decode(message, Chain), pid


def ask_tail(home: Path, most_bytes: int, deadline_s: float = DEADLINE_S) -> tuple[Chain, bytes]:
    """How far the chain goes, and its last lines, sealed for a backup (empty: none came).

    Raises Unavailable.
    """
    with sockets.connect(audit_path(home), deadline_s) as sock:
        sockets.send(sock, Kind.ASK_CHAIN, AskChain(most_bytes), request=1)
        message = sockets.recv(sock)
    try:
        if message.kind != Kind.CHAIN:
            raise Unavailable("the audit chain does not tell how long it is")
        chain = sockets.decode(message, Chain)
        if not chain.tail_from or not message.fds:
            return chain, b""
        fd = message.fds[0]
        return chain, os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        message.close_fds()


def send_list(
    home: Path, kind: str, texts: Sequence[str], deadline_s: float = DEADLINE_S
) -> list[LedgerWritten]:
    """Has `audit run` write a list, or several where one message does not hold it.

    Waits until the roots stand in the chain. Raises Unavailable when it is down, StorageError when
    its disk refuses, Refused; then all may be sent again: an entry that is there twice does no
    harm.
    """
    path = audit_path(home)
    written: list[LedgerWritten] = []
    with sockets.connect(path, deadline_s) as sock:
        for number, part in enumerate(ledger.split(texts), 1):
            sockets.send(sock, Kind.LEDGER_ENTRIES, LedgerEntries(kind, part), request=number)
            message = sockets.recv(sock)
            message.close_fds()
            if message.kind == Kind.REFUSED:
                refused = sockets.decode(message, RefusedMessage)
                if refused.code == "unwritable":
                    raise StorageError(refused.what)
                raise Refused(f"the ledger refused a list: {refused.what}")
            if message.kind != Kind.LEDGER_WRITTEN:
                raise Unavailable("the audit chain does not say that it wrote the list")
            written.append(sockets.decode(message, LedgerWritten))
    return written
