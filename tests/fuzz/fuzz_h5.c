/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of HDF5 files. HDF5 itself crashes over files whose structure is damaged (its strdup
 * of a name runs on, for one), which is not ours to mend; so the structure is always whole and the
 * input says what is wrong inside: the first byte which schema's good file is taken, then edits of
 * EDIT_BYTES each. What is accepted is within the bounds that the headers promise. */
#define H5_USE_110_API /* the same calls with newer HDF5 libraries */
#include <hdf5.h>
#include "lib/core/atomicfile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"
#include "tests/fuzz/h5templates.h"

enum { EDIT_BYTES = 16, MAX_EDITS = 8, MAX_OBJECTS = 64, N_SCHEMAS = 5 };

/* HDF5 loses a little memory of its own, too. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static allot_code read_outcomes(const char *path, allot_err *err)
{
    allot_outcomes o = {0};
    allot_code rc = allot_outcomes_load(path, &o, err);
    for (long i = 0; !rc && i < o.n * o.strategies.count; i++)
        assert(o.accuracy[i] >= 0 && o.accuracy[i] <= 1 && o.n_trials[i] >= 0 &&
               isfinite(o.tokens[i]) && isfinite(o.seconds[i]));
    allot_outcomes_clear(&o);
    return rc;
}

static allot_code read_probe(const char *path, allot_err *err)
{
    allot_probefile p = {0};
    allot_code rc = allot_probefile_load(path, &p, err);
    if (!rc) {
        allot_probe_view views[ALLOT_PROBE_VIEWS];
        allot_probe_views(&p.probe, views);
        for (int i = 0; i < ALLOT_PROBE_VIEWS; i++)
            for (long k = 0; k < views[i].dims[0] * (views[i].rank == 2 ? views[i].dims[1] : 1);
                 k++)
                assert(isfinite(views[i].at[k]));
        assert(p.strategies.count > 0 && p.embedding_model);
    }
    allot_probefile_clear(&p);
    return rc;
}

static allot_code read_problems(const char *path, allot_err *err)
{
    allot_problems p = {0};
    allot_code rc = allot_problems_load(path, 1, &p, err);
    for (int c = 0; !rc && c < ALLOT_N_COLS; c++)
        for (long i = 0; i < p.n; i++) {
            size_t n;
            const char *text = allot_strings_at(&p.col[c], i, &n);
            assert(strnlen(text, n) <= n);
        }
    allot_problems_clear(&p);
    return rc;
}

static allot_code read_embeddings(const char *path, allot_err *err)
{
    allot_embeddings e = {0};
    allot_code rc = allot_embeddings_load(path, &e, err);
    for (long i = 0; !rc && i < e.n * e.dim; i++)
        assert(isfinite(e.at[i]));
    allot_embeddings_clear(&e);
    return rc;
}

static allot_code read_splits(const char *path, allot_err *err)
{
    allot_splits s = {0};
    allot_code rc = allot_splits_load(path, &s, err);
    for (long i = 0; !rc && i < s.n; i++)
        assert(s.split[i] < ALLOT_N_SPLITS);
    allot_splits_clear(&s);
    return rc;
}

/* ---- what is done to a good file ---- */

typedef struct {
    allot_code (*make)(const char *path, allot_err *err);
    allot_code (*read)(const char *path, allot_err *err);
    char *bytes; /* the good file */
    size_t n;
    char *names[MAX_OBJECTS]; /* of arrays and, behind them, of the root's attributes */
    int n_arrays, n_names;
} schema;

static schema schemas[N_SCHEMAS] = {{template_outcomes, read_outcomes, NULL, 0, {0}, 0, 0},
                                    {template_probe, read_probe, NULL, 0, {0}, 0, 0},
                                    {template_problems, read_problems, NULL, 0, {0}, 0, 0},
                                    {template_embeddings, read_embeddings, NULL, 0, {0}, 0, 0},
                                    {template_splits, read_splits, NULL, 0, {0}, 0, 0}};

static herr_t note_array(hid_t at, const char *name, const H5O_info_t *info, void *user)
{
    schema *s = user;
    (void)at;
    if (info->type == H5O_TYPE_DATASET) s->names[s->n_names++] = strdup(name);
    return 0;
}

static herr_t note_attribute(hid_t at, const char *name, const H5A_info_t *info, void *user)
{
    schema *s = user;
    (void)at;
    (void)info;
    s->names[s->n_names++] = strdup(name);
    return 0;
}

static void make_good(schema *s)
{
    allot_err err;
    char good[128];
    snprintf(good, sizeof good, "%s/good", fuzz_folder());
    assert(!s->make(good, &err));
    assert(!allot_file_read(good, FUZZ_MAX_BYTES, &s->bytes, &s->n, &err));
    hid_t file = H5Fopen(good, H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_array, s);
    s->n_arrays = s->n_names;
    H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, NULL, note_attribute, s);
    H5Fclose(file);
    unlink(good);
    assert(s->n_arrays > 0 && s->n_names > s->n_arrays && s->n_names < MAX_OBJECTS);
}

/* Some of an array's or attribute's bytes become others. */
static void overwrite(hid_t id, int is_array, const uint8_t *e)
{
    hid_t space = is_array ? H5Dget_space(id) : H5Aget_space(id);
    hid_t type = is_array ? H5Dget_type(id) : H5Aget_type(id);
    size_t n = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
    size_t at = e[2] | (size_t)e[3] << 8, count = e[4] % 9;
    uint8_t *bytes = calloc(n + 8, 1);
    if (bytes && n && H5Tis_variable_str(type) <= 0) {
        is_array ? H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes)
                 : H5Aread(id, type, bytes);
        memcpy(bytes + at % n, e + 5, count);
        is_array ? H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes)
                 : H5Awrite(id, type, bytes);
    }
    free(bytes);
    H5Tclose(type);
    H5Sclose(space);
}

/* Another of any type and shape takes its place, every number of it the same; or a huge one of
 * which nothing is in the file. */
static void replace(hid_t file, const char *name, int is_array, const uint8_t *e)
{
    const hid_t types[] = {H5T_STD_U8LE,   H5T_STD_I32LE,  H5T_STD_I64LE, H5T_IEEE_F32LE,
                           H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_STD_U64LE, H5T_C_S1};
    const int huge = e[2] & 16 ? e[7] % 50 : 0;
    const hsize_t dims[] = {(hsize_t)(e[4] % 9) << huge, e[5] % 9, e[6] % 9};
    hid_t type = H5Tcopy(types[e[2] % 8]), space = H5Screate_simple(e[3] % 4, dims, NULL);
    if (e[2] % 8 == 7) H5Tset_size(type, e[2] & 8 ? H5T_VARIABLE : (size_t)e[7] + 1);
    size_t n = huge ? 0 : (size_t)H5Sget_simple_extent_npoints(space), size = H5Tget_size(type);
    char text[9] = {0}, *at = memcpy(text, e + 8, 8);
    uint8_t *bytes = calloc(n + 1, size > 8 ? size : 8);
    for (size_t i = 0; bytes && i < n; i++)
        if (H5Tis_variable_str(type) > 0) memcpy(bytes + i * size, &at, sizeof at);
        else memcpy(bytes + i * size, text, size < 8 ? size : 8);
    hid_t id = is_array ? H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)
                        : H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (bytes && id >= 0 && !huge)
        is_array ? H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes)
                 : H5Awrite(id, type, bytes);
    if (id >= 0) H5Idec_ref(id);
    free(bytes);
    H5Tclose(type);
    H5Sclose(space);
}

/* Edit: which, how, and 14 bytes more. */
static void edit(hid_t file, const schema *s, const uint8_t *e)
{
    int i = e[0] % s->n_names, is_array = i < s->n_arrays;
    const char *name = s->names[i];
    if (e[1] % 3 == 0) {
        hid_t id = is_array ? H5Dopen2(file, name, H5P_DEFAULT) : H5Aopen(file, name, H5P_DEFAULT);
        if (id < 0) return; /* gone by an earlier edit */
        overwrite(id, is_array, e);
        H5Idec_ref(id);
        return;
    }
    if ((is_array ? H5Ldelete(file, name, H5P_DEFAULT) : H5Adelete(file, name)) < 0) return;
    if (e[1] % 3 == 1) replace(file, name, is_array, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0) return 0;
    schema *s = &schemas[*data % N_SCHEMAS];
    allot_err err = {0};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!s->bytes) make_good(s);
    const char *path = fuzz_file((const uint8_t *)s->bytes, s->n);
    hid_t file = path ? H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT) : -1;
    if (file < 0) return 0;
    size_t n_edits = (n - 1) / EDIT_BYTES;
    for (size_t i = 0; i < n_edits && i < MAX_EDITS; i++)
        edit(file, s, data + 1 + i * EDIT_BYTES);
    H5Fclose(file);
    if (s->read(path, &err)) assert(n_edits > 0 && err.code && err.msg[0]);
    return 0;
}
