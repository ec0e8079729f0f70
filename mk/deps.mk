# SPDX-License-Identifier: Apache-2.0
# 'make deps' installs what is missing with the system's package manager; safe to repeat, and silent
# and rootless when nothing is missing. Names are Debian's and Ubuntu's.
BUILD_DEPS := gcc libc6-dev pkg-config libopenblas-dev libhdf5-dev libcjson-dev \
  libcurl4-openssl-dev libgsl-dev libmicrohttpd-dev libutf8proc-dev libssl-dev libpopt-dev \
  libgmp-dev zlib1g-dev libzstd-dev
RUN_DEPS   := gnuplot-nox
TEST_DEPS  := libcmocka-dev bats perl curl jq help2man man-db python3 zstd
# .ci/run: what sanitizers and fuzzing link belongs to clang's version, and Debian 12 says so in the name.
CI_DEPS    := clang clang-tidy clang-format $(shell . /etc/os-release 2>/dev/null; \
  [ "$$VERSION_ID" = 12 ] && echo libclang-rt-14-dev || echo libclang-rt-dev)

.PHONY: deps deps-check deps-test deps-ci
deps deps-test deps-ci: DEPS_LIST = $(BUILD_DEPS) $(RUN_DEPS) \
  $(if $(filter deps-test deps-ci,$@),$(TEST_DEPS)) $(if $(filter deps-ci,$@),$(CI_DEPS))
deps deps-test deps-ci:
	$(Q)sh mk/deps.sh $(DEPS_LIST)
# 'all' checks only; it never installs.
deps-check:
	$(Q)sh mk/deps.sh --check $(BUILD_DEPS)
