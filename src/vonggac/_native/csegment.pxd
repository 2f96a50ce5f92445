"""native/include/vg/segment.h and ring_file.h, in their order. Declarations only."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from vonggac._native.csound cimport vg_sound
from vonggac._native.cvg cimport c_bool, vg_codec, vg_err, vg_fault

cdef extern from "vg/segment.h" nogil:
    enum:
        VG_FORMAT_VERSION
        VG_BLOCK
        VG_SHA256_SIZE
        VG_ID_SIZE
        VG_ENTRY_SIZE
        VG_SAMPLES_MAX
        VG_HEAD_MAX
        VG_CHUNK_HEAD_MAX
        VG_CLAIM_FIRST
        VG_CLAIM_DAMAGED
        VG_CLAIM_REFERENCES_LOST
        VG_CLAIM_REANCHORED
        VG_CLAIM_SETS_DROPPED
        VG_CLAIM_CLOCK_SYNCED
        VG_CLAIM_INBAND
        VG_CLAIM_END
        VG_ROW_BROKEN
        VG_ROW_CONTINUES
        VG_GAP_UNKNOWN
        VG_GAP_CAMERA_OFF
        VG_GAP_NETWORK
        VG_GAP_REFUSED
        VG_GAP_WRONG_PASSWORD
        VG_GAP_NO_VIDEO
        VG_GAP_BAD_STREAM
        VG_GAP_CRASHES
        VG_GAP_OTHER_DEVICE
        VG_GAP_BOX_STOPPED
        VG_GAP_DISK
        VG_GAP_AGREEMENT_ENDED
        VG_GAP_PAUSED
        VG_GAP_FLOOD
        VG_GAP_CLOCK_SET

    const int64_t VG_CAMERA_CLOCK_UNKNOWN

    ctypedef struct vg_claim:
        uint16_t version
        uint32_t flags
        uint8_t camera[16]
        uint8_t stream[16]
        uint64_t run
        uint64_t sequence
        int64_t wall_start_ns
        uint64_t media_start
        uint32_t duration
        uint32_t timescale
        int64_t camera_clock_ns
        uint32_t samples
        uint8_t kind
        uint32_t video_bytes
        uint32_t audio_bytes
        uint8_t video_sha256[32]
        uint8_t audio_sha256[32]
        uint8_t trun_sha256[32]
        uint8_t previous_sha256[32]
        uint64_t predecessor_run
        uint8_t gap_reason
        int64_t gap_start_ns

    ctypedef struct vg_place:
        uint8_t disk[16]
        uint32_t segment
        uint64_t epoch
        uint64_t offset
        uint32_t moof_bytes
        uint32_t chunk_bytes
        uint32_t first_sample_end
        uint32_t crc32c

    enum:
        VG_SOUND_SAMPLES_MAX
        VG_SOUND_LEAD_TICKS

    ctypedef struct vg_sound_sample:
        uint32_t bytes
        uint32_t duration

    ctypedef struct vg_sound_samples:
        const vg_sound_sample *samples
        uint32_t count
        int64_t start

    ctypedef struct vg_sample:
        uint32_t bytes
        uint32_t duration
        int32_t composition_offset
        c_bool is_sync
        c_bool is_leading

    ctypedef struct vg_sets:
        vg_codec codec
        c_bool inband
        const uint8_t *vps[4]
        const uint8_t *sps[4]
        const uint8_t *pps[8]
        uint16_t vps_size[4]
        uint16_t sps_size[4]
        uint16_t pps_size[8]
        uint8_t vps_count
        uint8_t sps_count
        uint8_t pps_count
        const vg_sound *sound

    vg_err vg_head_write(const vg_sets *sets, uint32_t timescale, uint8_t *out, size_t capacity,
                         size_t *size, vg_fault *fault) noexcept
    vg_err vg_chunk_head_write(vg_claim *claim, const vg_sample *samples,
                               const vg_sound_samples *sound, uint8_t *out, size_t capacity,
                               size_t *size, uint8_t *claim_sha256, vg_fault *fault) noexcept
    vg_err vg_chunk_place(uint8_t *head, size_t size, uint64_t decode_time,
                          uint32_t fragment_number, vg_place *place, vg_fault *fault) noexcept
    vg_err vg_claim_read(const uint8_t *data, size_t size, vg_claim *out, uint8_t *claim_sha256,
                         vg_fault *fault) noexcept

    ctypedef struct vg_chunk_view:
        vg_claim claim
        vg_place place
        uint64_t decode_time
        uint32_t payload_offset
        uint8_t claim_sha256[32]
        uint32_t sound_samples
        int64_t sound_start

    vg_err vg_chunk_parse(const uint8_t *data, size_t size, vg_chunk_view *out,
                          vg_fault *fault) noexcept

    ctypedef struct vg_row:
        uint32_t offset
        uint32_t chunk_bytes
        uint32_t moof_bytes
        uint32_t first_sample_end
        int64_t wall_start_ns
        int64_t wall_end_ns
        uint32_t duration
        uint32_t samples
        uint32_t flags
        uint8_t kind
        uint64_t run
        uint64_t sequence

    void vg_entry_write(const vg_row *row, uint8_t *out) noexcept
    void vg_entry_read(const uint8_t *data, vg_row *out) noexcept
    size_t vg_table_bytes(uint32_t count) noexcept
    vg_err vg_table_write(const vg_row *rows, uint32_t count, uint64_t segment_bytes, uint8_t *out,
                          size_t capacity) noexcept
    vg_err vg_table_read(const uint8_t *data, size_t size, uint64_t segment_bytes, vg_row *out,
                         uint32_t capacity, uint32_t *count, vg_fault *fault) noexcept

    uint32_t vg_crc32c(uint32_t crc, const void *data, size_t size) noexcept
    void vg_sha256(const void *data, size_t size, uint8_t *out) noexcept

cdef extern from "segment_layout.h" nogil:
    uint32_t vg_crc32c_portable(uint32_t crc, const void *data, size_t size) noexcept

cdef extern from "vg/ring_file.h" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len

    ctypedef struct vg_write:
        int fd
        int error
        uint64_t offset
        const iovec *parts
        int part_count

    int vg_writes(vg_write *writes, int count) noexcept
    int vg_sync(int fd) noexcept
    int vg_zero(int fd, uint64_t offset, uint64_t size) noexcept
