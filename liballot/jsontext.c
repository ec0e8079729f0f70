/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for duplicate keys, depth and size before and after cJSON has parsed. */
#include "jsontext.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

#define FEW_FIELDS 16 /* for which no memory is asked */

_Static_assert(ALLOT_JSON_MAX_DEPTH == 64, "the message below says 64");

/* The quote that ends the string whose text begins at `at`; end = there is none. A long text with
 * few escapes is passed over at the speed of memchr. */
static const char *end_of_string(const char *at, const char *end, const char **no)
{
    const char *quote = NULL;
    while (at < end) {
        if (!quote || quote < at) quote = memchr(at, '"', (size_t)(end - at));
        if (!quote) quote = end;
        const char *escape = memchr(at, '\\', (size_t)(quote - at));
        if (!escape) return quote;
        if (end - escape >= 6 && memcmp(escape, "\\u0000", 6) == 0) *no = "holds a NUL byte";
        at = escape + 2;
    }
    return end;
}

/* What cJSON must not see, or NULL: it recurses while parsing, so the depth is counted before; a
 * NUL, raw or as \u0000, would cut a string short. */
static const char *objection(const char *text, size_t n)
{
    const char *no = n && memchr(text, '\0', n) ? "holds a NUL byte" : NULL, *end = text + n;
    int depth = 0;
    for (const char *p = text; p < end && !no; p += p < end) {
        if (*p == '"') p = end_of_string(p + 1, end, &no);
        else if (*p == '}' || *p == ']') depth--;
        else if ((*p == '{' || *p == '[') && ++depth > ALLOT_JSON_MAX_DEPTH)
            no = "nested deeper than 64 levels";
    }
    return no;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* cJSON keeps all fields of the same name and answers with the first: which one was meant is not
 * ours to guess. Sorting keeps large objects cheap. */
static allot_code check_duplicates(const cJSON *object, const char *where, allot_err *err)
{
    size_t n = 0, i = 0;
    for (const cJSON *f = object->child; f; f = f->next)
        n++;
    if (n < 2) return ALLOT_OK;
    char *few[FEW_FIELDS], **names = few;
    if (n > FEW_FIELDS) names = allot_mem_array(n, sizeof *names, err);
    if (!names) return ALLOT_ERUNTIME;
    for (const cJSON *f = object->child; f; f = f->next)
        names[i++] = f->string;
    qsort(names, n, sizeof *names, by_name);
    allot_code rc = ALLOT_OK;
    for (i = 1; i < n && !rc; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            rc = allot_fail(err, ALLOT_EINPUT, "%s: the field \"%.64s\" occurs twice", where,
                            names[i]);
    if (names != few) free(names);
    return rc;
}

static allot_code check_value(const cJSON *v, const char *where, allot_err *err)
{
    for (; v; v = v->next) {
        if (cJSON_IsNumber(v) && !isfinite(v->valuedouble))
            return allot_fail(err, ALLOT_EINPUT, "%s: a number is not finite", where);
        allot_code rc = cJSON_IsObject(v) ? check_duplicates(v, where, err) : ALLOT_OK;
        if (!rc && v->child) rc = check_value(v->child, where, err);
        if (rc) return rc;
    }
    return ALLOT_OK;
}

allot_code allot_jsontext_parse(const char *text, size_t n, const char *where, cJSON **out,
                                allot_err *err)
{
    const char *no = objection(text, n);
    if (no) return allot_fail(err, ALLOT_EINPUT, "%s: %s", where, no);
    const char *end = NULL;
    long shortages = allot_mem_shortages();
    cJSON *v = cJSON_ParseWithLengthOpts(text, n, &end, 0);
    if (!v && allot_mem_shortages() > shortages)
        return allot_fail(err, ALLOT_ERUNTIME, "%s: out of memory", where);
    if (!v)
        return allot_fail(err, ALLOT_EINPUT, "%s: %s", where,
                          n == 0 ? "is empty, not JSON" : "is not valid JSON");
    while (end < text + n && (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t'))
        end++;
    allot_code rc = end == text + n ? check_value(v, where, err)
                                    : allot_fail(err, ALLOT_EINPUT,
                                                 "%s: something follows the JSON value", where);
    if (rc) cJSON_Delete(v);
    else *out = v;
    return rc;
}
