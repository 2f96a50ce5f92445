/* SHA-256 by OpenSSL: it uses SHA-NI where there is. */
#include <assert.h>
#include <openssl/evp.h>

#include "vg/segment.h"

void vg_sha256(const void *data, size_t size, uint8_t out[VG_SHA256_SIZE]) {
    unsigned int written = 0;
    /* Fails only without memory or without the algorithm: neither is input. */
    const int ok = EVP_Digest(data, size, out, &written, EVP_sha256(), NULL);
    assert(ok == 1 && written == VG_SHA256_SIZE);
    (void)ok;
}

void vg_sha256_two(const void *first, size_t first_size, const void *second, size_t second_size,
                   uint8_t out[VG_SHA256_SIZE]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned int written = 0;
    const int ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                   EVP_DigestUpdate(context, first, first_size) == 1 &&
                   EVP_DigestUpdate(context, second, second_size) == 1 &&
                   EVP_DigestFinal_ex(context, out, &written) == 1;
    assert(ok && written == VG_SHA256_SIZE);
    (void)ok;
    EVP_MD_CTX_free(context);
}
