/* Table entries, and the table that seals a segment:
 *
 *   u32 size | "uuid" | usertype 16 | count entries of 64 | footer 64      and here the file ends
 *
 *   footer: "vgtable\0" | u16 version | u16 entry size | u32 count | u64 offset of the box in the
 * segment | SHA-256 of the entries | u32 0 | u32 CRC-32C of the 60 bytes before */
#include "segment_layout.h"

enum { FOOTER = 64, FOOTER_CRC = FOOTER - 4 };

static const uint8_t table_usertype[16] = VG_TABLE_USERTYPE;
static const uint8_t table_magic[8] = {'v', 'g', 't', 'a', 'b', 'l', 'e', 0};

void vg_entry_write(const vg_row *row, uint8_t out[VG_ENTRY_SIZE]) {
    vg_put w = vg_put_into(out, VG_ENTRY_SIZE);
    vg_put_u32(&w, row->offset);
    vg_put_u32(&w, row->chunk_bytes);
    vg_put_u32(&w, row->moof_bytes);
    vg_put_u32(&w, row->first_sample_end);
    vg_put_u64(&w, (uint64_t)row->wall_start_ns);
    vg_put_u64(&w, (uint64_t)row->wall_end_ns);
    vg_put_u32(&w, row->duration);
    vg_put_u32(&w, row->samples);
    vg_put_u32(&w, row->flags);
    vg_put_u64(&w, row->run);
    vg_put_u64(&w, row->sequence);
    vg_put_u8(&w, row->kind);
    vg_put_zeros(&w, 3);
    assert(!w.overrun && vg_put_offset(&w) == VG_ENTRY_SIZE);
}

void vg_entry_read(const uint8_t in[VG_ENTRY_SIZE], vg_row *out) {
    vg_bytes r = vg_bytes_of(in, VG_ENTRY_SIZE);
    out->offset = vg_bytes_u32(&r);
    out->chunk_bytes = vg_bytes_u32(&r);
    out->moof_bytes = vg_bytes_u32(&r);
    out->first_sample_end = vg_bytes_u32(&r);
    out->wall_start_ns = (int64_t)vg_bytes_u64(&r);
    out->wall_end_ns = (int64_t)vg_bytes_u64(&r);
    out->duration = vg_bytes_u32(&r);
    out->samples = vg_bytes_u32(&r);
    out->flags = vg_bytes_u32(&r);
    out->run = vg_bytes_u64(&r);
    out->sequence = vg_bytes_u64(&r);
    out->kind = vg_bytes_u8(&r);
}

size_t vg_table_bytes(uint32_t count) {
    return VG_UUID_BOX + (size_t)VG_ENTRY_SIZE * count + FOOTER;
}

vg_err vg_table_write(const vg_row *rows, uint32_t count, uint64_t segment_bytes, uint8_t *out,
                      size_t capacity) {
    assert((rows != NULL || count == 0) && out != NULL);
    const size_t bytes = vg_table_bytes(count);
    if (capacity < bytes || bytes > segment_bytes || bytes > UINT32_MAX) return VG_LIMIT;

    vg_put w = vg_put_into(out, bytes);
    vg_put_u32(&w, (uint32_t)bytes);
    vg_put_bytes(&w, "uuid", 4);
    vg_put_bytes(&w, table_usertype, sizeof table_usertype);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *entry = vg_put_room(&w, VG_ENTRY_SIZE);
        assert(entry != NULL);
        vg_entry_write(&rows[i], entry);
    }
    uint8_t sha256[VG_SHA256_SIZE];
    vg_sha256(out + VG_UUID_BOX, (size_t)VG_ENTRY_SIZE * count, sha256);
    vg_put_bytes(&w, table_magic, sizeof table_magic);
    vg_put_u16(&w, VG_FORMAT_VERSION);
    vg_put_u16(&w, VG_ENTRY_SIZE);
    vg_put_u32(&w, count);
    vg_put_u64(&w, segment_bytes - bytes);
    vg_put_bytes(&w, sha256, sizeof sha256);
    vg_put_u32(&w, 0);
    vg_put_u32(&w, vg_crc32c(0, out + bytes - FOOTER, FOOTER_CRC));
    assert(!w.overrun && vg_put_offset(&w) == bytes);
    return VG_OK;
}

static vg_err read_footer(const uint8_t *footer, size_t at, uint64_t segment_bytes, uint32_t *count,
                          vg_fault *fault) {
    if (memcmp(footer, table_magic, sizeof table_magic) != 0)
        return vg_fail(fault, VG_VALUE, at, "magic of the table");
    if (vg_load_u32(footer + FOOTER_CRC) != vg_crc32c(0, footer, FOOTER_CRC))
        return vg_fail(fault, VG_VALUE, at + FOOTER_CRC, "CRC-32C of the table's footer");
    if (vg_load_u16(footer + 8) != VG_FORMAT_VERSION)
        return vg_fail(fault, VG_UNSUPPORTED, at + 8, "version of the table");
    if (vg_load_u16(footer + 10) != VG_ENTRY_SIZE)
        return vg_fail(fault, VG_VALUE, at + 10, "entry size of the table");
    const uint32_t entries = vg_load_u32(footer + 12);
    const uint64_t bytes = vg_table_bytes(entries);
    if (bytes > segment_bytes || vg_load_u64(footer + 16) != segment_bytes - bytes)
        return vg_fail(fault, VG_VALUE, at + 12, "count and offset of the table");
    *count = entries;
    return VG_OK;
}

vg_err vg_table_read(const uint8_t *data, size_t size, uint64_t segment_bytes, vg_row *out,
                     uint32_t capacity, uint32_t *count, vg_fault *fault) {
    assert((data != NULL || size == 0) && (out != NULL || capacity == 0) && count != NULL &&
           fault != NULL);
    *count = 0;
    if (size < FOOTER) return VG_MORE;
    const vg_err err =
        read_footer(data + size - FOOTER, size - FOOTER, segment_bytes, count, fault);
    if (err != VG_OK) return err;
    const size_t bytes = vg_table_bytes(*count);
    if (size < bytes) return VG_MORE;
    if (capacity < *count)
        return vg_fail(fault, VG_LIMIT, size - FOOTER + 12, "room for the table's rows");

    const uint8_t *box = data + size - bytes;
    const size_t at = size - bytes;
    if (vg_load_u32(box) != bytes || memcmp(box + 4, "uuid", 4) != 0 ||
        memcmp(box + VG_BOX, table_usertype, sizeof table_usertype) != 0)
        return vg_fail(fault, VG_VALUE, at, "box of the table");
    uint8_t sha256[VG_SHA256_SIZE];
    vg_sha256(box + VG_UUID_BOX, (size_t)VG_ENTRY_SIZE * *count, sha256);
    if (memcmp(sha256, data + size - FOOTER + 24, sizeof sha256) != 0)
        return vg_fail(fault, VG_VALUE, at + VG_UUID_BOX, "hash of the table");
    for (uint32_t i = 0; i < *count; i++)
        vg_entry_read(box + VG_UUID_BOX + (size_t)VG_ENTRY_SIZE * i, &out[i]);
    return VG_OK;
}
