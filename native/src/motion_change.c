#include <assert.h>
#include <string.h>

#include "motion_grid.h"

static const int64_t SECOND_NS = 1000000000;
static const int64_t TIME_MAX_NS = INT64_MAX / 2;
/* Pictures closer than this add nothing: 25 a second are looked at 12.5 times, 10 ten times. */
static const int64_t STEP_MIN_NS = 60000000;
/* Compared with the newest that is so old: 0.2 s at 10 or 15 pictures a second, 0.16 s at 25. A man
 * walks a quarter of a cell in that time, and a car some cells. */
static const int64_t LAG_NS = 140000000;
/* What lies further apart says nothing of the seconds between. */
static const int64_t LAG_MAX_NS = 10 * SECOND_NS;
/* Small steps back are pictures out of order, larger ones a clock that was set. */
static const int64_t BACK_MAX_NS = SECOND_NS;
static const int64_t NOISE_STEP_NS = SECOND_NS / 2;
static const int64_t NOISE_NS = 8 * SECOND_NS;

enum {
    STRONG_MIN = 8,      /* levels; below, the blocks of a poor encoder move */
    GLOBAL_CELLS = 1383, /* 60 % of all */
};

/* 4.5 times the median of the last 8 s, STRONG_MIN at least; beside a strong one 5/8 of that do. */
static void judge(const vg_motion_loops *loops, vg_motion *m, int64_t time_ns) {
    const uint8_t *planes[VG_MOTION_NOISE_PLANES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->noises; i++)
        if (time_ns - m->noise_times_ns[i] <= NOISE_NS) planes[count++] = m->noise[i];
    uint8_t medians[VG_MOTION_FINE] = {0};
    if (count > 0) loops->median(planes, count, medians);
    for (uint32_t i = 0; i < VG_MOTION_FINE; i++) {
        uint32_t strong = (9 * (uint32_t)medians[i] + 1) / 2;
        if (strong < STRONG_MIN) strong = STRONG_MIN;
        if (strong > UINT8_MAX) strong = UINT8_MAX;
        m->strong[i] = (uint8_t)strong;
        m->weak[i] = (uint8_t)((5 * strong + 7) / 8);
    }
    m->judged_second = time_ns / SECOND_NS;
}

static void keep_noise(vg_motion *m, const uint8_t *difference, int64_t time_ns) {
    if (m->noises > 0 && time_ns < m->noise_times_ns[m->noise_newest])
        m->noises = 0; /* clock set */
    if (m->noises > 0 && time_ns - m->noise_times_ns[m->noise_newest] < NOISE_STEP_NS) return;
    m->noise_newest = m->noises == 0 ? 0 : (m->noise_newest + 1) % VG_MOTION_NOISE_PLANES;
    if (m->noises < VG_MOTION_NOISE_PLANES) m->noises++;
    m->noise_times_ns[m->noise_newest] = time_ns;
    memcpy(m->noise[m->noise_newest], difference, VG_MOTION_FINE);
}

/* Four marks to a cell: bits of the weak and of the strong ones. */
static void gather(const uint8_t *marks, uint64_t *weak, uint64_t *strong) {
    for (uint32_t row = 0; row < VG_MOTION_ROWS; row++) {
        const uint8_t *p = marks + (size_t)2 * row * VG_MOTION_FINE_COLUMNS;
        uint64_t any = 0, sure = 0;
        for (uint32_t column = 0; column < VG_MOTION_COLUMNS; column++, p += 2) {
            const uint32_t mark =
                p[0] | p[1] | p[VG_MOTION_FINE_COLUMNS] | p[VG_MOTION_FINE_COLUMNS + 1];
            any |= (uint64_t)(mark & 1U) << column;
            sure |= (uint64_t)(mark >> 1U) << column;
        }
        weak[row] = any;
        strong[row] = sure;
    }
}

/* Strong cells, and weak ones that touch one. */
static uint32_t join(const uint64_t *weak, const uint64_t *strong, uint64_t *rows) {
    uint32_t active = 0;
    for (uint32_t row = 0; row < VG_MOTION_ROWS; row++) {
        uint64_t near = strong[row];
        if (row > 0) near |= strong[row - 1];
        if (row + 1 < VG_MOTION_ROWS) near |= strong[row + 1];
        near |= near << 1U | near >> 1U;
        rows[row] = strong[row] | (weak[row] & near);
        active += (uint32_t)__builtin_popcountll(rows[row]);
    }
    return active;
}

/* A comparison of two pictures becomes part of the second of the later one, and all of those
 * between them. */
static uint32_t tell(vg_motion *m, const uint64_t *rows, bool is_global, int64_t from_second,
                     int64_t second, vg_motion_slot *slots) {
    uint32_t count = 0;
    if (m->is_open && m->slot.second != second) {
        if (m->slot.second > from_second) from_second = m->slot.second;
        slots[count++] = m->slot;
        m->is_open = false;
    }
    for (int64_t between = from_second + 1; between < second; between++) {
        assert(count < VG_MOTION_SLOTS_MAX); /* LAG_MAX_NS */
        slots[count] = (vg_motion_slot){.second = between, .is_global = is_global};
        memcpy(slots[count++].rows, rows, sizeof slots[0].rows);
    }
    if (!m->is_open) m->slot = (vg_motion_slot){.second = second};
    m->is_open = true;
    m->slot.is_global = m->slot.is_global || is_global;
    for (uint32_t row = 0; row < VG_MOTION_ROWS; row++)
        m->slot.rows[row] |= rows[row];
    return count;
}

/* Compares the newest picture with the one that is old enough, if there is one. */
static uint32_t compare(const vg_motion_loops *loops, vg_motion *m, vg_motion_slot *slots) {
    const int64_t time_ns = m->times_ns[m->newest];
    uint32_t before = m->newest;
    uint32_t age = 1;
    for (; age < m->kept; age++) {
        before = (m->newest + VG_MOTION_KEPT - age) % VG_MOTION_KEPT;
        if (time_ns - m->times_ns[before] >= LAG_NS) break;
    }
    if (age >= m->kept) return 0;

    const int64_t second = time_ns / SECOND_NS;
    if (m->strong[0] == 0 || m->judged_second != second) judge(loops, m, time_ns);
    uint8_t difference[VG_MOTION_FINE];
    uint8_t marks[VG_MOTION_FINE];
    loops->differ(m->means[m->newest], m->means[before], m->weak, m->strong, difference, marks);
    keep_noise(m, difference, time_ns);
    uint64_t weak[VG_MOTION_ROWS], strong[VG_MOTION_ROWS], rows[VG_MOTION_ROWS];
    gather(marks, weak, strong);
    const bool is_global = join(weak, strong, rows) >= GLOBAL_CELLS;
    return tell(m, rows, is_global, m->times_ns[before] / SECOND_NS, second, slots);
}

/* As at the beginning; the open second is told. */
static uint32_t begin_anew(vg_motion *m, vg_motion_slot *slots) {
    const uint32_t count = vg_motion_finish(m, slots) ? 1 : 0;
    m->kept = 0;
    m->noises = 0;
    m->strong[0] = 0;
    return count;
}

vg_err vg_motion_push_by(const vg_motion_loops *loops, vg_motion *motion, const vg_luma *luma,
                         int64_t time_ns, vg_motion_slot *slots, uint32_t *count, vg_fault *fault) {
    assert(loops != NULL && motion != NULL && luma != NULL && slots != NULL && count != NULL);
    vg_motion *m = motion;
    *count = 0;
    if (time_ns < 0 || time_ns > TIME_MAX_NS) {
        *fault = (vg_fault){.offset = 0, .rule = "a time between 1970 and 2116"};
        return VG_LIMIT;
    }
    const int64_t step = m->kept == 0 ? STEP_MIN_NS : time_ns - m->times_ns[m->newest];
    const bool is_same = luma->width == m->width && luma->height == m->height;
    if (is_same && step < STEP_MIN_NS && step >= -BACK_MAX_NS) return VG_OK;
    uint8_t means[VG_MOTION_FINE];
    const vg_err err = vg_motion_means_by(loops, luma, means, fault);
    if (err != VG_OK) return err;

    if (!is_same || step < 0)
        *count = begin_anew(m, slots);
    else if (step > LAG_MAX_NS)
        m->kept = 0;
    m->width = luma->width;
    m->height = luma->height;
    m->newest = m->kept == 0 ? 0 : (m->newest + 1) % VG_MOTION_KEPT;
    if (m->kept < VG_MOTION_KEPT) m->kept++;
    m->times_ns[m->newest] = time_ns;
    memcpy(m->means[m->newest], means, sizeof means);
    *count += compare(loops, m, slots + *count);
    return VG_OK;
}

vg_err vg_motion_push(vg_motion *motion, const vg_luma *luma, int64_t time_ns,
                      vg_motion_slot *slots, uint32_t *count, vg_fault *fault) {
    return vg_motion_push_by(vg_motion_loops_best(), motion, luma, time_ns, slots, count, fault);
}

bool vg_motion_finish(vg_motion *motion, vg_motion_slot *slot) {
    const bool was_open = motion->is_open;
    if (was_open) *slot = motion->slot;
    motion->is_open = false;
    return was_open;
}

void vg_motion_break(vg_motion *motion) {
    motion->kept = 0;
}

void vg_motion_cells(const vg_motion_slot *slot, uint8_t cells[VG_MOTION_CELL_BYTES]) {
    for (uint32_t i = 0; i < VG_MOTION_CELL_BYTES; i++)
        cells[i] = (uint8_t)(slot->rows[i / 8] >> (8 * (i % 8)));
}

const uint8_t *vg_motion_latest(const vg_motion *motion) {
    return motion->kept == 0 ? NULL : motion->means[motion->newest];
}
