/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, writes and checks the array of keys, which may not have one twice. */
#include "lib/store/keyrows.h"

enum { KEY_BYTES = sizeof(allot_key) };

allot_code allot_keyrows_read(allot_h5 *h, allot_key **keys, long *n, allot_err *err)
{
    long dims[2] = {ALLOT_H5_ANY, KEY_BYTES};
    void *p;
    allot_code rc = allot_h5_read(h, "key", ALLOT_H5_U8, 2, dims, &p, err);
    *keys = p;
    *n = rc ? 0 : dims[0];
    return rc;
}

allot_code allot_keyrows_write(allot_h5 *h, const allot_key *keys, long n, allot_err *err)
{
    return allot_h5_write(h, "key", ALLOT_H5_U8, 2, (long[]){n, KEY_BYTES}, keys, err);
}

allot_code allot_keyrows_append(allot_h5 *h, const allot_key *keys, long n, allot_err *err)
{
    return allot_h5_append(h, "key", ALLOT_H5_U8, 2, (long[]){KEY_BYTES}, n, keys, err);
}

allot_code allot_keyrows_check(const allot_key *keys, long n, const char *path, allot_err *err)
{
    allot_keyindex index;
    allot_code rc = allot_keyindex_build(&index, keys, (size_t)n, path, err);
    allot_keyindex_clear(&index);
    return rc;
}
