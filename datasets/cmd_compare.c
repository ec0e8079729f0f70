/* SPDX-License-Identifier: Apache-2.0 */
/* compare: how the grader judges one answer, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/json.h"
#include "datasets/datacommands.h"
#include "datasets/filefields.h"
#include "lib/grade/answerkind.h"
#include "lib/extract/gradeoptions.h"
#include "liballot/mem.h"

static int whole_text;
static allot_grade_words words = ALLOT_GRADE_WORDS;

static const allot_option compare_options[] = {{"text", ALLOT_OPT_FLAG, &whole_text, NULL,
                                                "ANSWER is a whole text: take its answer out first",
                                                0, 0},
                                               ALLOT_GRADE_ROWS(words),
                                               {NULL, 0, NULL, NULL, NULL, 0, 0}};

/* Three fields of one side; their names begin with it. */
static void add_side(cJSON *out, const char *side, const char *answer, size_t n, const char *normal)
{
    char form[ALLOT_ANSWER_MAX + 1], name[32];
    if (!allot_canonical(answer, n, form, sizeof form)) form[0] = '\0';
    const char *const fields[][2] = {
        {"kind", allot_answer_kind_name(allot_answer_kind_of(answer, n))},
        {"read_as", normal},
        {"class", form}};
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "%s_%s", side, fields[k][0]);
        cJSON_AddStringToObject(out, name, fields[k][1]);
    }
}

static allot_code compare(const allot_common *common, allot_err *err)
{
    allot_grade_options o;
    allot_explanation *e = allot_mem_array(1, sizeof *e, err);
    const char *reference, *answer = common->args[1];
    size_t n_reference, n = strlen(answer);
    allot_extract_how how = ALLOT_EXTRACT_NONE;
    allot_code rc = e ? allot_grade_parse(&words, &o, err) : ALLOT_ERUNTIME;
    if (!rc &&
        !allot_reference(common->args[0], strlen(common->args[0]), "", 0, &reference, &n_reference))
        rc = allot_fail(err, ALLOT_EINPUT, "'%.100s' is no reference answer", common->args[0]);
    if (!rc) {
        cJSON *out = cJSON_CreateObject();
        if (whole_text) how = allot_extract(answer, n, &o, &answer, &n);
        if (whole_text) cJSON_AddStringToObject(out, "extracted", allot_extract_name(how));
        if (whole_text && how == ALLOT_EXTRACT_NONE) n = 0;
        allot_answers_explain(reference, n_reference, answer, n, &o, e);
        add_side(out, "reference", reference, n_reference, e->reference);
        add_side(out, "answer", answer, n, e->prediction);
        cJSON_AddBoolToObject(out, "equal", e->equal);
        cJSON_AddStringToObject(out, "rule", e->rule);
        if (common->json) rc = allot_json_print(out, err);
        else allot_fields_print(out);
        cJSON_Delete(out);
    }
    free(e);
    return rc;
}

const allot_command allot_cmd_compare = {
    "compare",
    "[OPTION...] REFERENCE ANSWER",
    "explain how the grader compares an answer with a reference: what it reads in each, the class\n"
    "each has in a vote, and the rule that makes them equal",
    compare_options,
    2,
    2,
    compare,
    "  allot-datasets compare '\\frac{1}{2}' 0.5\n"
    "  allot-datasets compare --text --extract gsm8k 18 'so she makes $18 every day'"};
