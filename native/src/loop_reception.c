#include "loop_reception.h"

#include <stdlib.h>

#include "assembler.h"

#define NTP_TO_UNIX INT64_C(2208988800)   /* seconds from 1900 to 1970 */
#define SR_AGREEMENT_NS (100 * NS_PER_MS) /* of two sender reports with their own RTP times */

static int64_t rate_of(const reception *rx) {
    return rx->clock_rate != 0 ? rx->clock_rate : VG_TIMESCALE;
}

void reception_packet(reception *rx, const vg_rtp_packet *p, int64_t now_ns) {
    if (rx->started && p->ssrc != rx->ssrc) {
        /* As the assembler takes them: a few are an old session's (rtsp.md row 68). */
        if (p->ssrc != rx->other_ssrc) rx->other_count = 0;
        rx->other_ssrc = p->ssrc;
        if (++rx->other_count < VG_SSRC_TRUST) return;
    }
    rx->other_count = 0;
    if (!rx->started || p->ssrc != rx->ssrc) {
        *rx = (reception){.clock_rate = rx->clock_rate,
                          .started = true,
                          .ssrc = p->ssrc,
                          .highest = p->sequence,
                          .base = p->sequence};
    }
    const uint16_t step = (uint16_t)(p->sequence - rx->highest);
    if (step < 0x8000) {
        if (p->sequence < rx->highest) rx->cycles += 0x10000;
        rx->highest = p->sequence;
    }
    rx->received++;
    /* RFC 3550 A.8, with the arrival of the turn that read the packet. */
    const int64_t transit = (now_ns / 1000) * rate_of(rx) / 1000000 - (int64_t)p->timestamp;
    const int64_t change = llabs(transit - rx->transit);
    rx->transit = transit;
    if (rx->has_transit && change < VG_JUMP_TICKS) {
        const int64_t jitter = (int64_t)rx->jitter_16 + change - ((int64_t)rx->jitter_16 + 8) / 16;
        rx->jitter_16 = jitter < 0 ? 0 : (uint32_t)jitter;
    }
    rx->has_transit = true;
}

/* UTC in ns; VG_CAMERA_CLOCK_UNKNOWN before 1970. */
static int64_t unix_time(uint64_t ntp) {
    const int64_t seconds = (int64_t)(ntp >> 32U) - NTP_TO_UNIX;
    if (seconds < 0) return VG_CAMERA_CLOCK_UNKNOWN;
    return seconds * NS_PER_S + (int64_t)(((ntp & UINT32_MAX) * (uint64_t)NS_PER_S) >> 32U);
}

static int64_t extrapolate(const reception *rx, uint32_t rtp_timestamp) {
    const int64_t ticks = (int32_t)(rtp_timestamp - rx->last_sr_rtp);
    return unix_time(rx->last_ntp) + ticks * NS_PER_S / rate_of(rx);
}

bool reception_report(reception *rx, const vg_rtcp_item *sr, int64_t now_ns) {
    const int64_t time = unix_time(sr->ntp);
    if (sr->ntp == 0 || sr->rtp_timestamp == 0 || time == VG_CAMERA_CLOCK_UNKNOWN) return false;
    const bool is_first = rx->last_ntp == 0;
    rx->clock_is_known =
        !is_first && llabs(extrapolate(rx, sr->rtp_timestamp) - time) < SR_AGREEMENT_NS;
    rx->last_ntp = sr->ntp;
    rx->last_sr_rtp = sr->rtp_timestamp;
    rx->last_sr_at_ns = now_ns;
    return is_first || rx->clock_is_known;
}

int64_t reception_camera_clock(const reception *rx, uint32_t rtp_timestamp) {
    if (!rx->clock_is_known) return VG_CAMERA_CLOCK_UNKNOWN;
    return extrapolate(rx, rtp_timestamp);
}

void reception_write_report(reception *rx, uint8_t out[VG_RTCP_RR_SIZE], uint32_t own_ssrc,
                            int64_t now_ns) {
    const uint32_t highest = rx->cycles + rx->highest;
    const uint64_t expected = (uint64_t)(highest - rx->base) + 1;
    int64_t lost = (int64_t)expected - (int64_t)rx->received;
    if (lost > 0x7FFFFF) lost = 0x7FFFFF; /* RFC 3550 6.4.1: 24 bits, signed */
    if (lost < -0x800000) lost = -0x800000;
    const int64_t expected_now = (int64_t)(expected - rx->expected_before);
    const int64_t lost_now = expected_now - (int64_t)(rx->received - rx->received_before);
    vg_rtcp_report report = {
        .ssrc = rx->ssrc,
        .lost = (uint32_t)lost & 0xFFFFFF,
        .highest_sequence = highest,
        .jitter = rx->jitter_16 / 16,
    };
    if (expected_now > 0 && lost_now > 0)
        report.fraction_lost =
            (uint8_t)(lost_now * 256 / expected_now > 255 ? 255 : lost_now * 256 / expected_now);
    if (rx->last_ntp != 0) {
        report.last_sr = (uint32_t)(rx->last_ntp >> 16U);
        report.delay_sr = (uint32_t)((now_ns - rx->last_sr_at_ns) / 1000 * 65536 / 1000000);
    }
    rx->expected_before = expected;
    rx->received_before = rx->received;
    vg_rtcp_write_rr(out, own_ssrc, &report);
}
