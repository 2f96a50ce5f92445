"""What is learnt about cameras: HOME/learnt, which only the recorder writes.

A row a camera, by its id, written behind (`kept_rows`). Losing the folder costs each camera a few
more tries; the floor of its log-in, and which device it is, are protections. docs/ref/learnt.md
says what stands where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from vonggac.errors import StorageError
from vonggac.ingest.backoff import WRONG_PASSWORD
from vonggac.ingest.lockout import Lockout
from vonggac.rtsp.challenges import Scheme
from vonggac.rtsp.device import Device
from vonggac.rtsp.habits import Habit
from vonggac.rtsp.learnt import Keepalive, Learnt, SessionRule
from vonggac.rtsp.leftover import Held
from vonggac.rtsp.url import UrlForm
from vonggac_appliance.bus_control import CameraLearnt
from vonggac_appliance.camera_account import Accounts
from vonggac_appliance.camera_identity import Identity, Other
from vonggac_appliance.camera_memory import Memory
from vonggac_appliance.kept_rows import KeptRows, read_rows, write_rows
from vonggac_appliance.sockets import DECODE_ERRORS

__all__ = [
    "LearntRow",
    "LearntStore",
    "confirm_stopped",
    "encode",
    "forget_stopped",
    "identity_of",
    "read_stopped",
    "row_of",
    "told",
    "unpack",
]

_FOLDER = "learnt"
_ROW_VERSION = 1
_SESSIONS_MAX = 8
"""Of a camera, those of now first: an address that nobody asks any more gives none back."""
_COUNTS_S = 60.0
"""Counts alone are written so often: they change with every spoiled packet."""


class LearntRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A camera's row. Fields may be added; words that are not known are as if they were absent."""

    transport: str | None = None
    keepalive: str | None = None
    login: str | None = None
    url_form: str | None = None
    session_rule: str | None = None
    habits: dict[str, int] = {}
    refused_login: bytes = b""
    refused_times: int = 0
    refused_ns: int = 0
    certificate: bytes = b""
    sessions: tuple[tuple[str, str, str], ...] = ()
    device: dict[str, str] = {}
    varying: tuple[str, ...] = ()
    other_device: dict[str, str] = {}
    other_certificate: bytes = b""
    other_ns: int = 0
    fell_back_ns: int = 0
    refused_account: bytes = b""
    serial_settled: bool = False
    other_varying: tuple[str, ...] = ()


def row_of(memory: Memory) -> LearntRow:
    """What is kept of a memory."""
    learnt, lockout = memory.learnt, memory.lockout
    identity, other = memory.identity, memory.identity.other
    return LearntRow(
        transport=learnt.transport,
        keepalive=learnt.keepalive,
        login=None if learnt.scheme is None else learnt.scheme.word,
        url_form=learnt.url_form,
        session_rule=learnt.session_rule,
        habits={habit.value: count for habit, count in sorted(memory.habits.items())},
        refused_login=b"" if lockout is None else lockout.login,
        refused_times=0 if lockout is None else lockout.failures,
        refused_ns=0 if lockout is None else lockout.at_ns,
        certificate=memory.certificate,
        sessions=tuple(
            (h.url, h.uri, h.session) for h in (*memory.sessions, *memory.leftover)[:_SESSIONS_MAX]
        ),
        device=identity.known.facts(),
        varying=tuple(sorted(identity.varying)),
        other_device={} if other is None else other.device.facts(),
        other_certificate=b"" if other is None else other.certificate,
        other_ns=0 if other is None else other.since_ns,
        fell_back_ns=memory.fell_back_ns,
        refused_account=b"" if lockout is None or memory.account is None else memory.account.key,
        serial_settled=identity.is_settled,
        other_varying=() if other is None else tuple(sorted(other.varying)),
    )


def told(row: LearntRow) -> CameraLearnt:
    """A row as it is shown."""
    until_ns = 0
    if row.refused_times:
        whole_s = WRONG_PASSWORD.delay_s(row.refused_times, 0.0)
        until_ns = row.refused_ns + round(whole_s * 1e9)
    return CameraLearnt(
        transport=row.transport,
        keepalive=row.keepalive,
        login=row.login,
        url_form=row.url_form,
        session_rule=row.session_rule,
        habits=row.habits,
        refused_until_ns=until_ns,
        device=row.device,
        other_device=row.other_device,
        other_ns=row.other_ns,
        certificate=row.certificate,
        other_certificate=row.other_certificate,
    )


class LearntStore:
    """The memories of all cameras. Used from the recorder's one thread."""

    def __init__(self, home: Path) -> None:
        """Reads what there is. Where HOME/learnt cannot be used, it is learnt anew each time."""
        self._kept = KeptRows(home / _FOLDER)
        rows = _rows(self._kept.found)
        self._accounts = Accounts()
        self._memories = {camera: _memory(row, self._accounts) for camera, row in rows.items()}
        self.written = rows
        """As they were handed over to be written."""
        self._counted_s = 0.0

    def of(self, camera: bytes) -> Memory:
        """A camera's memory, empty for a new one."""
        if camera not in self._memories:
            self._memories[camera] = Memory(accounts=self._accounts)
        return self._memories[camera]

    def forget(self, camera: bytes) -> None:
        """A person wants it to be learnt anew. Connections that play keep what they know."""
        before = self.of(camera)
        before.left()
        now = Memory(login=before.login, accounts=self._accounts)
        if before.identity.is_held:  # only a word about the device ends that
            now.identity = before.identity
        self._memories[camera] = now
        self._put(camera, row_of(now) if before.identity.is_held else None)

    def retain(self, cameras: Iterable[bytes]) -> None:
        """Forgets who is no camera of this box any more."""
        for camera in self._memories.keys() - set(cameras):
            self._memories.pop(camera).left()
            self._put(camera, None)

    def turn(self, now_s: float) -> None:
        """Has written what changed; `now_s`: monotonic."""
        is_time = now_s - self._counted_s >= _COUNTS_S
        self._counted_s = now_s if is_time else self._counted_s
        for camera, memory in self._memories.items():
            row, before = row_of(memory), self.written.get(camera, LearntRow())
            counts_aside = msgspec.structs.replace(row, habits=before.habits)
            if counts_aside != before or (is_time and row != before):
                self._put(camera, row)

    def packed(self) -> bytes:
        """For a backup, from any thread. Without sessions: those of last night are nobody's."""
        rows = dict(self.written).items()
        bare = {camera: msgspec.structs.replace(row, sessions=()) for camera, row in rows}
        return msgspec.msgpack.encode({camera: encode(row) for camera, row in bare.items()})

    def close(self) -> None:
        """Writes what is left."""
        self.turn(float("inf"))
        self._kept.close()

    def _put(self, camera: bytes, row: LearntRow | None) -> None:
        if row is None:
            self.written.pop(camera, None)
        else:
            self.written[camera] = row
        self._kept.put(camera, None if row is None else encode(row))


def read_stopped(home: Path) -> dict[bytes, LearntRow]:
    """The rows while no recorder runs, by camera id; StorageError."""
    return _rows(read_rows(home / _FOLDER))


def unpack(home: Path, packed: bytes) -> None:
    """Writes what a backup held of `packed`; StorageError, also if it is damaged."""
    try:
        rows = msgspec.msgpack.decode(packed, type=dict[bytes, bytes])
    except DECODE_ERRORS as error:
        raise StorageError(f"what was learnt about cameras is damaged: {error}") from error
    write_rows(home / _FOLDER, rows)


def forget_stopped(home: Path, camera: bytes, *, keeps_other: bool = False) -> None:
    """Forgets a camera's row while no recorder runs; StorageError.

    `keeps_other`: but for another device that waits for a person's word.
    """
    row = read_stopped(home).get(camera)
    if row is None or not (keeps_other and row.other_ns):
        write_rows(home / _FOLDER, {camera: None})
        return
    held = LearntRow(
        device=row.device,
        varying=row.varying,
        other_device=row.other_device,
        other_certificate=row.other_certificate,
        other_ns=row.other_ns,
        serial_settled=row.serial_settled,
        other_varying=row.other_varying,
    )
    write_rows(home / _FOLDER, {camera: encode(held)})


def confirm_stopped(home: Path, camera: bytes, *, is_known_back: bool) -> bool:
    """A person's word on another device, while no recorder runs; StorageError.

    False: none had waited for that.
    """
    row = read_stopped(home).get(camera)
    if row is None:
        return False
    memory = _memory(row, Accounts())
    if not memory.confirms(is_known_back=is_known_back):
        return False
    write_rows(home / _FOLDER, {camera: encode(row_of(memory))})
    return True


def _memory(row: LearntRow, accounts: Accounts) -> Memory:
    login = next((scheme for scheme in Scheme if scheme.word == row.login), None)
    learnt = Learnt(
        transport=row.transport if row.transport in ("tcp", "udp") else None,
        keepalive=Keepalive(row.keepalive) if row.keepalive in list(Keepalive) else None,
        scheme=login,
        url_form=UrlForm(row.url_form) if row.url_form in list(UrlForm) else None,
        session_rule=SessionRule.LATEST if row.session_rule == SessionRule.LATEST else None,
    )
    known = {habit.value: habit for habit in Habit}
    counts = {known[name]: count for name, count in row.habits.items() if name in known}
    lockout = Lockout(row.refused_login, row.refused_times, row.refused_ns)
    lockout_or_none = lockout if row.refused_times else None
    memory = Memory(
        learnt,
        Counter(counts),
        lockout_or_none,
        certificate=row.certificate,
        leftover=[Held(*one) for one in row.sessions],
        identity=identity_of(row),
        accounts=accounts,
        fell_back_ns=row.fell_back_ns,
    )
    if lockout_or_none is not None and row.refused_account:
        key, camera = row.refused_account, id(memory)
        memory.account = accounts.remembered(key, camera, lockout_or_none)
    return memory


def identity_of(row: LearntRow) -> Identity:
    """Which device a row's camera is."""
    told = frozenset(row.other_varying)
    other = Other(Device.of(row.other_device), row.other_certificate, row.other_ns, told)
    is_met = bool(row.other_device or row.other_certificate)
    varying = frozenset(row.varying)
    known, other_or_none = Device.of(row.device), other if is_met else None
    return Identity(known, varying, other_or_none, is_settled=row.serial_settled)


def _rows(found: dict[bytes, bytes]) -> dict[bytes, LearntRow]:
    rows = {camera: _decode(raw) for camera, raw in found.items()}
    return {camera: row for camera, row in rows.items() if row is not None}


def encode(row: LearntRow) -> bytes:
    """A row's value."""
    return _ROW_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(row)


def _decode(raw: bytes) -> LearntRow | None:
    """None: another version wrote it, or it is damaged; it is learnt anew."""
    if int.from_bytes(raw[:2], "big") != _ROW_VERSION:
        return None
    try:
        return msgspec.msgpack.decode(raw[2:], type=LearntRow)
    except DECODE_ERRORS:
        return None
