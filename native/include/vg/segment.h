/* A segment's bytes: head (ftyp, moov), chunks (prft, uuid, moof, mdat, free), table. Pure
 * functions over the caller's memory; docs/ref/segment-format.md draws every byte and its example
 * is a test. All integers on disk are big-endian. */
#ifndef VG_SEGMENT_H
#define VG_SEGMENT_H

#include "vg/nal.h"
#include "vg/sound.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    VG_FORMAT_VERSION = 1,
    /* chunks start at multiples of it; a durable block is never written again */
    VG_BLOCK = 4096,
    VG_SHA256_SIZE = 32,
    VG_ID_SIZE = 16,
    VG_CLAIM_SIZE = 227,       /* from version to the previous claim's hash */
    VG_CLAIM_FIRST_SIZE = 244, /* a run's first claim: predecessor, reason, start behind it */
    VG_PLACE_SIZE = 52,
    VG_ENTRY_SIZE = 64,          /* a table entry, and a row */
    VG_SAMPLES_MAX = 2048,       /* in a chunk; more close it */
    VG_SOUND_SAMPLES_MAX = 1024, /* in a chunk; more are dropped */
    /* In front of the sound's bytes and hashed with them: where it starts, an i64 */
    VG_SOUND_START_SIZE = 8,
    /* Sound begins at most so long before its chunk; a file with sound begins its decode times so
     * late. */
    VG_SOUND_LEAD_TICKS = 90000,
    VG_CHUNK_BYTES_MAX = 4 << 20, /* a chunk closes there, unless one access unit is larger */
    VG_HEAD_MAX = 32 * 1024,      /* ftyp + moov before padding: parameter sets are bounded by it */
    VG_CHUNK_HEAD_MAX = 48 * 1024, /* prft + uuid + moof + mdat's header */
};

/* Flags of a claim. */
enum {
    VG_CLAIM_FIRST = 1 << 0, /* first of its run; the predecessor's fields follow */
    /* something was lost on the way: a picture here may be broken */
    VG_CLAIM_DAMAGED = 1 << 1,
    /* pictures before the next sync sample may refer to what is not there */
    VG_CLAIM_REFERENCES_LOST = 1 << 2,
    /* wall time was set anew at its start (a break beyond the bound) */
    VG_CLAIM_REANCHORED = 1 << 3,
    /* in-band parameter sets that equal the entry's were left out */
    VG_CLAIM_SETS_DROPPED = 1 << 4,
    VG_CLAIM_CLOCK_SYNCED = 1 << 5, /* the box's clock was synchronised */
    VG_CLAIM_INBAND = 1 << 6,       /* avc3/hev1: parameter sets stand in band */
    VG_CLAIM_END = 1 << 7,          /* last of its run */
    /* only in rows and tables, never in a claim: */
    VG_ROW_BROKEN = 1 << 16,    /* the payload does not have the claimed hash */
    VG_ROW_CONTINUES = 1 << 17, /* the fragment goes on in the next segment */
    VG_ROW_ERASED = 1 << 18,    /* the payload was zeroed: only tables have such rows */
};

#define VG_CAMERA_CLOCK_UNKNOWN INT64_MIN

/* Why there was nothing before a run. Stored: the numbers never change. */
typedef enum vg_gap_reason {
    VG_GAP_UNKNOWN = 0,
    VG_GAP_CAMERA_OFF = 1,
    VG_GAP_NETWORK = 2,
    VG_GAP_REFUSED = 3,
    VG_GAP_WRONG_PASSWORD = 4,
    VG_GAP_NO_VIDEO = 5,
    VG_GAP_BAD_STREAM = 6,
    VG_GAP_CRASHES = 7,
    VG_GAP_OTHER_DEVICE = 8,
    VG_GAP_BOX_STOPPED = 9,
    VG_GAP_DISK = 10,
    VG_GAP_AGREEMENT_ENDED = 11,
    VG_GAP_PAUSED = 12,
    VG_GAP_FLOOD = 13,
    VG_GAP_CLOCK_SET = 14,
} vg_gap_reason;

/* What was received. Written by the loop; its SHA-256 chains the run. */
typedef struct vg_claim {
    uint16_t version;
    uint32_t flags;
    uint8_t camera[VG_ID_SIZE], stream[VG_ID_SIZE];
    uint64_t run, sequence;
    int64_t wall_start_ns;
    uint64_t media_start; /* ticks since the run's start */
    uint32_t duration, timescale;
    int64_t camera_clock_ns;
    uint32_t samples;
    uint8_t kind; /* vg_sync_kind of the first sample */
    uint32_t video_bytes, audio_bytes;
    /* audio: of nothing, if none */
    uint8_t video_sha256[VG_SHA256_SIZE], audio_sha256[VG_SHA256_SIZE];
    /* previous: zeros in a first */
    uint8_t trun_sha256[VG_SHA256_SIZE], previous_sha256[VG_SHA256_SIZE];
    uint64_t predecessor_run; /* FIRST only; 0: unknown */
    uint8_t gap_reason;
    int64_t gap_start_ns;
} vg_claim;

/* Where it lies. Written by the keeper. */
typedef struct vg_place {
    uint8_t disk[VG_ID_SIZE];
    uint32_t segment;
    uint64_t epoch, offset;
    uint32_t moof_bytes, chunk_bytes; /* chunk: prft to the end of the padding */
    uint32_t first_sample_end;        /* from the chunk's start: serves its key frame alone */
    uint32_t crc32c;                  /* of prft, uuid (these four bytes zero) and moof */
} vg_place;

typedef struct vg_sample {
    uint32_t bytes;
    uint32_t duration;          /* ticks; their sum is the claim's duration */
    int32_t composition_offset; /* ticks, signed (trun version 1) */
    bool is_sync;
    bool is_leading;
} vg_sample;

typedef struct vg_sound_sample {
    uint32_t bytes;
    uint32_t duration; /* ticks */
} vg_sound_sample;

/* The sound of a chunk, behind its pictures. */
typedef struct vg_sound_samples {
    const vg_sound_sample *samples;
    uint32_t count; /* 0: none */
    int64_t start;  /* ticks from the claim's media_start; may lie before it */
} vg_sound_samples;

/* What describes a stream: parameter sets without start codes. */
typedef struct vg_sets {
    vg_codec codec;
    bool inband; /* avc3/hev1 */
    const uint8_t *vps[4], *sps[4], *pps[8];
    uint16_t vps_size[4], sps_size[4], pps_size[8];
    uint8_t vps_count, sps_count, pps_count;
    const vg_sound *sound; /* track 2; NULL: there is none */
} vg_sets;

/* ftyp + moov for video track 1 and the sound of track 2, padded with `free` to VG_BLOCK. Returns
 * the size written. VG_LIMIT if it does not fit into `capacity` or VG_HEAD_MAX;
 * VG_VALUE/SHORT/UNSUPPORTED from the SPS. */
vg_err vg_head_write(const vg_sets *sets, uint32_t timescale, uint8_t *out, size_t capacity,
                     size_t *size, vg_fault *fault);

/* prft + uuid (place zeroed but for moof_bytes and first_sample_end) + moof (tfdt, mfhd zero) +
 * mdat's header. claim->samples counts `samples`. Fills claim->trun_sha256 and ->duration from
 * them; writes the claim's own hash, for the next one, to `claim_sha256`. The mdat's payload of
 * claim->video_bytes and claim->audio_bytes follows outside. `sound`: NULL where there is none. */
vg_err vg_chunk_head_write(vg_claim *claim, const vg_sample *samples, const vg_sound_samples *sound,
                           uint8_t *out, size_t capacity, size_t *size,
                           uint8_t claim_sha256[VG_SHA256_SIZE], vg_fault *fault);

/* The keeper's part: sets tfdt, mfhd's sequence number, the place and its CRC in a head just
 * written. `place`'s moof_bytes and first_sample_end are read from the head; chunk_bytes is
 * computed (padding never of 1..7 bytes) and returned in it, and crc32c too. */
vg_err vg_chunk_place(uint8_t *head, size_t size, uint64_t decode_time, uint32_t fragment_number,
                      vg_place *place, vg_fault *fault);

/* The claim of a head, placed or not (its CRC is not looked at), and the claim's hash. As
 * vg_chunk_parse. */
vg_err vg_claim_read(const uint8_t *data, size_t size, vg_claim *out,
                     uint8_t claim_sha256[VG_SHA256_SIZE], vg_fault *fault);

/* A chunk as found on a disk. */
typedef struct vg_chunk_view {
    vg_claim claim;
    vg_place place;
    uint64_t decode_time;
    uint32_t payload_offset; /* of the mdat's payload, from the chunk's start */
    uint8_t claim_sha256[VG_SHA256_SIZE];
    uint32_t sound_samples;
    int64_t sound_start; /* of `tfdt`s: ticks from the first picture to the first sound */
} vg_chunk_view;

/* Reads the head at the start of `data` and checks magic, version, lengths, CRC and the truns'
 * hash; looks at no payload. VG_OK, VG_MORE (`size` ends inside the head), VG_VALUE (no chunk
 * here), VG_UNSUPPORTED (a newer version). */
vg_err vg_chunk_parse(const uint8_t *data, size_t size, vg_chunk_view *out, vg_fault *fault);

/* A row of the index, and a table entry (64 bytes): a chunk, where and when. */
typedef struct vg_row {
    uint32_t offset, chunk_bytes, moof_bytes, first_sample_end;
    int64_t wall_start_ns, wall_end_ns;
    uint32_t duration, samples, flags; /* claim flags and VG_ROW_* */
    uint8_t kind;
    uint64_t run, sequence;
} vg_row;

void vg_entry_write(const vg_row *row, uint8_t out[VG_ENTRY_SIZE]);
void vg_entry_read(const uint8_t in[VG_ENTRY_SIZE], vg_row *out);

/* The table that seals a segment: a `uuid` box of entries that ends the file, its last 64 bytes the
 * footer (magic, count, offset of the first entry's box, SHA-256 of the entries). */
size_t vg_table_bytes(uint32_t count);
vg_err vg_table_write(const vg_row *rows, uint32_t count, uint64_t segment_bytes, uint8_t *out,
                      size_t capacity);
/* `data`: the segment's last `size` bytes. VG_MORE: the table is longer (`*count` tells). */
vg_err vg_table_read(const uint8_t *data, size_t size, uint64_t segment_bytes, vg_row *out,
                     uint32_t capacity, uint32_t *count, vg_fault *fault);

/* Castagnoli, start with 0; SSE4.2 where there is */
uint32_t vg_crc32c(uint32_t crc, const void *data, size_t size);
void vg_sha256(const void *data, size_t size, uint8_t out[VG_SHA256_SIZE]); /* OpenSSL */
/* Of one thing and the other behind it. */
void vg_sha256_two(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t out[VG_SHA256_SIZE]);

#endif
