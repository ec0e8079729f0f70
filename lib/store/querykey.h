/* SPDX-License-Identifier: Apache-2.0 */
/* querykey.h - the key of a query: SHA-256 of its text in UTF-8 NFC with runs of white space
 * collapsed to one blank and the ends trimmed; case kept, no NFKC. Joins between files are by key,
 * never by row. */
#ifndef ALLOT_QUERYKEY_H
#define ALLOT_QUERYKEY_H
#include <stddef.h>
#include <stdint.h>
#include "liballot/err.h"

typedef struct {
    uint8_t b[32];
} allot_key;

/* Refuses invalid UTF-8, NUL bytes and text that is empty after trimming. */
ALLOT_MUST_CHECK allot_code allot_key_of_text(const char *text, size_t n, allot_key *out,
                                              allot_err *err);
void allot_key_hex(const allot_key *k, char out[65]);
ALLOT_MUST_CHECK allot_code allot_key_parse(const char *hex, allot_key *out, allot_err *err);
int allot_key_compare(const allot_key *a, const allot_key *b);
/* First 8 bytes, for RNG streams. */
uint64_t allot_key_u64(const allot_key *k);

/* Map from key to row. */
typedef struct {
    const allot_key *keys; /* borrowed [n]; must outlive the index */
    size_t n;
    uint32_t *slots; /* owned open-addressing table */
    size_t n_slots;
} allot_keyindex;

/* Refuses a key that occurs twice, naming both rows; where: the file, for messages. */
ALLOT_MUST_CHECK allot_code allot_keyindex_build(allot_keyindex *ix, const allot_key *keys,
                                                 size_t n, const char *where, allot_err *err);
long allot_keyindex_find(const allot_keyindex *ix, const allot_key *k); /* row, or -1 */
void allot_keyindex_clear(allot_keyindex *ix);

/* rows[n_want] = row in ix of each wanted key. Refuses missing ones with a message that names
 * want_file, have_file, the count, one example and the remedy. */
ALLOT_MUST_CHECK allot_code allot_key_join(const allot_key *want, size_t n_want,
                                           const char *want_file, const allot_keyindex *have,
                                           const char *have_file, const char *remedy, long *rows,
                                           allot_err *err);
#endif
