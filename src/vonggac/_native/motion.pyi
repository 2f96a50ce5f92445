"""Pictures to cells in which something moved (native/include/vg/motion.h)."""

from typing_extensions import Buffer

def has_fast_loops() -> bool:
    """Whether this processor has those that were built for AVX2."""

def means(
    plane: Buffer, stride: int, width: int, height: int, bits: int = 8, plain: bool = False
) -> bytes:
    """The 128 x 72 means of a picture's luma, row by row.

    `bits` of a sample: 8 is one byte, 9 to 16 are two, little-endian; `plain`: by the loops for
    every processor. MediaError: no picture (value), a side over 8,192 (limit), a plane that ends
    before its last row (short).
    """

class Motion:
    """One stream: pictures in order of presentation to slots of one second."""

    def __init__(self, plain: bool = False) -> None: ...
    def push(
        self, plane: Buffer, stride: int, width: int, height: int, time_ns: int, bits: int = 8
    ) -> list[tuple[int, bytes, bool]]:
        """(second, cells, is_global) of each slot that this picture completes.

        `time_ns`: UTC since 1970. MediaError as `means`, and for a time out of range.
        """

    def finish(self) -> tuple[int, bytes, bool] | None:
        """What is known of the open second; what comes of it later is another slot."""

    def part(self) -> None:
        """What comes is not to be compared with what came: a cut, a lost picture, another run."""

    def latest(self) -> bytes | None:
        """The means of the latest picture that was looked at."""
