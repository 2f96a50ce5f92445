"""Packets of sound to frames (audio.h), for tests; nothing records sound yet."""

from typing_extensions import Buffer

AAC: int
G711: int
OPUS: int

class AudioSource:
    """Sound of one RTP source."""

    def __init__(
        self,
        codec: int,
        channels: int = ...,
        size_length: int = ...,
        index_length: int = ...,
        index_delta_length: int = ...,
    ) -> None: ...
    def push(self, datagram: Buffer) -> list[tuple[int, int, bytes]]:
        """RTP timestamp, ticks and bytes of each frame that this makes whole.

        Raises MediaError for a packet that was dropped.
        """
    @property
    def counts(self) -> dict[str, int]: ...
