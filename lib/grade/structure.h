/* SPDX-License-Identifier: Apache-2.0 */
/* structure.h - answers made of parts: "1, 2", (1,2), {1,2}, [0,1), unions, matrices, relations.
 * Depth and number of parts are bounded. */
#ifndef ALLOT_STRUCTURE_H
#define ALLOT_STRUCTURE_H
#include <stddef.h>
#include <string.h>

enum { ALLOT_PARTS_MAX = 64, ALLOT_STRUCTURE_DEPTH = 6 };

typedef struct {
    const char *s;
    size_t n;
} allot_span;

typedef enum {
    ALLOT_SHAPE_SINGLE,  /* one value, or text */
    ALLOT_SHAPE_LIST,    /* 1, 2 and 3 */
    ALLOT_SHAPE_GROUP,   /* brackets around parts: a tuple or an interval */
    ALLOT_SHAPE_SET,     /* braces around parts */
    ALLOT_SHAPE_UNION,   /* joined by \cup */
    ALLOT_SHAPE_MATRIX,  /* rows as parts; a row is a list split at & */
    ALLOT_SHAPE_RELATION /* two parts and an operator: = != < > <= >= */
} allot_shape;

typedef struct {
    allot_shape shape;
    char open, close; /* of a group */
    char op[3];       /* of a relation: > and >= are turned into < and <= */
    int joined;       /* a list with "or" */
    int n;
    allot_span part[ALLOT_PARTS_MAX];
} allot_structure;

/* Does this word stand at t.s[at]? at: t.n at most. */
static inline int allot_span_begins(allot_span t, size_t at, const char *word)
{
    size_t m = strlen(word);
    return t.n - at >= m && memcmp(t.s + at, word, m) == 0;
}

/* Splits normalised text into its parts; a text with too many parts is a SINGLE. */
void allot_structure_read(allot_span text, allot_structure *out);

#endif
