/* RTCP (RFC 3550 6): sender reports and BYE read, receiver reports written. */
#ifndef VG_RTCP_H
#define VG_RTCP_H

#include "vg/err.h"
#include <stdint.h>

typedef enum vg_rtcp_kind { VG_RTCP_OTHER, VG_RTCP_SR, VG_RTCP_BYE } vg_rtcp_kind;

typedef struct vg_rtcp_item {
    vg_rtcp_kind kind;
    uint32_t ssrc;          /* of the sender; the first of a BYE's list, 0 if that is empty */
    uint64_t ntp;           /* SR: NTP timestamp, 32.32; 0 where the camera has none */
    uint32_t rtp_timestamp; /* SR */
} vg_rtcp_item;

/* Reads the packet at `*offset` of a compound and moves `*offset` behind it.
 * VG_OK; VG_MORE at the end; VG_SHORT or VG_VALUE where nothing behind can be trusted
 * (Hanwha QNV-8080R and Edimax 3100P send such: keep what was read, drop the rest). */
vg_err vg_rtcp_next(const uint8_t *data, size_t size, size_t *offset, vg_rtcp_item *out,
                    vg_fault *fault);

/* What a receiver report says of one source (RFC 3550 6.4.2). */
typedef struct vg_rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost;
    uint32_t lost;             /* 24 bits */
    uint32_t highest_sequence; /* extended */
    uint32_t jitter;
    uint32_t last_sr;  /* middle 32 bits of the last SR's NTP time, 0 if none */
    uint32_t delay_sr; /* since then, in 1/65536 s */
} vg_rtcp_report;

enum { VG_RTCP_RR_SIZE = 32 };
void vg_rtcp_write_rr(uint8_t out[VG_RTCP_RR_SIZE], uint32_t own_ssrc,
                      const vg_rtcp_report *report);

#endif
