"""How many cells of a region move, slot by slot (native/include/vg/motion_tiles.h).

Thin: what a byte means is decided in C. What lies on a disk is read, unpacked and counted without
the interpreter, since a search touches tens of thousands of strips.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.errno cimport EINTR, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset
from posix.fcntl cimport O_CLOEXEC, O_RDONLY, open
from posix.unistd cimport close, pread

from vonggac._native.ctiles cimport (
    VG_CELL_BYTES, VG_SLOTS_MAX, VG_STRIP_HEAD, VG_STRIP_SLOT_MAX, VG_TILES, ZSTD_createDCtx,
    ZSTD_DCtx, ZSTD_decompressDCtx, ZSTD_freeDCtx, ZSTD_isError, vg_crc32c, vg_episode,
    vg_episode_next, vg_hits, vg_set, vg_set_next, vg_slot_range, vg_strip, vg_strip_count,
    vg_strip_join, vg_tile_of,
)
from vonggac._native.cvg cimport (
    VG_LIMIT, VG_MORE, VG_OK, VG_SHORT, VG_SYSTEM, VG_VALUE, c_bool, vg_err, vg_fault,
)
from vonggac._native.fault cimport raise_fault, start_of

cdef enum:
    ENTRY = 16  # of a directory: u32 bytes of the frame, unpacked, of the rows; u32 CRC-32C
    STRIP_MAX_BYTES = VG_STRIP_HEAD + VG_SLOTS_MAX * VG_STRIP_SLOT_MAX


cdef inline uint32_t load_u32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] << 24 | <uint32_t>p[1] << 16 | <uint32_t>p[2] << 8 | p[3]


cdef inline size_t entry_stored(const uint8_t *directory, uint32_t tile) noexcept nogil:
    """The bytes of a tile in the file."""
    cdef const uint8_t *entry = directory + tile * ENTRY
    return <size_t>load_u32(entry) + load_u32(entry + 8)


cdef int expect_range(uint32_t start, uint32_t stop, uint32_t slots) except -1:
    if start > stop or stop > slots:
        raise IndexError(f"[{start}, {stop}) of {slots} slots")
    return 0


cdef class Region:
    """The cells that a search asks for, as the word of each tile."""

    def __cinit__(self, const uint8_t[::1] cells not None):
        cdef uint32_t tile
        if cells.shape[0] != VG_CELL_BYTES:
            raise ValueError(f"cells have {VG_CELL_BYTES} bytes, not {cells.shape[0]}")
        self.tiles = 0
        for tile in range(<uint32_t>VG_TILES):
            self.words[tile] = vg_tile_of(&cells[0], tile)
            if self.words[tile]:
                self.tiles |= <uint64_t>1 << tile


cdef class Counts:
    """How many cells of a region move in each of some slots; counted anew after `clear`."""

    cdef uint16_t *counts
    cdef uint8_t *codes
    cdef readonly uint32_t slots
    cdef ZSTD_DCtx *context
    cdef uint8_t *stored
    cdef size_t stored_room
    cdef uint8_t *raw
    cdef uint64_t *hits
    cdef vg_episode *found
    cdef readonly uint64_t bytes_read

    def __cinit__(self, uint32_t slots):
        if not 0 < slots <= VG_SLOTS_MAX:
            raise ValueError(f"1 to {VG_SLOTS_MAX} slots, not {slots}")
        self.slots = slots
        self.counts = <uint16_t *>calloc(slots, sizeof(uint16_t))
        self.codes = <uint8_t *>calloc(slots, 1)
        self.context = ZSTD_createDCtx()
        self.raw = <uint8_t *>malloc(STRIP_MAX_BYTES)
        self.hits = <uint64_t *>malloc((slots + 63) // 64 * sizeof(uint64_t))
        self.found = <vg_episode *>malloc((slots // 2 + 1) * sizeof(vg_episode))
        if not (self.counts and self.codes and self.context and self.raw and self.hits
                and self.found):
            raise MemoryError

    def __dealloc__(self):
        free(self.counts)
        free(self.codes)
        ZSTD_freeDCtx(self.context)
        free(self.stored)
        free(self.raw)
        free(self.hits)
        free(self.found)

    def clear(self):
        """Nothing is counted, and nothing known of any slot."""
        memset(self.counts, 0, self.slots * sizeof(uint16_t))
        memset(self.codes, 0, self.slots)

    def know(self, uint32_t start, uint32_t stop, uint8_t code):
        """Says what is known of the slots [start, stop)."""
        expect_range(start, stop, self.slots)
        memset(self.codes + start, code, stop - start)

    def add_set(self, Region region not None, const uint8_t[::1] data not None, uint32_t at=0):
        """Counts in the strips of a set whose first slot is `at`. MediaError.

        Gives the tiles that have a hit, as bits.
        """
        cdef vg_set walk
        cdef vg_strip strip
        cdef vg_fault fault
        cdef uint32_t tile = 0
        cdef vg_err err
        cdef c_bool any_hit
        cdef uint64_t hit = 0
        expect_range(at, at, self.slots)
        memset(&walk, 0, sizeof(walk))
        walk.data = start_of(data)
        walk.size = data.shape[0]
        with nogil:
            while True:
                err = vg_set_next(&walk, &tile, &strip, &fault)
                if err != VG_OK:
                    break
                if region.words[tile] == 0:
                    continue
                any_hit = False
                err = vg_strip_count(&strip, region.words[tile], self.counts + at,
                                     self.slots - at, &any_hit, &fault)
                if err != VG_OK:
                    break
                if any_hit:
                    hit |= <uint64_t>1 << tile
        if err != VG_MORE:
            raise_fault(err, &fault)
        return hit

    def add_file(self, bytes path not None, Region region not None, uint64_t tiles,
                 uint64_t offset, const uint8_t[::1] directory not None):
        """Counts in those tiles of a file whose first strip is at `offset`. MediaError, OSError.

        `directory`: of the strips, 16 bytes a tile.
        """
        cdef vg_fault fault
        cdef vg_err err
        cdef int fd, failed
        cdef const char *name = path
        cdef const uint8_t *entries = start_of(directory)
        if directory.shape[0] != VG_TILES * ENTRY:
            raise ValueError("a directory has an entry for each tile")
        with nogil:
            fd = open(name, O_RDONLY | O_CLOEXEC)
            err = VG_SYSTEM
            failed = errno
            if fd >= 0:
                err = self.count_file(fd, region, tiles, offset, entries, &fault)
                failed = errno
                close(fd)
        if err == VG_SYSTEM:
            raise OSError(failed, "the motion index cannot be read")
        if err != VG_OK:
            raise_fault(err, &fault)

    cdef vg_err count_file(self, int fd, Region region, uint64_t tiles, uint64_t offset,
                           const uint8_t *directory, vg_fault *fault) noexcept nogil:
        cdef uint32_t tile = 0
        cdef uint32_t first
        cdef size_t size, at
        cdef vg_err err
        while tile < VG_TILES:
            if not tiles >> tile & 1:
                offset += entry_stored(directory, tile)
                tile += 1
                continue
            first = tile
            size = 0
            while tile < VG_TILES and tiles >> tile & 1:  # what lies together is read together
                size += entry_stored(directory, tile)
                tile += 1
            err = self.read(fd, offset, size, fault)
            if err != VG_OK:
                return err
            at = 0
            while first < tile:
                err = self.count_strip(self.stored + at, directory + first * ENTRY,
                                       region.words[first], fault)
                if err != VG_OK:
                    fault.offset = offset + at
                    return err
                at += entry_stored(directory, first)
                first += 1
            offset += size
        return VG_OK

    cdef vg_err read(self, int fd, uint64_t offset, size_t size, vg_fault *fault) noexcept nogil:
        """Reads into `stored`."""
        cdef uint8_t *larger
        cdef ssize_t got
        cdef size_t have = 0
        if size > self.stored_room:
            larger = <uint8_t *>realloc(self.stored, size)
            if larger == NULL:
                return VG_SYSTEM
            self.stored = larger
            self.stored_room = size
        while have < size:
            got = pread(fd, self.stored + have, size - have, offset + have)
            if got < 0:
                if errno == EINTR:
                    continue
                return VG_SYSTEM
            if got == 0:
                fault.offset = offset + have
                fault.rule = "a file of the motion index ends early"
                return VG_SHORT
            have += got
        self.bytes_read += size
        return VG_OK

    cdef vg_err count_strip(self, const uint8_t *stored, const uint8_t *entry, uint64_t cells,
                            vg_fault *fault) noexcept nogil:
        """Unpacks the head of a strip and counts in it."""
        cdef size_t frame_size = load_u32(entry)
        cdef size_t head_size = load_u32(entry + 4)
        cdef size_t rows_size = load_u32(entry + 8)
        cdef size_t got
        cdef vg_strip strip
        cdef vg_err err
        cdef c_bool any_hit = False
        if frame_size + rows_size == 0:
            return VG_OK
        if head_size + rows_size > STRIP_MAX_BYTES:
            fault.rule = "size of a strip"
            return VG_LIMIT
        if vg_crc32c(0, stored, frame_size + rows_size) != load_u32(entry + 12):
            fault.rule = "CRC-32C of a strip"
            return VG_VALUE
        got = ZSTD_decompressDCtx(self.context, self.raw, head_size, stored, frame_size)
        if ZSTD_isError(got) or got != head_size:
            fault.rule = "the head of a strip is a frame of zstd of the size that is told"
            return VG_VALUE
        err = vg_strip_join(self.raw, head_size, stored + frame_size, rows_size, &strip, fault)
        if err != VG_OK:
            return err
        return vg_strip_count(&strip, cells, self.counts, self.slots, &any_hit, fault)

    def episodes(self, uint32_t start, uint32_t stop, uint16_t at_least, uint32_t gap):
        """Episodes of [start, stop) in order, as an array of vg_episode."""
        cdef vg_slot_range left
        cdef uint32_t count = 0
        expect_range(start, stop, self.slots)
        if at_least == 0:
            raise ValueError("a hit has a cell at least")
        left.start = start
        left.to = stop
        with nogil:  # between two of them lies a slot without a hit
            vg_hits(self.counts, self.slots, at_least, self.hits)
            while vg_episode_next(self.hits, self.counts, self.codes, &left, gap,
                                  &self.found[count]):
                count += 1
        return PyBytes_FromStringAndSize(<char *>self.found, count * sizeof(vg_episode))
