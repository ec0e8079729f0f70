/* SPDX-License-Identifier: Apache-2.0 */
/* Loads data, trains, writes the probe, and tells how it went as text or JSON. */
#include "train/traintool.h"
#include <stdio.h>
#include <string.h>
#include "lib/core/json.h"
#include "lib/core/log.h"
#include "lib/core/progress.h"
#include "train/fit.h"

static allot_code read_source(const allot_traintool *tool, allot_traindata_source *src,
                              allot_err *err)
{
    *src = (allot_traindata_source){.outcomes = tool->outcomes,
                                    .embeddings = tool->embeddings,
                                    .splits = tool->splits,
                                    .paper = tool->paper,
                                    .hidden = tool->hidden};
    const char *by = tool->weight_by;
    src->weight_by_n_eff = strcmp(by, "n-eff") == 0;
    if (!src->weight_by_n_eff && strcmp(by, "none") != 0)
        return allot_fail(err, ALLOT_EUSAGE, "--weight-by '%s' is neither n-eff nor none", by);
    return allot_missing_parse(tool->missing, &src->missing, err);
}

static allot_code read_settings(const allot_traintool *tool, const allot_common *common,
                                allot_fit_settings *s, allot_err *err)
{
    allot_fit_defaults(s, tool->paper);
    if (tool->lr > 0) s->lr = tool->lr;
    if (tool->weight_decay >= 0) s->weight_decay = tool->weight_decay;
    if (tool->batch > 0) s->batch = tool->batch;
    if (tool->epochs > 0) s->epochs = tool->epochs;
    if (tool->patience > 0) s->patience = tool->patience;
    s->threads = common->threads;
    s->seed = common->seed;
    return allot_fit_check(s, err);
}

static void add_losses(cJSON *to, const allot_fit_losses *l)
{
    allot_json_add_number(to, "validation_loss", l->probe);
    allot_json_add_number(to, "raw_loss", l->raw);
    allot_json_add_number(to, "strategy_mean_loss", l->strategy_mean);
    allot_json_add_number(to, "query_only_loss", l->query_only);
    allot_json_add_number(to, "additive_loss", l->additive);
}

static void add_curve(cJSON *to, const char *name, const double *loss, int n)
{
    cJSON_AddItemToObject(to, name, cJSON_CreateDoubleArray(loss, n));
}

/* What the probe file keeps for people. No time and no number of threads: same seed, same bytes. */
static cJSON *describe_training(const allot_traintool *tool, const allot_fit_settings *s,
                                const allot_traindata *data, const allot_fit_info *info)
{
    cJSON *t = cJSON_CreateObject();
    cJSON_AddStringToObject(t, "mode", s->paper ? "paper" : "default");
    allot_json_add_number(t, "lr", s->lr);
    allot_json_add_number(t, "weight_decay", s->weight_decay);
    allot_json_add_number(t, s->paper ? "batch_rows" : "batch_queries", s->batch);
    allot_json_add_number(t, "max_epochs", s->epochs);
    allot_json_add_number(t, "patience", s->patience);
    cJSON_AddStringToObject(t, "weight_by", tool->weight_by);
    cJSON_AddStringToObject(t, "missing", tool->missing);
    allot_json_add_number(t, "seed", (double)s->seed);
    allot_json_add_number(t, "train_queries", (double)data->train.n);
    allot_json_add_number(t, "validation_queries", (double)data->validation.n);
    allot_json_add_number(t, "train_cells", (double)data->train.n_cells);
    allot_json_add_number(t, "validation_cells", (double)data->validation.n_cells);
    allot_json_add_number(t, "n_eff_mean", data->n_eff_mean);
    allot_json_add_number(t, "epochs", info->epochs);
    allot_json_add_number(t, "best_epoch", info->best_epoch);
    allot_json_add_number(t, "train_loss", info->train[info->best_epoch - 1]);
    add_losses(t, &info->losses);
    allot_json_add_number(t, "interaction", (double)data->file.probe.interaction[0]);
    add_curve(t, "train_curve", info->train, info->epochs);
    add_curve(t, "validation_curve", info->validation, info->epochs);
    return t;
}

static allot_code report_json(const allot_traintool *tool, const allot_traindata *data,
                              double seconds, allot_err *err)
{
    cJSON *report = cJSON_Duplicate(data->file.training, 1);
    cJSON_AddStringToObject(report, "output", tool->output);
    allot_json_add_number(report, "strategies", data->file.strategies.count);
    allot_json_add_number(report, "dropped_queries", (double)data->dropped_queries);
    allot_json_add_number(report, "dropped_strategies", data->dropped_strategies);
    allot_json_add_number(report, "seconds", seconds);
    allot_code rc = allot_json_print(report, err);
    cJSON_Delete(report);
    return rc;
}

static void report_text(const allot_traintool *tool, const allot_traindata *data,
                        const allot_fit_info *info, double seconds)
{
    const allot_fit_losses *l = &info->losses;
    printf("trained on %ld queries x %d strategies (%ld cells, n_eff %.1f on average), "
           "validated on %ld queries\n",
           data->train.n, data->file.strategies.count, data->train.n_cells, data->n_eff_mean,
           data->validation.n);
    printf("best epoch %d of %d, %.1f s\n", info->best_epoch, info->epochs, seconds);
    printf("validation log loss        %.4f   (%.4f before the strategies' effects were fitted; "
           "%.0f %% "
           "of the interaction kept)\n",
           l->probe, l->raw, 100 * (double)data->file.probe.interaction[0]);
    printf("  mean of each strategy    %.4f   (knows nothing about the query)\n", l->strategy_mean);
    printf("  query part only          %.4f   (knows nothing about the strategy)\n", l->query_only);
    printf("  without interaction      %.4f   (same ranking of strategies for every query)\n",
           l->additive);
    printf("wrote '%s'\n", tool->output);
}

/* A probe that knows no more than the strategies' means cannot select; its user should hear it. */
static void warn(const allot_traindata *data, const allot_fit_info *info)
{
    if (data->dropped_queries > 0 || data->dropped_strategies > 0)
        allot_log_warn("left out %ld queries and %d strategies with missing cells",
                       data->dropped_queries, data->dropped_strategies);
    if (info->losses.probe >= info->losses.strategy_mean)
        allot_log_warn("the probe is no better than the mean of each strategy: it learned nothing "
                       "about the queries (more queries, or another embedding)");
}

static allot_code train(const allot_traintool *tool, const allot_common *common,
                        const allot_fit_settings *s, allot_traindata *data, allot_err *err)
{
    allot_fit_info info = {0};
    double started = allot_clock_s();
    allot_code rc = allot_fit_run(s, &data->train, &data->validation, data->features,
                                  &data->file.probe, &info, err);
    if (rc) return rc;
    double seconds = allot_clock_s() - started;
    const char *const inputs[] = {tool->outcomes, tool->embeddings, tool->splits, NULL};
    data->file.training = describe_training(tool, s, data, &info);
    rc = allot_probefile_save(tool->output, &data->file, "allot-train", s->seed, inputs, err);
    if (!rc) warn(data, &info);
    if (!rc && common->json) rc = report_json(tool, data, seconds, err);
    else if (!rc) report_text(tool, data, &info, seconds);
    allot_fit_info_clear(&info);
    return rc;
}

allot_code allot_traintool_run(const allot_traintool *tool, const allot_common *common,
                               allot_err *err)
{
    allot_traindata_source source;
    allot_traindata data = {0};
    allot_fit_settings settings;
    allot_code rc = read_source(tool, &source, err);
    if (!rc) rc = read_settings(tool, common, &settings, err);
    if (!rc) rc = allot_traindata_load(&source, &data, err);
    if (!rc) rc = train(tool, common, &settings, &data, err);
    allot_traindata_clear(&data);
    return rc;
}
