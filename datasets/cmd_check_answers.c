/* SPDX-License-Identifier: Apache-2.0 */
/* check-answers: what the grader reads in the references, and which it cannot read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/core/buf.h"
#include "lib/core/json.h"
#include "lib/store/problems.h"
#include "datasets/datacommands.h"
#include "lib/grade/answerkind.h"
#include "lib/extract/gradeoptions.h"
#include "liballot/mem.h"

static int most = 20;
static allot_grade_words words = ALLOT_GRADE_WORDS;

static const allot_option check_options[] = {
    {"limit", ALLOT_OPT_INT, &most, "N", "list at most N references", 0, 1000000000},
    ALLOT_GRADE_ROWS(words),
    {NULL, 0, NULL, NULL, NULL, 0, 0}};

typedef struct {
    long n_kind[ALLOT_N_KINDS], n_listed;
    cJSON *listed;
    allot_grade_options grade;
    allot_buf text; /* owned; a prediction that repeats the reference */
} checking;

/* What is wrong with a reference; NULL if nothing is. Worst of all: no answer could equal it. */
static const char *fault_of(checking *c, const char *at, size_t n, allot_answer_kind kind)
{
    const char *found;
    size_t n_found;
    if (kind == ALLOT_KIND_NONE) return "no answer";
    if (!allot_answers_equal(at, n, at, n, &c->grade)) return "not itself";
    allot_buf_reset(&c->text);
    allot_buf_str(&c->text, "\\boxed{");
    allot_buf_add(&c->text, at, n);
    allot_buf_str(&c->text, "}");
    if (c->text.failed || !allot_extract(c->text.at, c->text.n, &c->grade, &found, &n_found) ||
        !allot_answers_equal(at, n, found, n_found, &c->grade))
        return "not found";
    return kind == ALLOT_KIND_UNREAD ? "not read" : NULL;
}

static allot_code check_row(const allot_problems *p, long row, checking *c, allot_err *err)
{
    size_t n_answer, n_solution, n = 0;
    const char *answer = allot_strings_at(&p->col[ALLOT_COL_ANSWER], row, &n_answer), *at = answer;
    const char *solution = allot_strings_at(&p->col[ALLOT_COL_SOLUTION], row, &n_solution);
    int there = allot_reference(answer, n_answer, solution, n_solution, &at, &n);
    allot_answer_kind kind = there ? allot_answer_kind_of(at, n) : ALLOT_KIND_NONE;
    const char *fault = fault_of(c, at, n, kind);
    c->n_kind[kind]++;
    if (!fault || c->n_listed++ >= most) return ALLOT_OK;
    char hex[65], *text = allot_mem_text(there ? at : answer, there ? n : n_answer, err);
    if (!text) return ALLOT_ERUNTIME;
    allot_key_hex(&p->keys[row], hex);
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "key", hex);
    cJSON_AddStringToObject(o, "why", fault);
    cJSON_AddStringToObject(o, "answer", text);
    cJSON_AddItemToArray(c->listed, o);
    free(text);
    return ALLOT_OK;
}

static void print_text(const checking *c)
{
    for (int k = 0; k < ALLOT_N_KINDS; k++)
        if (c->n_kind[k])
            printf("%8ld %s\n", c->n_kind[k], allot_answer_kind_name((allot_answer_kind)k));
    if (c->n_listed == 0) printf("the grader reads every reference\n");
    else printf("%ld references that the grader cannot read:\n", c->n_listed);
    for (const cJSON *o = c->listed->child; o; o = o->next) {
        const char *answer = cJSON_GetObjectItem(o, "answer")->valuestring;
        printf("  %.12s  %-10s  %.100s%s\n", cJSON_GetObjectItem(o, "key")->valuestring,
               cJSON_GetObjectItem(o, "why")->valuestring, answer,
               strlen(answer) > 100 ? "..." : "");
    }
}

static allot_code check(const allot_common *common, allot_err *err)
{
    allot_problems p = {0};
    checking c = {.listed = cJSON_CreateArray()};
    allot_code rc = allot_grade_parse(&words, &c.grade, err);
    if (!rc) rc = allot_problems_load(common->args[0], 1, &p, err);
    for (long row = 0; !rc && row < p.n; row++)
        rc = check_row(&p, row, &c, err);
    if (!rc && common->json) {
        cJSON *out = cJSON_CreateObject(), *kinds = cJSON_AddObjectToObject(out, "kinds");
        cJSON_AddNumberToObject(out, "queries", (double)p.n);
        cJSON_AddNumberToObject(out, "not_read", (double)c.n_listed);
        for (int k = 0; k < ALLOT_N_KINDS; k++)
            if (c.n_kind[k])
                cJSON_AddNumberToObject(kinds, allot_answer_kind_name((allot_answer_kind)k),
                                        (double)c.n_kind[k]);
        cJSON_AddItemReferenceToObject(out, "listed", c.listed);
        rc = allot_json_print(out, err);
        cJSON_Delete(out);
    } else if (!rc) {
        print_text(&c);
    }
    cJSON_Delete(c.listed);
    allot_buf_clear(&c.text);
    allot_problems_clear(&p);
    return rc;
}

const allot_command allot_cmd_check_answers = {
    "check-answers",
    "[OPTION...] PROBLEMS.h5",
    "count what the grader reads in the reference answers; list those it cannot read\n"
    "A reference that is not read is right only where a prediction is the same text; one that is\n"
    "not found is lost even in a prediction that boxes it. Options as of 'allot-collect label'.",
    check_options,
    1,
    1,
    check,
    "  allot-datasets check-answers problems.h5 --limit 100"};
