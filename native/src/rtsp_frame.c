#include "vg/rtsp_frame.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "bytes.h"

/* What stands at a place of the connection. */
typedef enum verdict { NO, MAYBE, YES } verdict;

enum {
    LINES_MAX = 1024, /* blank bytes in a row; more are garbage, or a buffer could fill up */
    METHOD_MIN = 3,   /* of letters; the shortest method that exists is PLAY */
    METHOD_MAX = 16,
    RTCP_MIN = 8, /* the shortest packet of RTP or RTCP that a camera sends: an empty report */
    ROW = 3,      /* packets one behind the other, the last by its head: no chance makes them */
};

static bool is_line_end(uint8_t byte) {
    return byte == '\r' || byte == '\n';
}

/* Between items. What stands behind a packet has to be more to be a sign of its end. */
static bool is_blank(uint8_t byte) {
    return is_line_end(byte) || byte == ' ' || byte == '\t';
}

static bool is_known(const vg_rtsp_splitter *s, uint8_t channel) {
    return s->channels[channel / 64] >> channel % 64 & 1U;
}

/* Does a message begin here: `RTSP/`, or a method and a blank? */
static verdict message_at(const uint8_t *p, size_t left) {
    size_t letters = 0;
    while (letters < left && letters <= METHOD_MAX &&
           ((p[letters] >= 'A' && p[letters] <= 'Z') || p[letters] == '_'))
        letters++;
    if (letters == 0 || letters > METHOD_MAX) return NO;
    if (letters == left) return MAYBE;
    if (p[letters] == '/' && letters == 4 && memcmp(p, "RTSP", 4) == 0) return YES;
    if (p[letters] == ' ' && letters >= METHOD_MIN) return YES;
    return NO;
}

/* Does `p` begin like RTP or RTCP on a channel that was agreed? */
static bool is_agreed(const vg_rtsp_splitter *s, const uint8_t *p, size_t left) {
    return left > 4 && p[0] == '$' && is_known(s, p[1]) && vg_load_u16(p + 2) >= RTCP_MIN &&
           p[4] >> 6U == 2;
}

static bool is_row(const vg_rtsp_splitter *s, const uint8_t *p, size_t left) {
    for (int i = 1; i < ROW; i++) {
        if (!is_agreed(s, p, left)) return false;
        const size_t size = 4 + (size_t)vg_load_u16(p + 2);
        if (left < size) return false;
        p += size;
        left -= size;
    }
    return is_agreed(s, p, left);
}

/* Where the first row of packets begins; `left` if none does. */
static size_t row_at(const vg_rtsp_splitter *s, const uint8_t *p, size_t left) {
    for (size_t i = 0; i < left; i++) {
        const uint8_t *found = memchr(p + i, '$', left - i);
        if (found == NULL) break;
        i = (size_t)(found - p);
        if (is_row(s, found, left - i)) return i;
    }
    return left;
}

/* Could an item follow a packet that ends here? After garbage only what was agreed will do. */
static bool follows(const vg_rtsp_splitter *s, const uint8_t *p, size_t left) {
    if (left == 0 || is_line_end(p[0])) return true;
    /* Blanks are skipped as between items: to search all that is there behind each packet instead
     * would take seconds of a camera that sends one behind every packet. */
    for (size_t i = 0; i < LINES_MAX && left > 1 && is_blank(p[0]); i++, left--)
        p++;
    if (p[0] == '$') return left == 1 || s->skipped == 0 || is_known(s, p[1]);
    return message_at(p, left) != NO;
}

/* A packet, as far as its own bytes tell and what stands behind it. */
static verdict packet_at(const vg_rtsp_splitter *s, const uint8_t *p, size_t left, size_t *size) {
    if (left < 4) return MAYBE;
    const size_t length = vg_load_u16(p + 2);
    if (s->skipped > 0) {
        /* `$` and a small number are frequent in video: ask for more of a sign. */
        if (!is_known(s, p[1]) || length < RTCP_MIN) return NO;
        if (left == 4) return MAYBE;
        if (p[4] >> 6U != 2) return NO;
    }
    *size = 4 + length;
    if (left < *size) return MAYBE;
    return follows(s, p + *size, left - *size) ? YES : NO;
}

/* Bytes from `p` on in which nothing begins. */
static size_t garbage_size(const vg_rtsp_splitter *s, const uint8_t *p, size_t left) {
    vg_rtsp_splitter lost = *s;
    lost.skipped = 1;
    size_t row = 0; /* where one begins behind what was looked at; 0: not searched for */
    for (size_t i = 0; i < left; i++) {
        if (message_at(p + i, left - i) != NO) return i;
        size_t size = 0;
        const verdict is = p[i] == '$' ? packet_at(&lost, p + i, left - i, &size) : NO;
        if (is == YES) return i;
        if (is == NO) continue;
        if (row <= i) row = i + 1 + row_at(s, p + i + 1, left - i - 1);
        if (row == left) return i;
    }
    return left;
}

/* Garbage follows a packet of an agreed channel. live555 before 2013.12.04 leaves a packet half
 * sent when the window is full (Reolink): its length then reaches over later ones, and one of them
 * begins inside. If none does, this one is whole. */
static bool is_half(const vg_rtsp_splitter *s, const uint8_t *p, size_t left, size_t size) {
    return garbage_size(s, p + 1, left - 1) < size - 1;
}

static bool ends_header(const uint8_t *p, size_t i) {
    if (p[i] != '\n' || i < 1) return false;
    return p[i - 1] == '\n' || (i >= 2 && p[i - 1] == '\r' && p[i - 2] == '\n');
}

/* `*end`: the offset behind the empty line that ends the header at `p`. NO where a byte cannot
 * stand in a header or it is longer than `max`. `*from`: where to begin, and where to go on next
 * time. */
static verdict header_end(const uint8_t *p, size_t left, size_t max, size_t *from, size_t *end) {
    for (size_t i = *from; i < left && i < max; i++) {
        if (ends_header(p, i)) {
            *from = i;
            *end = i + 1;
            return YES;
        }
        if ((p[i] < ' ' && !is_line_end(p[i]) && p[i] != '\t') || p[i] == 0x7F) {
            *from = i;
            return NO;
        }
    }
    *from = left < max ? left : max;
    return left < max ? MAYBE : NO;
}

/* Content-Length of a whole header; 0 if there is none or it is no number: what follows is then
 * garbage, and is found to be. A number with more digits than 9 is as good as VG_RTSP_BODY_MAX + 1.
 */
static size_t content_length(const uint8_t *p, size_t size) {
    static const char name[] = "content-length";
    const size_t name_size = sizeof name - 1;
    for (const uint8_t *line = p; line != NULL && line < p + size;) {
        const size_t left = (size_t)(p + size - line);
        const uint8_t *next = memchr(line, '\n', left);
        if (left > name_size && strncasecmp((const char *)line, name, name_size) == 0) {
            const uint8_t *c = line + name_size;
            const uint8_t *end = p + size;
            while (c < end && (*c == ' ' || *c == '\t'))
                c++;
            if (c < end && *c == ':') {
                size_t value = 0;
                for (c++; c < end && (*c == ' ' || *c == '\t'); c++) {
                }
                for (; c < end && *c >= '0' && *c <= '9'; c++)
                    if (value <= VG_RTSP_BODY_MAX) value = value * 10 + (size_t)(*c - '0');
                return value;
            }
        }
        line = next == NULL ? NULL : next + 1;
    }
    return 0;
}

/* `lead`: blank bytes before `p`. `*size`: SIZE_MAX where the body is longer than we take. */
static verdict whole_message_at(vg_rtsp_splitter *s, const uint8_t *p, size_t left, size_t lead,
                                size_t *size) {
    const verdict head = message_at(p, left);
    if (head != YES) return head;

    size_t from = s->searched > lead ? s->searched - lead : 0;
    size_t end = 0;
    const verdict header = header_end(p, left, VG_RTSP_HEADER_MAX - lead, &from, &end);
    s->searched = lead + from; /* of NO too: in garbage a start stands behind the other */
    if (header != YES) return header;

    const uint8_t *line_end = memchr(p, '\n', end);
    if (memmem(p, (size_t)(line_end - p), "RTSP/", 5) == NULL) return NO;
    const size_t body = content_length(p, end);
    *size = SIZE_MAX;
    if (body > VG_RTSP_BODY_MAX) return YES;
    *size = end + body;
    return left < *size ? MAYBE : YES;
}

static vg_err skip_garbage(vg_rtsp_splitter *s, const uint8_t *data, size_t size, vg_rtsp_item *out,
                           vg_fault *fault) {
    s->searched -= s->searched < size ? s->searched : size;
    s->skipped += size;
    if (s->skipped > VG_RTSP_RESYNC_MAX) return vg_fail(fault, VG_LIMIT, 0, "VG_RTSP_RESYNC_MAX");
    *out = (vg_rtsp_item){.kind = VG_RTSP_GARBAGE, .bytes = data, .size = size, .consumed = size};
    return VG_OK;
}

/* An item at `p`: a packet, or a message behind `lead` blank bytes. */
static verdict item_at(vg_rtsp_splitter *s, const uint8_t *p, size_t left, size_t lead,
                       size_t *size) {
    if (*p != '$') return whole_message_at(s, p, left, lead, size);
    const verdict is = packet_at(s, p, left, size);
    if (is != NO || s->skipped > 0 || !is_known(s, p[1])) return is;
    return is_half(s, p, left, *size) ? NO : YES;
}

vg_err vg_rtsp_next(vg_rtsp_splitter *splitter, const uint8_t *data, size_t size, vg_rtsp_item *out,
                    vg_fault *fault) {
    assert(splitter != NULL && (data != NULL || size == 0) && out != NULL && fault != NULL);
    size_t lead = 0;
    while (lead < size && lead < LINES_MAX && is_blank(data[lead]))
        lead++;
    if (lead == LINES_MAX) return skip_garbage(splitter, data, lead, out, fault);
    if (lead == size) return VG_MORE;

    const uint8_t *p = data + lead;
    const size_t left = size - lead;
    size_t item_size = 0;
    verdict is = item_at(splitter, p, left, lead, &item_size);
    /* A length that garbage tells may reach over seconds of packets: those inside deny it. */
    if (is == MAYBE && row_at(splitter, p + 1, left - 1) < left - 1) is = NO;
    if (is == MAYBE) return VG_MORE;
    if (is == NO) {
        const size_t garbage = lead + 1 + garbage_size(splitter, p + 1, left - 1);
        return skip_garbage(splitter, data, garbage, out, fault);
    }
    if (item_size == SIZE_MAX) return vg_fail(fault, VG_LIMIT, lead, "VG_RTSP_BODY_MAX");

    vg_rtsp_item item = {.bytes = p, .size = item_size, .consumed = lead + item_size};
    if (*p == '$') {
        item.kind = VG_RTSP_PACKET;
        item.channel = p[1];
        item.bytes += 4;
        item.size -= 4;
    } else {
        item.kind = VG_RTSP_MESSAGE;
    }
    splitter->searched = 0;
    splitter->skipped = 0;
    *out = item;
    return VG_OK;
}
