# SPDX-License-Identifier: Apache-2.0
.PHONY: check-layers check-headers check-format tidy format everything compile_commands.json
check-layers:
	$(Q)sh mk/check_layers.sh
# Each header compiles alone: it includes what it uses.
HEADERS := $(wildcard $(ROOMS:%=%/*.h))
check-headers:
	$(Q)for h in $(HEADERS); do \
	  $(CC) $(CFLAGS_COMMON) $(foreach p,$(PACKAGES),$(pkg_cflags_$(p))) -Werror -fsyntax-only \
	    -x c $$h || exit 1; done; echo "check-headers: $(words $(HEADERS)) headers compile alone"

# clang-tidy's checks of .clang-tidy; TIDY='train/*.c' for some files only.
TIDY ?= $(ROOMS:%=%/*.c)
tidy:
	$(Q)printf '%s\n' $(wildcard $(TIDY)) | xargs -P $(JOBS) -I{} \
	  clang-tidy --quiet {} -- $(CFLAGS_COMMON) $(foreach p,$(PACKAGES),$(pkg_cflags_$(p)))
	@echo 'tidy: $(words $(wildcard $(TIDY))) files ok'

# Versions of clang-format differ in what they make of the same settings: this one decides.
CLANG_FORMAT_VERSION := 14
SOURCES := $(wildcard $(ROOMS:%=%/*.[ch]) examples/*.[ch] tests/*.[ch] tests/*/*.[ch])
check-format:
	$(Q)if ! clang-format --version 2>&1 | grep -q ' version $(CLANG_FORMAT_VERSION)\.'; then \
	  echo 'check-format: skipped, there is no clang-format $(CLANG_FORMAT_VERSION)'; \
	else clang-format --dry-run --Werror $(SOURCES) && \
	  echo 'check-format: $(words $(SOURCES)) files ok'; fi
format:
	clang-format -i $(SOURCES)

# All that is compiled, so that warnings of the compiler at hand show.
everything: programs test-programs $(BENCH_BINS)

# For editors and tools: how each file is compiled.
COMPILED := $(filter %.c,$(SOURCES))
comma := ,
define compile_command
$(if $(filter $(firstword $(COMPILED)),$(1)),,$(comma)){"directory": "$(CURDIR)", "file": "$(1)",
 "command": "$(subst ",\",$(CC) $(ALL_CFLAGS) $(foreach p,$(sort $(ALL_PKGS)),$(pkg_cflags_$(p)))) -c $(1)"}

endef
compile_commands.json:
	$(Q):$(file >$@,[$(foreach c,$(COMPILED),$(call compile_command,$(c)))])
