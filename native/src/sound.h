/* Inside of the sound reader:
 *   sound.c       what all codecs share, G.711, Opus
 *   sound_aac.c   AAC in AU headers, in fragments, in ADTS
 *   sound_latm.c  AAC in LATM */
#ifndef VG_SRC_SOUND_H
#define VG_SRC_SOUND_H

#include "vg/sound.h"

/* VG_LIMIT where there is no room for one more. An empty frame is none. */
vg_err vg_sound_add(vg_sound_reader *r, const vg_sound_frame *frame, vg_fault *fault);
vg_err vg_sound_take_aac(vg_sound_reader *r, const vg_rtp_packet *packet, vg_fault *fault);
vg_err vg_sound_take_latm(vg_sound_reader *r, const vg_rtp_packet *packet, vg_fault *fault);

#endif
