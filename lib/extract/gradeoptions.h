/* SPDX-License-Identifier: Apache-2.0 */
/* gradeoptions.h - the options of extraction and equality as words of a command line: one set of
 * rows for every program that grades. docs/grading.md says what each word means. */
#ifndef ALLOT_GRADEOPTIONS_H
#define ALLOT_GRADEOPTIONS_H
#include "lib/core/options.h"
#include "lib/extract/extract.h"

typedef struct {
    const char *extract, *percent, *order, *decimals, *units; /* borrowed words */
    int last_number;
} allot_grade_words;

#define ALLOT_GRADE_WORDS                                                                          \
    {                                                                                              \
        .extract = "math", .percent = "either", .order = "any", .decimals = "close",               \
        .units = "drop"                                                                            \
    }

/* Rows for a table of options; w: an allot_grade_words that lives as long as the table. */
#define ALLOT_GRADE_ROWS(w)                                                                        \
    {"extract",                                                                                    \
     ALLOT_OPT_STRING,                                                                             \
     &(w).extract,                                                                                 \
     "PRESET",                                                                                     \
     "how answers are found: math (numina, math500, olympiad), boxed, gsm8k (aime) or choice",     \
     0,                                                                                            \
     0},                                                                                           \
        {"last-number",                                                                            \
         ALLOT_OPT_FLAG,                                                                           \
         &(w).last_number,                                                                         \
         NULL,                                                                                     \
         "without box and phrase, the last number of a text is its answer",                        \
         0,                                                                                        \
         0},                                                                                       \
        {"percent",                                                                                \
         ALLOT_OPT_STRING,                                                                         \
         &(w).percent,                                                                             \
         "HOW",                                                                                    \
         "50% equals: either (50 and 1/2), value (1/2 only) or lenient (0.5 equals 50 too)",       \
         0,                                                                                        \
         0},                                                                                       \
        {"order",                                                                                  \
         ALLOT_OPT_STRING,                                                                         \
         &(w).order,                                                                               \
         "HOW",                                                                                    \
         "order of a list without brackets: any or strict",                                        \
         0,                                                                                        \
         0},                                                                                       \
        {"decimals",                                                                               \
         ALLOT_OPT_STRING,                                                                         \
         &(w).decimals,                                                                            \
         "HOW",                                                                                    \
         "decimals are equal if exact, close (1e-6) or rounded",                                   \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "units", ALLOT_OPT_STRING, &(w).units, "HOW", "units behind a number: drop or keep", 0, 0  \
    }

/* ALLOT_EUSAGE names the words that an option knows. */
ALLOT_MUST_CHECK allot_code allot_grade_parse(const allot_grade_words *w, allot_grade_options *out,
                                              allot_err *err);

/* What differs from the defaults, for files and people: "extract gsm8k, percent value"; "" if
 * nothing does. */
enum { ALLOT_GRADE_TEXT = 128 };
void allot_grade_describe(const allot_grade_options *o, char out[ALLOT_GRADE_TEXT]);

/* "boxed", "phrase", "last number", "choice" or "none". */
const char *allot_extract_name(allot_extract_how how);

#endif
