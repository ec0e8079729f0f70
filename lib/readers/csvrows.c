/* SPDX-License-Identifier: Apache-2.0 */
/* Splits one record in place, quotes undone. */
#include "lib/readers/csvrows.h"
#include <stdlib.h>
#include <string.h>
#include "liballot/mem.h"

static char separator(const allot_csvrows *c)
{
    return c->separator ? c->separator : ',';
}

/* Takes a quoted field out of its quotes, in place; rest is left behind the closing quote. */
static allot_code unquote(allot_csvrows *c, allot_err *err)
{
    char *to = c->rest, *from = c->rest + 1;
    for (; *from && (*from != '"' || from[1] == '"'); from++) {
        from += *from == '"';
        c->next_line += *from == '\n';
        *to++ = *from;
    }
    if (!*from)
        return allot_fail(err, ALLOT_EINPUT, "line %ld of '%.250s': a quote is not closed", c->line,
                          c->file);
    if (from[1] == '\r' && from[2] == '\n') from++;
    if (from[1] && from[1] != '\n' && from[1] != separator(c))
        return allot_fail(err, ALLOT_EINPUT,
                          "line %ld of '%.250s': text behind a closing quote "
                          "(a quote within quotes is written twice)",
                          c->next_line, c->file);
    *to = '\0';
    c->rest = from + 1;
    return ALLOT_OK;
}

static void skip_unquoted(allot_csvrows *c)
{
    size_t n = strcspn(c->rest, (const char[]){separator(c), '\n', '\0'});
    if (n && c->rest[n] == '\n' && c->rest[n - 1] == '\r') c->rest[n - 1] = '\0';
    c->rest += n;
}

/* Ends the field before rest and steps over what ended it; returns 0 if it was the row's last. */
static int end_field(allot_csvrows *c)
{
    char *end = c->rest, ended_by = *end;
    c->next_line += ended_by == '\n';
    c->rest += ended_by != '\0';
    *end = '\0';
    return ended_by == separator(c);
}

allot_code allot_csvrows_next(allot_csvrows *c, allot_err *err)
{
    while (*c->rest == '\n' || (*c->rest == '\r' && c->rest[1] == '\n'))
        c->next_line += *c->rest++ == '\n';
    c->line = c->next_line;
    c->n = 0;
    for (int more = *c->rest != '\0'; more;) {
        void *grown = c->field;
        allot_code rc = allot_mem_grow(&grown, &c->capacity, c->n + 1, sizeof *c->field, err);
        if (rc) return rc;
        c->field = grown;
        c->field[c->n++] = c->rest;
        if (*c->rest == '"') rc = unquote(c, err);
        else skip_unquoted(c);
        if (rc) return rc;
        more = end_field(c);
    }
    return ALLOT_OK;
}

void allot_csvrows_clear(allot_csvrows *c)
{
    free(c->field);
    *c = (allot_csvrows){0};
}
