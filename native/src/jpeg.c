/* ITU T.81 and RFC 2435: what stands before a scan. */
#include "vg/jpeg.h"

#include <assert.h>
#include <string.h>

#include "bytes.h"
#include "put.h"
#include "vg/nal.h"

enum {
    SOI = 0xFFD8,
    EOI = 0xFFD9,
    SOF0 = 0xFFC0,
    SOF1 = 0xFFC1, /* entries of two bytes in a table are not baseline */
    SOF15 = 0xFFCF,
    DHT = 0xFFC4,
    JPG = 0xFFC8,
    DAC = 0xFFCC,
    SOS = 0xFFDA,
    DQT = 0xFFDB,
    DRI = 0xFFDD,
    TABLE_ENTRIES = 64,
    SYMBOLS_MAX = 162,
    MARKERS_MAX = 256, /* before the frame header; a picture has a dozen */
};

/* RFC 2435 appendix A, in zigzag order (T.81 tables K.1 and K.2). */
static const uint8_t luminance[TABLE_ENTRIES] = {
    16, 11, 12,  14,  12,  10, 16, 14,  13,  14,  18,  17,  16, 19,  24,  40,
    26, 24, 22,  22,  24,  49, 35, 37,  29,  40,  58,  51,  61, 60,  57,  51,
    56, 55, 64,  72,  92,  78, 64, 68,  87,  69,  55,  56,  80, 109, 81,  87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99};
static const uint8_t chrominance[TABLE_ENTRIES] = {
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

/* T.81 K.3: how many codes of each length, then their symbols. */
typedef struct huffman {
    uint8_t class_and_id;
    uint8_t lengths[16];
    uint8_t symbols[SYMBOLS_MAX];
} huffman;

static const huffman codes[4] = {
    {0x00, {0, 1, 5, 1, 1, 1, 1, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
    {0x10,
     {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D},
     {0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
      0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52,
      0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25,
      0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45,
      0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64,
      0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
      0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
      0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6,
      0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3,
      0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8,
      0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA}},
    {0x01, {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
    {0x11,
     {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77},
     {0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
      0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33,
      0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18,
      0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44,
      0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63,
      0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
      0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
      0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4,
      0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA,
      0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7,
      0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA}},
};

void vg_jpeg_tables(uint8_t q, uint8_t out[128]) {
    assert(q >= 1 && q <= 99);
    const uint32_t factor = q < 50 ? 5000U / q : 200U - q * 2U;
    for (size_t i = 0; i < (size_t)2 * TABLE_ENTRIES; i++) {
        const uint32_t base = i < TABLE_ENTRIES ? luminance[i] : chrominance[i - TABLE_ENTRIES];
        uint32_t value = (base * factor + 50) / 100;
        if (value < 1) value = 1;
        if (value > UINT8_MAX) value = UINT8_MAX;
        out[i] = (uint8_t)value;
    }
}

static void put_dht(vg_put *w, const huffman *code) {
    uint32_t symbols = 0;
    for (size_t i = 0; i < sizeof code->lengths; i++)
        symbols += code->lengths[i];
    assert(symbols <= SYMBOLS_MAX);
    vg_put_u16(w, DHT);
    vg_put_u16(w, (uint16_t)(2 + 1 + sizeof code->lengths + symbols));
    vg_put_u8(w, code->class_and_id);
    vg_put_bytes(w, code->lengths, sizeof code->lengths);
    vg_put_bytes(w, code->symbols, symbols);
}

/* How many tables there are; 0 where their lengths do not fit. */
static uint8_t put_tables(vg_put *w, const vg_jpeg_frame *f) {
    size_t at = 0;
    uint8_t count = 0;
    for (; at < f->tables_size && count < 4; count++) {
        const bool is_wide = (f->precision >> count & 1U) != 0;
        const size_t size = (size_t)(is_wide ? 2 : 1) * TABLE_ENTRIES;
        if (size > f->tables_size - at) return 0;
        vg_put_u16(w, DQT);
        vg_put_u16(w, (uint16_t)(2 + 1 + size));
        vg_put_u8(w, (uint8_t)((is_wide ? 0x10U : 0U) | count));
        vg_put_bytes(w, f->tables + at, size);
        at += size;
    }
    return at == f->tables_size ? count : 0;
}

static void put_frame(vg_put *w, const vg_jpeg_frame *f, uint8_t tables) {
    const uint8_t chroma_table = tables > 1 ? 1 : 0;
    const uint8_t luma_sampling = f->type == 0 ? 0x21 : 0x22;
    vg_put_u16(w, f->precision != 0 ? SOF1 : SOF0);
    vg_put_u16(w, 8 + 3 * 3);
    vg_put_u8(w, 8); /* bits of a sample */
    vg_put_u16(w, f->height);
    vg_put_u16(w, f->width);
    vg_put_u8(w, 3);
    for (uint8_t component = 1; component <= 3; component++) {
        vg_put_u8(w, component);
        vg_put_u8(w, component > 1 ? 0x11 : luma_sampling);
        vg_put_u8(w, component > 1 ? chroma_table : 0);
    }
}

static void put_scan(vg_put *w) {
    vg_put_u16(w, SOS);
    vg_put_u16(w, 6 + 2 * 3);
    vg_put_u8(w, 3);
    for (uint8_t component = 1; component <= 3; component++) {
        vg_put_u8(w, component);
        vg_put_u8(w, component > 1 ? 0x11 : 0x00);
    }
    vg_put_u8(w, 0);  /* first coefficient */
    vg_put_u8(w, 63); /* last */
    vg_put_u8(w, 0);
}

vg_err vg_jpeg_head(const vg_jpeg_frame *frame, uint8_t out[VG_JPEG_HEAD_MAX], size_t *size,
                    vg_fault *fault) {
    assert(frame != NULL && out != NULL && size != NULL && fault != NULL);
    if (frame->type > 1) return vg_fail(fault, VG_VALUE, 4, "RFC 2435 4.1 type");
    if (frame->width == 0 || frame->height == 0)
        return vg_fail(fault, VG_VALUE, 6, "RFC 2435 3.1.5 width and height");
    vg_put w = vg_put_into(out, VG_JPEG_HEAD_MAX);
    vg_put_u16(&w, SOI);
    const uint8_t tables = put_tables(&w, frame);
    if (tables == 0) return vg_fail(fault, VG_VALUE, 8, "RFC 2435 3.1.8 quantization tables");
    if (frame->restart_interval > 0) {
        vg_put_u16(&w, DRI);
        vg_put_u16(&w, 4);
        vg_put_u16(&w, frame->restart_interval);
    }
    put_frame(&w, frame, tables);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        put_dht(&w, &codes[i]);
    put_scan(&w);
    assert(!w.overrun);
    *size = vg_put_offset(&w);
    return VG_OK;
}

vg_err vg_jpeg_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) {
    assert(nal != NULL && out != NULL && fault != NULL);
    if (size != VG_JPEG_SPS_SIZE) return vg_fail(fault, VG_SHORT, size, "width and height");
    *out = (vg_sps){
        .width = vg_load_u16(nal),
        .height = vg_load_u16(nal + 2),
        .chroma_format = 1,
        .bit_depth_luma = 8,
        .bit_depth_chroma = 8,
        .temporal_layers = 1,
    };
    if (out->width == 0 || out->height == 0) return vg_fail(fault, VG_VALUE, 0, "width and height");
    return VG_OK;
}

static bool is_frame_header(uint16_t marker) {
    return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

vg_err vg_jpeg_size(const uint8_t *picture, size_t size, uint16_t *width, uint16_t *height,
                    vg_fault *fault) {
    assert(picture != NULL && width != NULL && height != NULL && fault != NULL);
    vg_bytes r = vg_bytes_of(picture, size);
    if (vg_bytes_u16(&r) != SOI) return vg_fail(fault, VG_VALUE, 0, "T.81 B.2.1 SOI");
    for (int i = 0; i < MARKERS_MAX; i++) {
        const size_t at = vg_bytes_offset(&r);
        const uint16_t marker = vg_bytes_u16(&r);
        const uint16_t length = vg_bytes_u16(&r);
        if (r.overrun) return vg_fail(fault, VG_SHORT, size, "T.81 B.1.1.4 marker segment");
        if (marker < 0xFF00 || marker == SOS || marker == EOI || length < 2)
            return vg_fail(fault, VG_VALUE, at, "T.81 B.2.2 frame header");
        if (!is_frame_header(marker)) {
            (void)vg_bytes_take(&r, (size_t)length - 2);
            continue;
        }
        (void)vg_bytes_u8(&r); /* bits of a sample */
        *height = vg_bytes_u16(&r);
        *width = vg_bytes_u16(&r);
        if (r.overrun || *width == 0 || *height == 0)
            return vg_fail(fault, VG_VALUE, at, "T.81 B.2.2 X and Y");
        return VG_OK;
    }
    return vg_fail(fault, VG_LIMIT, size, "markers before a frame header");
}
