# Room for more values of a C array that an object owns.

from libc.stdint cimport uint32_t
from libc.stdlib cimport realloc


cdef inline void *with_room(void *values, uint32_t count, size_t more, uint32_t *capacity,
                            size_t value_bytes) except? NULL:
    """The array, moved if need be, with room for `more` values behind the `count` there are.

    It at least doubles, so that values added one by one are moved a few times in all. MemoryError.
    """
    cdef size_t wanted = <size_t>count + more
    if wanted <= capacity[0]:
        return values
    if wanted > 0xFFFFFFFF:
        raise MemoryError
    wanted = min(max(wanted, 2 * <size_t>capacity[0]), <size_t>0xFFFFFFFF)
    cdef void *larger = realloc(values, wanted * value_bytes)
    if larger == NULL:
        raise MemoryError
    capacity[0] = <uint32_t>wanted
    return larger
