/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of JSON lines, CSV and TSV: whatever a file holds, a row that is handed out is a good one.
 */
#include "tests/unit/formats.h"
#include "lib/core/rng.h"
#include "lib/readers/rowreader.h"
#include "liballot/utf8.h"

static const allot_row_settings fields = {.field = {"problem|question", "answer", "solution"},
                                          .quiet = 1};

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_true(f && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

/* The problems of a file, joined by '|'; bad rows are counted. */
static allot_code problems_of(const char *path, char *out, size_t size, long *bad, allot_err *err)
{
    allot_rowreader *r;
    const allot_row *row;
    long line = 0;
    size_t used = 0;
    out[0] = '\0';
    allot_code rc = allot_rowreader_open(path, &fields, &r, err);
    if (rc) return rc;
    while (!(rc = allot_rowreader_next(r, &row, err)) && row) {
        assert_true(row->line > line && row->line <= allot_rowreader_lines(r));
        line = row->line;
        assert_true(row->n[ALLOT_COL_PROBLEM] > 0);
        for (int c = 0; c < ALLOT_N_COLS; c++) {
            assert_int_equal(allot_utf8_valid(row->text[c], row->n[c]), row->n[c]);
            assert_null(memchr(row->text[c], '\0', row->n[c]));
        }
        used += (size_t)snprintf(out + used, size - used, "%.*s|", (int)row->n[ALLOT_COL_PROBLEM],
                                 row->text[ALLOT_COL_PROBLEM]);
        assert_true(used < size);
    }
    *bad = allot_rowreader_bad(r);
    assert_int_equal(allot_rowreader_check(r, err), *bad ? ALLOT_EINPUT : ALLOT_OK);
    allot_rowreader_close(&r);
    return rc;
}

static void gives(const char *path, const char *text, const char *want, long want_bad)
{
    char got[256];
    long bad;
    allot_err err;
    write_file(path, text, strlen(text));
    if (problems_of(path, got, sizeof got, &bad, &err)) fail_msg("%s", err.msg);
    assert_string_equal(got, want);
    assert_int_equal(bad, want_bad);
}

static void rows_come_whole(void **state)
{
    (void)state;
    gives("a.jsonl", "\xef\xbb\xbf{\"problem\":\"a\"}\r\n\n  \t\n{\"question\":\"b\"}", "a|b|", 0);
    gives("a.jsonl", "{\"problem\":null,\"question\":\"b\"}\n{\"problem\":\"\"}\n{}", "b|", 2);
    gives("a.jsonl", "{\"problem\":[\"a\"]}\n{\"problem\":7}\n{\"problem\":\" \"}", "7|", 2);
    gives("a.csv", "\xef\xbb\xbfx,problem\r\n1,\"a\r\n\"\"b\"\",\"\r\n\r\n2,c", "a\n\"b\",|c|", 0);
    gives("a.csv", "problem\na\"b\"c\n\"\"\n\"d\"\n", "a\"b\"c|d|", 1);
    gives("a.csv", "problem,x\na,1\nb\nc,1,2\nd,\n", "a|d|", 2);
    gives("a.tsv", "x\tproblem\n1\ta,b\n\"\t\"\tc\n", "a,b|c|", 0);
}

static void an_open_quote_cannot_be_passed_over(void **state)
{
    (void)state;
    static const char open[] = "problem\na\n\"b\nc\n", twice[] = "problem,\"problem\"\na,b\n";
    char got[256];
    long bad;
    write_file("a.csv", open, strlen(open));
    REFUSED(problems_of("a.csv", got, sizeof got, &bad, &err), ALLOT_EINPUT,
            "line 3 of 'a.csv': a quote is not closed");
    write_file("a.csv", twice, strlen(twice));
    REFUSED(problems_of("a.csv", got, sizeof got, &bad, &err), ALLOT_EINPUT,
            "the header of 'a.csv' has 'problem' twice");
}

/* Files with a few bytes changed, lost or doubled. */
static void changed_files_give_good_rows_or_none(void **state)
{
    (void)state;
    static const char *const names[] = {"f.jsonl", "f.csv", "f.tsv"};
    static const char *const texts[] = {
        ("{\"problem\":\"a \\u00e4\",\"answer\":[\"1\",\"2\"]}\n"
         "{\"question\":\"\xc3\xa4\",\"x\":{}}\n"),
        "problem,answer\r\n\"a \"\"b\"\",\nc\",1\r\nplain,\"2\"\n\n",
        "problem\tanswer\n\"a \"\"b\"\"\t\nc\"\t1\nplain\t\"2\"\n"};
    static const char bytes[] = "\"\\{}[],:\n\r\t a1\xff\xc3";
    long good = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        char text[256], got[512];
        allot_rng r = allot_rng_start(11, i, 0, 0);
        int kind = (int)(i % 3);
        size_t n = strlen(texts[kind]);
        long bad;
        memcpy(text, texts[kind], n);
        for (uint64_t k = 1 + allot_rng_below(&r, 3); k > 0; k--) {
            size_t at = allot_rng_below(&r, n - 8), m = 1 + allot_rng_below(&r, 7);
            uint64_t how = allot_rng_below(&r, 4);
            if (how == 0) memmove(text + at, text + at + m, (n -= m) - at);
            else if (how == 1) text[at] = '\0';
            else text[at] = bytes[allot_rng_below(&r, sizeof bytes - 1)];
        }
        write_file(names[kind], text, n);
        allot_err err;
        allot_code rc = problems_of(names[kind], got, sizeof got, &bad, &err);
        assert_true(rc == ALLOT_OK || rc == ALLOT_EINPUT);
        good += got[0] != '\0';
    }
    if (good < 1000 || good == 3000) fail_msg("%ld of 3000 files gave rows", good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_whole),
        cmocka_unit_test(an_open_quote_cannot_be_passed_over),
        cmocka_unit_test(changed_files_give_good_rows_or_none),
    };
    return cmocka_run_group_tests_name("rowreader", tests, enter_folder, leave_folder);
}
