/* SPDX-License-Identifier: Apache-2.0 */
/* allot-train - outcomes + embeddings + splits -> probe. */
#include <stdio.h>
#include "train/fit.h"
#include "train/traintool.h"

static allot_traintool tool = {
    .weight_decay = -1, .hidden = 200, .weight_by = "none", .missing = "refuse"};
static char paper_help[160];

static const allot_option options[] = {
    {"outcomes", ALLOT_OPT_NEEDED, &tool.outcomes, "FILE", "labels of 'allot-collect label'", 0, 0},
    {"embeddings", ALLOT_OPT_NEEDED, &tool.embeddings, "FILE", "vectors of the same queries", 0, 0},
    {"splits", ALLOT_OPT_NEEDED, &tool.splits, "FILE", "splits of 'allot-datasets split'", 0, 0},
    {"output", ALLOT_OPT_NEEDED, &tool.output, "FILE", "the probe to write (probe.h5)", 0, 0},
    {"paper", ALLOT_OPT_FLAG, &tool.paper, NULL, paper_help, 0, 0},
    {"lr", ALLOT_OPT_ELSE(DOUBLE, &tool.lr, &allot_fit_default.lr), "X", "learning rate", 1e-12,
     1e30},
    {"batch-queries", ALLOT_OPT_ELSE(INT, &tool.batch, &allot_fit_default.batch), "N",
     "queries in a batch; rows with --paper", 1, 4096},
    {"epochs", ALLOT_OPT_ELSE(INT, &tool.epochs, &allot_fit_default.epochs), "N", "at most", 1,
     100000},
    {"patience", ALLOT_OPT_ELSE(INT, &tool.patience, &allot_fit_default.patience), "N",
     "stop after N epochs without a better validation loss", 1, 100000},
    {"hidden", ALLOT_OPT_INT, &tool.hidden, "N", "units of each hidden layer", 1, 8192},
    {"weight-decay", ALLOT_OPT_ELSE(DOUBLE, &tool.weight_decay, &allot_fit_default.weight_decay),
     "X", "decoupled weight decay", 0, 100},
    {"weight-by", ALLOT_OPT_STRING, &tool.weight_by, "n-eff|none",
     "weight each cell by its effective number of trials", 0, 0},
    {"missing", ALLOT_OPT_STRING, &tool.missing, "HOW",
     "missing cells: refuse, drop-query, drop-strategy or mask", 0, 0},
    ALLOT_FORCE_ROW,
    {0},
};

static allot_code run(const allot_common *common, allot_err *err)
{
    return allot_traintool_run(&tool, common, err);
}

static const char about[] =
    "Trains the accuracy probe: a two-layer perceptron that predicts, from a query's embedding and "
    "a strategy's parameters, how likely the strategy answers the query correctly.\n"
    "The train split is learned from; the validation split decides when to stop. The report "
    "compares the probe with baselines that know nothing about the query, about the strategy, or "
    "about how they interact.";

static const allot_command command = {
    .usage = "[OPTION...] --outcomes FILE --embeddings FILE --splits FILE --output FILE",
    .about = about,
    .options = options,
    .run = run,
    .examples = "allot-train --outcomes outcomes.h5 --embeddings qwen.emb.h5 --splits splits.h5 "
                "--output probe.h5\n"
                "allot-train --paper --outcomes outcomes.h5 --embeddings bert.emb.h5 "
                "--splits splits.h5 --output probe.paper.h5",
};

int main(int argc, char **argv)
{
    const allot_fit_settings *p = &allot_fit_paper;
    snprintf(paper_help, sizeof paper_help,
             "the published method: its features, batches of %d rows, learning rate %g, %d epochs, "
             "weight decay %g",
             p->batch, p->lr, p->epochs, p->weight_decay);
    return allot_main("allot-train", about, &command, 1, argc, argv);
}
