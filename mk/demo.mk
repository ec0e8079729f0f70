# SPDX-License-Identifier: Apache-2.0
# The whole job on a real, small language model: see demo/README.md.
.PHONY: demo demo-full help
demo demo-full: deps
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory programs
	$(Q)ALLOT_BIN=$(B)/bin sh demo/run_demo.sh $(DEMO_$@)
DEMO_demo      := demo/out 480 24 2
DEMO_demo-full := demo/out-full 6000 150 2

help:
	@echo 'all              build the programs (build/$(MODE)/bin)'
	@echo 'demo             the whole job on the model in a box, at most 3 minutes'
	@echo 'demo-full        the same with 6,000 queries, at most 60 minutes'
	@echo 'test             unit, property and command-line tests; asan ubsan tsan: under sanitizers'
	@echo 'test-long        50 kills of the collector, a real Slurm, all under sanitizers: many minutes'
	@echo 'cov              the tests, counted: how much of each room they execute'
	@echo 'fuzz             libFuzzer on every parser, FUZZ_SECONDS=60 each (needs clang)'
	@echo 'bench            speed, as ratios measured side by side'
	@echo 'check-layers     who includes whom; check-headers: each header compiles alone'
	@echo 'check-format     as clang-format 14 has it; tidy: clang-tidy, and limits of functions'
	@echo 'everything       programs, tests and benchmarks; compile_commands.json: for editors'
	@echo 'deps deps-test deps-ci   install what is missing with the package manager'
	@echo 'install uninstall  PREFIX=$(PREFIX) DESTDIR='
	@echo 'format dist clean   MODE=release|debug|asan|ubsan|tsan|cov|fuzz  V=1  WERROR=1'
