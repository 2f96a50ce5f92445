#include <assert.h>
#include <stddef.h>

#include "vg/timeline.h"

/* Nothing was seen yet to go by: 25 pictures a second. */
#define DEFAULT_DELTA (VG_TIMESCALE / 25)
#define NS_PER_SECOND INT64_C(1000000000)
/* Behind arrival the slew may add a 200th of the spacing; see docs/design/time.md. */
#define SLEW_DIVISOR 200
/* Ahead of it something is wrong for certain, since no picture arrives before it is taken. */
#define AHEAD_DIVISOR 8
#define WINDOW_NS NS_PER_SECOND

static int64_t usual_delta(const vg_timeline *t) {
    return t->usual_delta > 0 ? t->usual_delta : DEFAULT_DELTA;
}

/* B-pictures step back by up to VG_REORDER_MAX pictures; a step back beyond that is the clock. */
static int64_t step_back_max(const vg_timeline *t) {
    int64_t max = VG_REORDER_MAX * usual_delta(t);
    if (max < VG_TIMESCALE) max = VG_TIMESCALE;
    if (max > VG_JUMP_TICKS) max = VG_JUMP_TICKS;
    return max;
}

/* A mean over some 16 steps, steps back included: the spacing of B-pictures comes out right. */
static void learn_delta(vg_timeline *t, int64_t delta) {
    if (t->usual_delta == 0) {
        if (delta > 0) t->usual_delta = delta;
        return;
    }
    t->usual_delta += (delta - t->usual_delta) / 16;
    if (t->usual_delta < 1) t->usual_delta = 1;
}

int64_t vg_timeline_media(vg_timeline *t, uint32_t rtp_timestamp) {
    assert(t != NULL);
    if (!t->started) {
        t->started = true;
        t->last_rtp = rtp_timestamp;
        return t->media_ticks;
    }
    const int64_t delta = (int32_t)(rtp_timestamp - t->last_rtp);
    const bool is_outlier = delta > VG_JUMP_TICKS || delta < -step_back_max(t);
    if (!is_outlier) {
        t->outliers = 0;
        t->last_rtp = rtp_timestamp;
        t->media_ticks += delta;
        learn_delta(t, delta);
        return t->media_ticks;
    }
    t->counts_outlier++;
    t->outliers++;
    t->media_ticks += usual_delta(t);
    if (t->outliers >= VG_OUTLIERS_MAX) {
        t->outliers = 0;
        t->last_rtp = rtp_timestamp;
    } else {
        t->last_rtp += (uint32_t)usual_delta(t);
    }
    return t->media_ticks;
}

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The least error seen lately: delay only ever adds, so the least is nearest to the truth. It rises
 * with the arrival clock, at most twice as fast as media time: in the burst after a stall the
 * arrival clock stands still, and the errors fall back before the filter has believed them. */
static int64_t filter(vg_timeline *t, int64_t error, int64_t spacing, int64_t arrival_ns) {
    int64_t elapsed = arrival_ns - t->last_arrival_ns;
    if (elapsed < 0) elapsed = 0;
    return min64(error, t->minimum_error_ns + min64(elapsed, 2 * spacing));
}

/* The least error of one to two seconds of arrivals. A burst lasts for none, so what is left is no
 * delay. Where timestamps stand still or crawl (rtsp.md row 83) there is hardly any spacing for the
 * filter to rise by, and wall time would stand still with them. */
static int64_t least_lately(vg_timeline *t, int64_t error, int64_t arrival_ns) {
    const int64_t elapsed = arrival_ns - t->window_start_ns;
    if (elapsed >= WINDOW_NS || elapsed < 0) {
        t->window_before_ns = t->window_least_ns;
        t->window_least_ns = error;
        t->window_start_ns = arrival_ns;
    }
    t->window_least_ns = min64(t->window_least_ns, error);
    return min64(t->window_before_ns, t->window_least_ns);
}

/* Ahead of arrival by far (a burst of cached pictures at the start, the box's clock set back): wall
 * time may not go back, so it goes on slowly until arrival has come up. Timestamps that run ten
 * times too fast would still be faster than time; from VG_LEAD_MAX_NS on they have no say. */
static int64_t step_ahead(const vg_timeline *t, int64_t spacing, int64_t arrival_ns) {
    int64_t step = spacing / AHEAD_DIVISOR;
    if (t->wall_ns - arrival_ns > VG_LEAD_MAX_NS)
        step = min64(step, (arrival_ns - t->last_arrival_ns) / AHEAD_DIVISOR);
    return step > 1 ? step : 1;
}

int64_t vg_timeline_wall(vg_timeline *t, int64_t decode_ticks, int64_t arrival_ns,
                         bool *reanchored) {
    assert(t != NULL && reanchored != NULL);
    *reanchored = false;
    if (t->last_arrival_ns == 0 && t->wall_ns == 0) {
        t->wall_ns = arrival_ns;
        t->wall_media_ticks = decode_ticks;
        t->last_arrival_ns = arrival_ns;
        return t->wall_ns;
    }
    int64_t ticks = decode_ticks - t->wall_media_ticks;
    if (ticks < 0) ticks = 0;
    const int64_t spacing = ticks * NS_PER_SECOND / VG_TIMESCALE;
    t->wall_media_ticks = decode_ticks;

    int64_t step = t->is_ahead ? step_ahead(t, spacing, arrival_ns) : spacing;
    const int64_t seen = arrival_ns - (t->wall_ns + step);
    int64_t error = filter(t, seen, spacing, arrival_ns);
    const int64_t least = least_lately(t, seen, arrival_ns);
    if (least > VG_REANCHOR_NS && least > error) error = least;
    t->last_arrival_ns = arrival_ns;
    t->minimum_error_ns = error;
    if (error > VG_REANCHOR_NS) {
        t->counts_reanchor++;
        *reanchored = true;
        step = arrival_ns - t->wall_ns;
        t->minimum_error_ns = 0;
        t->window_least_ns = 0;
        t->window_before_ns = 0;
        t->is_ahead = false;
    } else if (t->is_ahead) {
        *reanchored = true;
        t->is_ahead = error < -VG_SLEW_DEADBAND_NS;
    } else if (error < -VG_REANCHOR_NS) {
        t->counts_reanchor++;
        *reanchored = true;
        t->is_ahead = true;
    } else if (error > VG_SLEW_DEADBAND_NS || error < -VG_SLEW_DEADBAND_NS) {
        const int64_t most = spacing / (error > 0 ? SLEW_DIVISOR : AHEAD_DIVISOR);
        const int64_t slew = error > 0 ? min64(error, most) : -min64(-error, most);
        step += slew;
        t->minimum_error_ns -= slew;
    }
    t->wall_ns += step;
    return t->wall_ns;
}
