/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: what any of allot's files holds, for people and as JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/store/bundlefile.h"
#include "lib/store/costsfile.h"
#include "lib/store/embeddings.h"
#include "lib/core/json.h"
#include "lib/store/outcomes.h"
#include "lib/store/probefile.h"
#include "lib/store/problems.h"
#include "lib/store/splits.h"
#include "lib/store/strategyfile.h"
#include "datasets/datacommands.h"
#include "datasets/filefields.h"
#include "datasets/problemstats.h"
#include "liballot/bundle.h"

static const char *splits_file;
static double near;

static allot_code inspect_problems(const char *path, cJSON *out, allot_err *err)
{
    return allot_problemstats_add(path, splits_file, near, out, err);
}

static allot_code inspect_splits(const char *path, cJSON *out, allot_err *err)
{
    allot_splits s = {0};
    allot_code rc = allot_splits_load(path, &s, err);
    if (rc) return rc;
    long n[ALLOT_N_SPLITS] = {0};
    for (long i = 0; i < s.n; i++)
        n[s.split[i]]++;
    cJSON_AddNumberToObject(out, "queries", (double)s.n);
    cJSON_AddStringToObject(out, "split_id", s.id);
    cJSON_AddStringToObject(out, "fractions", s.fractions);
    for (int i = 0; i < ALLOT_N_SPLITS; i++)
        cJSON_AddNumberToObject(out, allot_split_name((allot_split)i), (double)n[i]);
    allot_splits_clear(&s);
    return ALLOT_OK;
}

static allot_code inspect_embeddings(const char *path, cJSON *out, allot_err *err)
{
    allot_embeddings e = {0};
    allot_code rc = allot_embeddings_load(path, &e, err);
    if (rc) return rc;
    cJSON_AddNumberToObject(out, "queries", (double)e.n);
    cJSON_AddNumberToObject(out, "dimension", (double)e.dim);
    cJSON_AddStringToObject(out, "model", e.model);
    cJSON_AddStringToObject(out, "pooling", e.pooling);
    cJSON_AddBoolToObject(out, "normalized", e.normalized);
    cJSON_AddStringToObject(out, "prefix", e.prefix);
    cJSON_AddStringToObject(out, "embedding_id", e.id);
    allot_embeddings_clear(&e);
    return ALLOT_OK;
}

static void add_outcome_row(const allot_outcomes *o, int s, cJSON *rows)
{
    double accuracy = 0, tokens = 0, seconds = 0;
    long cells = 0, timed = 0;
    for (long q = 0; q < o->n; q++) {
        size_t cell = (size_t)q * (size_t)o->strategies.count + (size_t)s;
        if (o->n_trials[cell] == 0) continue;
        cells++;
        accuracy += (double)o->accuracy[cell];
        tokens += (double)o->tokens[cell];
        if (o->seconds_kind[cell] == ALLOT_SECONDS_ABSENT) continue;
        timed++;
        seconds += (double)o->seconds[cell];
    }
    char text[ALLOT_STRATEGY_TEXT];
    allot_strategy_print(&o->strategies.at[s], text);
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(rows, row);
    cJSON_AddStringToObject(row, "strategy", text);
    allot_json_add_number(row, "accuracy", cells ? accuracy / (double)cells : NAN);
    allot_json_add_number(row, "tokens", cells ? tokens / (double)cells : NAN);
    allot_json_add_number(row, "seconds", timed ? seconds / (double)timed : NAN);
    cJSON_AddNumberToObject(row, "missing", (double)(o->n - cells));
}

static allot_code inspect_outcomes(const char *path, cJSON *out, allot_err *err)
{
    allot_outcomes o = {0};
    allot_code rc = allot_outcomes_load(path, &o, err);
    if (rc) return rc;
    cJSON_AddNumberToObject(out, "queries", (double)o.n);
    cJSON_AddStringToObject(out, "metric", o.metric);
    cJSON_AddStringToObject(out, "labels", o.label_rule);
    cJSON_AddItemToObject(out, "fingerprint", cJSON_Duplicate(o.fingerprint, 1));
    if (o.grading) cJSON_AddItemToObject(out, "grading", cJSON_Duplicate(o.grading, 1));
    cJSON *rows = cJSON_AddArrayToObject(out, "strategies");
    for (int s = 0; s < o.strategies.count; s++)
        add_outcome_row(&o, s, rows);
    allot_outcomes_clear(&o);
    return ALLOT_OK;
}

static allot_code inspect_probe(const char *path, cJSON *out, allot_err *err)
{
    allot_probefile p = {0};
    allot_code rc = allot_probefile_load(path, &p, err);
    if (rc) return rc;
    cJSON_AddNumberToObject(out, "dimension", p.probe.d);
    cJSON_AddNumberToObject(out, "parameters", (double)p.probe.n_params);
    cJSON_AddStringToObject(out, "embedding_model", p.embedding_model);
    cJSON_AddStringToObject(out, "split_id", p.split_id);
    cJSON_AddBoolToObject(out, "calibrated", p.calibrated);
    cJSON_AddItemToObject(out, "strategies", allot_strategyfile_to_json(&p.strategies));
    if (p.training) cJSON_AddItemToObject(out, "training", cJSON_Duplicate(p.training, 1));
    if (p.calibration) cJSON_AddItemToObject(out, "calibration", cJSON_Duplicate(p.calibration, 1));
    allot_probefile_clear(&p);
    return ALLOT_OK;
}

static allot_code inspect_bundle(const char *path, cJSON *out, allot_err *err)
{
    allot_bundle b = {0};
    allot_code rc = allot_bundlefile_load(path, &b, err);
    if (rc) return rc;
    cJSON *manifest = NULL;
    rc = allot_json_parse(b.manifest, strlen(b.manifest), path, &manifest, err);
    if (!rc) cJSON_AddItemToObject(out, "manifest", manifest);
    allot_bundle_clear(&b);
    return rc;
}

/* HDF5 files say what they are; the others go by their text. */
static allot_code inspect_h5(const char *path, cJSON *out, allot_err *err)
{
    static const struct {
        const char *schema;
        allot_code (*inspect)(const char *path, cJSON *out, allot_err *err);
    } kinds[] = {{ALLOT_PROBLEMS_SCHEMA, inspect_problems},
                 {ALLOT_SPLITS_SCHEMA, inspect_splits},
                 {ALLOT_EMBEDDINGS_SCHEMA, inspect_embeddings},
                 {ALLOT_OUTCOMES_SCHEMA, inspect_outcomes},
                 {ALLOT_PROBE_SCHEMA, inspect_probe}};
    char *schema = NULL;
    allot_code rc = allot_fields_schema(path, &schema, err);
    if (rc) return rc;
    cJSON_AddStringToObject(out, "schema", schema);
    rc = ALLOT_EINPUT;
    size_t i = 0, n = sizeof kinds / sizeof *kinds;
    while (i < n && strcmp(kinds[i].schema, schema) != 0)
        i++;
    if (i < n) rc = kinds[i].inspect(path, out, err);
    else allot_fail(err, rc, "cannot read '%s': no file of allot ('%.64s')", path, schema);
    free(schema);
    return rc;
}

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static allot_code inspect(const char *path, cJSON *out, allot_err *err)
{
    if (ends_with(path, ".safetensors")) return inspect_bundle(path, out, err);
    if (!ends_with(path, ".json")) return inspect_h5(path, out, err);
    allot_costsfile c = {0};
    allot_code rc = allot_costsfile_load(path, &c, err);
    if (rc) return rc;
    cJSON *loads = cJSON_AddArrayToObject(out, "loads");
    for (int i = 0; i < c.n_loads; i++) {
        cJSON *load = cJSON_CreateObject();
        cJSON_AddNumberToObject(load, "load", c.loads[i].load);
        cJSON_AddItemToObject(load, "strategies", allot_costs_to_json(&c.loads[i], &c.strategies));
        cJSON_AddItemToArray(loads, load);
    }
    allot_costsfile_clear(&c);
    return ALLOT_OK;
}

static allot_code run(const allot_common *common, allot_err *err)
{
    cJSON *out = cJSON_CreateObject();
    cJSON_AddStringToObject(out, "file", common->args[0]);
    allot_code rc = inspect(common->args[0], out, err);
    if (!rc && common->json) rc = allot_json_print(out, err);
    else if (!rc) allot_fields_print(out);
    cJSON_Delete(out);
    return rc;
}

static const allot_option options[] = {
    {"splits", ALLOT_OPT_STRING, &splits_file, "FILE",
     "of problems: how many are in each split of this file", 0, 0},
    {"near", ALLOT_OPT_DOUBLE, &near, "S",
     "of problems: count those so similar to an earlier one (see overlap)", 0.5, 1},
    {0}};

const allot_command allot_cmd_inspect = {
    "inspect",
    "[OPTION...] FILE",
    "say what a file of allot holds: problems, splits, embeddings, outcomes, probe, costs, bundle",
    options,
    1,
    1,
    run,
    "  allot-datasets inspect --splits splits.h5 --near 0.8 problems.h5\n"
    "  allot-datasets inspect outcomes.h5\n"
    "  allot-datasets inspect --json model.safetensors"};
