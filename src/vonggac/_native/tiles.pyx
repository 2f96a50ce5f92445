"""Grids of motion and the strips they are kept as (native/include/vg/motion_tiles.h).

Thin: what a byte means is decided in C.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from vonggac._native.ctiles cimport (
    VG_CELL_BYTES, VG_SLOT_TIER, VG_SLOTS_MAX, VG_STRIP_HEAD, VG_STRIP_SLOT_MAX, VG_TILES, vg_set,
    vg_set_next, vg_strip, vg_strip_read, vg_strip_spread, vg_strip_write, vg_tile_of, vg_tile_put,
    vg_words_heat, vg_words_used,
)
from vonggac._native.cvg cimport VG_MORE, VG_OK, vg_err, vg_fault
from vonggac._native.fault cimport raise_fault, start_of

from vonggac.errors import MediaError

TILES = VG_TILES
DAY_SLOTS = VG_SLOTS_MAX
STRIP_MAX_BYTES = VG_STRIP_HEAD + VG_SLOTS_MAX * VG_STRIP_SLOT_MAX


cdef int expect_cells(const uint8_t[::1] cells) except -1:
    if cells.shape[0] != VG_CELL_BYTES:
        raise ValueError(f"cells have {VG_CELL_BYTES} bytes, not {cells.shape[0]}")
    return 0


cdef int expect_range(uint32_t start, uint32_t stop, uint32_t slots) except -1:
    if start > stop or stop > slots:
        raise IndexError(f"[{start}, {stop}) of {slots} slots")
    return 0


cdef class Grid:
    """The cells of some slots that follow each other, and what is known of each (its code)."""

    cdef uint64_t *words
    cdef uint8_t *codes
    cdef readonly uint32_t slots

    def __cinit__(self, uint32_t slots):
        if not 0 < slots <= VG_SLOTS_MAX:
            raise ValueError(f"1 to {VG_SLOTS_MAX} slots, not {slots}")
        self.slots = slots
        self.words = <uint64_t *>calloc(VG_TILES * <size_t>slots, sizeof(uint64_t))
        self.codes = <uint8_t *>calloc(slots, 1)
        if self.words == NULL or self.codes == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.words)
        free(self.codes)

    cdef uint64_t *tile(self, uint32_t tile) noexcept nogil:
        return self.words + <size_t>tile * self.slots

    cdef bint takes(self, uint32_t slot, uint8_t code) noexcept nogil:
        """Whether a slot of that code is added here; first makes room where it is the better."""
        cdef uint8_t mine = self.codes[slot] & VG_SLOT_TIER
        cdef uint8_t other = code & VG_SLOT_TIER
        cdef uint32_t tile
        if other == 0 or (mine != 0 and mine < other):
            return False
        if mine > other:
            for tile in range(<uint32_t>VG_TILES):
                self.tile(tile)[slot] = 0
            self.codes[slot] = 0
        self.codes[slot] |= code
        return True

    def put(self, uint32_t slot, const uint8_t[::1] cells not None, uint8_t code):
        """Adds a slot: the lower tier of two wins, of the same tier the cells of both are kept."""
        cdef uint32_t tile
        expect_cells(cells)
        expect_range(slot, slot + 1, self.slots)
        if self.takes(slot, code):
            for tile in range(<uint32_t>VG_TILES):
                self.tile(tile)[slot] |= vg_tile_of(&cells[0], tile)

    def cells(self, uint32_t slot):
        """The cells of a slot."""
        cdef uint8_t out[VG_CELL_BYTES]
        cdef uint32_t tile
        expect_range(slot, slot + 1, self.slots)
        for tile in range(<uint32_t>VG_TILES):
            vg_tile_put(self.tile(tile)[slot], tile, out)
        return PyBytes_FromStringAndSize(<char *>out, VG_CELL_BYTES)

    def merge(self, Grid other not None, uint32_t at):
        """Adds the slots of another one from the slot `at` on, by the rule of `put`."""
        cdef uint32_t slot, tile
        expect_range(at, at + other.slots, self.slots)
        with nogil:
            for slot in range(other.slots):
                if self.takes(at + slot, other.codes[slot]):
                    for tile in range(<uint32_t>VG_TILES):
                        self.tile(tile)[at + slot] |= other.tile(tile)[slot]

    def forget(self, uint32_t start, uint32_t stop):
        """Nothing is known of the slots [start, stop) any more."""
        cdef uint32_t tile
        expect_range(start, stop, self.slots)
        memset(self.codes + start, 0, stop - start)
        for tile in range(<uint32_t>VG_TILES):
            memset(self.tile(tile) + start, 0, (stop - start) * sizeof(uint64_t))

    def get_codes(self):
        """The code of every slot."""
        return PyBytes_FromStringAndSize(<char *>self.codes, self.slots)

    def set_codes(self, const uint8_t[::1] codes not None):
        """Says what is known of every slot; the cells stay."""
        if codes.shape[0] != self.slots:
            raise MediaError("value", "a code for each slot", codes.shape[0])
        memcpy(self.codes, &codes[0], self.slots)

    def strip(self, uint32_t tile):
        """A tile's strip; nothing where nothing moves in it."""
        cdef size_t size, capacity
        cdef uint64_t *words
        cdef uint8_t *out
        expect_range(tile, tile + 1, VG_TILES)
        words = self.tile(tile)
        capacity = VG_STRIP_HEAD + <size_t>vg_words_used(words, self.slots) * VG_STRIP_SLOT_MAX
        out = <uint8_t *>malloc(capacity)
        if out == NULL:
            raise MemoryError
        try:
            with nogil:
                size = vg_strip_write(words, self.slots, out, capacity)
            return PyBytes_FromStringAndSize(<char *>out, size)
        finally:
            free(out)

    def spread(self, uint32_t tile, const uint8_t[::1] data not None):
        """ORs a strip into a tile. MediaError."""
        cdef vg_strip strip
        cdef vg_fault fault
        cdef size_t consumed = 0
        expect_range(tile, tile + 1, VG_TILES)
        cdef vg_err err = vg_strip_read(start_of(data), data.shape[0], &strip, &consumed, &fault)
        if err == VG_OK and consumed != <size_t>data.shape[0]:
            raise MediaError("value", "a strip is followed by nothing", consumed)
        if err == VG_OK:
            err = vg_strip_spread(&strip, self.tile(tile), self.slots, &fault)
        if err != VG_OK:
            raise_fault(err, &fault)

    def pack(self):
        """The strips of all tiles as a set."""
        cdef list parts = []
        for tile in range(<uint32_t>VG_TILES):
            strip = self.strip(tile)
            if strip:
                parts.append(bytes((tile,)))
                parts.append(strip)
        return b"".join(parts)

    def unpack(self, const uint8_t[::1] data not None):
        """ORs the strips of a set into their tiles. MediaError."""
        cdef vg_set walk
        cdef vg_strip strip
        cdef vg_fault fault
        cdef uint32_t tile = 0
        cdef vg_err err
        memset(&walk, 0, sizeof(walk))
        walk.data = start_of(data)
        walk.size = data.shape[0]
        while True:
            err = vg_set_next(&walk, &tile, &strip, &fault)
            if err == VG_MORE:
                return
            if err == VG_OK:
                err = vg_strip_spread(&strip, self.tile(tile), self.slots, &fault)
            if err != VG_OK:
                raise_fault(err, &fault)

    def summary(self, uint32_t step):
        """The cells that move in any of `step` slots, for each `step` slots."""
        if step == 0 or self.slots % step:
            raise ValueError(f"{step} slots at a time of {self.slots}")
        cdef Grid made = Grid(self.slots // step)
        cdef uint32_t tile, slot
        cdef const uint64_t *words
        cdef uint64_t *sums
        with nogil:
            for tile in range(<uint32_t>VG_TILES):
                words = self.tile(tile)
                sums = made.tile(tile)
                for slot in range(self.slots):
                    if words[slot]:
                        sums[slot // step] |= words[slot]
        return made

    def heat(self, uint32_t start, uint32_t stop):
        """In how many of the slots [start, stop) each of the 2304 cells moves."""
        cdef uint32_t heat[64]
        cdef uint32_t tile, row, column
        cdef list counts = [0] * (VG_CELL_BYTES * 8)
        expect_range(start, stop, self.slots)
        for tile in range(<uint32_t>VG_TILES):
            memset(heat, 0, sizeof(heat))
            with nogil:
                vg_words_heat(self.tile(tile) + start, stop - start, heat)
            for row in range(min(8, 36 - tile // 8 * 8)):
                for column in range(8):
                    counts[(tile // 8 * 8 + row) * 64 + tile % 8 * 8 + column] = (
                        heat[row * 8 + column])
        return counts
