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
tidy:
	clang-tidy --quiet $(wildcard $(ROOMS:%=%/*.c)) -- $(CFLAGS_COMMON) \
	  $(foreach p,$(PACKAGES),$(pkg_cflags_$(p)))
format:
	clang-format -i $(wildcard $(ROOMS:%=%/*.[ch]) tests/*/*.c)
