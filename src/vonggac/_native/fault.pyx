"""The one place where a fault of the C code becomes an exception.

Call it with the GIL and only with an error; it always raises. `VG_SYSTEM` reads errno, so nothing
that may change errno stands between the C call and this one.
"""

from libc.errno cimport errno

from vonggac._native.cvg cimport (
    VG_LIMIT, VG_SHORT, VG_SYSTEM, VG_UNSUPPORTED, VG_VALUE, vg_err, vg_fault,
)

import os

from vonggac.errors import MediaError


cdef int raise_fault(vg_err err, const vg_fault *fault) except -1:
    """Raises OSError for VG_SYSTEM, MediaError for the rest; `fault` is not read for VG_SYSTEM."""
    cdef int number = errno
    if err == VG_SYSTEM:
        raise OSError(number, os.strerror(number))
    if err == VG_SHORT:
        kind = "short"
    elif err == VG_VALUE:
        kind = "value"
    elif err == VG_LIMIT:
        kind = "limit"
    elif err == VG_UNSUPPORTED:
        kind = "unsupported"
    else:
        raise AssertionError(f"vg_err {<int>err} is not an error")
    raise MediaError(kind, fault.rule.decode("ascii"), fault.offset)
