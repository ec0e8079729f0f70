# SPDX-License-Identifier: Apache-2.0
# Settings: MODE chooses flags and the build folder, so switching modes never cleans.
MODE    ?= release
VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
AR      ?= ar
PKG_CONFIG ?= pkg-config
B       := build/$(MODE)
ifeq ($(V),1)
Q :=
else
Q := @
endif

# -ffp-contract=off: the same source gives the same numbers with every compiler.
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
            -Wwrite-strings -Wundef -Wformat=2 -Wswitch-enum -Wcast-qual
CFLAGS_COMMON := -std=c11 -D_GNU_SOURCE -I. -ffp-contract=off $(WARNINGS) \
                 -DALLOT_VERSION='"$(VERSION)"'
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -DALLOT_SANITIZED -fsanitize=address -fno-omit-frame-pointer
CFLAGS_ubsan   := -O1 -g -DALLOT_SANITIZED -fsanitize=undefined,float-cast-overflow -fno-sanitize-recover=all
CFLAGS_tsan    := -O1 -g -DALLOT_SANITIZED -fsanitize=thread
CFLAGS_cov     := -O1 -g --coverage
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow
LDFLAGS_asan   := -fsanitize=address
LDFLAGS_ubsan  := -fsanitize=undefined,float-cast-overflow
LDFLAGS_tsan   := -fsanitize=thread
LDFLAGS_cov    := --coverage
LDFLAGS_fuzz   := -fsanitize=address,undefined,float-cast-overflow
ifeq ($(filter $(MODE),release debug asan ubsan tsan cov fuzz),)
$(error MODE=$(MODE) is not one of release debug asan ubsan tsan cov fuzz)
endif
ALL_CFLAGS  = $(CFLAGS_COMMON) $(CFLAGS_$(MODE)) $(if $(WERROR),-Werror) $(CFLAGS)
ALL_LDFLAGS = $(LDFLAGS_$(MODE)) -pthread $(LDFLAGS)

# Compile and link flags of a library, by its pkg-config name; libraries without a .pc file by hand.
# GSL without its own cblas: OpenBLAS serves it.
pkg_cflags_hdf5   := $(shell $(PKG_CONFIG) --cflags hdf5-serial 2>/dev/null || $(PKG_CONFIG) --cflags hdf5 2>/dev/null)
pkg_libs_hdf5     := $(shell $(PKG_CONFIG) --libs hdf5-serial 2>/dev/null || $(PKG_CONFIG) --libs hdf5 2>/dev/null || echo -lhdf5)
pkg_cflags_gsl    := $(shell $(PKG_CONFIG) --cflags gsl 2>/dev/null)
pkg_libs_gsl      := -lgsl -lopenblas -lm
pkg_cflags_popt   := $(shell $(PKG_CONFIG) --cflags popt 2>/dev/null)
pkg_libs_popt     := -lpopt
define pkg_lookup
pkg_cflags_$(1) := $$(shell $$(PKG_CONFIG) --cflags $(1) 2>/dev/null)
pkg_libs_$(1)   := $$(shell $$(PKG_CONFIG) --libs $(1) 2>/dev/null)
endef
$(foreach p,libcjson libcurl openblas libmicrohttpd libutf8proc libcrypto gmp zlib libzstd cmocka,\
  $(eval $(call pkg_lookup,$(p))))
