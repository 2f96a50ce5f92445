/* A loop: the sockets of at most VG_LOOP_STREAMS_MAX streams, one epoll, one arena, one thread, no
 * Python. */
#ifndef VG_INGEST_LOOP_H
#define VG_INGEST_LOOP_H

#include <stdint.h>

enum { VG_LOOP_CAMERAS_MAX = 32, VG_LOOP_STREAMS_MAX = 1024 };

typedef struct vg_loop_config {
    int control_fd;    /* SEQPACKET to the parent (vg/wire.h) */
    int arena_fd;      /* memfd, read-write, already of its final size */
    int arena_read_fd; /* the same memfd opened read-only, given to keepers */
    uint16_t number;   /* of the loop */
    uint32_t incarnation;
    uint64_t flood_bytes_per_second; /* a stream's limit; 0: 25,000,000 */
    uint32_t calm_s; /* what the arena did not need for so long goes back to the system; 0: 60 */
    /* Shared with the parent (a page of a memfd of its own): the stream being parsed stands here,
     * so that a crash names it. */
    int crash_page_fd;
} vg_loop_config;

/* What the crash page holds. Written before and cleared after each parse of a stream's bytes. */
typedef struct vg_crash_page {
    uint64_t busy; /* 1 while `stream` is being parsed */
    uint8_t stream[16];
} vg_crash_page;

/* Runs until QUIT or the end of control_fd. Returns the exit status: 0, or 1 after saying why on
 * stderr. The tick: at every whole second of CLOCK_MONOTONIC all streams' chunks close and go to
 * their keepers, then TICK. */
int vg_ingest_loop(const vg_loop_config *config);

#endif
