/* SPDX-License-Identifier: Apache-2.0 */
/* allot-select - a query in, the strategy to use out. */
#include <stddef.h>
#include "select/selecttool.h"

static allot_selecttool tool;

static const allot_option options[] = {
    {"bundle", ALLOT_OPT_NEEDED, &tool.bundle, "FILE", "bundle of 'allot-export'", 0, 0},
    ALLOT_RULE_ROWS(tool.rule),
    {"jsonl", ALLOT_OPT_STRING, &tool.jsonl, "FILE",
     "many queries, one {\"problem\": ...} a line; - is stdin", 0, 0},
    {"embedding", ALLOT_OPT_STRING, &tool.vector, "FILE", "JSON list of the query's embedding", 0,
     0},
    {"embeddings", ALLOT_OPT_STRING, &tool.source.file, "FILE",
     "embeddings file to look the query up in", 0, 0},
    {"key", ALLOT_OPT_STRING, &tool.key, "HEX", "key of the query, instead of its text", 0, 0},
    {"codepoints", ALLOT_OPT_INT, &tool.codepoints, "N", "length of the query, with --key", 0, 1e9},
    {"embed-base-url", ALLOT_OPT_STRING, &tool.source.server.base_url, "URL",
     "server with /v1/embeddings that serves the bundle's embedding model", 0, 0},
    {"embed-model", ALLOT_OPT_STRING, &tool.source.server.model, "NAME",
     "its name on the server (else as in the bundle)", 0, 0},
    {"api-key-env", ALLOT_OPT_STRING, &tool.source.server.api_key_env, "NAME",
     "environment variable with the API key (else OPENAI_API_KEY)", 0, 0},
    {"api-key-file", ALLOT_OPT_STRING, &tool.source.server.api_key_file, "FILE",
     "file with the API key", 0, 0},
    {"timeout", ALLOT_OPT_DOUBLE, &tool.source.server.timeout_s, "S",
     "seconds to wait for the server", 0.001, 1e6},
    {"insecure", ALLOT_OPT_FLAG, &tool.source.server.insecure, NULL,
     "do not check TLS certificates", 0, 0},
    {"cacert", ALLOT_OPT_STRING, &tool.source.server.cacert, "FILE", "certificate authorities", 0,
     0},
    {"header", ALLOT_OPT_LIST, &tool.source.server.headers, "'NAME: VALUE'",
     "sent with every request; may be given several times", 0, 0},
    {0},
};

static allot_code run(const allot_common *common, allot_err *err)
{
    return allot_selecttool_run(&tool, common, err);
}

static const char about[] =
    "Decides which decoding strategy, with how much compute, a query should get: the one with the "
    "greatest predicted accuracy - lambda_T x tokens - lambda_L x seconds among those within the "
    "caps. --verbose lists all strategies.\n"
    "The embedding of the query comes from the built-in n-grams if the bundle was trained on them; "
    "else from --embed-base-url, --embeddings or --embedding.\n"
    "With --jsonl one line is printed for each query: strategy, accuracy, tokens, seconds, utility "
    "and the query, separated by tabs; with --json a JSON object a line.";

static const allot_command command = {
    .usage = "[OPTION...] --bundle FILE QUERY",
    .about = about,
    .options = options,
    .max_args = 1,
    .run = run,
    .examples = "allot-select --bundle model.safetensors --lambda-tokens 1e-5 'What is 12+7*3?'\n"
                "allot-select --bundle model.safetensors --max-seconds 5 --cap-on p95 --json "
                "'What is 12+7*3?'\n"
                "allot-select --bundle model.safetensors --lambda-seconds 1e-3 --jsonl "
                "queries.jsonl",
};

int main(int argc, char **argv)
{
    allot_selecttool_defaults(&tool);
    return allot_main("allot-select", about, &command, 1, argc, argv);
}
