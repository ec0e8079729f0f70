/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of data sets: the first byte says the format, the rest is the file, packed or not. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "lib/readers/rowreader.h"
#include "liballot/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

static void check_row(const allot_row *row, long above)
{
    assert(row->line > above && row->n[ALLOT_COL_PROBLEM] > 0);
    for (int c = 0; c < ALLOT_N_COLS; c++) {
        assert(!memchr(row->text[c], '\0', row->n[c]));
        assert(allot_utf8_valid(row->text[c], row->n[c]) == row->n[c]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_err err = {0};
    allot_row_settings s;
    allot_rowreader *r;
    const allot_row *row;
    long line = 0, good = 0;
    const char *path = n ? fuzz_file(data + 1, n - 1) : NULL;
    if (!path) return 0;
    assert(!allot_row_preset(*data & 8 ? "gsm8k" : "jsonl", &s, &err));
    s.format = *data % 3 == 0 ? ALLOT_ROWS_JSONL : *data % 3 == 1 ? ALLOT_ROWS_CSV : ALLOT_ROWS_TSV;
    s.quiet = 1;
    allot_code rc = allot_rowreader_open(path, &s, &r, &err);
    for (; !rc && !(rc = allot_rowreader_next(r, &row, &err)) && row; good++) {
        check_row(row, line);
        line = row->line;
    }
    if (!rc && !good) rc = allot_rowreader_check(r, &err);
    assert(!rc || (err.code && err.msg[0]));
    allot_rowreader_close(&r);
    return 0;
}
