/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the root group, and texts too long for one. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/h5file.h"
#include "liballot/mem.h"

#define MAX_ATTRIBUTE 60000 /* object headers hold 64 KiB a message; longer texts are arrays */
#define MAX_TEXT (16L << 20)

static allot_code write_attribute(allot_h5 *h, const char *name, hid_t stored, hid_t memory,
                                  const void *value, size_t n, allot_err *err)
{
    allot_h5_written w = {.is_attribute = 1};
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = space < 0 ? -1 : H5Acreate2(h->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    herr_t done = id < 0 ? -1 : H5Awrite(id, memory, value);
    allot_code rc = done < 0 ? allot_h5_failed(h, name, err) : ALLOT_OK;
    rc = allot_h5_shut(h, name, id, rc, err);
    allot_h5_drop(space);
    snprintf(w.name, sizeof w.name, "%s", name);
    return rc ? rc : allot_h5_note(h, &w, value, n, err);
}

/* Reads a scalar; want < 0 means a string, whose type goes to *found and whose size is bounded. */
static allot_code open_attribute(const allot_h5 *h, const char *name, hid_t want, hid_t *id,
                                 hid_t *found, allot_err *err)
{
    const char *fault = NULL;
    *id = *found = -1;
    htri_t there = H5Aexists(h->file, name);
    if (there < 0) return allot_h5_failed(h, name, err);
    if (there == 0)
        return allot_fail(err, ALLOT_EINPUT,
                          "cannot read '%s': attribute '%s' is missing "
                          "(docs/formats.md says what belongs there)",
                          h->path, name);
    *id = H5Aopen(h->file, name, H5P_DEFAULT);
    hid_t space = *id < 0 ? -1 : H5Aget_space(*id);
    *found = space < 0 ? -1 : H5Aget_type(*id);
    if (*found < 0) {
        allot_code rc = allot_h5_failed(h, name, err);
        allot_h5_drop(space);
        allot_h5_drop(*id);
        return rc;
    }
    if (H5Sget_simple_extent_type(space) != H5S_SCALAR) fault = "is not a single value";
    else if (want >= 0 && H5Tequal(*found, want) <= 0)
        fault = "is not a little-endian number of 64 bits of its kind";
    else if (want < 0 && (H5Tget_class(*found) != H5T_STRING || H5Tis_variable_str(*found) != 0 ||
                          H5Tget_size(*found) > MAX_TEXT))
        fault = "is not a string of fixed size (in Python: numpy.bytes_)";
    allot_h5_drop(space);
    if (!fault) return ALLOT_OK;
    allot_h5_drop(*id);
    allot_h5_drop(*found);
    return allot_fail(err, ALLOT_EINPUT, "cannot read '%s': attribute '%s' %s", h->path, name,
                      fault);
}

static allot_code read_number(allot_h5 *h, const char *name, hid_t stored, hid_t memory, void *out,
                              allot_err *err)
{
    hid_t id, found;
    allot_code rc = open_attribute(h, name, stored, &id, &found, err);
    if (rc) return rc;
    if (H5Aread(id, memory, out) < 0) rc = allot_h5_failed(h, name, err);
    allot_h5_drop(found);
    allot_h5_drop(id);
    return rc;
}

/* A text too long for an attribute lives in an array of bytes, "text/NAME". */
static void text_array_name(const char *name, char out[ALLOT_H5_MAX_NAME])
{
    snprintf(out, ALLOT_H5_MAX_NAME, "text/%s", name);
}

allot_code allot_h5_set_text(allot_h5 *h, const char *name, const char *value, allot_err *err)
{
    char long_name[ALLOT_H5_MAX_NAME];
    long n = (long)strlen(value);
    if (n > MAX_ATTRIBUTE) {
        text_array_name(name, long_name);
        return allot_h5_write(h, long_name, ALLOT_H5_U8, 1, &n, value, err);
    }
    hid_t type = H5Tcopy(H5T_C_S1);
    int bad = H5Tset_size(type, (size_t)n + 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0;
    allot_code rc = allot_h5_made(h, name, bad ? -1 : type, err);
    if (!rc) rc = write_attribute(h, name, type, type, value, (size_t)n + 1, err);
    allot_h5_drop(type);
    return rc;
}

static allot_code get_long_text(allot_h5 *h, const char *name, char **value, allot_err *err)
{
    void *bytes = NULL;
    long n;
    allot_code rc = allot_h5_shape(h, name, ALLOT_H5_U8, 1, &n, err);
    if (!rc && n > MAX_TEXT) rc = allot_h5_refuse(h, name, "is longer than 16 MiB", err);
    if (!rc) rc = allot_h5_read(h, name, ALLOT_H5_U8, 1, &n, &bytes, err);
    if (!rc && memchr(bytes, 0, (size_t)n)) rc = allot_h5_refuse(h, name, "has a zero byte", err);
    if (!rc && !(*value = allot_mem_text(bytes, (size_t)n, err))) rc = ALLOT_ERUNTIME;
    free(bytes);
    return rc;
}

int allot_h5_has_text(const allot_h5 *h, const char *name)
{
    char long_name[ALLOT_H5_MAX_NAME];
    text_array_name(name, long_name);
    return H5Aexists(h->file, name) > 0 || allot_h5_has(h, long_name);
}

allot_code allot_h5_get_text(allot_h5 *h, const char *name, char **value, allot_err *err)
{
    char long_name[ALLOT_H5_MAX_NAME];
    hid_t id, found;
    *value = NULL;
    text_array_name(name, long_name);
    if (H5Aexists(h->file, name) == 0 && allot_h5_has(h, long_name))
        return get_long_text(h, long_name, value, err);
    allot_code rc = open_attribute(h, name, -1, &id, &found, err);
    if (rc) return rc;
    hid_t type = H5Tcopy(H5T_C_S1);
    size_t size = H5Tget_size(found) + 1;
    int bad = H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5Tget_cset(found)) < 0;
    rc = allot_h5_made(h, name, bad ? -1 : type, err);
    if (!rc && !(*value = allot_mem_array(size, 1, err))) {
        rc = ALLOT_ERUNTIME;
    } else if (!rc && H5Aread(id, type, *value) < 0) {
        rc = allot_h5_failed(h, name, err);
        free(*value);
        *value = NULL;
    }
    allot_h5_drop(type);
    allot_h5_drop(found);
    allot_h5_drop(id);
    return rc;
}

allot_code allot_h5_set_long(allot_h5 *h, const char *name, long value, allot_err *err)
{
    int64_t v = value;
    return write_attribute(h, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &v, sizeof v, err);
}

allot_code allot_h5_get_long(allot_h5 *h, const char *name, long min, long max, long *value,
                             allot_err *err)
{
    int64_t v = 0;
    allot_code rc = read_number(h, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &v, err);
    if (!rc && (v < min || v > max))
        rc = allot_fail(err, ALLOT_EINPUT,
                        "cannot read '%s': attribute '%s' is %lld, not from %ld "
                        "to %ld",
                        h->path, name, (long long)v, min, max);
    if (!rc) *value = (long)v;
    return rc;
}
