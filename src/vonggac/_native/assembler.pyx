"""Binds the assembler of nal.h: from RTP packets to access units.

For tests and for pure code; the ingest loop calls the same C without Python.
"""

from libc.errno cimport ENOMEM
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc

from vonggac._native.cvg cimport (
    VG_AGAIN, VG_AU_MAX, VG_CODEC_H264, VG_CODEC_H265, VG_CODEC_MJPEG, VG_MARKER_TRUST, VG_NALS_MAX,
    VG_OK, VG_SYNC_BLA, VG_SYNC_CRA, VG_SYNC_IDR, VG_SYNC_NONE, VG_SYNC_RECOVERY,
    vg_access_unit, vg_assembler, vg_assembler_break, vg_assembler_counts, vg_assembler_expect_donl,
    vg_assembler_expect_size, vg_assembler_flush, vg_assembler_init, vg_assembler_pull,
    vg_assembler_push, vg_assembler_size, vg_codec, vg_err, vg_fault, vg_nal_counts,
)
from vonggac._native.fault cimport raise_fault
from vonggac._native.parse cimport RtpPacket

CODEC_H264 = VG_CODEC_H264
CODEC_H265 = VG_CODEC_H265
CODEC_MJPEG = VG_CODEC_MJPEG
SYNC_NONE = VG_SYNC_NONE
SYNC_IDR = VG_SYNC_IDR
SYNC_CRA = VG_SYNC_CRA
SYNC_BLA = VG_SYNC_BLA
SYNC_RECOVERY = VG_SYNC_RECOVERY
ACCESS_UNIT_BYTES_MAX = VG_AU_MAX
NAL_UNITS_MAX = VG_NALS_MAX
MARKER_TRUST = VG_MARKER_TRUST


cdef class AccessUnit:
    cdef readonly uint32_t timestamp
    cdef readonly int kind
    cdef readonly bint damaged
    cdef readonly bint leading
    cdef readonly bint is_picture
    cdef readonly list nals


cdef class Assembler:
    """Owns its state and its buffer of `capacity_bytes`; access units are copied out."""

    cdef vg_assembler *_c
    cdef uint8_t *_buffer

    def __cinit__(self, int codec, uint8_t payload_type, size_t capacity_bytes=VG_AU_MAX):
        known = codec in (CODEC_H264, CODEC_H265, CODEC_MJPEG)
        if not known or not 0 < capacity_bytes <= VG_AU_MAX:
            raise ValueError("codec or capacity")
        self._c = <vg_assembler *>malloc(vg_assembler_size())
        self._buffer = <uint8_t *>malloc(capacity_bytes)
        if self._c == NULL or self._buffer == NULL:
            raise MemoryError(ENOMEM)
        vg_assembler_init(self._c, <vg_codec>codec, payload_type, self._buffer, capacity_bytes)

    def __dealloc__(self):
        free(self._c)
        free(self._buffer)

    def expect_donl(self):
        vg_assembler_expect_donl(self._c)

    def expect_size(self, uint16_t width, uint16_t height):
        vg_assembler_expect_size(self._c, width, height)

    def push(self, RtpPacket packet not None):
        cdef vg_fault fault
        cdef vg_err err = vg_assembler_push(self._c, &packet._c, &fault)
        if err == VG_AGAIN:
            return False
        if err != VG_OK:
            raise_fault(err, &fault)
        return True

    def pull(self):
        cdef vg_access_unit c
        cdef AccessUnit unit
        cdef uint32_t i
        if not vg_assembler_pull(self._c, &c):
            return None
        unit = AccessUnit.__new__(AccessUnit)
        unit.timestamp = c.timestamp
        unit.kind = c.kind
        unit.damaged = c.damaged
        unit.leading = c.leading
        unit.is_picture = c.is_picture
        unit.nals = [
            (c.bytes + c.nals[i].offset)[:c.nals[i].size] for i in range(c.nal_count)
        ]
        return unit

    def mark_hole(self):
        vg_assembler_break(self._c)

    def flush(self):
        vg_assembler_flush(self._c)

    @property
    def counts(self):
        cdef const vg_nal_counts *c = vg_assembler_counts(self._c)
        return {
            "packets": c.packets,
            "packets_lost": c.packets_lost,
            "packets_duplicate": c.packets_duplicate,
            "packets_foreign": c.packets_foreign,
            "access_units": c.access_units,
            "damaged": c.damaged,
            "nals_dropped": c.nals_dropped,
            "marker_wrong": c.marker_wrong,
            "start_codes_inside": c.start_codes_inside,
            "fu_odd": c.fu_odd,
            "order_odd": c.order_odd,
        }
