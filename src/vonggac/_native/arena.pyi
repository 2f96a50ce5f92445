"""The memory that loops share with keepers (native/include/vg/arena.h)."""

from typing_extensions import Buffer

BLOCK_BYTES: int
BLOCKS_MAX: int

def format_arena(fd: int) -> None:
    """Makes the whole of an empty memfd an arena."""

class ArenaChunk:
    """A chunk as it was handed over. The views of the payload keep the mapping alive."""

    camera: bytes
    stream: bytes
    run: int
    sequence: int
    keeper: int
    wall_end_ns: int
    entry_sha256: bytes
    order: int
    head: bytearray
    segment_head: bytes
    payload: list[memoryview]
    payload_bytes: int

class ArenaReader:
    """The arena of a loop, read-only."""

    def __init__(self, fd: int, size: int) -> None: ...
    def chunk(self, header: int) -> ArenaChunk:
        """The chunk described in block `header`; MediaError where it does not hold together."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

class ArenaWriter:
    """The loop's side: for tests of keepers, which need no loop then."""

    def __init__(self, fd: int) -> None: ...
    @property
    def used(self) -> int:
        """Blocks that are not free."""

    def idle(self) -> tuple[int, int]:
        """As a loop once a minute: the first block whose memory may go back, and how many."""

    def recover(self) -> list[int]:
        """As a loop's successor: frees what was not handed over, gives the headers in order."""

    def put(
        self,
        *,
        camera: bytes,
        stream: bytes,
        run: int,
        sequence: int,
        keeper: int,
        wall_end_ns: int,
        entry_sha256: bytes,
        head: Buffer,
        segment_head: Buffer,
        payload: Buffer,
        send: bool = True,
    ) -> int:
        """A chunk of these parts; gives its header block. `send`: hand it over as well."""

    def durable(self, header: int) -> None:
        """Frees a chunk that was handed over."""

    def poke(self, offset: int, data: Buffer) -> None:
        """Writes anywhere, as a loop gone wrong would."""
