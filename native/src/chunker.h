/* Inside of the chunker, shared by its files:
 *   chunker.c         the interface: push, tick, end; when a unit's turn has come
 *   chunker_entry.c   parameter sets, the sample entry, which NAL units are kept
 *   chunker_commit.c  a unit becomes a sample: where chunks are cut, who is told
 *   chunker_fill.c    the chunk being filled: its blocks, its hash, its close
 *   chunker_sound.c   what is heard meanwhile
 *
 * Access units come in, in decode order; they are committed to the chunk being filled once their
 * decode times are known (vg_reorder). Without B-pictures that is at once and straight from the
 * assembler's buffer; with them `depth` units wait in `hold`. */
#ifndef VG_SRC_CHUNKER_H
#define VG_SRC_CHUNKER_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "sets.h"
#include "vg/chunker.h"

enum {
    VG_HELD_MAX = VG_REORDER_MAX + 1,
    VG_HOLD_BYTES = VG_AU_MAX + 4 * VG_NALS_MAX,
    VG_CLOSED_MAX = VG_HELD_MAX + 8, /* a flush of all held units may close a chunk with each */
    VG_SYNC_WINDOW = 8,              /* sync samples before the newest that are looked back at */
    VG_CHANGES_BEFORE = 2,           /* within the period; the next one is the third */
    VG_HEARD_MAX = 1024,             /* frames of sound that wait for their chunk */
    VG_HEARD_BYTES = 256 * 1024,
};

/* An access unit on its way, without its bytes. */
typedef struct vg_pending {
    int64_t presentation;
    int64_t arrival_ns, camera_clock_ns;
    uint32_t bytes;  /* as in mdat */
    uint32_t offset; /* into hold */
    uint8_t kind;
    bool damaged, leading, synced, dropped_sets, new_entry;
} vg_pending;

/* Where a unit's bytes are: packed as in mdat, or NAL units of which some are left out. */
typedef struct vg_source {
    const uint8_t *packed;
    const vg_access_unit *au;
    uint8_t keep[VG_NALS_MAX]; /* with `au` */
} vg_source;

/* A frame of sound that waits for its chunk. */
typedef struct vg_heard {
    int64_t wall_ns;
    uint32_t offset, bytes; /* into heard_bytes */
    uint32_t duration;      /* ticks */
} vg_heard;

struct vg_chunker {
    vg_arena *arena;
    vg_run_start start;
    vg_chunker_state state;
    vg_timeline timeline;
    vg_reorder reorder;

    bool has_started;    /* a sample was kept */
    bool waits_for_sync; /* no room: the rest of this GOP is dropped */
    bool references_lost;
    int64_t syncs[VG_SYNC_WINDOW]; /* decode times of the latest sync samples, a ring */
    uint32_t sync_count;
    uint32_t sync_cuts;                  /* since the last tick */
    uint64_t ticks;                      /* of vg_chunker_tick */
    uint64_t changes[VG_CHANGES_BEFORE]; /* the ticks at which the entry changed, a ring */
    uint32_t change_count;
    uint32_t last_stamp, equal_stamps;
    int64_t last_arrival_ns; /* of the access unit pushed last */
    bool out_of_step;        /* a decoder that read on has other sets than the entry's */

    /* The chunk being filled; `header` is VG_NO_BLOCK without one. */
    uint32_t header;
    uint32_t payload_bytes, payload_blocks;
    vg_claim claim;
    int64_t last_decode, last_wall_ns; /* of the sample committed last */
    int64_t last_spacing;              /* ticks between the two committed last */
    bool has_last, is_estimated; /* estimated: the last sample of a tick has a guessed duration */
    int64_t estimated_end, carry;
    uint8_t previous_sha256[VG_SHA256_SIZE];
    uint8_t nothing_sha256[VG_SHA256_SIZE]; /* of no audio */
    EVP_MD_CTX *sha256;

    bool has_sound, sound_started, has_camera_offset;
    vg_sound sound;
    vg_timeline sound_line;
    uint32_t sound_stamp, sound_frame_ticks; /* of the frame heard last, by its own clock */
    int64_t sound_ticks;                     /* unwrapped, since the first */
    int64_t sound_next_media; /* in ticks of the run: before it nothing more may be heard */
    int64_t camera_offset_ns; /* from the camera's clock to when its pictures are shown */
    uint32_t heard_count, heard_used;

    vg_chunk_watch *watch;
    void *watch_context;

    uint32_t closed[VG_CLOSED_MAX];
    uint32_t closed_first, closed_count;

    vg_pending held[VG_HELD_MAX];
    uint32_t held_count, hold_used;

    size_t head_bytes; /* of `head`; 0 before there is an entry */
    uint8_t entry_sha256[VG_SHA256_SIZE];

    /* Large and mostly untouched from here on. */
    vg_set_table latest, entry;
    vg_sample samples[VG_SAMPLES_MAX];
    vg_heard heard[VG_HEARD_MAX];
    vg_sound_sample sound_samples[VG_SOUND_SAMPLES_MAX];
    uint8_t heard_bytes[VG_HEARD_BYTES];
    uint8_t head[VG_HEAD_MAX + VG_BLOCK];
    uint8_t hold[VG_HOLD_BYTES];
};

/* Before each NAL unit in mdat stands its length; a JPEG file is a sample as it is. */
static inline uint32_t vg_prefix_bytes(const vg_chunker *c) {
    return c->state.codec == VG_CODEC_MJPEG ? 0 : 4;
}

/* chunker_fill.c */

static inline vg_arena_chunk *vg_fill_chunk(const vg_chunker *c) {
    return (vg_arena_chunk *)(void *)vg_arena_at(c->arena, c->header);
}

static inline bool vg_fill_has_samples(const vg_chunker *c) {
    return c->header != VG_NO_BLOCK && c->claim.samples > 0;
}

/* False where the arena has no room. */
bool vg_fill_open(vg_chunker *c, const vg_pending *u, int64_t decode, int64_t wall_ns);
/* False where the chunk or the arena has no room: some of it may have been appended. */
bool vg_fill_append(vg_chunker *c, const vg_pending *u, const vg_source *s);
/* As they are; likewise. */
bool vg_fill_bytes(vg_chunker *c, const uint8_t *bytes, size_t size);
void vg_fill_hash(vg_chunker *c, uint32_t offset);
/* The duration of the sample committed last, now that the next one's decode time is known. */
void vg_fill_finish_last(vg_chunker *c, int64_t decode);
void vg_fill_close(vg_chunker *c, int64_t wall_end_ns);
/* Closes before the next unit's decode time is known. */
void vg_fill_close_estimating(vg_chunker *c);
/* Payload blocks behind the first `keep` go back. */
void vg_fill_give_back(vg_chunker *c, uint32_t keep);
void vg_fill_drop(vg_chunker *c);

/* chunker_sound.c */

/* What has come of the time up to `wall_end_ns`, behind the pictures of the chunk. */
void vg_sound_close(vg_chunker *c, int64_t wall_end_ns, vg_sound_samples *out);
/* A chunk begins with this picture: how the camera's clock stands to wall time. */
void vg_sound_note_picture(vg_chunker *c, const vg_pending *u, int64_t decode, int64_t wall_ns);
void vg_sound_begin_time(vg_chunker *c);

/* chunker_commit.c */

vg_err vg_commit(vg_chunker *c, const vg_pending *u, const vg_source *s, int64_t decode,
                 vg_fault *fault);
/* Commits held units as far as their decode times are known. The first error is given back; the
 * others say the same. */
vg_err vg_commit_held(vg_chunker *c, bool flush, vg_fault *fault);

/* chunker_entry.c */

void vg_entry_learn(vg_chunker *c, const vg_access_unit *au);
vg_err vg_entry_make(vg_chunker *c, vg_fault *fault);
/* Called at a sync sample whose sets differ. The third change within the period ends the changing:
 * the stream is avc3/hev1 from then on. The old entry stays where the new one is unusable. */
bool vg_entry_change(vg_chunker *c);
/* Which NAL units are kept, and how long they are in mdat. Once another set than the entry's stands
 * in band, the one that takes its place again must stand there too (rtsp.md row 103: two SPS in
 * turns within a GOP). */
void vg_entry_select(vg_chunker *c, const vg_access_unit *au, vg_pending *u, vg_source *s);

#endif
