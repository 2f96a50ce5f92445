/* Runs a fuzz target without libFuzzer: over a corpus, and over mutations of each of its files.
 *
 *     fuzz_rtp corpus/rtp 2000
 *
 * Every input lies in a heap block of exactly its size, so that AddressSanitizer sees the first
 * byte read too far. The same arguments give the same inputs: a crash repeats. A folder that is
 * absent is an empty corpus; an empty input and one of zeros are always tried. Links with
 * libFuzzer's entry point, so `clang -fsanitize=fuzzer fuzz_rtp.c` needs nothing of this file. */
#include <assert.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUTS_MAX = 4096, INPUT_BYTES_MAX = 1 << 20, EDITS_MAX = 6, ZEROS = 64 };

typedef struct input {
    uint8_t *bytes;
    size_t size;
} input;

static input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t seed;

/* xorshift64: fast, and the same everywhere. */
static uint64_t next_random(void) {
    seed ^= seed << 13U;
    seed ^= seed >> 7U;
    seed ^= seed << 17U;
    return seed;
}

static size_t below(size_t limit) {
    return limit == 0 ? 0 : (size_t)(next_random() % limit);
}

static void run(const uint8_t *bytes, size_t size) {
    uint8_t *exact = malloc(size);
    if (exact == NULL && size > 0) abort();
    if (size > 0) memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void keep(const uint8_t *bytes, size_t size) {
    if (input_count == INPUTS_MAX) {
        (void)fprintf(stderr, "more than %d files in the corpus\n", INPUTS_MAX);
        exit(2);
    }
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, bytes, size);
    inputs[input_count++] = (input){copy, size};
}

static void load_file(const char *folder, const char *name, uint8_t *scratch) {
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) exit(2);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    const size_t size = fread(scratch, 1, INPUT_BYTES_MAX, file);
    if (ferror(file)) {
        perror(path);
        exit(2);
    }
    (void)fclose(file);
    keep(scratch, size);
}

static void load_folder(const char *folder, uint8_t *scratch) {
    struct dirent **names = NULL;
    const int count = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') load_file(folder, names[i]->d_name, scratch);
        free(names[i]);
    }
    free(names);
}

/* One small change; gives the new size. */
static size_t edit(uint8_t *bytes, size_t size) {
    static const uint8_t special[] = {0, 1, 2, 3, 0x24, 0x7F, 0x80, 0xE4, 0xFE, 0xFF};
    const size_t at = below(size);
    const size_t count = 1 + below(8);
    switch (next_random() % 8) {
    case 0: /* flip a bit */
        if (size > 0) bytes[at] ^= (uint8_t)(1U << below(8));
        return size;
    case 1: /* any byte */
        if (size > 0) bytes[at] = (uint8_t)next_random();
        return size;
    case 2: /* a byte that means something somewhere */
        if (size > 0) bytes[at] = special[below(sizeof special)];
        return size;
    case 3: /* cut the end off */
        return at;
    case 4: /* take some out */
        if (size - at < count) return at;
        memmove(bytes + at, bytes + at + count, size - at - count);
        return size - count;
    case 5: /* put some in */
        if (size + count > INPUT_BYTES_MAX) return size;
        memmove(bytes + at + count, bytes + at, size - at);
        for (size_t i = 0; i < count; i++)
            bytes[at + i] =
                next_random() % 2 ? special[below(sizeof special)] : (uint8_t)next_random();
        return size + count;
    case 6: { /* go on as another input does */
        const input *other = &inputs[below(input_count)];
        const size_t from = below(other->size);
        size_t take = other->size - from;
        if (take > INPUT_BYTES_MAX - at) take = INPUT_BYTES_MAX - at;
        if (take > 0) memcpy(bytes + at, other->bytes + from, take);
        return at + take;
    }
    default: { /* repeat a part */
        const size_t from = below(size);
        size_t take = below(size - from) % 64;
        if (size + take > INPUT_BYTES_MAX) take = 0;
        memmove(bytes + at + take, bytes + at, size - at);
        memmove(bytes + at, bytes + from, take);
        return size + take;
    }
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s CORPUS MUTATIONS_OF_EACH\n", argv[0]);
        return 2;
    }
    const unsigned long mutations = strtoul(argv[2], NULL, 10);
    uint8_t *scratch = calloc(1, INPUT_BYTES_MAX);
    if (scratch == NULL) return 2;
    keep(scratch, 0);
    keep(scratch, ZEROS);
    load_folder(argv[1], scratch);

    for (size_t i = 0; i < input_count; i++) {
        run(inputs[i].bytes, inputs[i].size);
        seed = 0x9E3779B97F4A7C15U + i;
        for (unsigned long n = 0; n < mutations; n++) {
            size_t size = inputs[i].size;
            memcpy(scratch, inputs[i].bytes, size);
            for (size_t edits = 1 + below(EDITS_MAX); edits > 0; edits--)
                size = edit(scratch, size);
            run(scratch, size);
        }
    }
    (void)printf("%zu inputs, %lu mutations of each\n", input_count, mutations);
    for (size_t i = 0; i < input_count; i++)
        free(inputs[i].bytes);
    free(scratch);
    return 0;
}
