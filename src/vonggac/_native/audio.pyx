"""Binds audio.h: packets of sound to frames. For tests; nothing records sound yet."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from vonggac._native.cvg cimport VG_OK, c_bool, vg_err, vg_fault, vg_rtp_packet, vg_rtp_parse
from vonggac._native.fault cimport raise_fault, start_of

cdef extern from "vg/audio.h" nogil:
    ctypedef enum vg_audio_codec:
        VG_AUDIO_AAC
        VG_AUDIO_G711
        VG_AUDIO_OPUS

    ctypedef struct vg_aac_mode:
        uint8_t size_length
        uint8_t index_length
        uint8_t index_delta_length

    ctypedef struct vg_audio_frame:
        const uint8_t *bytes
        size_t size
        uint32_t timestamp
        uint32_t ticks

    ctypedef struct vg_audio_source:
        uint64_t packets_lost
        uint64_t frames_dropped
        uint64_t adts

    void vg_audio_init(vg_audio_source *s, vg_audio_codec codec, const vg_aac_mode *mode,
                       uint8_t channels) noexcept
    vg_err vg_audio_push(vg_audio_source *s, const vg_rtp_packet *packet,
                         vg_fault *fault) noexcept
    c_bool vg_audio_pull(vg_audio_source *s, vg_audio_frame *out) noexcept

AAC = VG_AUDIO_AAC
G711 = VG_AUDIO_G711
OPUS = VG_AUDIO_OPUS


cdef class AudioSource:
    """Frames are copied out."""

    cdef vg_audio_source *_c

    def __cinit__(self, int codec, channels=1, size_length=13, index_length=3,
                  index_delta_length=3):
        cdef vg_aac_mode mode
        lengths = (size_length, index_length, index_delta_length)
        if codec not in (AAC, G711, OPUS) or channels < 1 or max(lengths) > 16:
            raise ValueError("codec, channels or lengths")
        mode.size_length, mode.index_length, mode.index_delta_length = lengths
        self._c = <vg_audio_source *>malloc(sizeof(vg_audio_source))
        if self._c == NULL:
            raise MemoryError
        vg_audio_init(self._c, <vg_audio_codec>codec, &mode, channels)

    def __dealloc__(self):
        free(self._c)

    def push(self, const uint8_t[::1] datagram not None):
        cdef vg_rtp_packet packet
        cdef vg_audio_frame frame
        cdef vg_fault fault
        cdef vg_err err = vg_rtp_parse(start_of(datagram), datagram.shape[0], &packet, &fault)
        if err == VG_OK:
            err = vg_audio_push(self._c, &packet, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)
        frames = []
        while vg_audio_pull(self._c, &frame):
            frames.append((frame.timestamp, frame.ticks, frame.bytes[:frame.size]))
        return frames

    @property
    def counts(self):
        return {
            "packets_lost": self._c.packets_lost,
            "frames_dropped": self._c.frames_dropped,
            "adts": self._c.adts,
        }
