# SPDX-License-Identifier: Apache-2.0
# allot: one non-recursive make. 'make help' lists the targets; mk/ says how, each room's build.mk what.
.DEFAULT_GOAL := all
LIBRARIES := liballot lib/core lib/store lib/net lib/grade lib/extract lib/methods lib/labels \
  lib/readers lib/engine lib/decide
ROOMS := $(LIBRARIES) datasets collect train calibrate export select run eval demo

include mk/config.mk
include mk/rules.mk
include $(wildcard $(ROOMS:%=%/build.mk))

.PHONY: all programs clean
all: deps-check
	$(Q)$(MAKE) --no-print-directory programs
programs: $(PROGRAMS)
clean:
	rm -rf build
-include $(shell find build/$(MODE) -name '*.d' 2>/dev/null)

include mk/fuzz.mk
include mk/tests.mk
include mk/checks.mk
include mk/deps.mk
include mk/install.mk
include mk/demo.mk
