"""The ingest loop (native/include/vg/ingest_loop.h)."""

def run_loop(
    control_fd: int,
    arena_fd: int,
    arena_read_fd: int,
    number: int,
    incarnation: int,
    crash_page_fd: int,
    flood_bytes_per_second: int = 0,
    calm_s: int = 0,
) -> int:
    """Runs until QUIT or the end of `control_fd`; gives the exit status.

    `arena_fd`: formatted, read-write; `arena_read_fd`: the same memfd opened read-only, for
    keepers; `crash_page_fd`: a page where the stream being parsed stands, or -1; `calm_s`: what
    the arena did not need for so many seconds goes back to the system; 0: the default.
    The GIL is given back only at the end, so a process does nothing else.
    """
