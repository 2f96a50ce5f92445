"""How every process of the box says what it has to say."""

from __future__ import annotations

import logging
import os

__all__ = ["set_up_logging"]


class _Priority(logging.Formatter):
    """Lines for the journal: its priority in front (sd-daemon(3)), nothing else on a terminal."""

    _LEVELS = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}  # noqa: RUF012

    def format(self, record: logging.LogRecord) -> str:
        return f"<{self._LEVELS.get(record.levelno, 7)}>{super().format(record)}"


def set_up_logging() -> None:
    """Messages to stderr; with priorities where systemd reads them."""
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_Priority("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
