/* SPDX-License-Identifier: Apache-2.0 */
/* selecttool.h - allot-select from its options to its report. */
#ifndef ALLOT_SELECTTOOL_H
#define ALLOT_SELECTTOOL_H
#include "lib/decide/decide.h"
#include "lib/decide/ruleflags.h"

typedef struct {
    const char *bundle; /* path; required */
    const char *jsonl;  /* path or "-"; NULL = the query is the argument */
    const char *key;    /* instead of a text: 64 hex digits, with codepoints */
    int codepoints;     /* -1 = not given */
    allot_ruleflags rule;
    const char *vector; /* JSON file with the query's vector */
    allot_vectorsource_config source;
} allot_selecttool;

void allot_selecttool_defaults(allot_selecttool *tool);
/* Decides for one query or for every line of a JSONL file and prints the choices. */
ALLOT_MUST_CHECK allot_code allot_selecttool_run(const allot_selecttool *tool,
                                                 const allot_common *common, allot_err *err);
#endif
