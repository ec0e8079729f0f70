/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file or of stdin, one after another. */
#include "lib/core/textlines.h"
#include <stdlib.h>
#include <string.h>

#define MAX_LINE_BYTES (16L << 20)

allot_code allot_textlines_open(const char *path, allot_textlines *out, allot_err *err)
{
    *out = (allot_textlines){.path = path};
    out->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    return out->in ? ALLOT_OK : allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %m", path);
}

void allot_textlines_close(allot_textlines *t)
{
    if (t->in && t->in != stdin) fclose(t->in);
    free(t->line);
    *t = (allot_textlines){0};
}

allot_code allot_textlines_next(allot_textlines *t, const char **line, size_t *n, allot_err *err)
{
    ssize_t bytes;
    *line = NULL;
    while ((bytes = getline(&t->line, &t->capacity, t->in)) >= 0) {
        snprintf(t->where, sizeof t->where, "line %ld of '%.200s'", ++t->number, t->path);
        if (t->line[strspn(t->line, " \t\r\n")] == '\0') continue;
        if (bytes > MAX_LINE_BYTES)
            return allot_fail(err, ALLOT_EINPUT, "%s is longer than %ld bytes", t->where,
                              MAX_LINE_BYTES);
        *line = t->line;
        *n = (size_t)bytes;
        return ALLOT_OK;
    }
    /* getline ends without a flag when out of memory */
    return feof(t->in) ? ALLOT_OK
                       : allot_fail(err, ALLOT_ERUNTIME, "cannot read '%s': %m", t->path);
}
