/* SPDX-License-Identifier: Apache-2.0 */
/* keyrows.h - the array "key" uint8 [Q,32] that every file of rows by query begins with. */
#ifndef ALLOT_KEYROWS_H
#define ALLOT_KEYROWS_H
#include "lib/store/h5.h"
#include "lib/store/querykey.h"

/* *keys [*n] is allocated; the caller frees. */
ALLOT_MUST_CHECK allot_code allot_keyrows_read(allot_h5 *h, allot_key **keys, long *n,
                                               allot_err *err);
ALLOT_MUST_CHECK allot_code allot_keyrows_write(allot_h5 *h, const allot_key *keys, long n,
                                                allot_err *err);
/* n more rows behind those written before. */
ALLOT_MUST_CHECK allot_code allot_keyrows_append(allot_h5 *h, const allot_key *keys, long n,
                                                 allot_err *err);
/* Refuses a key that occurs twice; path: for the message. */
ALLOT_MUST_CHECK allot_code allot_keyrows_check(const allot_key *keys, long n, const char *path,
                                                allot_err *err);
#endif
