/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h - for the tests of file formats: a folder of one's own, calls that must work (WORKS) or
 * must be refused with exactly this code and message (REFUSED), and small valid contents. The calls
 * report into `err`. */
#ifndef ALLOT_TEST_FORMATS_H
#define ALLOT_TEST_FORMATS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/core/atomicfile.h"
#include "lib/store/h5.h"
#include "lib/core/json.h"
#include "lib/store/querykey.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"

#define WORKS(call)                                                                                \
    do {                                                                                           \
        allot_err err = {0};                                                                       \
        if ((call) != ALLOT_OK) fail_msg("%s", err.msg);                                           \
    } while (0)
#define REFUSED(call, want, message)                                                               \
    do {                                                                                           \
        allot_err err = {0};                                                                       \
        allot_code rc_ = (call);                                                                   \
        assert_string_equal(err.msg, message);                                                     \
        assert_int_equal(rc_, want);                                                               \
        assert_int_equal(err.code, want);                                                          \
    } while (0)

static char folder_[] = "/tmp/allot-test-XXXXXX";

static inline int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder_) && chdir(folder_) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
    (void)state;
    DIR *d = opendir(".");
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && unlink(e->d_name)) (void)rmdir(e->d_name);
    if (d) closedir(d);
    return chdir("/") ||
           rmdir(folder_); /* fails when a temporary file (".x.tmp") was left behind */
}

static inline void same_bytes(const char *a, const char *b)
{
    char *x, *y;
    size_t n, m;
    WORKS(allot_file_read(a, 1 << 24, &x, &n, &err));
    WORKS(allot_file_read(b, 1 << 24, &y, &m, &err));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static inline allot_key key_of(const char *text)
{
    allot_key k;
    WORKS(allot_key_of_text(text, strlen(text), &k, &err));
    return k;
}

/* The set of these texts (comma-separated). */
static inline allot_strategies set_of(const char *texts)
{
    allot_strategies set = {0};
    char copy[512], *rest = copy, *text;
    snprintf(copy, sizeof copy, "%s", texts);
    while ((text = strsep(&rest, ","))) {
        allot_strategy s;
        WORKS(allot_strategy_parse(text, &s, &err));
        WORKS(allot_strategies_add(&set, &s, &err));
    }
    return set;
}

static inline cJSON *object_of(const char *text)
{
    cJSON *o = NULL;
    WORKS(allot_json_parse(text, strlen(text), "test", &o, &err));
    return o;
}

/* What every reader of an HDF5 file must say of files that are none of its own. load is tried on
 * "bad.h5"; good is a valid file of its schema. */
static inline void refuses_wrong_files(allot_code (*load)(const char *path, allot_err *err),
                                       const char *good, const char *schema)
{
    char want[300], *bytes;
    size_t n;
    allot_h5 *h;
    REFUSED(load("absent.h5", &err), ALLOT_ERUNTIME,
            "cannot read 'absent.h5': No such file or directory");
    REFUSED(load(".", &err), ALLOT_ERUNTIME, "cannot read '.': it is a directory, not a file");
    WORKS(allot_file_write("bad.h5", &allot_kind_any, "", 0, &err));
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT,
            "cannot read 'bad.h5': the file is empty (the step "
            "that makes it did not finish; run it again)");
    WORKS(allot_file_read(good, 1 << 24, &bytes, &n, &err));
    WORKS(allot_file_write("bad.h5", &allot_kind_any, bytes, n - 1, &err));
    snprintf(want, sizeof want,
             "cannot read 'bad.h5': truncated file: eof = %zu, sblock->base_addr "
             "= 0, stored_eof = %zu (not an HDF5 file, or cut off; make it again)",
             n - 1, n);
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT, want);
    free(bytes);
    assert_int_equal(unlink("bad.h5"), 0);
    WORKS(allot_h5_create("bad.h5", "allot-other", 1, &h, &err));
    WORKS(allot_h5_commit(&h, &err));
    snprintf(want, sizeof want, "cannot read 'bad.h5': its schema is 'allot-other', expected '%s'",
             schema);
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT, want);
    assert_int_equal(unlink("bad.h5"), 0);
    WORKS(allot_h5_create("bad.h5", schema, 99, &h, &err));
    WORKS(allot_h5_commit(&h, &err));
    snprintf(want, sizeof want,
             "cannot read 'bad.h5': version 99 of '%s', this program reads "
             "version %d (install a newer allot)",
             schema, strcmp(schema, "allot-probe") ? 1 : 2);
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT, want);
}
#endif
