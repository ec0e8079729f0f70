# SPDX-License-Identifier: Apache-2.0
# The whole chain, from a file of problems to an evaluated bundle, for your own data:
#
#   make -f pipeline.mk DATASET=problems.jsonl BASE_URL=http://localhost:8000/v1 MODEL=... \
#        PRM_BASE_URL=http://localhost:8001/v1 PRM_MODEL=... EMBED_BASE_URL=... EMBED_MODEL=...
#
# Each step writes one file under OUT from the files it reads, so a broken chain goes on where it
# stopped (sampling goes on inside its run directory) and a changed setting redoes only what hangs
# on it. 'make -f pipeline.mk help' lists the targets.
OUT        ?= out
BIN        ?=
HERE       := $(dir $(lastword $(MAKEFILE_LIST)))
# What is left empty is what the program does unless told (its --help says what).
# ---- what
DATASET    ?=
PRESET     ?=
IMPORT     ?= $(BIN)allot-datasets import $(call opt,--preset,$(PRESET)) $(DATASET)
STRATEGIES ?= $(firstword $(wildcard strategies.json $(HERE)default.json \
                $(HERE)../collect/strategies/default.json))
FRACTIONS  ?=
SEED       ?=
# ---- servers
BASE_URL     ?= http://127.0.0.1:8000/v1
MODEL        ?=
PRM_BASE_URL ?= $(BASE_URL)
PRM_MODEL    ?=
# ---- generation: every setting that changes what a strategy does
GENERATION   ?=
CONCURRENCY  ?=
POOL         ?=
RUNS         ?=
LIMIT        ?=
# ---- timing: declared loads (labels and bundle use the first) and how many queries are timed
LOAD         ?=
TIME_QUERIES ?=
TIME_RUNS    ?=
HARDWARE     ?=
# ---- embeddings: names; each is made by EMBED_<name> (flags of 'allot-datasets embed')
EMBEDDINGS     ?= $(if $(EMBED_MODEL),server) ngram
EMBED_BASE_URL ?= $(BASE_URL)
EMBED_MODEL    ?=
EMBED_server   ?= --base-url $(EMBED_BASE_URL) --model $(EMBED_MODEL)
EMBED_ngram    ?= --ngram
# ---- probe
TRAIN_FLAGS ?=
PLATT_FLAGS ?=
LABEL_FLAGS ?=
EVAL_FLAGS  ?=
THREADS     ?=

MAIN := $(firstword $(EMBEDDINGS))
comma := ,
LOAD_USED := $(firstword $(subst $(comma), ,$(LOAD)))
opt   = $(if $(2),$(1) $(2))
COMMON = $(call opt,--seed,$(SEED)) $(call opt,--threads,$(THREADS))
SERVER = --base-url $(BASE_URL) $(call opt,--model,$(MODEL)) \
         $(if $(PRM_MODEL),--prm-base-url $(PRM_BASE_URL) --prm-model $(PRM_MODEL)) $(GENERATION)

.PHONY: all labels costs bundle report compare help
.DELETE_ON_ERROR:
# Timing wants the server, and this machine, for itself.
.NOTPARALLEL:
.SECONDARY:
all: report $(if $(word 2,$(EMBEDDINGS)),compare)
help:
	@echo 'all      the whole chain (default)'
	@echo 'labels   sample and grade:       $(OUT)/outcomes.h5'
	@echo 'costs    time the strategies:    $(OUT)/costs.json'
	@echo 'bundle   train, calibrate, export: $(OUT)/$(MAIN).safetensors'
	@echo 'report   evaluate on the test split: $(OUT)/report-$(MAIN)/'
	@echo 'compare  the embeddings ($(EMBEDDINGS)) on the same outcomes: $(OUT)/compare/'
	@echo 'New hardware? Remove $(OUT)/timing and make again: nothing is sampled, labelled or trained.'

# A change of settings must redo what hangs on them: each step depends on a file that holds its
# settings and is written again only when they differ. Addresses of servers are no settings.
define settings
ifneq ($$(strip $$(file < $(OUT)/.$(1).settings)),$$(strip $(2)))
$(OUT)/.$(1).settings: FORCE
endif
$(OUT)/.$(1).settings:
	@mkdir -p $(OUT)
	@printf '%s\n' '$$(subst ','\'',$$(strip $(2)))' > $$@
endef
.PHONY: FORCE
FORCE:
$(eval $(call settings,import,$$(IMPORT)))
$(eval $(call settings,split,$$(FRACTIONS) $$(SEED)))
$(eval $(call settings,sample,$$(MODEL) $$(PRM_MODEL) $$(GENERATION) $$(POOL) $$(RUNS) $$(LIMIT) $$(SEED)))
$(eval $(call settings,label,$$(LABEL_FLAGS) $$(LOAD_USED)))
$(eval $(call settings,time,$$(LOAD) $$(TIME_QUERIES) $$(TIME_RUNS) $$(GENERATION)))
$(eval $(call settings,train,$$(TRAIN_FLAGS) $$(SEED)))
$(foreach e,$(EMBEDDINGS),\
  $(eval $(call settings,embed-$(e),$$(filter-out http://% https://%,$$(EMBED_$(e))))))
$(eval $(call settings,platt,$$(PLATT_FLAGS)))
$(eval $(call settings,export,$$(LOAD_USED)))
$(eval $(call settings,eval,$$(EVAL_FLAGS) $$(SEED)))

$(OUT)/problems.h5: $(OUT)/.import.settings $(wildcard $(DATASET))
	$(IMPORT) $@
$(OUT)/splits.h5: $(OUT)/problems.h5 $(OUT)/.split.settings
	$(BIN)allot-datasets split $(call opt,--fractions,$(FRACTIONS)) $(call opt,--seed,$(SEED)) $< $@

# What failed in the server's words, and the variable that most often mends it.
define explain
{ rc=$$?; [ $$rc != 3 ] || { $(BIN)allot-collect status $(OUT)/run | grep errors >&2; \
  echo "pipeline.mk: if the server's context is shorter than the limits in tokens, set them with" \
    "GENERATION='--max-tokens N --step-max-tokens N' and remove $(OUT)/run" >&2; }; exit $$rc; }
endef

labels: $(OUT)/outcomes.h5
$(OUT)/run/.done: $(OUT)/problems.h5 $(STRATEGIES) $(OUT)/.sample.settings
	$(BIN)allot-collect sample --dataset $< --strategies $(STRATEGIES) --output $(OUT)/run \
	  $(SERVER) $(call opt,--max-concurrency,$(CONCURRENCY)) $(call opt,--pool,$(POOL)) \
	  $(call opt,--runs,$(RUNS)) $(call opt,--limit,$(LIMIT)) $(call opt,--seed,$(SEED)) || $(explain)
	@touch $@
costs: $(OUT)/costs.json
$(OUT)/timing/.done: $(OUT)/problems.h5 $(STRATEGIES) $(OUT)/.time.settings
	$(BIN)allot-collect time --dataset $< --strategies $(STRATEGIES) --output $(OUT)/timing \
	  $(SERVER) $(call opt,--load,$(LOAD)) $(call opt,--queries,$(TIME_QUERIES)) \
	  $(call opt,--runs,$(TIME_RUNS)) $(if $(HARDWARE),--hardware '$(HARDWARE)') \
	  $(call opt,--seed,$(SEED))
	@touch $@
$(OUT)/costs.json: $(OUT)/timing/.done
	$(BIN)allot-calibrate costs $(OUT)/timing --output $@
# The labels may use the timing (modelled seconds of untimed cells); new timings alone do not remake
# them, hence the order-only prerequisite.
$(OUT)/outcomes.h5: $(OUT)/run/.done $(OUT)/.label.settings | $(OUT)/timing/.done
	$(BIN)allot-collect label $(LABEL_FLAGS) --timing $(OUT)/timing $(call opt,--load,$(LOAD_USED)) \
	  $(OUT)/run $@

bundle: $(OUT)/$(MAIN).safetensors
$(OUT)/%.emb.h5: $(OUT)/problems.h5 $(OUT)/.embed-%.settings
	$(BIN)allot-datasets embed $(EMBED_$*) $< $@
$(OUT)/%.probe.h5: $(OUT)/outcomes.h5 $(OUT)/%.emb.h5 $(OUT)/splits.h5 $(OUT)/.train.settings
	$(BIN)allot-train --outcomes $(OUT)/outcomes.h5 --embeddings $(OUT)/$*.emb.h5 \
	  --splits $(OUT)/splits.h5 --output $@ $(COMMON) $(TRAIN_FLAGS)
$(OUT)/%.probe.cal.h5: $(OUT)/%.probe.h5 $(OUT)/.platt.settings
	$(BIN)allot-calibrate platt --probe $< --outcomes $(OUT)/outcomes.h5 \
	  --embeddings $(OUT)/$*.emb.h5 --splits $(OUT)/splits.h5 --output $@ $(PLATT_FLAGS)
$(OUT)/%.safetensors: $(OUT)/%.probe.cal.h5 $(OUT)/costs.json $(OUT)/.export.settings
	$(BIN)allot-export --probe $< --costs $(OUT)/costs.json $(call opt,--load,$(LOAD_USED)) --output $@

report: $(OUT)/report-$(MAIN)/eval.json
$(OUT)/report-%/eval.json: $(OUT)/%.safetensors $(OUT)/.eval.settings
	$(BIN)allot-eval report --bundle $< --outcomes $(OUT)/outcomes.h5 \
	  --embeddings $(OUT)/$*.emb.h5 --splits $(OUT)/splits.h5 --output $(@D) $(COMMON) \
	  $(EVAL_FLAGS)
compare: $(OUT)/compare/compare.json
$(OUT)/compare/compare.json: $(EMBEDDINGS:%=$(OUT)/%.safetensors) $(OUT)/.eval.settings
	$(BIN)allot-eval compare --outcomes $(OUT)/outcomes.h5 --splits $(OUT)/splits.h5 \
	  $(foreach e,$(EMBEDDINGS),--candidate $(e)=$(OUT)/$(e).safetensors:$(OUT)/$(e).emb.h5) \
	  --output $(@D) $(COMMON) $(EVAL_FLAGS)
