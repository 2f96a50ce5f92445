/* RFC 2435: packets to whole JPEG pictures. A picture is one "NAL unit" of the buffer; if a packet
 * of it is missing, there is none. */
#include <assert.h>
#include <string.h>

#include "assembler.h"
#include "bytes.h"

enum {
    TYPE_RESTART = 64, /* types from here to 127 have restart markers (3.1.3) */
    TYPE_MAX = 127,
    Q_COMPUTED_MAX = 99,
    Q_INBAND = 128,   /* from here on tables come in the first packet of a picture (3.1.8) */
    Q_CHANGING = 255, /* and of every picture */
    SOI = 0xFFD8,
};
static const uint8_t end_of_image[2] = {0xFF, 0xD9};

/* A packet's headers. */
typedef struct part {
    uint32_t offset; /* of the scan */
    uint8_t type, q;
    uint16_t width, height, restart_interval;
    uint8_t precision;
    const uint8_t *tables;
    size_t tables_size;
    const uint8_t *scan;
    size_t scan_size;
} part;

static vg_err read_part(const vg_rtp_packet *packet, part *p, vg_fault *fault) {
    vg_bytes r = vg_bytes_of(packet->payload, packet->payload_size);
    p->offset = vg_bytes_u32(&r) & 0xFFFFFFU; /* behind the type-specific byte: fields, mostly 0 */
    p->type = vg_bytes_u8(&r);
    p->q = vg_bytes_u8(&r);
    p->width = (uint16_t)(vg_bytes_u8(&r) * 8U);
    p->height = (uint16_t)(vg_bytes_u8(&r) * 8U);
    if (r.overrun) return vg_fail(fault, VG_SHORT, packet->payload_size, "RFC 2435 3.1");
    if (p->type > TYPE_MAX) return vg_fail(fault, VG_VALUE, 4, "RFC 2435 4.1 type");
    if (p->type >= TYPE_RESTART) {
        p->type -= TYPE_RESTART;
        p->restart_interval = vg_bytes_u16(&r);
        (void)vg_bytes_u16(&r); /* F, L, count: every byte of the scan is wanted anyway */
    }
    if (p->q >= Q_INBAND && p->offset == 0) {
        (void)vg_bytes_u8(&r);
        p->precision = vg_bytes_u8(&r);
        p->tables_size = vg_bytes_u16(&r);
        p->tables = vg_bytes_take(&r, p->tables_size);
    }
    if (r.overrun) return vg_fail(fault, VG_SHORT, packet->payload_size, "RFC 2435 3.1.7, 3.1.8");
    p->scan_size = vg_bytes_left(&r);
    p->scan = vg_bytes_take(&r, p->scan_size);
    return VG_OK;
}

/* The tables of a picture: told in it, told before under the same Q, or computed. */
static vg_err find_tables(vg_jpeg_source *source, const part *p, vg_fault *fault) {
    if (p->q == 0 || (p->q > Q_COMPUTED_MAX && p->q < Q_INBAND))
        return vg_fail(fault, VG_VALUE, 5, "RFC 2435 4.2 Q");
    if (p->tables_size > sizeof source->tables)
        return vg_fail(fault, VG_VALUE, 8, "RFC 2435 3.1.8 length");
    if (p->tables_size > 0) {
        memcpy(source->tables, p->tables, p->tables_size);
        source->tables_size = (uint16_t)p->tables_size;
        source->precision = p->precision;
    } else if (p->q <= Q_COMPUTED_MAX) {
        vg_jpeg_tables(p->q, source->tables);
        source->tables_size = 128;
        source->precision = 0;
    } else if (p->q == Q_CHANGING || p->q != source->q) {
        return vg_fail(fault, VG_VALUE, 8, "RFC 2435 3.1.8 no tables of this Q yet");
    }
    source->q = p->q;
    return VG_OK;
}

static bool is_whole_file(const part *p) {
    return p->scan_size >= 2 && vg_load_u16(p->scan) == SOI;
}

static bool has_end(const vg_assembler *a) {
    assert(a->used - a->fu_start >= sizeof end_of_image);
    const uint8_t *end = a->buffer + a->used - sizeof end_of_image;
    return memcmp(end, end_of_image, sizeof end_of_image) == 0;
}

static vg_err begin(vg_assembler *a, const part *p, vg_fault *fault) {
    if (a->fu_open) {
        /* Neither a marker nor another timestamp: it may have been cut short, or sent twice. */
        if (!has_end(a)) a->jpeg.is_doubtful = true;
        vg_jpeg_close(a);
    }
    a->fu_lost = false;
    if (a->count == VG_NALS_HELD) {
        vg_unit_discard(a);
        return vg_fail(fault, VG_VALUE, 0, "VG_NALS_MAX");
    }
    uint8_t head[VG_JPEG_HEAD_MAX];
    size_t head_size = 0;
    /* Some send the file as it is: a scan never begins with FF D8. */
    if (!is_whole_file(p)) {
        const bool tells_size = p->width > 0 && p->height > 0;
        vg_err err = find_tables(&a->jpeg, p, fault);
        const vg_jpeg_frame frame = {
            .type = p->type,
            .width = tells_size ? p->width : a->jpeg.width,
            .height = tells_size ? p->height : a->jpeg.height,
            .restart_interval = p->restart_interval,
            .precision = a->jpeg.precision,
            .tables = a->jpeg.tables,
            .tables_size = a->jpeg.tables_size,
        };
        if (err == VG_OK) err = vg_jpeg_head(&frame, head, &head_size, fault);
        if (err != VG_OK) {
            a->fu_lost = true; /* its other packets are not counted each */
            return vg_refuse(a, VG_VALUE, fault->offset, fault->rule, fault);
        }
    }
    a->fu_start = a->used;
    if (!vg_append(a, head, head_size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    a->fu_open = true;
    a->jpeg.offset = 0;
    a->jpeg.next_offset = 0;
    a->jpeg.head_bytes = (uint32_t)head_size;
    a->jpeg.is_doubtful = false;
    return VG_OK;
}

void vg_jpeg_close(vg_assembler *a) {
    assert(a->fu_open);
    if (a->used - a->fu_start == a->jpeg.head_bytes) {
        vg_fu_drop(a); /* headers of ours alone would look like a picture */
        return;
    }
    /* Not all encoders send it. */
    if (!has_end(a) && !vg_append(a, end_of_image, sizeof end_of_image)) return;
    a->fu_open = false;
    vg_list_unit(a, a->fu_start, a->used - a->fu_start, 0, a->jpeg.is_doubtful);
}

vg_err vg_depacketize_jpeg(vg_assembler *a, const vg_rtp_packet *packet, vg_fault *fault) {
    part p = {0};
    vg_err err = read_part(packet, &p, fault);
    if (err != VG_OK) {
        if (a->fu_open) vg_fu_drop(a);
        return vg_refuse(a, err, fault->offset, fault->rule, fault);
    }
    if (p.offset == 0) {
        err = begin(a, &p, fault);
        if (err != VG_OK) return err;
    } else if (!a->fu_open) {
        return vg_refuse_part(a, 1, "RFC 2435 3.1.2 first fragment", fault);
    }
    /* No packet is missing here, so the order of the fragments is known. A Teleste counts its
     * headers into the offset; what goes back is of another picture. */
    a->counts.fu_odd += p.offset != a->jpeg.next_offset;
    if (p.offset < a->jpeg.offset) {
        vg_fu_drop(a);
        return vg_fail(fault, VG_VALUE, 1, "RFC 2435 3.1.2 fragment offset");
    }
    /* A part that came twice, under two numbers, is in the scan twice. */
    if (p.offset < a->jpeg.next_offset) a->jpeg.is_doubtful = true;
    if (!vg_append(a, p.scan, p.scan_size)) return vg_fail(fault, VG_VALUE, 0, "VG_AU_MAX");
    a->jpeg.offset = p.offset;
    a->jpeg.next_offset = p.offset + (uint32_t)p.scan_size;
    if (packet->marker) vg_jpeg_close(a);
    return VG_OK;
}
