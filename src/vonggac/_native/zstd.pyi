"""Frames of zstd."""

from typing_extensions import Buffer

def compress(data: Buffer, level: int = 3) -> bytes:
    """The bytes as one frame."""

class Unpacker:
    """Unpacks frames; keeps what that takes between them."""

    def unpack(self, data: Buffer, size: int) -> bytes:
        """The `size` bytes of a frame. MediaError: it is none, or of another size."""
