/* SPDX-License-Identifier: Apache-2.0 */
/* Files: opening, checking the schema, creating, committing. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/store/h5file.h"
#include "liballot/mem.h"

/* HDF5's own words for these three are unreadable. */
static allot_code check_regular(const char *path, uint64_t *size, allot_err *err)
{
    struct stat st;
    if (stat(path, &st))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %s, not a file", path,
                          S_ISDIR(st.st_mode) ? "it is a directory" : "it is a device or pipe");
    if (st.st_size == 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': the file is empty (the step that "
                          "makes it did not finish; run it again)",
                          path);
    *size = (uint64_t)st.st_size;
    return ALLOT_OK;
}

/* Locks are of no use: a file is complete before it has its name. */
static hid_t access_list(void)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    H5Pset_file_locking(fapl, 0, 1);
#endif
    return fapl;
}

/* HDF5's clean-up at exit crashes over a file that could not be written (disk full); we close every
 * file ourselves. Both calls are harmless when repeated. */
static allot_h5 *new_handle(const char *path, allot_err *err)
{
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    allot_h5 *h = allot_mem_array(1, sizeof *h, err);
    if (!h) return NULL;
    h->file = -1;
    h->path = allot_mem_text(path, strlen(path), err);
    if (!h->path) {
        free(h);
        return NULL;
    }
    return h;
}

static allot_code check_schema(allot_h5 *h, const char *schema, allot_versions range,
                               allot_err *err)
{
    char *found = NULL;
    long v;
    htri_t there = H5Aexists(h->file, "schema");
    if (there < 0) return allot_h5_failed(h, "schema", err);
    if (there == 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': it is an HDF5 file without the "
                          "attribute 'schema', not '%s'",
                          h->path, schema);
    allot_code rc = allot_h5_get_text(h, "schema", &found, err);
    if (rc) return rc;
    if (strcmp(found, schema))
        rc = allot_fail(err, ALLOT_EINPUT, "cannot read '%s': its schema is '%.64s', expected '%s'",
                        h->path, found, schema);
    free(found);
    if (rc) return rc;
    rc = allot_h5_get_long(h, "version", 0, INT_MAX, &v, err);
    if (rc) return rc;
    char where[300];
    snprintf(where, sizeof where, "cannot read '%.250s'", h->path);
    h->version = (int)v;
    return allot_versions_check(range, v, schema, where, err);
}

allot_code allot_h5_open(const char *path, const char *schema, allot_versions range, allot_h5 **out,
                         allot_err *err)
{
    allot_input_note(path);
    return allot_h5_reopen(path, schema, range, out, err);
}

allot_code allot_h5_reopen(const char *path, const char *schema, allot_versions range,
                           allot_h5 **out, allot_err *err)
{
    char why[300];
    uint64_t size = 0;
    *out = NULL;
    allot_code rc = check_regular(path, &size, err);
    if (rc) return rc;
    allot_h5 *h = new_handle(path, err);
    if (!h) return ALLOT_ERUNTIME;
    h->on_disk = size;
    hid_t fapl = access_list();
    h->file = H5Fopen(path, H5F_ACC_RDONLY, fapl);
    if (h->file < 0) {
        int memory = allot_h5_complaint(why);
        rc = allot_fail(err, memory ? ALLOT_ERUNTIME : ALLOT_EINPUT, "cannot read '%s': %s%s", path,
                        why, memory ? "" : " (not an HDF5 file, or cut off; make it again)");
    } else {
        rc = schema ? check_schema(h, schema, range, err) : ALLOT_OK;
    }
    allot_h5_drop(fapl);
    if (rc) allot_h5_close(&h);
    *out = h;
    return rc;
}

/* user: the schema. */
static int has_schema(const char *path, const void *user)
{
    allot_h5 *h = NULL;
    char *found = NULL;
    int yes = allot_h5_reopen(path, NULL, (allot_versions){0}, &h, NULL) == ALLOT_OK &&
              allot_h5_get_text(h, "schema", &found, NULL) == ALLOT_OK && !strcmp(found, user);
    free(found);
    allot_h5_close(&h);
    return yes;
}

allot_code allot_h5_create(const char *path, const char *schema, int version, allot_h5 **out,
                           allot_err *err)
{
    char why[300];
    *out = NULL;
    allot_h5 *h = new_handle(path, err);
    if (!h) return ALLOT_ERUNTIME;
    char what[160];
    snprintf(what, sizeof what, "a file of kind '%.100s'", schema);
    allot_code rc = allot_atomic_path(&h->out, path, &(allot_kind){what, has_schema, schema}, err);
    if (rc) {
        allot_h5_close(&h);
        return rc;
    }
    h->writing = 1;
    hid_t fapl = access_list(), fcpl = H5Pcreate(H5P_FILE_CREATE);
    /* The oldest format that holds our data, so that any HDF5 since 1.8 can read it. */
    int bad = H5Pset_obj_track_times(fcpl, 0) < 0 ||
              H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) < 0;
    if (!bad) h->file = H5Fcreate(h->out.tmp, H5F_ACC_TRUNC, fcpl, fapl);
    if (h->file < 0) {
        allot_h5_complaint(why); /* often not of what was short */
        rc = allot_fail(err, ALLOT_ERUNTIME,
                        "cannot write '%s': %s (see whether disk or memory is "
                        "full)",
                        path, why);
    }
    allot_h5_drop(fapl);
    allot_h5_drop(fcpl);
    if (!rc) rc = allot_h5_set_text(h, "schema", schema, err);
    if (!rc) rc = allot_h5_set_long(h, "version", version, err);
    if (rc) allot_h5_close(&h);
    *out = h;
    return rc;
}

static allot_code read_back(const allot_h5 *h, allot_err *err)
{
    allot_h5 *in = NULL;
    allot_err why = {0};
    allot_code rc = allot_h5_reopen(h->out.tmp, NULL, (allot_versions){0}, &in, &why);
    if (!rc) rc = allot_h5_verify(h, in, &why);
    allot_h5_close(&in);
    if (!rc) return ALLOT_OK;
    return allot_fail(err, ALLOT_ERUNTIME,
                      "cannot write '%s': reading it back: %s (see whether the disk is full or "
                      "failing, and run it again)",
                      h->path, why.msg);
}

allot_code allot_h5_commit(allot_h5 **hp, allot_err *err)
{
    allot_h5 *h = *hp;
    allot_code rc = ALLOT_OK;
    if (H5Fflush(h->file, H5F_SCOPE_GLOBAL) < 0) rc = allot_h5_failed(h, "", err);
    herr_t closed = H5Fclose(h->file);
    h->file = -1;
    if (!rc && closed < 0) rc = allot_h5_failed(h, "", err);
    if (!rc) rc = read_back(h, err);
    if (!rc) rc = allot_atomic_commit(&h->out, err);
    allot_h5_close(hp);
    return rc;
}

void allot_h5_close(allot_h5 **hp)
{
    allot_h5 *h = *hp;
    if (!h) return;
    if (h->file >= 0) H5Fclose(h->file);
    if (h->writing) allot_atomic_abort(&h->out);
    free(h->written);
    free(h->path);
    free(h);
    *hp = NULL;
}
