# SPDX-License-Identifier: Apache-2.0
.PHONY: check-layers check-headers tidy format
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
format:
	clang-format -i $(wildcard $(ROOMS:%=%/*.[ch]) tests/*/*.c)
