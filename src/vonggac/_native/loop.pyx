"""The ingest loop (native/include/vg/ingest_loop.h)."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from vonggac._native.carena cimport vg_ingest_loop, vg_loop_config


def run_loop(int control_fd, int arena_fd, int arena_read_fd, uint16_t number,
             uint32_t incarnation, int crash_page_fd, uint64_t flood_bytes_per_second=0,
             uint32_t calm_s=0):
    """Runs until QUIT or the end of `control_fd`; gives the exit status."""
    cdef int status
    cdef vg_loop_config config
    config.control_fd = control_fd
    config.arena_fd = arena_fd
    config.arena_read_fd = arena_read_fd
    config.number = number
    config.incarnation = incarnation
    config.crash_page_fd = crash_page_fd
    config.flood_bytes_per_second = flood_bytes_per_second
    config.calm_s = calm_s
    with nogil:
        status = vg_ingest_loop(&config)
    return status
