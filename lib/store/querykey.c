/* SPDX-License-Identifier: Apache-2.0 */
/* Normalises and hashes a text; an index of keys by open addressing, and joins through it. */
#include "lib/store/querykey.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include "lib/core/hash.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"
#include "liballot/utf8.h"

#define MAX_TEXT_BYTES (64L << 20)

/* The characters of Unicode's White_Space property. */
static int is_space(utf8proc_int32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

static allot_code check_text(const char *text, size_t n, allot_err *err)
{
    if (n > MAX_TEXT_BYTES) return allot_fail(err, ALLOT_EINPUT, "the text is longer than 64 MiB");
    size_t valid = allot_utf8_valid(text, n);
    const char *zero = memchr(text, '\0', valid);
    if (zero)
        return allot_fail(err, ALLOT_EINPUT, "the text has a zero byte at byte %td", zero - text);
    if (valid == n) return ALLOT_OK;
    return allot_fail(err, ALLOT_EINPUT,
                      "the text is not UTF-8 at byte %zu (convert it with "
                      "iconv)",
                      valid);
}

/* Collapses white space in place (the text only shrinks); returns the new length. */
static size_t collapse(utf8proc_uint8_t *text, size_t n)
{
    utf8proc_int32_t c;
    size_t size = 0;
    int gap = 0;
    for (size_t i = 0; i < n;) {
        size_t step = 1;
        c = text[i];
        if (c >= 0x80) step = (size_t)utf8proc_iterate(text + i, (utf8proc_ssize_t)(n - i), &c);
        if (is_space(c)) {
            gap = size > 0;
        } else {
            if (gap) text[size++] = ' ';
            gap = 0;
            for (size_t k = 0; k < step; k++)
                text[size++] = text[i + k];
        }
        i += step;
    }
    return size;
}

/* 1 if the text is surely in NFC already: it has only characters that NFC keeps and that join with
 * none before them (ASCII, Latin, Greek and Cyrillic letters, punctuation, arrows and mathematical
 * signs, Chinese characters), which nearly all problems have. */
static int is_surely_nfc(const char *text, size_t n)
{
    static const utf8proc_int32_t kept[][2] = {{0x00, 0x2ff},    {0x391, 0x3ce},
                                               {0x410, 0x44f},   {0x2010, 0x205e},
                                               {0x2190, 0x22ff}, {0x4e00, 0x9fff}};
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c = (unsigned char)text[i];
        size_t k = 0, step = 1;
        if (c >= 0x80)
            step = (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                            (utf8proc_ssize_t)(n - i), &c);
        while (k < sizeof kept / sizeof *kept && (c < kept[k][0] || c > kept[k][1]))
            k++;
        if (k == sizeof kept / sizeof *kept) return 0;
        i += step;
    }
    return 1;
}

/* A copy in NFC, with white space not yet collapsed; the caller frees. */
static allot_code normalise(const char *text, size_t n, utf8proc_uint8_t **out, size_t *size,
                            allot_err *err)
{
    *size = n;
    if (is_surely_nfc(text, n)) {
        *out = (utf8proc_uint8_t *)allot_mem_text(text, n, err);
        return *out ? ALLOT_OK : ALLOT_ERUNTIME;
    }
    utf8proc_ssize_t mapped = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, out,
                                           UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (mapped < 0)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot normalise the text: %s",
                          utf8proc_errmsg(mapped));
    *size = (size_t)mapped;
    return ALLOT_OK;
}

allot_code allot_key_of_text(const char *text, size_t n, allot_key *out, allot_err *err)
{
    utf8proc_uint8_t *nfc = NULL;
    size_t size;
    allot_code rc = check_text(text, n, err);
    if (!rc) rc = normalise(text, n, &nfc, &size, err);
    if (rc) return rc;
    size = collapse(nfc, size);
    if (size == 0) rc = allot_fail(err, ALLOT_EINPUT, "the text is empty");
    else rc = allot_sha256(nfc, size, out->b, err);
    free(nfc);
    return rc;
}

void allot_key_hex(const allot_key *k, char out[65])
{
    allot_hex(k->b, sizeof k->b, out);
}

allot_code allot_key_parse(const char *hex, allot_key *out, allot_err *err)
{
    static const char digits[] = "0123456789abcdef";
    allot_key k = {{0}};
    if (strlen(hex) != 64 || strspn(hex, digits) != 64)
        return allot_fail(err, ALLOT_EINPUT,
                          "'%.80s' is not a query key (64 lower-case hex digits)", hex);
    for (int i = 0; i < 64; i++)
        k.b[i / 2] = (uint8_t)(k.b[i / 2] << 4 | (strchr(digits, hex[i]) - digits));
    *out = k;
    return ALLOT_OK;
}

int allot_key_compare(const allot_key *a, const allot_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

uint64_t allot_key_u64(const allot_key *k)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | k->b[i];
    return v;
}

/* The slot where the key is, or the empty one where it would be. All 32 bytes are hashed: keys of
 * hand-made files need not be random. */
static size_t slot_of(const allot_keyindex *ix, const allot_key *k)
{
    size_t i = (size_t)allot_fnv1a(ALLOT_FNV_START, k->b, sizeof k->b) & (ix->n_slots - 1);
    while (ix->slots[i] && allot_key_compare(&ix->keys[ix->slots[i] - 1], k))
        i = (i + 1) & (ix->n_slots - 1);
    return i;
}

allot_code allot_keyindex_build(allot_keyindex *ix, const allot_key *keys, size_t n,
                                const char *where, allot_err *err)
{
    char hex[65];
    size_t repeated = 0, first = 0, second = 0;
    *ix = (allot_keyindex){.keys = keys, .n = n, .n_slots = 16};
    if (n >= UINT32_MAX / 2)
        return allot_fail(err, ALLOT_EINPUT, "cannot index '%s': it has more than 2^31 rows",
                          where);
    while (ix->n_slots < 2 * n)
        ix->n_slots *= 2;
    ix->slots = allot_mem_array(ix->n_slots, sizeof *ix->slots, err);
    if (!ix->slots) return ALLOT_ERUNTIME;
    for (size_t i = 0; i < n; i++) {
        uint32_t *slot = &ix->slots[slot_of(ix, &keys[i])];
        if (!*slot) {
            *slot = (uint32_t)i + 1;
        } else if (repeated++ == 0) {
            first = *slot - 1;
            second = i;
        }
    }
    if (!repeated) return ALLOT_OK;
    allot_keyindex_clear(ix);
    allot_key_hex(&keys[first], hex);
    return allot_fail(err, ALLOT_EINPUT,
                      "'%s': %zu of %zu rows repeat a query, e.g. key %.16s in "
                      "rows %zu and %zu (a query may occur once; make the file again)",
                      where, repeated, n, hex, first, second);
}

long allot_keyindex_find(const allot_keyindex *ix, const allot_key *k)
{
    return ix->n ? (long)ix->slots[slot_of(ix, k)] - 1 : -1;
}

void allot_keyindex_clear(allot_keyindex *ix)
{
    free(ix->slots);
    *ix = (allot_keyindex){0};
}

allot_code allot_key_join(const allot_key *want, size_t n_want, const char *want_file,
                          const allot_keyindex *have, const char *have_file, const char *remedy,
                          long *rows, allot_err *err)
{
    size_t missing = 0, example = 0;
    char hex[65];
    for (size_t i = 0; i < n_want; i++) {
        rows[i] = allot_keyindex_find(have, &want[i]);
        if (rows[i] < 0 && missing++ == 0) example = i;
    }
    if (!missing) return ALLOT_OK;
    allot_key_hex(&want[example], hex);
    return allot_fail(err, ALLOT_EMISMATCH,
                      "'%s' and '%s' do not belong together: %zu of the %zu "
                      "queries of '%s' are not in '%s', e.g. key %.16s in row %zu (%s)",
                      want_file, have_file, missing, n_want, want_file, have_file, hex, example,
                      remedy);
}
