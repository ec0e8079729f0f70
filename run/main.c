/* SPDX-License-Identifier: Apache-2.0 */
/* allot-run - a query in, its answer out, at the price that is worth it. */
#include "lib/engine/engineflags.h"
#include "run/runtool.h"

static allot_runtool tool;

static const allot_option options[] = {
    {"bundle", ALLOT_OPT_NEEDED, &tool.bundle, "FILE", "bundle of 'allot-export'; required", 0, 0},
    ALLOT_RULE_ROWS(tool.rule),
    {"strategy", ALLOT_OPT_STRING, &tool.strategy, "STRATEGY",
     "do not choose, use this one, e.g. majority@8", 0, 0},
    {"jsonl", ALLOT_OPT_STRING, &tool.jsonl, "FILE",
     "many queries, one {\"problem\": ...} a line; - is stdin; JSON lines come out", 0, 0},
    {"embed-base-url", ALLOT_OPT_STRING, &tool.embed.base_url, "URL",
     "server of the embedding model (else that of --base-url)", 0, 0},
    {"embed-model", ALLOT_OPT_STRING, &tool.embed.model, "NAME",
     "its name on the server (else as in the bundle)", 0, 0},
    {"embed-api-key-env", ALLOT_OPT_STRING, &tool.embed.api_key_env, "NAME",
     "environment variable with its API key (else the generator's on the same server, host and "
     "port, or none)",
     0, 0},
    {"embed-api-key-file", ALLOT_OPT_STRING, &tool.embed.api_key_file, "FILE",
     "file with its API key", 0, 0},
    {"embed-prefix", ALLOT_OPT_STRING, &tool.embed_prefix, "TEXT",
     "put before the query when it is embedded (else as in the bundle)", 0, 0},
    {"embed-pooling", ALLOT_OPT_STRING, &tool.embed_pooling, "NAME",
     "how the server pools, as told to 'allot-datasets embed' (else as in the bundle)", 0, 0},
    {"force", ALLOT_OPT_FLAG, &tool.force, NULL,
     "run although server or settings differ from the bundle's", 0, 0},
    ALLOT_ENGINE_SERVER_ROWS(tool.engine),
    ALLOT_ENGINE_BUNDLE_ROWS(tool.engine),
    {0}};

static allot_code run(const allot_common *common, allot_err *err)
{
    return allot_runtool_run(&tool, common, err);
}

static const char about[] =
    "Answers a query: predicts for each strategy of the bundle how likely it is to be right, "
    "takes the one with the greatest accuracy - X tokens - Y seconds, and executes it on the "
    "server.\n"
    "The answer goes to stdout, what was chosen and what it took to stderr; --json has all of it. "
    "How texts are generated (model, temperature, prompts, limits, reward model) is taken from "
    "the bundle, since its predictions hold for that only: a server or an option that differs is "
    "refused, unless --force is given.";

static const allot_command command = {
    .usage = "--bundle FILE --base-url URL [OPTION...] QUERY",
    .about = about,
    .options = options,
    .max_args = 1,
    .run = run,
    .examples =
        "  # the most accurate strategy, whatever it costs\n"
        "  allot-run --bundle model.safetensors --base-url http://localhost:8000 'What is "
        "12+7*3?'\n"
        "  # a second is worth one point of accuracy\n"
        "  allot-run --bundle model.safetensors --base-url http://localhost:8000 \\\n"
        "    --lambda-seconds 0.01 --json 'What is 12+7*3?'\n"
        "  # many queries\n"
        "  echo '{\"problem\": \"What is 12+7*3?\"}' | allot-run --bundle model.safetensors \\\n"
        "    --base-url http://localhost:8000 --jsonl -",
};

int main(int argc, char **argv)
{
    allot_runtool_defaults(&tool);
    return allot_main("allot-run", about, &command, 1, argc, argv);
}
