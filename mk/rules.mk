# SPDX-License-Identifier: Apache-2.0
# How a room becomes an archive and a program. A room's build.mk calls
#   $(eval $(call library,ROOM,PACKAGES))
#   $(eval $(call program,PROGRAM,ROOM,LIBRARY ROOMS,PACKAGES))
# Every .c file of the room but main.c goes into the room's archive, which unit tests link as well.
PROGRAMS :=
ARCHIVES :=
PACKAGES :=

define library
$(1)_OBJS := $$(patsubst %.c,$$(B)/%.o,$$(filter-out $(1)/main.c,$$(wildcard $(1)/*.c)))
$$(B)/$(1)/lib$(patsubst lib%,%,$(notdir $(1))).a: $$($(1)_OBJS)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) rcs $$@ $$^
$(1)_ARCHIVE := $$(B)/$(1)/lib$(patsubst lib%,%,$(notdir $(1))).a
ARCHIVES := $$($(1)_ARCHIVE) $$(ARCHIVES)
PACKAGES := $$(sort $$(PACKAGES) $(2))
$(1)_PACKAGES := $(2)
$$($(1)_OBJS) $$(B)/$(1)/main.o: PKGS := $(2)
endef

define program
$(call library,$(2),$(4))
$$(B)/bin/$(1): $$(B)/$(2)/main.o $$($(2)_ARCHIVE) $$(foreach r,$(3),$$($$(r)_ARCHIVE))
	$$(Q)mkdir -p $$(@D)
	@$$(if $$(Q),echo "  LINK $(1)")
	$$(Q)$$(CC) -o $$@ $$^ $$(ALL_LDFLAGS) \
	  $$(foreach p,$$(sort $(4) $$(foreach r,$(3),$$($$(r)_PACKAGES))),$$(pkg_libs_$$(p))) -lm
PROGRAMS += $$(B)/bin/$(1)
endef

# Counts of an older object would be complained about by every program at its end.
$(B)/%.o: %.c
	$(Q)mkdir -p $(@D)
	$(if $(filter cov,$(MODE)),$(Q)rm -f $(@:.o=.gcda))
	@$(if $(Q),echo "  CC $<")
	$(Q)$(CC) $(ALL_CFLAGS) $(foreach p,$(PKGS),$(pkg_cflags_$(p))) -MMD -MP -c -o $@ $<
