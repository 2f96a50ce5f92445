from vonggac._native.cvg cimport vg_err, vg_fault


cdef int raise_fault(vg_err err, const vg_fault *fault) except -1
