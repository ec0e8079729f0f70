/* SPDX-License-Identifier: Apache-2.0 */
/* A run's journal and its records: what is accepted prints and is read again as the same; after a
 * writer was at work every line is whole. */
#include <assert.h>
#include "lib/store/journal.h"
#include "lib/core/log.h"
#include "lib/store/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzzfile.h"

static void print_and_read(const allot_record *r)
{
    allot_buf first = {0}, second = {0};
    allot_record again = {0};
    allot_err err = {0};
    assert(!allot_record_print(r, &first, &err));
    assert(!allot_record_parse(first.at, first.n, "again", &again, &err));
    assert(!allot_record_print(&again, &second, &err));
    assert(first.n == second.n && memcmp(first.at, second.at, first.n) == 0);
    allot_record_clear(&again);
    allot_buf_clear(&first);
    allot_buf_clear(&second);
}

static allot_code read_line(const char *line, size_t n, long number, void *user, allot_err *err)
{
    allot_record whole = {0}, head = {0};
    assert(++*(long *)user == number);
    allot_code rc = allot_record_parse_head(line, n, "fuzz", &head, err);
    allot_record_clear(&head);
    if (rc) assert(err->code && err->msg[0]);
    rc = allot_record_parse(line, n, "fuzz", &whole, err);
    if (rc) assert(err->code && err->msg[0]);
    else print_and_read(&whole);
    allot_record_clear(&whole);
    return ALLOT_OK; /* the other lines, too */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    allot_err err = {0};
    allot_journal *j;
    int torn;
    long lines = 0, again = 0;
    const char *path = fuzz_file(data, n);
    if (!path) return 0;
    allot_log_level(-1); /* torn lines are told of */
    assert(!allot_journal_read(path, read_line, &lines, &torn, &err));
    assert(torn == (n > 0 && data[n - 1] != '\n'));
    if (allot_journal_open(path, &j, &err)) return 0;
    assert(!allot_journal_write(j, "{}", 2, &err) && !allot_journal_close(&j, &err));
    assert(!allot_journal_read(path, read_line, &again, &torn, &err));
    assert(!torn && again == lines + 1);
    return 0;
}
