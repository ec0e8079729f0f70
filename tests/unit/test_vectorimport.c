/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors made elsewhere: .npy files read to the byte, rows named by key, file or text. */
#include "tests/unit/formats.h"
#include "lib/readers/npyfile.h"
#include "datasets/vectorimport.h"

#define HEADER(type, order, shape)                                                                 \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }\n"
#define CANNOT "cannot read 'x.npy': "
#define NO_DICTIONARY "its header is not a dictionary of descr, fortran_order and shape, once each"
#define REMEDY " (save it with numpy.save(path, x.astype('float32', order='C')))"

/* x.npy with this header; n bytes of numbers behind it. */
static void write_npy(int version, const char *header, const void *numbers, size_t n)
{
    char file[512] = "\x93NUMPY";
    size_t length = strlen(header), at = version == 1 ? 10 : 12;
    file[6] = (char)version;
    file[8] = (char)length;
    memcpy(file + at, header, length);
    memcpy(file + at + length, numbers, n);
    WORKS(allot_file_write("x.npy", &allot_kind_any, file, at + length + n, &err));
}

static void both_types_are_read(void **state)
{
    (void)state;
    static const double wide[] = {1, -2.5, 3, 0.1, 5, 1e-3};
    static const float narrow[] = {1, -2.5f, 3, 0.1f, 5, 1e-3f};
    float *at;
    long rows, columns;
    for (int version = 1; version <= 3; version++) {
        if (version == 2) write_npy(2, HEADER("<f8", "False", "(2, 3)"), wide, sizeof wide);
        else write_npy(version, HEADER("<f4", "False", "(2,3)"), narrow, sizeof narrow);
        WORKS(allot_npy_load("x.npy", 3, &at, &rows, &columns, &err));
        assert_int_equal(rows, 2);
        assert_int_equal(columns, 3);
        assert_memory_equal(at, narrow, sizeof narrow);
        free(at);
    }
}

static void halves_are_exact(void **state)
{
    (void)state;
    static const uint16_t half[] = {0x3c00, 0xc100, 0x0001, 0x7bff, 0x8000, 0xfc00, 0x7e01, 0x0400};
    static const float want[] = {1, -2.5f, 0x1p-24f, 65504, -0.0f, -INFINITY, 0, 0x1p-14f};
    float *at;
    long rows, columns;
    write_npy(1, HEADER("<f2", "False", "(1, 8)"), half, sizeof half);
    WORKS(allot_npy_load("x.npy", 8, &at, &rows, &columns, &err));
    for (int i = 0; i < 8; i++)
        assert_true(i == 6 ? isnan(at[i]) : at[i] == want[i]);
    assert_true(signbit(at[4]));
    free(at);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    static const float x[6] = {0};
    static const struct {
        const char *header;
        size_t bytes;
        const char *message;
    } bad[] = {
        {HEADER("<i4", "False", "(2, 3)"), 24,
         CANNOT "its numbers are not '<f2', '<f4' or '<f8' (float16, 32, 64)" REMEDY},
        {HEADER(">f4", "False", "(2, 3)"), 24, CANNOT "its numbers are big-endian" REMEDY},
        {HEADER("<f4", "0", "(2, 3)"), 24, CANNOT "its fortran_order is not a bool" REMEDY},
        {HEADER("<f4", "True", "(2, 3)"), 24,
         CANNOT "it is stored column by column (fortran_order)" REMEDY},
        {HEADER("<f4", "False", "(6,)"), 24, CANNOT "its shape is not (rows, columns)" REMEDY},
        {HEADER("<f4", "False", "(2, 3, 1)"), 24, CANNOT "its shape is not (rows, columns)" REMEDY},
        {HEADER("<f4", "False", "(-2, 3)"), 24, CANNOT "its shape is not (rows, columns)" REMEDY},
        {HEADER("<f4", "False", "(99999999999999999999, 3)"), 24,
         CANNOT "its shape is not (rows, columns)" REMEDY},
        {"{'descr': '<f4', 'shape': (2, 3)}\n", 24, CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "False", "(2, 3), 'shape': (3, 2)"), 24, CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "False", "(2, 3), 'more': 1"), 24, CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "False", "(2, 3) 4"), 24, CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "Falsehood", "(2, 3)"), 24, CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "False", "(2, 3)") "x", 24, CANNOT NO_DICTIONARY REMEDY},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 24,
         CANNOT NO_DICTIONARY REMEDY},
        {HEADER("<f4", "False", "(0, 3)"), 0,
         CANNOT "it has 0 rows of 3 numbers, not at least one row of 1 to 3"},
        {HEADER("<f4", "False", "(1, 4)"), 16,
         CANNOT "it has 1 rows of 4 numbers, not at least one row of 1 to 3"},
        {HEADER("<f4", "False", "(2, 3)"), 23,
         CANNOT "2 rows of 3 numbers are 24 bytes, and 23 follow the header (it was cut short, or "
                "something was appended)"}};
    float *at;
    long rows, columns;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_npy(1, bad[i].header, x, bad[i].bytes);
        REFUSED(allot_npy_load("x.npy", 3, &at, &rows, &columns, &err), ALLOT_EINPUT,
                bad[i].message);
        assert_null(at);
    }
    WORKS(allot_file_write("x.npy", &allot_kind_any, "\x93NUMPY\4\0\0\0", 10, &err));
    REFUSED(allot_npy_load("x.npy", 3, &at, &rows, &columns, &err), ALLOT_EINPUT,
            CANNOT "its version is not 1, 2 or 3" REMEDY);
    WORKS(allot_file_write("x.npy", &allot_kind_any, "\x93NUMPY\1\0\xff\x0f{", 11, &err));
    REFUSED(allot_npy_load("x.npy", 3, &at, &rows, &columns, &err), ALLOT_EINPUT,
            CANNOT "it is cut short" REMEDY);
    WORKS(allot_file_write("x.npy", &allot_kind_any, "PK", 2, &err));
    REFUSED(allot_npy_load("x.npy", 3, &at, &rows, &columns, &err), ALLOT_EINPUT,
            CANNOT "it does not begin as a .npy file" REMEDY);
}

/* Three rows, the third repeats the first's text with other blanks. */
static void rows_find_their_queries(void **state)
{
    (void)state;
    static const float x[] = {3, 4, 0, 1, 9, 9};
    static const char lines[] =
        "{\"question\": \"1+1=?\"}\n\n{\"question\": \"2+2 =?\"}\n{\"question\": \" 1+1=?\"}\n";
    char list[3][65];
    allot_key key[] = {key_of("1+1=?"), key_of("2+2 =?")};
    allot_embeddings e;
    long repeated;
    write_npy(1, HEADER("<f4", "False", "(3, 2)"), x, sizeof x);
    WORKS(allot_file_write("p.jsonl", &allot_kind_any, lines, sizeof lines - 1, &err));
    for (int i = 0; i < 3; i++) {
        allot_key_hex(&key[i % 2], list[i]);
        list[i][64] = '\n';
    }
    WORKS(allot_file_write("keys", &allot_kind_any, list, sizeof list, &err));
    allot_vectorimport s = {
        .npy = "x.npy", .order = "p.jsonl", .model = "m", .pooling = "cls", .prefix = "Q: "};
    for (int by_key = 0; by_key < 2; by_key++) {
        if (by_key) s.order = NULL, s.keys = "keys";
        WORKS(allot_vectors_import(&s, &e, &repeated, &err));
        assert_int_equal(e.n, 2);
        assert_int_equal(e.dim, 2);
        assert_int_equal(repeated, 1);
        assert_memory_equal(e.keys, key, sizeof key);
        assert_memory_equal(e.at, x, 4 * sizeof *x);
        assert_string_equal(e.pooling, "cls");
        assert_string_equal(e.prefix, "Q: ");
        allot_embeddings_clear(&e);
    }
    s.normalized = 1;
    REFUSED(allot_vectors_import(&s, &e, &repeated, &err), ALLOT_EINPUT,
            "'x.npy': row 0 has length 5, not 1 (leave --normalized out)");
    WORKS(allot_file_write("keys", &allot_kind_any, list, 2 * sizeof *list, &err));
    REFUSED(allot_vectors_import(&s, &e, &repeated, &err), ALLOT_EMISMATCH,
            "'keys' names 2 rows, 'x.npy' has 3 (they must be made from the same file, in the same "
            "order)");
    WORKS(allot_file_write("keys", &allot_kind_any, list, 100, &err));
    allot_err err = {0};
    assert_int_equal(allot_vectors_import(&s, &e, &repeated, &err), ALLOT_EINPUT);
    assert_int_equal(strncmp(err.msg, "key 2 of 'keys': ", 17), 0);
    assert_null(e.keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_types_are_read), cmocka_unit_test(halves_are_exact),
        cmocka_unit_test(wrong_files_are_refused), cmocka_unit_test(rows_find_their_queries)};
    return cmocka_run_group_tests_name("vectorimport", tests, enter_folder, leave_folder);
}
