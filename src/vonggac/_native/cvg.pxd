"""The C headers of native/include/vg that parse.pyx binds, in their order. Declarations only."""

from libc.stdint cimport int8_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "<stdbool.h>":
    ctypedef bint c_bool "bool"

cdef extern from "vg/err.h" nogil:
    ctypedef enum vg_err:
        VG_OK
        VG_MORE
        VG_AGAIN
        VG_SHORT
        VG_VALUE
        VG_LIMIT
        VG_UNSUPPORTED
        VG_SYSTEM

    ctypedef struct vg_fault:
        size_t offset
        const char *rule

cdef extern from "vg/rtp.h" nogil:
    ctypedef struct vg_rtp_packet:
        c_bool marker
        uint8_t payload_type
        uint16_t sequence
        uint32_t timestamp
        uint32_t ssrc
        const uint8_t *payload
        size_t payload_size

    vg_err vg_rtp_parse(const uint8_t *data, size_t size, vg_rtp_packet *out,
                        vg_fault *fault) noexcept

cdef extern from "vg/rtcp.h" nogil:
    ctypedef enum vg_rtcp_kind:
        VG_RTCP_OTHER
        VG_RTCP_SR
        VG_RTCP_BYE

    ctypedef struct vg_rtcp_item:
        vg_rtcp_kind kind
        uint32_t ssrc
        uint64_t ntp
        uint32_t rtp_timestamp

    vg_err vg_rtcp_next(const uint8_t *data, size_t size, size_t *offset, vg_rtcp_item *out,
                        vg_fault *fault) noexcept

    ctypedef struct vg_rtcp_report:
        uint32_t ssrc
        uint8_t fraction_lost
        uint32_t lost
        uint32_t highest_sequence
        uint32_t jitter
        uint32_t last_sr
        uint32_t delay_sr

    enum:
        VG_RTCP_RR_SIZE

    void vg_rtcp_write_rr(uint8_t *out, uint32_t own_ssrc, const vg_rtcp_report *report) noexcept

cdef extern from "vg/rtsp_frame.h" nogil:
    ctypedef enum vg_rtsp_kind:
        VG_RTSP_PACKET
        VG_RTSP_MESSAGE
        VG_RTSP_GARBAGE

    ctypedef struct vg_rtsp_item:
        vg_rtsp_kind kind
        uint8_t channel
        const uint8_t *bytes
        size_t size
        size_t consumed

    enum:
        VG_RTSP_HEADER_MAX
        VG_RTSP_BODY_MAX
        VG_RTSP_RESYNC_MAX

    ctypedef struct vg_rtsp_splitter:
        uint64_t channels[4]
        size_t searched
        size_t skipped

    vg_err vg_rtsp_next(vg_rtsp_splitter *splitter, const uint8_t *data, size_t size,
                        vg_rtsp_item *out, vg_fault *fault) noexcept

cdef extern from "vg/nal.h" nogil:
    ctypedef enum vg_codec:
        VG_CODEC_H264
        VG_CODEC_H265
        VG_CODEC_MJPEG

    ctypedef enum vg_sync_kind:
        VG_SYNC_NONE
        VG_SYNC_IDR
        VG_SYNC_CRA
        VG_SYNC_BLA
        VG_SYNC_RECOVERY

    enum:
        VG_AU_MAX
        VG_NALS_MAX
        VG_MARKER_TRUST

    ctypedef struct vg_nal_unit:
        uint32_t offset
        uint32_t size
        uint8_t type

    ctypedef struct vg_access_unit:
        const uint8_t *bytes
        const vg_nal_unit *nals
        uint32_t nal_count
        uint32_t timestamp
        vg_sync_kind kind
        c_bool damaged
        c_bool leading
        c_bool is_picture

    ctypedef struct vg_nal_counts:
        uint64_t packets
        uint64_t packets_lost
        uint64_t packets_duplicate
        uint64_t packets_foreign
        uint64_t access_units
        uint64_t damaged
        uint64_t nals_dropped
        uint64_t marker_wrong
        uint64_t start_codes_inside
        uint64_t fu_odd
        uint64_t order_odd

    ctypedef struct vg_assembler:
        pass

    size_t vg_assembler_size() noexcept
    void vg_assembler_init(vg_assembler *a, vg_codec codec, uint8_t payload_type, uint8_t *buffer,
                           size_t capacity) noexcept
    void vg_assembler_expect_donl(vg_assembler *a) noexcept
    void vg_assembler_expect_size(vg_assembler *a, uint16_t width, uint16_t height) noexcept
    vg_err vg_assembler_push(vg_assembler *a, const vg_rtp_packet *packet,
                             vg_fault *fault) noexcept
    c_bool vg_assembler_pull(vg_assembler *a, vg_access_unit *out) noexcept
    void vg_assembler_break(vg_assembler *a) noexcept
    void vg_assembler_flush(vg_assembler *a) noexcept
    const vg_nal_counts *vg_assembler_counts(const vg_assembler *a) noexcept

    ctypedef struct vg_sps:
        uint32_t width
        uint32_t height
        uint8_t profile
        uint8_t compatibility
        uint8_t level
        uint8_t tier_profile[12]
        uint8_t chroma_format
        uint8_t bit_depth_luma
        uint8_t bit_depth_chroma
        uint8_t temporal_layers
        c_bool temporal_nested
        c_bool interlaced
        int8_t reorder_depth
        uint32_t id

    vg_err vg_h264_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) noexcept
    vg_err vg_h265_sps_parse(const uint8_t *nal, size_t size, vg_sps *out, vg_fault *fault) noexcept

cdef extern from "vg/jpeg.h" nogil:
    vg_err vg_jpeg_size(const uint8_t *picture, size_t size, uint16_t *width, uint16_t *height,
                        vg_fault *fault) noexcept
