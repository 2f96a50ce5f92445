"""The audit chain's part of a backup: its last lines, sealed by its writer.

Only `audit run` may read the log, so it seals what the recorder gets: who has the recovery key may
read who looked at what, and the recorder may not.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from vonggac_appliance import backup_seal
from vonggac_appliance.audit_log import AuditLog

__all__ = ["TAIL_BYTES_MAX", "SealedTail", "sealed_tail"]

TAIL_BYTES_MAX = 8 << 20
"""Months of a ward's log; packed in a fraction of a second, while appends wait."""


@dataclass(frozen=True, slots=True)
class SealedTail:
    """Whoever has it closes `fd`, a memfd."""

    fd: int
    first_line: int


def sealed_tail(home: Path, log: AuditLog, most_bytes: int) -> SealedTail | None:
    """None: no person has made a recovery key. Raises ConfigError, OSError."""
    public = backup_seal.public_of(home)
    if public is None:
        return None
    to = backup_seal.recipient(public)
    first_line, lines = log.tail(min(most_bytes, TAIL_BYTES_MAX))
    packed = gzip.compress(lines, compresslevel=1, mtime=0)
    return SealedTail(backup_seal.in_memory(backup_seal.seal(packed, to)), first_line)
