# SPDX-License-Identifier: Apache-2.0
# Ten samples of one model for each of CRUXEval's 800 programs (what does it print?), judged by
# running them, as lines of {query_id, question, answer, samples: [{extracted, correct, tokens}]}:
# single and majority voting from one pool. Seconds are unknown.
#   make -f examples/cruxeval_10samples.mk RAW=outcomes_cruxeval_10samples.jsonl \
#     BIN=build/release/bin/
RAW          ?= outcomes_cruxeval_10samples.jsonl
OUT          ?= out-cruxeval
PROBLEMS     := jq -c '{problem: .question, answer, id: .query_id}'
SAMPLES      := jq -c '{query: .question, answer, samples}'
IMPORT_FLAGS := --keep-unanswered
include $(dir $(lastword $(MAKEFILE_LIST)))outcomes.mk
