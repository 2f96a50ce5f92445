from libc.stdint cimport uint8_t

from vonggac._native.cvg cimport vg_rtp_packet


cdef class RtpPacket:
    cdef const uint8_t[::1] _datagram
    cdef vg_rtp_packet _c
