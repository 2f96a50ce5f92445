/* Time of a stream: RTP timestamps to media time, media time to wall time, presentation to decode
 * order. Pure: times come in as arguments. docs/design/time.md tells why. */
#ifndef VG_TIMELINE_H
#define VG_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VG_TIMESCALE = 90000,
    /* a longer step is an outlier (Intelbras DVRs stamp single frames hours off) */
    VG_JUMP_TICKS = 5 * VG_TIMESCALE,
    VG_OUTLIERS_MAX = 3, /* in a row make a new timeline */
    VG_REORDER_MAX = 16, /* H.264 A.3.1: MaxDpbFrames */
    /* a deeper step back is a camera's clock, not a B-picture */
    VG_REORDER_LEARNT_MAX = 4,
};
#define VG_SLEW_DEADBAND_NS INT64_C(40000000) /* Wi-Fi jitter below it moves nothing */
#define VG_REANCHOR_NS INT64_C(2000000000)    /* further off: wall time is set anew and flagged */
#define VG_LEAD_MAX_NS INT64_C(10000000000)   /* ahead of arrival, whatever the timestamps say */

typedef struct vg_timeline {
    bool started;
    uint32_t last_rtp;
    /* presentation, unwrapped, from the run's start; may step back with B-frames */
    int64_t media_ticks;
    int64_t usual_delta;
    uint8_t outliers;
    /* of the last access unit in decode order; never goes back within a run */
    int64_t wall_ns;
    int64_t wall_media_ticks; /* the decode time it belongs to */
    int64_t minimum_error_ns; /* filter state of the slew: least arrival delay seen lately */
    int64_t last_arrival_ns;
    /* the least errors of the present second of arrivals and of the one before */
    int64_t window_start_ns, window_least_ns, window_before_ns;
    bool is_ahead; /* wall time is far ahead of arrival and waits for it */
    uint64_t counts_outlier, counts_reanchor;
} vg_timeline;

/* The presentation time of the next access unit in ticks since the run's start. */
int64_t vg_timeline_media(vg_timeline *t, uint32_t rtp_timestamp);
/* The wall time of an access unit whose decode time is `decode_ticks` and that arrived at
 * `arrival_ns` (UTC). Last start plus spacing, slewed towards arrival once the error leaves the
 * dead band, by at most 1/200 of the spacing where it lies behind and 1/8 where it lies ahead;
 * `*reanchored` is set where it was off by more than VG_REANCHOR_NS: it is set to arrival where
 * that is later, and where arrival lies behind it goes on at an eighth of the spacing (of arrival's
 * own pace beyond VG_LEAD_MAX_NS) until that has come up. */
int64_t vg_timeline_wall(vg_timeline *t, int64_t decode_ticks, int64_t arrival_ns,
                         bool *reanchored);

/* Decode times from presentation times: the n-th decoded picture decodes at the n-th smallest
 * presentation time, known once `depth` more have come (or a sync sample that nothing crosses).
 * Strictly rising, repaired by one tick where a camera lies. */
typedef struct vg_reorder {
    /* presentation times of pictures without a decode time, sorted */
    int64_t pending[VG_REORDER_MAX + 1];
    /* the presentation times pushed last, for learning the depth */
    int64_t recent[VG_REORDER_MAX];
    uint8_t count, depth, recent_count;
    int64_t last_decode;
    bool started, learns;
} vg_reorder;
/* -1: not told; starts at 0 and learns from the first step back */
void vg_reorder_init(vg_reorder *r, int depth);
/* At most VG_REORDER_MAX + 1 wait: pull after every push. */
void vg_reorder_push(vg_reorder *r, int64_t presentation);
/* True: `*decode` is the decode time of the oldest pushed picture that has none yet. `flush`: take
 * what there is. */
bool vg_reorder_pull(vg_reorder *r, bool flush, int64_t *decode);

#endif
