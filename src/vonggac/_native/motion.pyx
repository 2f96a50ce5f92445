"""Pictures to cells in which something moved (native/include/vg/motion.h)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from vonggac._native.cmotion cimport (
    VG_MOTION_CELL_BYTES, VG_MOTION_FINE, VG_MOTION_SLOTS_MAX, vg_luma, vg_motion,
    vg_motion_break, vg_motion_cells, vg_motion_finish, vg_motion_latest, vg_motion_loops,
    vg_motion_loops_best, vg_motion_loops_plain, vg_motion_means_by, vg_motion_push_by,
    vg_motion_slot,
)
from vonggac._native.cvg cimport VG_OK, vg_err, vg_fault
from vonggac._native.fault cimport raise_fault, start_of


cdef const vg_motion_loops *loops_of(bint plain) noexcept:
    return vg_motion_loops_plain() if plain else vg_motion_loops_best()


cdef vg_luma luma_of(const uint8_t[::1] plane, size_t stride, uint32_t width, uint32_t height,
                     uint32_t bits) noexcept:
    cdef vg_luma luma
    luma.bytes = start_of(plane)
    luma.size = plane.shape[0]
    luma.stride = stride
    luma.width = width
    luma.height = height
    luma.bits = bits
    return luma


cdef tuple told(const vg_motion_slot *slot):
    cdef uint8_t cells[VG_MOTION_CELL_BYTES]
    vg_motion_cells(slot, cells)
    return slot.second, <bytes>(<const char *>cells)[:VG_MOTION_CELL_BYTES], slot.is_global


def has_fast_loops():
    """Whether this processor has those that were built for AVX2."""
    return vg_motion_loops_best() != vg_motion_loops_plain()


def means(const uint8_t[::1] plane not None, size_t stride, uint32_t width, uint32_t height,
          uint32_t bits=8, bint plain=False):
    """The 128 x 72 means of a picture's luma. Raises MediaError."""
    cdef vg_luma luma = luma_of(plane, stride, width, height, bits)
    cdef const vg_motion_loops *loops = loops_of(plain)
    cdef uint8_t found[VG_MOTION_FINE]
    cdef vg_fault fault
    cdef vg_err err
    with nogil:
        err = vg_motion_means_by(loops, &luma, found, &fault)
    if err != VG_OK:
        raise_fault(err, &fault)
    return <bytes>(<const char *>found)[:VG_MOTION_FINE]


cdef class Motion:
    """One stream: pictures in order of presentation to slots of one second."""

    cdef vg_motion _c
    cdef const vg_motion_loops *loops

    def __init__(self, bint plain=False):
        self.loops = loops_of(plain)

    def push(self, const uint8_t[::1] plane not None, size_t stride, uint32_t width,
             uint32_t height, int64_t time_ns, uint32_t bits=8):
        """(second, cells, is_global) of each slot that this picture completes."""
        cdef vg_luma luma = luma_of(plane, stride, width, height, bits)
        cdef vg_motion_slot slots[VG_MOTION_SLOTS_MAX]
        cdef uint32_t count = 0
        cdef vg_fault fault
        cdef vg_err err
        with nogil:
            err = vg_motion_push_by(self.loops, &self._c, &luma, time_ns, slots, &count, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        return [told(&slots[at]) for at in range(count)]

    def finish(self):
        """What is known of the second that is still open; None where there is none."""
        cdef vg_motion_slot slot
        return told(&slot) if vg_motion_finish(&self._c, &slot) else None

    def part(self):
        """What comes is not to be compared with what came."""
        vg_motion_break(&self._c)

    def latest(self):
        """The means of the latest picture that was looked at; None where there is none."""
        cdef const uint8_t *found = vg_motion_latest(&self._c)
        return None if found == NULL else <bytes>(<const char *>found)[:VG_MOTION_FINE]
