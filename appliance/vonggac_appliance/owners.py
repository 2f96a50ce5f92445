"""Whose a file is: the service user's, where there is one and root has made it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

__all__ = ["give_to"]


def give_to(path: Path, user: str, *, with_group: bool = True) -> None:
    """Changes nothing where the user does not exist, or who runs this is not root."""
    if os.geteuid() != 0:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return
    os.chown(path, entry.pw_uid, entry.pw_gid if with_group else -1, follow_symlinks=False)
