"""The keeper's second thread: does what blocks (writes, syncs, commits), one job after another."""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Writer:
    """`fd` becomes readable when a job is done; `collect` then calls what was to follow it."""

    def __init__(self, says: Callable[[bool], None] = lambda _: None) -> None:
        """`says`: told True when a job begins and False when none is left. One that never ends is
        a disk that hangs, and only others can do something about it.
        """
        self._says = says
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._jobs: queue.SimpleQueue[tuple[Job, Job] | None] = queue.SimpleQueue()
        self._done: deque[Job] = deque()
        self._outstanding = 0
        self._thread = threading.Thread(target=self._run, name="keep-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        return self._outstanding == 0

    def submit(self, job: Job, then: Job) -> None:
        """Runs `job` in the thread, and `then` in the caller's once `collect` is called."""
        if self.is_idle:
            self._says(True)
        self._outstanding += 1
        self._jobs.put((job, then))

    def collect(self) -> None:
        """What follows the jobs that are done."""
        try:
            os.eventfd_read(self.fd)
        except BlockingIOError:
            return
        while self._done:
            self._outstanding -= 1
            self._done.popleft()()
        if self.is_idle:
            self._says(False)

    def end(self) -> None:
        """Waits for the jobs that were submitted."""
        self._jobs.put(None)
        self._thread.join()
        os.close(self.fd)

    def _run(self) -> None:
        while (work := self._jobs.get()) is not None:
            job, then = work
            job()
            self._done.append(then)
            os.eventfd_write(self.fd, 1)
