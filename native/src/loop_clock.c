/* The box's clock, when it is set while streams are recorded: a run is in one time. What is being
 * recorded goes on in the old one up to the next sync sample; there a new run begins in the new
 * one, and its first claim says that the clock was set. docs/design/time.md tells why. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "loop_stream.h"

enum {
    HELD_S = 10,   /* how long a sync sample is waited for */
    READS_MAX = 3, /* until both clocks were read at one moment */
};
#define TOGETHER_NS (5 * NS_PER_MS)

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    const int result = clock_gettime(clock, &t);
    assert(result == 0);
    (void)result;
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool is_step(int64_t difference) {
    return difference > VG_REANCHOR_NS || difference < -VG_REANCHOR_NS;
}

static void hold(stream *s, int64_t step) {
    if (s->dead || s->clock_runs == VG_CLOCK_RUNS_MAX) return;
    if (s->clock_held_ns == 0) s->clock_until_ns = s->owner->now_ns + HELD_S * NS_PER_S;
    s->clock_held_ns += step;
    if (!is_step(s->clock_held_ns)) s->clock_held_ns = 0; /* it was put right again */
}

void loop_read_clocks(loop *l) {
    int64_t before = 0;
    /* A loop that is held up between two reads has not seen a step. */
    for (int i = 0; i < READS_MAX; i++) {
        before = clock_ns(CLOCK_MONOTONIC);
        l->wall_ns = clock_ns(CLOCK_REALTIME);
        l->now_ns = clock_ns(CLOCK_MONOTONIC);
        if (l->now_ns - before < TOGETHER_NS) break;
    }
    const int64_t offset = l->wall_ns - l->now_ns;
    const int64_t step = offset - l->clock_offset_ns;
    l->clock_offset_ns = offset;
    if (!l->has_clock_offset || !is_step(step)) {
        l->has_clock_offset = true;
        return;
    }
    for (stream *s = l->streams; s != NULL; s = s->next)
        hold(s, step);
}

static void begin_again(stream *s) {
    const bool is_new = vg_chunker_begin_again(s->chunker, s->run + 1, VG_GAP_CLOCK_SET);
    stream_hand_over(s);
    if (!is_new) return; /* nothing was kept yet: the run begins in the new time */
    s->run++;
    s->clock_runs++;
    char run[24];
    (void)snprintf(run, sizeof run, "%" PRIu64, s->run);
    stream_event(s, VG_EVENT_NEW_RUN, 0, run);
}

int64_t stream_arrival(stream *s, const vg_access_unit *au) {
    const loop *l = s->owner;
    if (s->clock_held_ns == 0) return l->wall_ns;
    const bool is_due = au->kind != VG_SYNC_NONE || l->now_ns >= s->clock_until_ns;
    if (!au->is_picture || !is_due) return l->wall_ns - s->clock_held_ns;
    s->clock_held_ns = 0;
    begin_again(s);
    return l->wall_ns;
}
