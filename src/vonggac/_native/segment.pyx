"""The segment format's bytes (native/include/vg/segment.h): values in, bytes out, and back.

Thin: what a byte means is decided in C, and the values are `vonggac.media.chunk`'s.
"""

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from vonggac._native.csegment cimport (
    VG_CHUNK_HEAD_MAX, VG_ENTRY_SIZE, VG_HEAD_MAX, VG_BLOCK, VG_ID_SIZE,
    VG_SHA256_SIZE, vg_chunk_head_write, vg_chunk_parse, vg_chunk_place, vg_chunk_view, vg_claim,
    vg_claim_read, vg_crc32c, vg_crc32c_portable, vg_entry_read, vg_entry_write, vg_head_write,
    vg_place, vg_row, vg_sample, vg_sets, vg_sha256, vg_sound_sample, vg_sound_samples,
    vg_table_bytes, vg_table_read, vg_table_write,
)
from vonggac._native.csound cimport vg_sound
from vonggac._native.cvg cimport (
    VG_LIMIT, VG_MORE, VG_OK, VG_VALUE, vg_codec, vg_err, vg_fault,
)
from vonggac._native.fault cimport raise_fault, start_of
from vonggac._native.rows cimport row_from, row_value
from vonggac._native.sound cimport sound_from

from vonggac._native import rows as packed_rows
from vonggac.errors import MediaError
from vonggac.media.chunk import ChunkView, Claim, Place, TableIsLonger


cdef int raise_more(Py_ssize_t size) except -1:
    """The input ended before the thing did."""
    raise MediaError("short", "a chunk's head", size)


cdef int copy_fixed(bytes value, uint8_t *out, Py_ssize_t size, str name) except -1:
    """Copies a field of a fixed size."""
    if len(value) != size:
        raise ValueError(f"{name} has {len(value)} bytes, not {size}")
    memcpy(out, <const uint8_t *>value, size)
    return 0


def crc32c(const uint8_t[::1] data not None, uint32_t crc=0):
    """CRC-32C (Castagnoli) of `data`, going on from `crc`."""
    return vg_crc32c(crc, start_of(data), data.shape[0])


def crc32c_portable(const uint8_t[::1] data not None, uint32_t crc=0):
    """The same without the processor's help: for the test that compares the two."""
    return vg_crc32c_portable(crc, start_of(data), data.shape[0])


def sha256(const uint8_t[::1] data not None):
    """SHA-256 of `data`, 32 bytes."""
    cdef uint8_t out[32]
    cdef const uint8_t *p = start_of(data)
    cdef size_t size = data.shape[0]
    with nogil:
        vg_sha256(p, size, out)
    return <bytes>out[:VG_SHA256_SIZE]


cdef uint8_t fill_sets(list sets, const uint8_t **out, uint16_t *sizes, Py_ssize_t most) except 255:
    """Points into the bytes of `sets`, which the caller keeps alive. Gives their number."""
    cdef Py_ssize_t i
    cdef bytes one
    if len(sets) > most:
        raise MediaError("limit", "parameter sets of one kind", most)
    for i, one in enumerate(sets):
        if len(one) > 0xFFFF:
            raise MediaError("limit", "size of a parameter set", len(one))
        out[i] = <const uint8_t *>one
        sizes[i] = <uint16_t>len(one)
    return <uint8_t>len(sets)


def head_write(int codec, vps, sps, pps, uint32_t timescale, bint inband, sound=None):
    """`ftyp` and `moov`, padded to 4 KiB."""
    cdef vg_sets sets
    cdef vg_sound heard
    cdef vg_fault fault
    cdef size_t size = 0
    cdef vg_err err
    cdef list kept_vps = list(vps)
    cdef list kept_sps = list(sps)
    cdef list kept_pps = list(pps)
    if timescale == 0:
        raise ValueError("a timescale of 0")
    sets.codec = <vg_codec>codec
    sets.inband = inband
    sets.sound = NULL
    if sound is not None:
        sound_from(sound, &heard)
        sets.sound = &heard
    sets.vps_count = fill_sets(kept_vps, sets.vps, sets.vps_size, 4)
    sets.sps_count = fill_sets(kept_sps, sets.sps, sets.sps_size, 4)
    sets.pps_count = fill_sets(kept_pps, sets.pps, sets.pps_size, 8)
    cdef bytearray out = bytearray(VG_HEAD_MAX + 2 * VG_BLOCK)
    err = vg_head_write(&sets, timescale, <uint8_t *>out, len(out), &size, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return bytes(memoryview(out)[:size])


cdef int claim_from(claim, vg_claim *out) except -1:
    """The C form of a Claim."""
    out.version = claim.version
    out.flags = claim.flags
    copy_fixed(claim.camera, out.camera, VG_ID_SIZE, "camera")
    copy_fixed(claim.stream, out.stream, VG_ID_SIZE, "stream")
    out.run = claim.run
    out.sequence = claim.sequence
    out.wall_start_ns = claim.wall_start_ns
    out.media_start = claim.media_start_ticks
    out.duration = claim.duration_ticks
    out.timescale = claim.timescale
    clock = claim.camera_clock_ns
    out.camera_clock_ns = INT64_MIN if clock is None else <int64_t>clock
    out.samples = claim.samples
    out.kind = claim.kind
    out.video_bytes = claim.video_bytes
    out.audio_bytes = claim.audio_bytes
    copy_fixed(claim.video_sha256, out.video_sha256, VG_SHA256_SIZE, "video_sha256")
    copy_fixed(claim.audio_sha256, out.audio_sha256, VG_SHA256_SIZE, "audio_sha256")
    copy_fixed(claim.trun_sha256, out.trun_sha256, VG_SHA256_SIZE, "trun_sha256")
    copy_fixed(claim.previous_sha256, out.previous_sha256, VG_SHA256_SIZE, "previous_sha256")
    out.predecessor_run = claim.predecessor_run
    out.gap_reason = claim.gap_reason
    out.gap_start_ns = claim.gap_start_ns
    return 0


cdef object claim_value(const vg_claim *c):
    """The Claim of its C form. By position: the order of the dataclass's fields."""
    clock = None if c.camera_clock_ns == INT64_MIN else c.camera_clock_ns
    return Claim(
        c.flags,
        <bytes>c.camera[:VG_ID_SIZE],
        <bytes>c.stream[:VG_ID_SIZE],
        c.run,
        c.sequence,
        c.wall_start_ns,
        c.media_start,
        c.kind,
        c.video_bytes,
        <bytes>c.video_sha256[:VG_SHA256_SIZE],
        <bytes>c.previous_sha256[:VG_SHA256_SIZE],
        c.timescale,
        c.duration,
        c.samples,
        <bytes>c.trun_sha256[:VG_SHA256_SIZE],
        c.audio_bytes,
        <bytes>c.audio_sha256[:VG_SHA256_SIZE],
        clock,
        c.predecessor_run,
        c.gap_reason,
        c.gap_start_ns,
        c.version,
    )


cdef object place_value(const vg_place *p):
    return Place(
        <bytes>p.disk[:VG_ID_SIZE],
        p.segment,
        p.epoch,
        p.offset,
        p.moof_bytes,
        p.chunk_bytes,
        p.first_sample_end,
        p.crc32c,
    )


def chunk_head_write(claim, samples, sound=None):
    """`prft`, `uuid`, `moof` and the header of `mdat`; and the claim's own SHA-256."""
    cdef vg_claim c
    cdef vg_fault fault
    cdef size_t size = 0
    cdef uint8_t own[32]
    cdef uint8_t out[VG_CHUNK_HEAD_MAX]
    cdef list kept = list(samples)
    cdef list kept_sound = [] if sound is None else list(sound.samples)
    cdef Py_ssize_t i
    cdef vg_err err
    cdef vg_sound_samples heard
    claim_from(claim, &c)
    c.samples = <uint32_t>len(kept)
    cdef vg_sample *s = <vg_sample *>calloc(len(kept) + 1, sizeof(vg_sample))
    cdef vg_sound_sample *h = <vg_sound_sample *>calloc(
        len(kept_sound) + 1, sizeof(vg_sound_sample))
    try:
        if s == NULL or h == NULL:
            raise MemoryError
        for i, sample in enumerate(kept):
            s[i].bytes = sample.size_bytes
            s[i].duration = sample.duration_ticks
            s[i].composition_offset = sample.composition_offset_ticks
            s[i].is_sync = sample.is_sync
            s[i].is_leading = sample.is_leading
        for i, (size_bytes, duration_ticks) in enumerate(kept_sound):
            h[i].bytes = size_bytes
            h[i].duration = duration_ticks
        heard.samples = h
        heard.count = <uint32_t>len(kept_sound)
        heard.start = 0 if sound is None else sound.start_ticks
        err = vg_chunk_head_write(&c, s, &heard, out, sizeof(out), &size, own, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
    finally:
        free(s)
        free(h)
    return bytearray(out[:size]), <bytes>own[:VG_SHA256_SIZE]


def chunk_place(bytearray head not None, uint64_t decode_time, uint32_t fragment_number,
                bytes disk not None, uint32_t segment, uint64_t epoch, uint64_t offset):
    """Patches `head` in place: `tfdt`, `mfhd`, the place and its CRC."""
    cdef vg_place place
    cdef vg_fault fault
    cdef vg_err err
    copy_fixed(disk, place.disk, VG_ID_SIZE, "disk")
    place.segment = segment
    place.epoch = epoch
    place.offset = offset
    if len(head) == 0:
        raise_more(0)
    err = vg_chunk_place(<uint8_t *>head, len(head), decode_time, fragment_number, &place, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return place_value(&place)


def claim_read(const uint8_t[::1] head not None):
    """The claim of a head that need not be placed yet, and the claim's SHA-256."""
    cdef vg_claim c
    cdef vg_fault fault
    cdef uint8_t own[32]
    cdef vg_err err = VG_MORE
    if head.shape[0] > 0:
        err = vg_claim_read(&head[0], head.shape[0], &c, own, &fault)
    if err == VG_MORE:
        raise_more(head.shape[0])
    if err != VG_OK:
        raise_fault(err, &fault)
    return claim_value(&c), <bytes>own[:VG_SHA256_SIZE]


def chunk_parse(const uint8_t[::1] data not None, Py_ssize_t offset=0):
    """The chunk whose head starts at `offset`; None where there is none, or a damaged one."""
    cdef vg_chunk_view view
    cdef vg_fault fault
    cdef vg_err err = VG_MORE
    if offset < 0 or offset > data.shape[0]:
        raise ValueError("an offset outside of the bytes")
    cdef size_t size = data.shape[0] - offset
    cdef const uint8_t *p = start_of(data) + offset
    with nogil:  # the bytes may be a cold page of a map
        if size > 0:
            err = vg_chunk_parse(p, size, &view, &fault)
    if err == VG_VALUE:
        return None
    if err == VG_MORE:
        raise_more(size)
    if err != VG_OK:
        raise_fault(err, &fault)
    return ChunkView(
        claim_value(&view.claim),
        place_value(&view.place),
        view.decode_time,
        view.payload_offset,
        <bytes>view.claim_sha256[:VG_SHA256_SIZE],
        view.sound_start if view.sound_samples else None,
    )


def entry_write(row):
    """A table entry, 64 bytes."""
    cdef vg_row r
    cdef uint8_t out[64]
    row_from(row, &r)
    vg_entry_write(&r, out)
    return <bytes>out[:VG_ENTRY_SIZE]


def entry_read(const uint8_t[::1] data not None):
    """The row in 64 bytes."""
    cdef vg_row r
    if data.shape[0] != VG_ENTRY_SIZE:
        raise MediaError("short", "entry of the table", data.shape[0])
    vg_entry_read(&data[0], &r)
    return row_value(&r)


def table_bytes(uint32_t count):
    """The size of a table of `count` entries."""
    return vg_table_bytes(count)


def table_write(rows, uint64_t segment_bytes):
    """The table that ends a sealed segment."""
    cdef list kept = list(rows)
    cdef Py_ssize_t i
    cdef vg_err err
    cdef bytearray out = bytearray(vg_table_bytes(<uint32_t>len(kept)))
    cdef vg_row *r = <vg_row *>malloc((len(kept) + 1) * sizeof(vg_row))
    if r == NULL:
        raise MemoryError
    try:
        for i, row in enumerate(kept):
            row_from(row, &r[i])
        err = vg_table_write(r, <uint32_t>len(kept), segment_bytes, <uint8_t *>out, len(out))
    finally:
        free(r)
    if err != VG_OK:
        raise MediaError("limit", "table larger than its segment", len(out))
    return bytes(out)


def table_read(const uint8_t[::1] tail not None, uint64_t segment_bytes):
    """The rows of the table that ends a segment."""
    cdef vg_fault fault
    cdef uint32_t count = 0
    cdef Py_ssize_t i
    cdef vg_row *r = NULL
    cdef const uint8_t *p = start_of(tail)
    cdef vg_err err = vg_table_read(p, tail.shape[0], segment_bytes, NULL, 0, &count, &fault)
    if err == VG_MORE:
        raise TableIsLonger(count, vg_table_bytes(count))
    if err == VG_LIMIT:  # the answer to no room at all: now their number is known
        r = <vg_row *>malloc(count * sizeof(vg_row))
        if r == NULL:
            raise MemoryError
        err = vg_table_read(p, tail.shape[0], segment_bytes, r, count, &count, &fault)
    try:
        if err != VG_OK:
            raise_fault(err, &fault)
        return [row_value(&r[i]) for i in range(count)]
    finally:
        free(r)


# A segment's rows, packed for the index: one word for both is what callers have.
rows_append = packed_rows.rows_append
rows_pack = packed_rows.rows_pack
rows_spans = packed_rows.rows_spans
rows_unpack = packed_rows.rows_unpack
