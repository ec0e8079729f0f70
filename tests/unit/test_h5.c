/* SPDX-License-Identifier: Apache-2.0 */
/* h5: what is written is read, the same twice; what another program wrote is checked before use. */
#include "tests/unit/formats.h"
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

static allot_strings strings_of(const char *a, const char *b)
{
    allot_strings s = {0};
    size_t n = 0, bytes = 0;
    WORKS(allot_strings_add(&s, &n, &bytes, a, strlen(a), &err));
    WORKS(allot_strings_add(&s, &n, &bytes, b, strlen(b), &err));
    return s;
}

static void write_all(const char *path)
{
    allot_h5 *h;
    allot_strings s = strings_of("hello", "");
    char *text = allot_mem_array(200001, 1, NULL);
    memset(text, 'x', 200000);
    (void)remove(path);
    WORKS(allot_h5_create(path, "test", 1, &h, &err));
    assert_int_not_equal(access(path, F_OK), 0);
    WORKS(allot_h5_write(h, "m", ALLOT_H5_F32, 2, (long[]){3, 2}, numbers, &err));
    WORKS(allot_h5_write(h, "none", ALLOT_H5_I64, 1, (long[]){0}, NULL, &err));
    for (int i = 0; i < 3; i++) {
        WORKS(allot_h5_append(h, "rows", ALLOT_H5_F32, 2, (long[]){2}, 3, numbers, &err));
        WORKS(allot_h5_append_strings(h, "words", &s, &err));
    }
    WORKS(allot_h5_set_text(h, "short", "", &err));
    WORKS(allot_h5_set_text(h, "long", text, &err));
    WORKS(allot_h5_set_long(h, "whole", -7, &err));
    WORKS(allot_h5_commit(&h, &err));
    assert_null(h);
    allot_strings_clear(&s);
    free(text);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    allot_h5 *h;
    void *p;
    char *text;
    long dims[2] = {ALLOT_H5_ANY, 2}, whole;
    float two[4];
    allot_strings s;
    write_all("a.h5");
    WORKS(allot_h5_open("a.h5", "test", ((allot_versions){1, 1}), &h, &err));
    WORKS(allot_h5_read(h, "m", ALLOT_H5_F32, 2, dims, &p, &err));
    assert_int_equal(dims[0], 3);
    assert_memory_equal(p, numbers, sizeof numbers);
    free(p);
    WORKS(allot_h5_read(h, "none", ALLOT_H5_I64, 1, (long[]){0}, &p, &err));
    assert_non_null(p);
    free(p);
    WORKS(allot_h5_read_rows(h, "rows", ALLOT_H5_F32, 2, 2, 2, two, &err));
    assert_memory_equal(two, ((float[]){5, 6, 1, 2}), sizeof two);
    WORKS(allot_h5_read_strings(h, "words", 6, &s, &err));
    size_t n;
    assert_memory_equal(allot_strings_at(&s, 4, &n), "hello", 5);
    assert_int_equal(n, 5);
    allot_strings_at(&s, 5, &n);
    assert_int_equal(n, 0);
    allot_strings_clear(&s);
    WORKS(allot_h5_get_text(h, "long", &text, &err));
    assert_int_equal(strlen(text), 200000);
    free(text);
    WORKS(allot_h5_get_text(h, "short", &text, &err));
    assert_string_equal(text, "");
    free(text);
    WORKS(allot_h5_get_long(h, "whole", -7, -7, &whole, &err));
    assert_int_equal(whole, -7);
    allot_h5_close(&h);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    write_all("a.h5");
    sleep(1); /* times of objects would differ now */
    write_all("b.h5");
    same_bytes("a.h5", "b.h5");
}

static void nothing_is_left_of_an_abandoned_file(void **state)
{
    (void)state;
    allot_h5 *h;
    WORKS(allot_h5_create("c.h5", "test", 1, &h, &err));
    allot_h5_close(&h);
    assert_null(h);
    assert_int_not_equal(access("c.h5", F_OK), 0);
}

/* A child that may write 100,000 bytes tries 400,000: it must be told, and end in peace (HDF5's own
 * clean-up at exit crashed here). */
static void a_full_disk_is_an_error_not_a_crash(void **state)
{
    (void)state;
    int status;
    fflush(NULL); /* or the child prints it again */
    pid_t child = fork();
    if (child == 0) {
        allot_h5 *h;
        float *x = calloc(100000, sizeof *x);
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){100000, 100000});
        allot_code rc = allot_h5_create("full.h5", "test", 1, &h, NULL);
        if (!rc) rc = allot_h5_write(h, "x", ALLOT_H5_F32, 1, (long[]){100000}, x, NULL);
        if (!rc) rc = allot_h5_commit(&h, NULL);
        allot_h5_close(&h);
        free(x);
        exit(rc == ALLOT_ERUNTIME ? 0 : 99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 99);
    assert_int_not_equal(access("full.h5", F_OK), 0);
}

static allot_code load(const char *path, allot_err *err)
{
    allot_h5 *h;
    allot_code rc = allot_h5_open(path, "test", ((allot_versions){1, 1}), &h, err);
    allot_h5_close(&h);
    return rc;
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    write_all("a.h5");
    refuses_wrong_files(load, "a.h5", "test");
    WORKS(allot_file_write("bad.h5", &allot_kind_any, "not a number file", 17, &err));
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT,
            "cannot read 'bad.h5': file signature not found "
            "(not an HDF5 file, or cut off; make it again)");
    H5Fclose(H5Fcreate("bad.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    REFUSED(load("bad.h5", &err), ALLOT_EINPUT,
            "cannot read 'bad.h5': it is an HDF5 file without "
            "the attribute 'schema', not 'test'");
}

static void wrong_shapes_and_types_are_refused(void **state)
{
    (void)state;
    allot_h5 *h;
    void *p;
    float f;
    write_all("a.h5");
    WORKS(allot_h5_open("a.h5", "test", ((allot_versions){1, 1}), &h, &err));
    REFUSED(allot_h5_read(h, "m", ALLOT_H5_F32, 2, (long[]){4, 2}, &p, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': '/m' has 3 rows, expected 4 (the file was edited or is damaged; "
            "make it again)");
    REFUSED(allot_h5_read(h, "m", ALLOT_H5_F32, 1, (long[]){6}, &p, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': '/m' has rank 2, not 1 (docs/formats.md says what belongs there)");
    REFUSED(
        allot_h5_read(h, "m", ALLOT_H5_I32, 2, (long[]){3, 2}, &p, &err), ALLOT_EINPUT,
        "cannot read 'a.h5': '/m' is not little-endian int32 (docs/formats.md says what belongs "
        "there)");
    REFUSED(allot_h5_read(h, "x/y", ALLOT_H5_I32, 1, (long[]){3}, &p, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': '/x/y' is missing (docs/formats.md says what belongs there)");
    REFUSED(
        allot_h5_read(h, "words", ALLOT_H5_U8, 1, (long[]){3}, &p, &err), ALLOT_EINPUT,
        "cannot read 'a.h5': '/words': not a dataset (unless memory ran out, the file is damaged; "
        "make it again)");
    REFUSED(allot_h5_read_rows(h, "rows", ALLOT_H5_F32, 2, 8, 2, &f, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': rows 8 to 10 of '/rows' were asked for, it has 9");
    REFUSED(allot_h5_get_long(h, "whole", 0, 9, &(long){0}, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': attribute 'whole' is -7, not from 0 to 9");
    REFUSED(allot_h5_get_long(h, "short", 0, 9, &(long){0}, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': attribute 'short' is not a little-endian number of 64 bits of its "
            "kind");
    REFUSED(allot_h5_get_long(h, "nothing", 0, 9, &(long){0}, &err), ALLOT_EINPUT,
            "cannot read 'a.h5': attribute 'nothing' is missing (docs/formats.md says what belongs "
            "there)");
    allot_h5_close(&h);
}

/* A file of schema "test" as another program might write it, open for more. */
static hid_t foreign_file(void)
{
    allot_h5 *h;
    WORKS(allot_h5_create("f.h5", "test", 1, &h, &err));
    WORKS(allot_h5_write(h, "m", ALLOT_H5_F32, 2, (long[]){3, 2}, numbers, &err));
    WORKS(allot_h5_commit(&h, &err));
    return H5Fopen("f.h5", H5F_ACC_RDWR, H5P_DEFAULT);
}

static void add_array(hid_t file, hid_t type, const hsize_t *dims, hid_t dcpl)
{
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t id = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, dcpl, H5P_DEFAULT);
    assert_true(id >= 0);
    H5Dclose(id);
    H5Sclose(space);
}

static void x_is_refused(hid_t file, const char *message)
{
    char want[300];
    allot_h5 *h;
    void *p;
    H5Fclose(file);
    WORKS(allot_h5_open("f.h5", "test", ((allot_versions){1, 1}), &h, &err));
    snprintf(want, sizeof want, "cannot read 'f.h5': '/x' %s", message);
    REFUSED(allot_h5_read(h, "x", ALLOT_H5_F32, 2, (long[]){-1, -1}, &p, &err), ALLOT_EINPUT, want);
    assert_null(p);
    allot_h5_close(&h);
}

static void links_out_of_the_file_are_refused(void **state)
{
    (void)state;
    hid_t f = foreign_file();
    H5Lcreate_soft("/m", f, "x", H5P_DEFAULT, H5P_DEFAULT);
    x_is_refused(f, "is a link, not data (docs/formats.md says what belongs there)");
    f = foreign_file();
    H5Lcreate_external("/etc/passwd", "/m", f, "x", H5P_DEFAULT, H5P_DEFAULT);
    x_is_refused(f, "is a link, not data (docs/formats.md says what belongs there)");
    f = foreign_file();
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(dcpl, "/etc/passwd", 0, 24);
    add_array(f, H5T_IEEE_F32LE, (hsize_t[]){3, 2}, dcpl);
    H5Pclose(dcpl);
    x_is_refused(f, "is not stored in this file (docs/formats.md says what belongs there)");
}

static void foreign_types_and_filters_are_refused(void **state)
{
    (void)state;
    const hsize_t dims[2] = {3, 2};
    hid_t f = foreign_file();
    add_array(f, H5T_IEEE_F32BE, dims, H5P_DEFAULT);
    x_is_refused(f, "is not little-endian float32 (docs/formats.md says what belongs there)");
    f = foreign_file();
    hid_t vlen = H5Tvlen_create(H5T_IEEE_F32LE);
    add_array(f, vlen, dims, H5P_DEFAULT);
    H5Tclose(vlen);
    x_is_refused(f, "is not little-endian float32 (docs/formats.md says what belongs there)");
    f = foreign_file();
    hid_t dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(dcpl, 2, dims);
    H5Pset_fletcher32(dcpl);
    add_array(f, H5T_IEEE_F32LE, dims, dcpl);
    H5Pclose(dcpl);
    x_is_refused(f,
                 "is packed with a filter other than gzip and shuffle (docs/formats.md says what "
                 "belongs there)");
}

/* Sizes that a file only declares: nothing is allocated for them. */
static void declared_sizes_are_not_believed(void **state)
{
    (void)state;
    hid_t f = foreign_file(), dcpl = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(dcpl, 2, (hsize_t[]){16, 16});
    add_array(f, H5T_IEEE_F32LE, (hsize_t[]){1UL << 40, 1 << 10}, dcpl);
    x_is_refused(f,
                 "is declared with 4503599627370496 bytes, the file holds 0 (the step that makes "
                 "it did not finish; run it again)");
    f = foreign_file();
    add_array(f, H5T_IEEE_F32LE, (hsize_t[]){1UL << 62, 1 << 10}, dcpl);
    x_is_refused(f, "has an impossible size (docs/formats.md says what belongs there)");
    f = foreign_file();
    H5Pset_chunk(dcpl, 2, (hsize_t[]){1 << 14, 1 << 13});
    add_array(f, H5T_IEEE_F32LE, (hsize_t[]){1 << 14, 1 << 14}, dcpl);
    x_is_refused(f, "is cut into chunks larger than 256 MiB (docs/formats.md says what belongs "
                    "there)");
    H5Pclose(dcpl);
    f = foreign_file();
    add_array(f, H5T_IEEE_F32LE, (hsize_t[]){100, 10}, H5P_DEFAULT);
    x_is_refused(f, "is declared with 4000 bytes, the file holds 0 (the step that makes it did not "
                    "finish; run it again)");
}

static void strings_that_leave_their_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t offsets[3];
        const char *message;
    } cases[] = {
        {{0, 9, 5},
         "cannot read 's.h5': '/w/offsets' goes down after row 1 (the file is damaged; "
         "make it again)"},
        {{0, 2, 6},
         "cannot read 's.h5': '/w/offsets' covers 0..6 of 5 bytes (the file is damaged; "
         "make it again)"},
        {{1, 2, 5},
         "cannot read 's.h5': '/w/offsets' covers 1..5 of 5 bytes (the file is damaged; "
         "make it again)"},
        {{-4, 2, 5},
         "cannot read 's.h5': '/w/offsets' covers -4..5 of 5 bytes (the file is "
         "damaged; make it again)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        allot_h5 *h;
        allot_strings s;
        WORKS(allot_h5_create("s.h5", "test", 1, &h, &err));
        WORKS(allot_h5_write(h, "w/offsets", ALLOT_H5_I64, 1, (long[]){3}, cases[i].offsets, &err));
        WORKS(allot_h5_write(h, "w/bytes", ALLOT_H5_U8, 1, (long[]){5}, "hello", &err));
        WORKS(allot_h5_commit(&h, &err));
        WORKS(allot_h5_open("s.h5", "test", ((allot_versions){1, 1}), &h, &err));
        REFUSED(allot_h5_read_strings(h, "w", 2, &s, &err), ALLOT_EINPUT, cases[i].message);
        assert_null(s.bytes);
        allot_h5_close(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(nothing_is_left_of_an_abandoned_file),
        cmocka_unit_test(a_full_disk_is_an_error_not_a_crash),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(wrong_shapes_and_types_are_refused),
        cmocka_unit_test(links_out_of_the_file_are_refused),
        cmocka_unit_test(foreign_types_and_filters_are_refused),
        cmocka_unit_test(declared_sizes_are_not_believed),
        cmocka_unit_test(strings_that_leave_their_bytes_are_refused),
    };
    return cmocka_run_group_tests_name("h5", tests, enter_folder, leave_folder);
}
