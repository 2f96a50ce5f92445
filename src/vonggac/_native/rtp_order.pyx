"""Binds rtp_order.h for tests; the ingest loop calls the same C without Python."""

from libc.stdint cimport int64_t, uint16_t

cdef extern from "<stdbool.h>":
    ctypedef bint c_bool "bool"

cdef extern from "vg/rtp_order.h" nogil:
    ctypedef struct vg_rtp_order:
        pass

    ctypedef enum vg_order_place:
        VG_ORDER_NEXT
        VG_ORDER_HOLD
        VG_ORDER_DUPLICATE
        VG_ORDER_LATE
        VG_ORDER_ODD
        VG_ORDER_FULL

    void vg_order_init(vg_rtp_order *o) noexcept
    vg_order_place vg_order_push(vg_rtp_order *o, uint16_t sequence, int64_t now_ns) noexcept
    c_bool vg_order_pull(vg_rtp_order *o, int64_t now_ns, c_bool must, uint16_t *sequence) noexcept

_PLACES = {
    VG_ORDER_NEXT: "next",
    VG_ORDER_HOLD: "hold",
    VG_ORDER_DUPLICATE: "duplicate",
    VG_ORDER_LATE: "late",
    VG_ORDER_ODD: "odd",
    VG_ORDER_FULL: "full",
}


cdef class RtpOrder:
    cdef vg_rtp_order _c

    def __init__(self):
        vg_order_init(&self._c)

    def push(self, uint16_t sequence, int64_t now_ns):
        return _PLACES[vg_order_push(&self._c, sequence, now_ns)]

    def pull(self, int64_t now_ns, bint must=False):
        cdef uint16_t sequence
        if not vg_order_pull(&self._c, now_ns, must, &sequence):
            return None
        return sequence
