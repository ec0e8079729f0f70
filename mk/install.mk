# SPDX-License-Identifier: Apache-2.0
# 'make install PREFIX=... DESTDIR=...': programs, liballot with its headers and .pc file, man pages,
# strategy grids and the example makefiles. Everything it puts there, 'uninstall' takes away.
PUBLIC_HEADERS := $(addprefix liballot/,allot.h err.h strategy.h features.h ngram.h probe.h calib.h \
                  cost.h choose.h bundle.h)
INSTALLED_PROGRAMS := $(filter-out %/allot-demo-server,$(PROGRAMS))
DATA := $(wildcard collect/strategies/*.json collect/slurm/*.sbatch examples/*.mk)
MAN_PAGES := $(wildcard man/*.1)

.PHONY: man install uninstall dist
# The pages are kept in the tree; make them again when a --help changes (needs help2man).
man: programs
	$(Q)sh mk/man.sh $(CURDIR)/$(B)/bin man

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/include/allot $(DESTDIR)$(PREFIX)/share/allot \
	  $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(INSTALLED_PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(B)/liballot/liballot.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(PUBLIC_HEADERS) $(DESTDIR)$(PREFIX)/include/allot
	install -m 644 $(DATA) $(DESTDIR)$(PREFIX)/share/allot
	$(if $(MAN_PAGES),install -m 644 $(MAN_PAGES) $(DESTDIR)$(PREFIX)/share/man/man1)
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: allot' 'Version: $(VERSION)' \
	  'Description: per-query choice of a decoding strategy' 'Requires.private: libcjson' \
	  'Libs: -L$${prefix}/lib -lallot -lcjson -lm' 'Cflags: -I$${prefix}/include' \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/allot.pc
uninstall:
	rm -f $(INSTALLED_PROGRAMS:$(B)/bin/%=$(DESTDIR)$(PREFIX)/bin/%)
	rm -f $(DESTDIR)$(PREFIX)/lib/liballot.a $(DESTDIR)$(PREFIX)/lib/pkgconfig/allot.pc
	rm -rf $(DESTDIR)$(PREFIX)/include/allot $(DESTDIR)$(PREFIX)/share/allot
	rm -f $(MAN_PAGES:man/%=$(DESTDIR)$(PREFIX)/share/man/man1/%)
dist:
	git archive --prefix=allot-$(VERSION)/ -o allot-$(VERSION).tar.gz HEAD
