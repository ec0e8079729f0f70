/* SPDX-License-Identifier: Apache-2.0 */
/* What every file behind h5.h needs: ids closed and their failures told, and what was written
 * noted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/store/h5file.h"
#include "liballot/mem.h"
#include "liballot/strategy.h"

void allot_h5_drop(hid_t id)
{
    if (id >= 0) H5Idec_ref(id);
}

allot_code allot_h5_shut(const allot_h5 *h, const char *name, hid_t id, allot_code rc,
                         allot_err *err)
{
    if (id >= 0 && H5Idec_ref(id) < 0 && !rc) rc = allot_h5_failed(h, name, err);
    return rc;
}

allot_code allot_h5_made(const allot_h5 *h, const char *name, hid_t id, allot_err *err)
{
    return id < 0 ? allot_h5_failed(h, name, err) : ALLOT_OK;
}

typedef struct {
    char text[300];
    int out_of_memory;
} complaint;

static herr_t take(unsigned n, const H5E_error2_t *e, void *user)
{
    complaint *c = user;
    if (n == 0 && e->desc) snprintf(c->text, sizeof c->text, "%s", e->desc);
    c->out_of_memory |=
        e->maj_num == H5E_RESOURCE || e->min_num == H5E_NOSPACE || e->min_num == H5E_CANTALLOC;
    return 0;
}

/* What HDF5 says about the call that just failed: the deepest of its errors. Its system errors
 * carry times and addresses, of which only the message in quotes is of use. Returns 1 when it was
 * memory that failed, of which HDF5 often speaks as of something else ("can't find object for ID");
 * where it has no reason to give, it had no memory for one either. */
int allot_h5_complaint(char text[300])
{
    static const char mark[] = "error message = '";
    complaint c = {.out_of_memory = errno == ENOMEM || H5Eget_num(H5E_DEFAULT) <= 0};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &c);
    if (c.out_of_memory) allot_mem_short();
    snprintf(text, 300, "%s", c.out_of_memory ? "out of memory" : c.text);
    const char *inner = strstr(text, mark);
    if (inner) {
        size_t n = strcspn(inner + strlen(mark), "'");
        memmove(text, inner + strlen(mark), n);
        text[n] = 0;
    }
    return c.out_of_memory;
}

allot_code allot_h5_failed(const allot_h5 *h, const char *name, allot_err *err)
{
    char why[300];
    int memory = allot_h5_complaint(why);
    if (memory)
        return allot_fail(err, ALLOT_ERUNTIME, "cannot %s '%s': '/%s': %s",
                          h->writing ? "write" : "read", h->path, name, why);
    if (h->writing)
        return allot_fail(err, ALLOT_ERUNTIME,
                          "cannot write '%s': '/%s': %s (see whether the disk "
                          "is full)",
                          h->path, name, why);
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot read '%s': '/%s': %s (unless memory ran out, the file is damaged; "
                      "make it again)",
                      h->path, name, why);
}

allot_code allot_h5_refuse(const allot_h5 *h, const char *name, const char *what, allot_err *err)
{
    return allot_fail(err, ALLOT_EINPUT,
                      "cannot read '%s': '/%s' %s (docs/formats.md says what "
                      "belongs there)",
                      h->path, name, what);
}

const char *allot_h5_path(const allot_h5 *h)
{
    return h->path;
}

int allot_h5_version(const allot_h5 *h)
{
    return h->version;
}

allot_code allot_h5_note(allot_h5 *h, const allot_h5_written *a, const void *bytes, size_t n,
                         allot_err *err)
{
    allot_h5_written *w = NULL;
    for (size_t i = 0; i < h->n_written && !w; i++)
        if (h->written[i].is_attribute == a->is_attribute && !strcmp(h->written[i].name, a->name))
            w = &h->written[i];
    uint64_t hash = w ? w->hash : ALLOT_FNV_START;
    if (!w) {
        allot_code rc = allot_mem_grow((void **)&h->written, &h->written_capacity, h->n_written + 1,
                                       sizeof *w, err);
        if (rc) return rc;
        w = &h->written[h->n_written++];
    }
    *w = *a;
    w->hash = allot_fnv1a(hash, bytes, n);
    return ALLOT_OK;
}
