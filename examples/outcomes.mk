# SPDX-License-Identifier: Apache-2.0
# From outcomes that were measured elsewhere to an evaluated bundle; no server is needed. Included by
# the examples beside it, which say how RAW becomes the table:
#   PROBLEMS  prints {"problem", "answer", "id"} lines, repeated ones too
#   TABLE     prints the rows of 'allot-datasets import-outcomes', or
#   SAMPLES   prints those of 'allot-datasets import-samples'; if they tell their seconds:
#             LABEL_FLAGS='--sample-seconds one-by-one'
OUT       ?= out
BIN       ?=
FRACTIONS ?= 0.5,0.1,0.15,0.25
SEED      ?= 1
THREADS   ?= 1
NAME      ?= $(notdir $(RAW))
# What to do about (query, strategy) pairs that were not measured: mask, drop-query or drop-strategy.
# Strategies are compared on the same queries: with mask the report leaves out those that lack one.
MISSING   ?= mask

.PHONY: all
.DELETE_ON_ERROR:
.SECONDARY:
all: $(OUT)/report/eval.json

$(OUT)/problems.jsonl: $(RAW)
	@mkdir -p $(OUT)
	$(PROBLEMS) $(RAW) > $@
$(OUT)/problems.h5: $(OUT)/problems.jsonl
	$(BIN)allot-datasets import --preset jsonl $(IMPORT_FLAGS) $< $@
ifdef SAMPLES
$(OUT)/run/manifest.json: $(RAW)
	@mkdir -p $(OUT) && rm -rf $(OUT)/run
	$(SAMPLES) $(RAW) > $(OUT)/samples.jsonl
	$(BIN)allot-datasets import-samples --name '$(NAME)' $(OUT)/samples.jsonl $(OUT)/run
$(OUT)/outcomes.h5: $(OUT)/run/manifest.json
	$(BIN)allot-collect label $(LABEL_FLAGS) $(OUT)/run $@
else
$(OUT)/table.jsonl: $(RAW)
	@mkdir -p $(OUT)
	$(TABLE) $(RAW) > $@
$(OUT)/outcomes.h5: $(OUT)/table.jsonl $(OUT)/problems.h5
	$(BIN)allot-datasets import-outcomes --named --name '$(NAME)' --problems $(OUT)/problems.h5 $< $@
endif
$(OUT)/splits.h5: $(OUT)/problems.h5
	$(BIN)allot-datasets split --fractions $(FRACTIONS) --seed $(SEED) $< $@
$(OUT)/ngram.emb.h5: $(OUT)/problems.h5
	$(BIN)allot-datasets embed --ngram $< $@
INPUTS = --outcomes $(OUT)/outcomes.h5 --embeddings $(OUT)/ngram.emb.h5 --splits $(OUT)/splits.h5
$(OUT)/probe.h5: $(OUT)/outcomes.h5 $(OUT)/ngram.emb.h5 $(OUT)/splits.h5
	$(BIN)allot-train $(INPUTS) --missing $(MISSING) --output $@ --seed $(SEED) --threads $(THREADS) $(TRAIN_FLAGS)
$(OUT)/probe.cal.h5: $(OUT)/probe.h5
	$(BIN)allot-calibrate platt --probe $< $(INPUTS) --missing $(MISSING) --output $@ $(PLATT_FLAGS)
$(OUT)/costs.json: $(OUT)/outcomes.h5 $(OUT)/splits.h5
	$(BIN)allot-calibrate costs --outcomes $< --splits $(OUT)/splits.h5 --missing $(MISSING) --output $@
$(OUT)/bundle.safetensors: $(OUT)/probe.cal.h5 $(OUT)/costs.json
	$(BIN)allot-export --probe $< --costs $(OUT)/costs.json --output $@
$(OUT)/report/eval.json: $(OUT)/bundle.safetensors
	$(BIN)allot-eval report --bundle $< $(INPUTS) --missing $(MISSING:mask=drop-query) --output $(@D) --seed $(SEED) \
	  --threads $(THREADS) $(EVAL_FLAGS)
