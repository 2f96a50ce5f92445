"""native/include/vg/sound.h, in its order. Declarations only."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from vonggac._native.cvg cimport vg_err, vg_fault, vg_rtp_packet

cdef extern from "vg/sound.h" nogil:
    enum:
        VG_SOUND_CONFIG_MAX
        VG_SOUND_FRAME_MAX

    ctypedef struct vg_sound:
        uint8_t codec
        uint8_t channels
        uint8_t size_bits
        uint8_t index_bits
        uint8_t delta_bits
        uint8_t config_size
        uint32_t clock_rate
        uint32_t sample_rate
        uint32_t frame_ticks
        uint8_t config[64]

    const char *vg_sound_refuse(const vg_sound *sound) noexcept

    ctypedef struct vg_sound_frame:
        const uint8_t *bytes
        uint32_t size
        uint32_t timestamp
        uint32_t ticks

    ctypedef struct vg_sound_counts:
        uint64_t packets
        uint64_t lost
        uint64_t repeated
        uint64_t frames
        uint64_t odd

    ctypedef struct vg_sound_reader:
        vg_sound_counts counts
        uint32_t frame_count
        vg_sound_frame frames[64]

    void vg_sound_init(vg_sound_reader *r, const vg_sound *sound) noexcept
    vg_err vg_sound_push(vg_sound_reader *r, const vg_rtp_packet *packet, vg_fault *fault) noexcept
