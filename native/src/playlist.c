/* The text of playlists, in one pass over fragments. Durations are rounded so that their sum is
 * right to 10 us at every entry. Dates are those of Viet Nam, which has been at +07:00 without a
 * summer time since 1975 (docs/design/player.md). */
#include "vg/playlist.h"

#include "put.h"

enum {
    MS_S = 1000,
    MS_MINUTE = 60 * MS_S,
    MS_HOUR = 60 * MS_MINUTE,
    MS_DAY = 24 * MS_HOUR,
    MS_VIETNAM = 7 * MS_HOUR,
    DIGITS_MAX = 20,
};

static bool follows(const vg_fragment *before, const vg_fragment *next) {
    return next->kind != 0 && next->run == before->run &&
           next->sequence == before->sequence + before->chunks &&
           next->segment == before->segment && next->epoch == before->epoch;
}

uint32_t vg_fragments_stretch(const vg_fragment *fragments, uint32_t count) {
    assert(fragments != NULL && count > 0);
    uint32_t length = 1;
    if (fragments[0].kind == 0) return length;
    while (length < count && follows(&fragments[length - 1], &fragments[length]))
        length++;
    return length;
}

static void put_text(vg_put *w, const char *text) {
    vg_put_bytes(w, text, strlen(text));
}

/* `value` with at least `width` digits. */
static void put_digits(vg_put *w, uint64_t value, size_t width) {
    uint8_t digits[DIGITS_MAX];
    size_t at = DIGITS_MAX;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (DIGITS_MAX - at < width)
        digits[--at] = '0';
    vg_put_bytes(w, digits + at, DIGITS_MAX - at);
}

static int64_t floor_divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

/* Year, month and day of a day since 1970, in years that begin in March: a leap day is then the
 * last of its year. 146,097 days are 400 years. */
static void put_date(vg_put *w, int64_t day) {
    const int64_t since = day + 719468; /* 0000-03-01 */
    const int64_t era = floor_divide(since, 146097);
    const int64_t of_era = since - era * 146097;
    const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march = (5 * of_year + 2) / 153; /* months since March */
    const int64_t month = march < 10 ? march + 3 : march - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    put_digits(w, (uint64_t)year, 4);
    put_text(w, "-");
    put_digits(w, (uint64_t)month, 2);
    put_text(w, "-");
    put_digits(w, (uint64_t)(of_year - (153 * march + 2) / 5 + 1), 2);
}

static void put_wall_time(vg_put *w, int64_t wall_ns) {
    const int64_t ms = floor_divide(wall_ns, 1000000) + MS_VIETNAM;
    const int64_t day = floor_divide(ms, MS_DAY);
    const uint64_t of_day = (uint64_t)(ms - day * MS_DAY);
    put_text(w, "#EXT-X-PROGRAM-DATE-TIME:");
    put_date(w, day);
    put_text(w, "T");
    put_digits(w, of_day / MS_HOUR, 2);
    put_text(w, ":");
    put_digits(w, of_day / MS_MINUTE % 60, 2);
    put_text(w, ":");
    put_digits(w, of_day / MS_S % 60, 2);
    put_text(w, ".");
    put_digits(w, of_day % MS_S, 3);
    put_text(w, "+07:00\n");
}

/* How much later than `from_ns` and so many ticks a time is. Differences wrap: any row has a form.
 */
static int64_t late_ns(int64_t wall_ns, int64_t from_ns, uint64_t ticks) {
    return (int64_t)((uint64_t)wall_ns - (uint64_t)from_ns - ticks * 100000U / 9U);
}

static bool is_apart(int64_t late) {
    return late > VG_TOLD_APART_NS || late < -VG_TOLD_APART_NS;
}

static void put_duration(vg_put *w, vg_list *list, uint64_t ticks) {
    list->ticks += ticks;
    const uint64_t until = (list->ticks * 10 + 4) / 9;
    const uint64_t steps = until - list->steps;
    list->steps = until;
    if (steps > list->longest) list->longest = steps;
    put_text(w, "#EXTINF:");
    put_digits(w, steps / VG_LIST_STEPS_S, 1);
    put_text(w, ".");
    put_digits(w, steps % VG_LIST_STEPS_S, 5);
    put_text(w, ",\n");
}

static void put_range(vg_put *w, uint64_t size, uint64_t start) {
    put_text(w, "#EXT-X-BYTERANGE:");
    put_digits(w, size, 1);
    put_text(w, "@");
    put_digits(w, start, 1);
    put_text(w, "\n");
}

vg_err vg_list_write(vg_list *list, vg_list_kind kind, bool tells, const vg_fragment *fragments,
                     uint32_t count, const char *uri, size_t uri_size, uint8_t *out,
                     size_t capacity, size_t *size) {
    assert(list != NULL && fragments != NULL && uri != NULL && out != NULL && size != NULL);
    vg_put w = vg_put_into(out, capacity);
    for (uint32_t i = 0; i < count; i++) {
        const vg_fragment *f = &fragments[i];
        const int64_t late =
            late_ns(f->wall_start_ns, list->told_ns, list->ticks - list->told_ticks);
        if ((tells && i == 0) || is_apart(late)) {
            put_wall_time(&w, f->wall_start_ns);
            list->told_ns = f->wall_start_ns;
            list->told_ticks = list->ticks;
        }
        put_duration(&w, list, f->duration);
        if (kind == VG_LIST_RANGES) put_range(&w, f->bytes, f->offset);
        if (kind == VG_LIST_KEYS)
            put_range(&w, f->first_sample_end - f->moof_start, (uint64_t)f->offset + f->moof_start);
        vg_put_bytes(&w, uri, uri_size);
        vg_put_u8(&w, '\n');
    }
    *size = vg_put_offset(&w);
    return w.overrun ? VG_LIMIT : VG_OK;
}

vg_err vg_map_add(bool breaks, const vg_fragment *fragments, uint32_t fragment_count,
                  vg_map_piece *pieces, uint32_t capacity, uint32_t *count) {
    assert(fragments != NULL && pieces != NULL && count != NULL && *count <= capacity);
    if (fragment_count > capacity - *count) return VG_LIMIT;
    for (uint32_t i = 0; i < fragment_count; i++) {
        const vg_fragment *f = &fragments[i];
        const bool is_uneven = is_apart(late_ns(f->wall_end_ns, f->wall_start_ns, f->duration));
        vg_map_piece *last = *count > 0 ? &pieces[*count - 1] : NULL;
        if (last != NULL && !(breaks && i == 0) && !last->is_uneven && !is_uneven &&
            !is_apart(late_ns(f->wall_start_ns, last->wall_start_ns,
                              last->end_ticks - last->start_ticks))) {
            last->wall_end_ns = f->wall_end_ns;
            last->end_ticks += f->duration;
            continue;
        }
        const uint64_t start = last == NULL ? 0 : last->end_ticks;
        pieces[(*count)++] = (vg_map_piece){
            .wall_start_ns = f->wall_start_ns,
            .wall_end_ns = f->wall_end_ns,
            .start_ticks = start,
            .end_ticks = start + f->duration,
            .is_uneven = is_uneven,
        };
    }
    return VG_OK;
}
