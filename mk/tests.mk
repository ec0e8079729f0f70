# SPDX-License-Identifier: Apache-2.0
# Tests: unit and property programs (cmocka, each linked with every room's archive), command-line
# tests (bats); one TAP harness runs both and closes with 'N passed, N failed'.
TEST_SRCS  := $(wildcard tests/unit/test_*.c tests/property/test_*.c)
TEST_BINS  := $(TEST_SRCS:%.c=$(B)/%)
PRELOAD    := $(B)/tests/faults/failpreload.so
TOOL_SRCS  := $(filter-out tests/faults/failpreload.c,$(wildcard tests/tools/*.c tests/faults/*.c))
TOOL_BINS  := $(TOOL_SRCS:%.c=$(B)/%)
BENCH_SRCS := $(wildcard tests/bench/*.c)
BENCH_BINS := $(BENCH_SRCS:%.c=$(B)/%)
ALL_PKGS    = $(PACKAGES) cmocka libmicrohttpd
TEST_MAINS := $(TEST_BINS) $(TOOL_BINS) $(BENCH_BINS)

$(TEST_MAINS:%=%.o): PKGS = $(ALL_PKGS)
$(TEST_MAINS): $(B)/%: $(B)/%.o $(ARCHIVES)
	@$(if $(Q),echo "  LINK $*")
	$(Q)$(CC) -o $@ $< -Wl,--start-group $(ARCHIVES) -Wl,--end-group $(ALL_LDFLAGS) \
	  $(foreach p,$(sort $(ALL_PKGS)),$(pkg_libs_$(p))) -lm
.PRECIOUS: $(TEST_MAINS:%=%.o)

CLI_TESTS := $(sort $(wildcard tests/cli/*.bats))
JOBS ?= $(shell nproc)
.PHONY: test test-long test-programs test-unit test-cli bench asan ubsan tsan cov
test-programs: $(PROGRAMS) $(TEST_BINS) $(TOOL_BINS) $(FUZZ_BINS) $(PRELOAD)
# Loaded into programs, so without a sanitizer of its own.
$(PRELOAD): $(B)/%.so: %.c
	$(Q)mkdir -p $(@D)
	@$(if $(Q),echo "  CC $<")
	$(Q)$(CC) $(CFLAGS_COMMON) -O2 -fno-builtin -fPIC -shared -o $@ $<

test: deps-test
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory test-programs
	$(Q)ALLOT_BIN=$(CURDIR)/$(B)/bin ALLOT_BUILD=$(CURDIR)/$(B) perl tests/run.pl --jobs $(JOBS) \
	  $(TEST_BINS) $(CLI_TESTS)
test-unit: $(TEST_BINS)
	$(Q)ALLOT_BUILD=$(CURDIR)/$(B) perl tests/run.pl --jobs $(JOBS) $(TEST_BINS)
test-cli: $(PROGRAMS) $(TOOL_BINS) $(FUZZ_BINS) $(PRELOAD)
	$(Q)ALLOT_BIN=$(CURDIR)/$(B)/bin ALLOT_BUILD=$(CURDIR)/$(B) perl tests/run.pl --jobs $(JOBS) \
	  $(CLI_TESTS)
# Minutes each, one after the other: they need the processors for themselves.
test-long: deps-test
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory test-programs
	$(Q)ALLOT_BIN=$(CURDIR)/$(B)/bin ALLOT_BUILD=$(CURDIR)/$(B) perl tests/run.pl \
	  $(sort $(wildcard tests/long/*.bats))
# The unit and property tests under a sanitizer.
asan ubsan tsan: deps-test
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory MODE=$@ test-unit
# All tests, counted: how much of each room they execute.
cov:
	$(Q)$(MAKE) --no-print-directory MODE=cov test
	$(Q)sh mk/cov.sh build/cov $(ROOMS)
bench: deps-test
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory programs $(BENCH_BINS)
	$(Q)set -e; for b in $(BENCH_BINS) $(wildcard tests/bench/*.sh); do \
	  echo "== $$b"; env -u OPENBLAS_CORETYPE ALLOT_BIN=$(CURDIR)/$(B)/bin $$b; done
