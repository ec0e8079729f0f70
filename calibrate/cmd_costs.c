/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_costs.c - 'allot-calibrate costs': a cost table from timings or outcomes; old against new. */
#include "calibrate/cmds.h"
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/store/rundir.h"
#include "calibrate/costchoice.h"
#include "calibrate/fitcosts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *output, *outcomes, *splits, *compare, *missing = "mask";
static int load = 1;
static allot_costchoice_settings choice = {.lambda_per_token = -1, .lambda_per_second = -1};

static const allot_option options[] = {
    {"output", ALLOT_OPT_NEEDED, &output, "FILE", "costs.json; required", 0, 0},
    {"outcomes", ALLOT_OPT_STRING, &outcomes, "FILE",
     "instead of timings: the measured cells of outcomes.h5 (train split)", 0, 0},
    {"splits", ALLOT_OPT_STRING, &splits, "FILE", "with --outcomes: the splits", 0, 0},
    {"missing", ALLOT_OPT_STRING, &missing, "HOW",
     "with --outcomes: cells without data: refuse, drop-query, drop-strategy or mask", 0, 0},
    {"load", ALLOT_OPT_INT, &load, "N",
     "with --outcomes: queries in flight when they were measured", 1, 1000000},
    {"compare", ALLOT_OPT_STRING, &compare, "OLD.json",
     "show new over old for every strategy and load in both", 0, 0},
    {"bundle", ALLOT_OPT_STRING, &choice.bundle, "FILE",
     "with --compare: show for what share of queries this bundle's choice changes", 0, 0},
    {"embeddings", ALLOT_OPT_STRING, &choice.embeddings, "FILE", "with --bundle: of the queries", 0,
     0},
    {"problems", ALLOT_OPT_STRING, &choice.problems, "FILE", "with --bundle: the queries", 0, 0},
    {"lambda-tokens", ALLOT_OPT_DOUBLE, &choice.lambda_per_token, "X",
     "with --bundle: accuracy that a token is worth (else several)", 0, 1e6},
    {"lambda-seconds", ALLOT_OPT_DOUBLE, &choice.lambda_per_second, "Y",
     "with --bundle: accuracy that a second is worth (else several)", 0, 1e6},
    ALLOT_FORCE_ROW,
    {NULL, 0, NULL, NULL, NULL, 0, 0}};

/* What a comparison with an old table shows. */
typedef struct {
    cJSON *ratios;  /* owned */
    cJSON *choices; /* owned; NULL without --bundle */
} comparison;

static void warn_of(const allot_fitcosts_counts *c)
{
    const struct {
        long n;
        const char *text;
    } warnings[] = {
        {c->n_retried, "retried rows left out"},
        {c->n_foreign, "rows under foreign load left out"},
        {c->n_duplicates, "duplicate rows left out (the first counts)"},
        {c->n_errors, "failed timings in the journal"},
        {c->dropped_strategies, "strategies dropped for missing cells"},
        {c->torn, "torn last line in the journal left out"},
    };
    for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++)
        if (warnings[i].n) allot_log_warn("%ld %s", warnings[i].n, warnings[i].text);
    if (*c->no_seconds)
        allot_log_warn("%s: the table has tokens only, and a price on seconds will be refused",
                       c->no_seconds);
}

static void print_number(double x, int digits)
{
    if (isfinite(x)) printf(" %10.*f", digits, x);
    else printf(" %10s", "-");
}

static void print_table(const allot_costsfile *c)
{
    for (int l = 0; l < c->n_loads; l++) {
        const allot_costs *t = &c->loads[l];
        if (t->has_seconds) printf("load %d\n", t->load);
        printf("%-32s %10s %10s %10s %10s %10s %10s\n", "strategy", "tokens", "seconds", "+-",
               "p50", "p95", "n");
        for (int s = 0; s < t->n_strategies; s++) {
            char text[ALLOT_STRATEGY_TEXT];
            const allot_cost_stat *sec = &t->at[s].seconds;
            allot_strategy_print(&c->strategies.at[s], text);
            printf("%-32s", text);
            print_number(t->at[s].tokens.mean, 1);
            print_number(t->has_seconds ? sec->mean : NAN, 3);
            print_number(t->has_seconds ? sec->se : NAN, 3);
            print_number(t->has_seconds ? sec->p50 : NAN, 3);
            print_number(t->has_seconds ? sec->p95 : NAN, 3);
            printf(" %10ld\n", t->at[s].tokens.n);
        }
    }
}

static void print_ttft(const allot_costsfile *c)
{
    for (int l = 0; l < c->n_loads; l++) {
        int n_printed = 0;
        for (int s = 0; s < c->strategies.count; s++) {
            char text[ALLOT_STRATEGY_TEXT];
            const allot_cost_stat *ttft = &c->loads[l].at[s].ttft;
            if (!(ttft->mean > 0)) continue;
            if (n_printed++ == 0)
                printf("%-32s %10s %10s %10s  (seconds to the first piece of a text, load %d)\n",
                       "strategy", "mean", "median", "n", c->loads[l].load);
            allot_strategy_print(&c->strategies.at[s], text);
            printf("%-32s", text);
            print_number(ttft->mean, 4);
            print_number(ttft->p50, 4);
            printf(" %10ld\n", ttft->n);
        }
    }
}

/* A strategy at a load that both tables have. */
static cJSON *ratio_row(const allot_costsfile *now, const allot_costs *b,
                        const allot_costsfile *old, const allot_costs *a, int s)
{
    int k = allot_strategies_find(&old->strategies, &now->strategies.at[s]);
    if (k < 0) return NULL;
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&now->strategies.at[s], text);
    cJSON *row = cJSON_CreateObject();
    int seconds = a->has_seconds && b->has_seconds;
    cJSON_AddStringToObject(row, "strategy", text);
    cJSON_AddNumberToObject(row, "load", b->load);
    allot_json_add_number(row, "tokens", b->at[s].tokens.mean / a->at[k].tokens.mean);
    allot_json_add_number(row, "seconds",
                          seconds ? b->at[s].seconds.mean / a->at[k].seconds.mean : NAN);
    int ttft = a->at[k].ttft.mean > 0 && b->at[s].ttft.mean > 0;
    allot_json_add_number(row, "ttft", ttft ? b->at[s].ttft.mean / a->at[k].ttft.mean : NAN);
    return row;
}

/* New over old, by strategy and load. */
static allot_code compare_with(const char *path, const allot_costsfile *now, comparison *out,
                               allot_err *err)
{
    allot_costsfile old = {0};
    allot_code code = allot_costsfile_load(path, &old, err);
    if (code) return code;
    out->ratios = cJSON_CreateArray();
    for (int l = 0; l < now->n_loads; l++)
        for (int k = 0; k < old.n_loads; k++)
            for (int s = 0; now->loads[l].load == old.loads[k].load && s < now->strategies.count;
                 s++) {
                cJSON *row = ratio_row(now, &now->loads[l], &old, &old.loads[k], s);
                if (row) cJSON_AddItemToArray(out->ratios, row);
            }
    if (cJSON_GetArraySize(out->ratios) == 0)
        allot_log_warn("'%s' shares no strategy and load with the new table", path);
    if (choice.bundle) code = allot_costchoice(&choice, &old, now, &out->choices, err);
    allot_costsfile_clear(&old);
    return code;
}

static void print_ratio(const cJSON *row, const char *field)
{
    const cJSON *x = cJSON_GetObjectItem(row, field);
    print_number(cJSON_IsNumber(x) ? x->valuedouble : NAN, 3);
}

static void print_ratios(const cJSON *ratios)
{
    const cJSON *row;
    printf("%-32s %10s %10s %10s %10s  (new over old; ttft: to the first piece of a text)\n",
           "strategy", "load", "tokens", "seconds", "ttft");
    cJSON_ArrayForEach(row, ratios)
    {
        printf("%-32s %10d", cJSON_GetObjectItem(row, "strategy")->valuestring,
               cJSON_GetObjectItem(row, "load")->valueint);
        print_ratio(row, "tokens");
        print_ratio(row, "seconds");
        print_ratio(row, "ttft");
        printf("\n");
    }
}

static void print_choices(const cJSON *choices)
{
    const cJSON *row;
    printf("%10s %16s %16s %10s  (queries whose choice changes)\n", "load", "lambda_tokens",
           "lambda_seconds", "changed");
    cJSON_ArrayForEach(row, choices)
    {
        printf("%10d %16g %16g %8.1f %%\n", cJSON_GetObjectItem(row, "load")->valueint,
               cJSON_GetObjectItem(row, "lambda_per_token")->valuedouble,
               cJSON_GetObjectItem(row, "lambda_per_second")->valuedouble,
               100 * cJSON_GetObjectItem(row, "changed")->valuedouble);
    }
}

/* What the table does not say: seconds between the loads, and of queries that were not timed. */
static void print_models(const allot_costsfile *c, const allot_fitcosts_counts *counts)
{
    for (int l = 0; l < c->n_loads; l++)
        if (counts->model[l].n)
            printf("load %d: seconds modelled from tokens are off by %.1f %% on %ld rows held out "
                   "(bias %+.1f %%)\n",
                   c->loads[l].load, 100 * counts->model[l].error, counts->model[l].n,
                   100 * counts->model[l].bias);
    if (c->n_loads < 2) return;
    printf("%-32s %10s %10s %10s  (seconds as a line over the load)\n", "strategy", "load 1",
           "per load", "off by");
    for (int s = 0; s < c->strategies.count; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_cost_line line = allot_cost_line_fit(c, s);
        allot_strategy_print(&c->strategies.at[s], text);
        printf("%-32s", text);
        print_number(line.at_1, 3);
        print_number(line.per_load, 3);
        print_number(line.worst, 3);
        printf("\n");
    }
}

static cJSON *lines_json(const allot_costsfile *c)
{
    cJSON *list = cJSON_CreateArray();
    for (int s = 0; s < c->strategies.count; s++) {
        char text[ALLOT_STRATEGY_TEXT];
        allot_cost_line line = allot_cost_line_fit(c, s);
        cJSON *row = cJSON_CreateObject();
        allot_strategy_print(&c->strategies.at[s], text);
        cJSON_AddStringToObject(row, "strategy", text);
        allot_json_add_number(row, "at_load_1", line.at_1);
        allot_json_add_number(row, "per_load", line.per_load);
        allot_json_add_number(row, "worst_relative_error", line.worst);
        cJSON_AddItemToArray(list, row);
    }
    return list;
}

static allot_code print_json(const allot_costsfile *c, const allot_fitcosts_counts *counts,
                             const comparison *compared, allot_err *err)
{
    cJSON *root = cJSON_CreateObject(), *loads = cJSON_AddArrayToObject(root, "loads");
    for (int l = 0; l < c->n_loads; l++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "load", c->loads[l].load);
        cJSON_AddItemToObject(one, "strategies", allot_costs_to_json(&c->loads[l], &c->strategies));
        allot_json_add_number(one, "model_error",
                              counts->model[l].n ? counts->model[l].error : NAN);
        allot_json_add_number(one, "model_bias", counts->model[l].n ? counts->model[l].bias : NAN);
        cJSON_AddNumberToObject(one, "held_out_rows", (double)counts->model[l].n);
        cJSON_AddItemToArray(loads, one);
    }
    cJSON_AddNumberToObject(root, "rows", (double)counts->n_rows);
    cJSON_AddNumberToObject(root, "retried", (double)counts->n_retried);
    cJSON_AddNumberToObject(root, "foreign", (double)counts->n_foreign);
    cJSON_AddNumberToObject(root, "duplicates", (double)counts->n_duplicates);
    cJSON_AddNumberToObject(root, "errors", (double)counts->n_errors);
    cJSON_AddItemToObject(root, "over_load", lines_json(c));
    if (compared->ratios)
        cJSON_AddItemToObject(root, "compared", cJSON_Duplicate(compared->ratios, 1));
    if (compared->choices)
        cJSON_AddItemToObject(root, "choices", cJSON_Duplicate(compared->choices, 1));
    allot_code code = allot_json_print(root, err);
    cJSON_Delete(root);
    return code;
}

static allot_code check(const allot_common *common, allot_err *err)
{
    if ((common->n_args == 1) == (outcomes != NULL))
        return allot_fail(err, ALLOT_EUSAGE, "give either a timing directory or --outcomes");
    if ((outcomes != NULL) != (splits != NULL))
        return allot_fail(err, ALLOT_EUSAGE, "--outcomes and --splits belong together");
    if (choice.bundle && !compare)
        return allot_fail(err, ALLOT_EUSAGE, "--bundle needs --compare, the old table");
    return allot_costchoice_check(&choice, err);
}

/* Writes the table; its inputs go into the provenance. */
static allot_code save(const allot_costsfile *costs, const allot_common *common, allot_err *err)
{
    const char *inputs[3] = {outcomes, splits, NULL};
    char *journal = NULL;
    if (!outcomes) {
        inputs[0] = journal = allot_rundir_path(common->args[0], "journal.jsonl", err);
        if (!journal) return ALLOT_ERUNTIME;
    }
    allot_code code =
        allot_costsfile_save(output, costs, "allot-calibrate", common->seed, inputs, err);
    free(journal);
    return code;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    allot_costsfile costs = {0};
    allot_fitcosts_counts counts;
    comparison compared = {0};
    allot_missing how = ALLOT_MISSING_MASK;
    allot_code code = check(common, err);
    if (!code) code = allot_missing_parse(missing, &how, err);
    if (code) return code;
    code = outcomes ? allot_fitcosts_outcomes(outcomes, splits, how, load, &costs, &counts, err)
                    : allot_fitcosts_timing(common->args[0], &costs, &counts, err);
    if (!code) warn_of(&counts);
    if (!code && compare) code = compare_with(compare, &costs, &compared, err);
    if (!code) code = save(&costs, common, err);
    if (!code && common->json) {
        code = print_json(&costs, &counts, &compared, err);
    } else if (!code) {
        print_table(&costs);
        print_ttft(&costs);
        print_models(&costs, &counts);
        if (compared.ratios) print_ratios(compared.ratios);
        if (compared.choices) print_choices(compared.choices);
    }
    cJSON_Delete(compared.ratios);
    cJSON_Delete(compared.choices);
    allot_costsfile_clear(&costs);
    return code;
}

const allot_command allot_cmd_costs = {
    .name = "costs",
    .usage =
        "[OPTION...] TIMING_DIR --output FILE\n  or:  --outcomes FILE --splits FILE --output FILE",
    .about =
        "Makes the cost table that selection uses: mean, standard error and quantiles of tokens "
        "and seconds per strategy and load. Retried rows and rows under foreign load do not "
        "count. Shown besides: how far seconds modelled from tokens are off on queries that were "
        "left out, seconds as a line over the load, and, with --compare, new over old.\n"
        "New hardware needs only 'allot-collect time', this, and 'allot-export'.",
    .options = options,
    .max_args = 1,
    .run = run,
    .examples = "allot-calibrate costs timing/ --output costs.json\n"
                "allot-calibrate costs timing-h200/ --output costs-h200.json --compare costs.json "
                "\\\n  --bundle model.safetensors --embeddings x.emb.h5 --problems problems.h5",
};
