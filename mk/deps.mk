# SPDX-License-Identifier: Apache-2.0
# 'make deps' installs what is missing with the system's package manager; safe to repeat, and silent
# and rootless when nothing is missing. Names are Debian's and Ubuntu's.
BUILD_DEPS := gcc libc6-dev pkg-config libopenblas-dev libhdf5-dev libcjson-dev \
  libcurl4-openssl-dev libgsl-dev libmicrohttpd-dev libutf8proc-dev libssl-dev libpopt-dev \
  libgmp-dev zlib1g-dev libzstd-dev
RUN_DEPS   := gnuplot-nox
TEST_DEPS  := libcmocka-dev bats perl curl jq help2man man-db python3 zstd

.PHONY: deps deps-check deps-test
deps deps-test: DEPS_LIST = $(BUILD_DEPS) $(RUN_DEPS) $(if $(filter deps-test,$@),$(TEST_DEPS))
deps deps-test:
	$(Q)sh mk/deps.sh $(DEPS_LIST)
# 'all' checks only; it never installs.
deps-check:
	$(Q)sh mk/deps.sh --check $(BUILD_DEPS)
