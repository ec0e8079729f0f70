# SPDX-License-Identifier: Apache-2.0
# Which of 42 models should answer? One answer of each to the 1319 test questions of GSM8K (ZeroEval),
# as lines of {query_id, question, answer, samples: [{model, correct, tokens}]}. Seconds are unknown,
# and 638 answers are missing, so a price on tokens only, and masked cells:
#   make -f examples/gsm8k_42models.mk RAW=outcomes_gsm8k_42models.jsonl BIN=build/release/bin/
RAW      ?= outcomes_gsm8k_42models.jsonl
OUT      ?= out-42models
PROBLEMS := jq -c '{problem: .question, answer, id: .query_id}'
TABLE    := jq -c '.question as $$q | .samples[] | \
                   {query: $$q, strategy: .model, correct, tokens}'
include $(dir $(lastword $(MAKEFILE_LIST)))outcomes.mk
