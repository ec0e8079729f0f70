/* SPDX-License-Identifier: Apache-2.0 */
/* The one file that includes OpenSSL. */
#include "lib/core/hash.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include "liballot/mem.h"

allot_code allot_sha256(const void *bytes, size_t n, uint8_t out[32], allot_err *err)
{
    if (SHA256(bytes, n, out)) return ALLOT_OK;
    allot_mem_short();
    return allot_fail(err, ALLOT_ERUNTIME, "out of memory for a hash");
}

void allot_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

void allot_short_id(const char *text, char out[17])
{
    uint8_t digest[32] = {0};
    (void)!allot_sha256(text, strlen(text), digest, NULL);
    allot_hex(digest, 8, out);
}

static int hash_stream(FILE *f, EVP_MD_CTX *ctx, uint8_t digest[32])
{
    unsigned char block[65536];
    size_t n;
    if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) return -1;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        if (!EVP_DigestUpdate(ctx, block, n)) return -1;
    return ferror(f) || !EVP_DigestFinal_ex(ctx, digest, NULL) ? -1 : 0;
}

allot_code allot_sha256_file(const char *path, char out[65], allot_err *err)
{
    uint8_t digest[32];
    FILE *f = fopen(path, "rb");
    if (!f) return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    errno = 0;
    allot_code rc = ALLOT_OK;
    if (hash_stream(f, ctx, digest))
        rc = allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path,
                        errno ? strerror(errno) : "out of memory for a hash");
    else allot_hex(digest, sizeof digest, out);
    EVP_MD_CTX_free(ctx);
    fclose(f);
    return rc;
}
