"""Asking a keeper about its index, and for descriptors of its segments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from vonggac._native import segment as native
from vonggac.errors import Gone, Refused, TooMany, Unavailable
from vonggac.store.index_values import MINUTE_NS, RunRow
from vonggac_appliance import sockets
from vonggac_appliance.keep_answers import Class
from vonggac_appliance.keep_heads import SEGMENTS_MAX
from vonggac_appliance.keep_questions import socket_name
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages import Refused as RefusedMessage
from vonggac_appliance.messages_footage import (
    AskDisk,
    AskHeads,
    AskLease,
    AskRows,
    AskRuns,
    Disk,
    Heads,
    Lease,
    Renew,
    Rows,
    Run,
    Runs,
)

DEADLINE_S = 5.0
_ASKS_MAX = 1000
"""50 million rows: more than a year of a stream."""

_Answer = TypeVar("_Answer", bound=msgspec.Struct)


class IndexClient:
    """One connection. Raises Unavailable when the keeper is away or does not answer in time."""

    def __init__(
        self, home: Path, disk: bytes, deadline_s: float = DEADLINE_S, name: Class = "view"
    ) -> None:
        path = sockets.socket_path(home, name, socket_name(disk))
        self._sock = sockets.connect(path, deadline_s)
        self._request = 0

    def close(self) -> None:
        """Also gives back the leases."""
        self._sock.close()

    def __enter__(self) -> IndexClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def keeper_pid(self) -> int:
        """Of the process that listens, as the kernel tells it."""
        return sockets.peer_of(self._sock).pid

    def disk(self) -> Disk:
        """State, room and the loss bound."""
        return self._ask(Kind.ASK_DISK, AskDisk(), Kind.DISK, Disk)[0]

    def rows(self, stream: bytes, from_ns: int, to_ns: int) -> Rows:
        """All values that overlap the range (unpack and clip), as one answer."""
        packed: list[bytes] = []
        until_ns = None
        is_whole = True
        for answer in self._rows(AskRows(stream, from_ns, max(to_ns, from_ns + 1))):
            packed.extend(answer.packed)
            until_ns = answer.durable_until_ns
            is_whole &= answer.is_whole
        return Rows(packed, False, until_ns, is_whole=is_whole)

    def first_row(self, stream: bytes, from_ns: int, to_ns: int) -> tuple[int | None, bool]:
        """Where the earliest chunk that touches the range begins (None: there is none), and
        whether the keeper knows all that it has (`Rows.is_whole`).
        """
        one = AskRows(stream, from_ns, max(to_ns, from_ns + 1), limit=1)  # a value at a time
        is_whole = True
        for answer in self._rows(one):
            is_whole &= answer.is_whole
            if spans := native.rows_spans(answer.packed, from_ns, to_ns):
                return min(span[0] for span in spans), is_whole
        return None, is_whole

    def _rows(self, ask: AskRows) -> Iterator[Rows]:
        """Answers to a question, until there is no more."""
        for _ in range(_ASKS_MAX):
            answer = self._ask(Kind.ASK_ROWS, ask, Kind.ROWS, Rows)[0]
            yield answer
            if not answer.more:
                return
            # So that the index is not walked from the beginning again.
            from_ns = max(ask.from_ns, answer.next_minute * MINUTE_NS)
            ask = msgspec.structs.replace(
                ask, from_ns=min(from_ns, ask.to_ns - 1), from_minute=answer.next_minute
            )
        raise Unavailable("the keeper's answer does not end")

    def runs(
        self, stream: bytes, from_ns: int, to_ns: int
    ) -> tuple[list[Run], tuple[int, int] | None]:
        """Runs that overlap the range, and a gap that no run has closed: (start_ns, reason)."""
        answer = self._ask(Kind.ASK_RUNS, AskRuns(stream, from_ns, to_ns), Kind.RUNS, Runs)[0]
        return answer.runs, answer.open_gap

    def heads(self, stream: bytes, segments: Sequence[int]) -> list[tuple[int, bytes | None]]:
        """Epoch and head (`ftyp`, `moov`, padding) of each segment; None where it is not known."""
        found: list[tuple[int, bytes | None]] = []
        for start in range(0, len(segments), SEGMENTS_MAX):
            part = list(segments[start : start + SEGMENTS_MAX])
            answer = self._ask(Kind.ASK_HEADS, AskHeads(stream, part), Kind.HEADS, Heads)[0]
            if len(answer.entries) != len(part):
                raise Unavailable("the keeper told of other segments than it was asked for")
            known = dict(enumerate(answer.heads))
            found += [(epoch, known.get(place)) for epoch, place in answer.entries]
        return found

    def lease(self, stream: bytes, segment: int, epoch: int, receipt: bytes) -> tuple[int, int]:
        """A read-only descriptor, which the caller closes, and the lease's number for `renew`.

        Gone: the segment has begun another life. TooMany: all leases are taken.
        """
        ask = AskLease(stream, segment, epoch, receipt)
        answer, fds = self._ask(Kind.ASK_LEASE, ask, Kind.LEASE, Lease)
        if len(fds) != 1:
            raise Unavailable("the keeper sent a lease without a descriptor")
        return fds[0], answer.lease

    def renew(self, lease: int) -> None:
        """Refused: the segment was given up, and what was read since the last renewal with it."""
        self._ask(Kind.RENEW, Renew(lease), Kind.LEASE, Lease)

    def _ask(
        self, kind: Kind, body: msgspec.Struct, answer: Kind, struct: type[_Answer]
    ) -> tuple[_Answer, tuple[int, ...]]:
        self._request += 1
        sockets.send(self._sock, kind, body, self._request)
        message = sockets.recv(self._sock)
        if message.kind == answer and message.request == self._request:
            return sockets.decode(message, struct), message.fds
        for fd in message.fds:
            os.close(fd)
        if message.kind == Kind.REFUSED:
            refused = sockets.decode(message, RefusedMessage)
            if refused.code == "limit":
                raise TooMany(refused.what, 1.0)
            raise (Gone if refused.code == "gone" else Refused)(refused.what)
        raise Unavailable(f"the keeper answered with {message.kind}")


def run_row(run: Run) -> RunRow:
    """A run of an answer as the library's functions take it."""
    return RunRow(
        run.run,
        run.wall_start_ns,
        run.wall_end_ns,
        0,
        run.predecessor,
        run.gap_reason,
        run.gap_start_ns,
    )
