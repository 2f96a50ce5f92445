"""A keeper's chore that writes the backups of the home to its disk, and tells of the newest.

They come sealed; what is in them nobody here can read. A thread writes, for the disk may be slow,
and it writes slowly: what it has dirty is synced together with the recording.
"""

from __future__ import annotations

import fcntl
import logging
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vonggac.errors import VonggacError
from vonggac.store import backup_slot
from vonggac_appliance import sockets
from vonggac_appliance.keep_aside import Pace, Stopped
from vonggac_appliance.keep_chores import Desk, Obey
from vonggac_appliance.messages import Kind
from vonggac_appliance.messages_keeper import Backup, BackupTold

__all__ = ["RATE_BYTES", "KeepBackup"]

RATE_BYTES = 2 << 20
"""A second: a tick's sync has that much more to write."""
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW

_log = logging.getLogger("vonggac.keep")


@dataclass(frozen=True, slots=True)
class _Job:
    """A backup that is to be written; whoever has it closes `fd`."""

    fd: int
    made_ns: int


@dataclass(slots=True)
class _Scribe:
    """The thread. A disk that hangs hangs it, and nobody waits for it."""

    path: Path
    disk: bytes
    box: bytes
    rate_bytes: int
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: queue.SimpleQueue[_Job | None] = field(default_factory=queue.SimpleQueue)
    told: queue.SimpleQueue[BackupTold] = field(default_factory=queue.SimpleQueue)

    def run(self) -> None:
        pace = Pace(self.rate_bytes, self.stop)
        self.told.put(self._look(""))
        while (job := self.jobs.get()) is not None:
            try:
                self.told.put(self._look(self._write(job, pace)))
            except Stopped:
                return
            finally:
                os.close(job.fd)

    def _write(self, job: _Job, pace: Pace) -> str:
        """Why it could not be; empty: it is written and synced."""
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return "the disk has no place for backups: vonggac disk prepare-backup"
        except OSError as error:
            return str(error)
        try:
            backup_slot.write(fd, self.disk, self.box, job.made_ns, job.fd, pace.take)
        except (VonggacError, OSError) as error:
            return str(error)
        finally:
            os.close(fd)
        return ""

    def _look(self, what: str) -> BackupTold:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return BackupTold(self.disk, 0, None, what=what)
        except OSError as error:
            return BackupTold(self.disk, 0, None, what=what or str(error))
        try:
            room_bytes = backup_slot.room_bytes(backup_slot.slot_bytes_of(fd))
            found = backup_slot.newest(fd, self.disk)
        except (VonggacError, OSError) as error:
            return BackupTold(self.disk, 0, None, what=what or str(error))
        finally:
            os.close(fd)
        if found is None:
            return BackupTold(self.disk, room_bytes, None, what=what)
        newest = (found.made_ns, found.length, found.generation)
        return BackupTold(self.disk, room_bytes, *newest, what=what)


class KeepBackup:
    """Chore of one keeper."""

    def __init__(self, desk: Desk, rate_bytes: int = RATE_BYTES) -> None:
        """`rate_bytes`: a second."""
        disk = desk.ring.disk
        identity = disk.identity
        path = disk.path / backup_slot.BACKUP_NAME
        self._say = desk.say
        self._scribe = _Scribe(path, identity.disk, identity.box, rate_bytes)
        self._thread: threading.Thread | None = None

    @property
    def obeys(self) -> Mapping[Kind, Obey]:
        return {Kind.BACKUP: self._take}

    def turn(self, now_s: float) -> None:
        """Tells what the thread has seen or done."""
        if self._thread is None:
            # A daemon: where the disk hangs the process must be able to end.
            self._thread = threading.Thread(target=self._scribe.run, name="backup", daemon=True)
            self._thread.start()
        while not self._scribe.told.empty():
            told = self._scribe.told.get()
            if told.what:
                _log.error("%s: %s", self._scribe.path, told.what)
            self._say(Kind.BACKUP_TOLD, told)

    def close(self) -> None:
        """Does not wait: what is half written is none, and the one before stays."""
        self._scribe.stop.set()
        self._scribe.jobs.put(None)

    def _take(self, message: sockets.Message) -> None:
        backup = sockets.decode(message, Backup)
        if not message.fds:
            _log.error("a backup came without its descriptor")
            return
        if not _is_sealed(message.fds[0]):
            _log.error("a backup came in something that its sender could still change")
            return
        fd = fcntl.fcntl(message.fds[0], fcntl.F_DUPFD_CLOEXEC, 3)  # the message's own is closed
        self._scribe.jobs.put(_Job(fd, backup.made_ns))


def _is_sealed(fd: int) -> bool:
    try:
        return fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError:  # no memfd
        return False
