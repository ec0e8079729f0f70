# SPDX-License-Identifier: Apache-2.0
# Fuzzing: each tests/fuzz/fuzz_NAME.c holds one LLVMFuzzerTestOneInput. 'make fuzz' runs them for
# FUZZ_SECONDS each with clang's libFuzzer under asan and ubsan; 'make test' replays the corpus
# (tests/fuzz/corpus/NAME/, where every input that ever crashed stays) with any compiler.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BINS    := $(FUZZ_TARGETS:%=$(B)/tests/fuzz/fuzz_%)
FUZZ_MAIN    := $(if $(filter fuzz,$(MODE)),,$(B)/tests/fuzz/replay.o)
FUZZ_FLAGS   := $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer)

.PRECIOUS: $(FUZZ_BINS:%=%.o)
$(FUZZ_BINS:%=%.o): PKGS = $(ALL_PKGS)
$(FUZZ_BINS): $(B)/%: $(B)/%.o $(FUZZ_MAIN) $(ARCHIVES)
	@$(if $(Q),echo "  LINK $*")
	$(Q)$(CC) -o $@ $< $(FUZZ_MAIN) -Wl,--start-group $(ARCHIVES) -Wl,--end-group \
	  $(ALL_LDFLAGS) $(FUZZ_FLAGS) $(foreach p,$(sort $(ALL_PKGS)),$(pkg_libs_$(p))) -lm

.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_BINS)
fuzz:
	$(Q)sh mk/fuzz.sh "$(MAKE)" build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)
