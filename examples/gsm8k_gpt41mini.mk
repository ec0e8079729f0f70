# SPDX-License-Identifier: Apache-2.0
# Four sampling rules of one model (300 GSM8K questions, tokens and seconds measured), from
# github.com/Azimml/adaptive-test-time-compute, as lines of {query_id, strategy, question, answer,
# correct, tokens, time_ms}:
#   make -f examples/gsm8k_gpt41mini.mk RAW=outcomes_gsm8k_gpt41mini.jsonl BIN=build/release/bin/
RAW      ?= outcomes_gsm8k_gpt41mini.jsonl
OUT      ?= out-gpt41mini
PROBLEMS := jq -c '{problem: .question, answer, id: .query_id}'
TABLE    := jq -c '{query: .question, strategy, correct, tokens, seconds: (.time_ms / 1000)}'
include $(dir $(lastword $(MAKEFILE_LIST)))outcomes.mk
