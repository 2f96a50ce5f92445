"""Keys of cameras that call the box: what is kept of one, and whether a caller shows it.

A key has 192 random bits, so its SHA-256 tells nothing of it: a copy of the catalog lets nobody in.
"""

from __future__ import annotations

import hashlib
import hmac

from vonggac.registry.camera import Camera

__all__ = ["DIGEST_BYTES", "digest_of", "is_key_of"]

DIGEST_BYTES = 32
_NOBODYS = bytes(DIGEST_BYTES)


def digest_of(key: str) -> bytes:
    """What the catalog keeps of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def is_key_of(camera: Camera | None, digest: bytes) -> bool:
    """Whether a caller who shows the key of `digest` is `camera`.

    A camera that is not there, or never calls, takes as long: names are not to be guessed by it.
    """
    push = None if camera is None else camera.push
    kept = _NOBODYS if push is None else push.key_sha256
    return hmac.compare_digest(digest, kept) and push is not None
