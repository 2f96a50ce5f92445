"""Packets of sound to frames (native/include/vg/sound.h), for tests and tools; the ingest loop
calls the same C without Python."""

from vonggac.media.sound import Sound

def refusal(sound: Sound) -> str | None:
    """Why no file can carry it; None where one can."""

class SoundReader:
    """The packets of one track."""

    def __init__(self, sound: Sound) -> None: ...
    def push(
        self, payload: bytes, sequence: int, timestamp: int, ssrc: int = 1
    ) -> list[tuple[bytes, int, int]]:
        """The frames that a packet completes, as (bytes, timestamp, ticks). Raises MediaError."""

    def counts(self) -> tuple[int, int, int, int, int]:
        """Packets, lost, repeated, frames, odd."""
