"""What other modules take of sound.pyx."""

from vonggac._native.csound cimport vg_sound

cdef int sound_from(sound, vg_sound *out) except -1
