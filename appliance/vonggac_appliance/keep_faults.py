"""What ended a disk's last keeper without a word, for its next one.

LMDB has no checksums: a damaged page may end the process that reads it. Then the traceback says
where it was, and the next keeper makes the index again instead of dying the same way for ever.
"""

from __future__ import annotations

import faulthandler
import logging
import os
from io import BufferedWriter
from pathlib import Path

_log = logging.getLogger("vonggac.keep")
_IN_INDEX = "vonggac/store/index.py"
_READ_BYTES = 16 << 10


class Faults:
    """A file in the home, empty while all is well."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BufferedWriter | None = None

    def why_distrusted(self) -> str:
        """Why the index ended the last keeper; empty if it did not."""
        try:
            with self.path.open("rb") as file:
                told = file.read(_READ_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            _log.warning("%s cannot be read: %s", self.path, error.strerror)
            return ""
        if told:
            _log.error("the last keeper of this disk ended in a fault: %s", told)
        return "the index has ended the last keeper" if _IN_INDEX in told else ""

    def watch(self) -> None:
        """From now on a fault of this process leaves its traceback there."""
        try:
            self.path.parent.mkdir(exist_ok=True)
            self._file = self.path.open("wb")
        except OSError as error:
            _log.warning("a fault could not be noted in %s: %s", self.path, error.strerror)
            return
        faulthandler.enable(self._file, all_threads=False)

    def note_index(self, what: str) -> None:
        """The index says what cannot be; the next keeper does without it."""
        if self._file is not None:
            os.write(self._file.fileno(), f"{_IN_INDEX}: {what}\n".encode())

    def close(self) -> None:
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
