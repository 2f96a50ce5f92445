/* From access units to closed chunks in an arena: one a stream. Cuts at ticks, before sync samples
 * (not for streams with more than two a second) and at VG_CHUNK_BYTES_MAX; drops parameter sets
 * that equal the entry's. */
#ifndef VG_CHUNKER_H
#define VG_CHUNKER_H

#include "vg/arena.h"
#include "vg/timeline.h"

typedef struct vg_run_start {
    uint8_t camera[VG_ID_SIZE], stream[VG_ID_SIZE];
    uint64_t run, predecessor_run;
    uint8_t gap_reason; /* vg_gap_reason */
    int64_t gap_start_ns;
    bool references_lost;
    bool inband; /* this stream is avc3/hev1 until reset by a person */
} vg_run_start;

typedef struct vg_chunker vg_chunker;
size_t vg_chunker_size(void);
/* `sets`: from the SDP, may be empty; what stands in band wins. Nothing is kept before the first
 * sync sample (counted). */
void vg_chunker_init(vg_chunker *c, vg_arena *arena, const vg_run_start *start,
                     const vg_sets *sets);

/* Gives back what an unclosed chunk holds of the arena, and the hash's memory. The chunker's own is
 * the caller's: of vg_chunker_size() only the touched pages cost, if it comes from mmap and is
 * zero. */
void vg_chunker_drop(vg_chunker *c);

/* Closed chunks wait in the chunker until taken: header block, or VG_NO_BLOCK. Take all after every
 * call below. */
uint32_t vg_chunker_closed(vg_chunker *c);
/* VG_OK; VG_LIMIT: the arena is full and the rest of the GOP is dropped (counted, a gap); VG_VALUE:
 * unusable sets. */
/* Three changes within so many calls of vg_chunker_tick (seconds that no camera tells): avc3/hev1.
 */
enum { VG_CHUNKER_SETS_PERIOD_S = 600 };
vg_err vg_chunker_push(vg_chunker *c, const vg_access_unit *au, int64_t arrival_wall_ns,
                       int64_t camera_clock_ns, bool clock_synced, vg_fault *fault);
/* Sound will come: the entry has a track for it. Before the first push. `sound`: not refused. */
void vg_chunker_expect_sound(vg_chunker *c, const vg_sound *sound);
/* A frame, when its first sample came, and by the camera's clock. It stands in a chunk of its time,
 * or in the next one. */
void vg_chunker_hear(vg_chunker *c, const vg_sound_frame *frame, int64_t arrival_wall_ns,
                     int64_t camera_clock_ns);
void vg_chunker_tick(vg_chunker *c); /* a second ends: closes what has samples */
/* the run ends: flushes the reorder buffer, closes with VG_CLAIM_END */
void vg_chunker_end(vg_chunker *c);
/* The run ends and another begins with the next access unit, in a time of its own; its first claim
 * names the one before, and `reason`. False: nothing was kept, so the run itself begins in that
 * time. */
bool vg_chunker_begin_again(vg_chunker *c, uint64_t run, uint8_t reason);

typedef struct vg_chunker_state {
    uint64_t next_sequence, samples, bytes, skipped_before_sync, dropped_no_room, sets_dropped,
        entries;
    uint64_t sounds, sounds_dropped; /* frames of sound */
    int64_t last_wall_end_ns;
    uint32_t width, height;
    uint8_t codec;
    bool inband;
    uint64_t stamps_odd; /* timestamps that lie far from the one before */
} vg_chunker_state;
void vg_chunker_read(const vg_chunker *c, vg_chunker_state *out);

/* A sample that stands in a chunk: what live viewers are sent. */
typedef struct vg_chunk_unit {
    uint64_t sequence;
    uint32_t sample; /* in that chunk */
    uint32_t header; /* of the chunk: its payload blocks hold the bytes */
    uint32_t offset, bytes;
    uint64_t media_ticks; /* presentation, since the run's start */
    int64_t wall_ns;
    uint8_t kind; /* vg_sync_kind */
    bool damaged;
} vg_chunk_unit;
typedef void vg_chunk_watch(void *context, const vg_chunk_unit *unit);
/* Tells `watch` of every sample from now on, in decode order; NULL stops it. */
void vg_chunker_watch(vg_chunker *c, vg_chunk_watch *watch, void *context);
/* The samples of the chunk being filled, oldest first; of their kinds only the first one's is told.
 */
void vg_chunker_filling(const vg_chunker *c, vg_chunk_watch *watch, void *context);
/* ftyp+moov as of now; NULL before there is one. */
const uint8_t *vg_chunker_head(const vg_chunker *c, size_t *size);

#endif
