from vonggac._native.csegment cimport vg_row


cdef int row_from(row, vg_row *out) except -1
cdef object row_value(const vg_row *r)
