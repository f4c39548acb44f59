# make help lists what can be made.

MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
OPT     ?= -O2 -g

# SAN=1 builds everything again, apart, under AddressSanitizer and UBSan.
ifdef SAN
OUT   := build/san
BIN   := build/san/bin
SANFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
OUT   := build/plain
BIN   := bin
SANFLAGS :=
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla
ALL_CFLAGS := -std=c11 -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200809L $(WARN) -fopenmp \
        -ffp-contract=off -Ilib -Itools -DADAPEFT_VERSION='"$(VERSION)"' \
        -DADAPEFT_MANDIR='"$(PREFIX)/share/man"' $(OPT) $(SANFLAGS) $(CFLAGS)
LIBS := -lopenblas -lcsv -ljansson -lutf8proc -lpcre2-8 -lnettle -lpng -ljpeg -lz -lm

TOOLS := probe rank select finetune evaluate view
PROGRAMS := $(TOOLS:%=$(BIN)/adapeft-%) $(BIN)/adapeft-plot $(BIN)/adapeft

# ---- the library -----------------------------------------------------------------

# The kernels are one file, compiled once for each instruction set; which of them runs
# is decided when a program starts (lib/tensor/kernels_pick.c).
KERNELS := lib/tensor/kernels.c
ifneq (,$(filter x86_64 amd64,$(shell uname -m)))
ISAS := portable avx2 avx512
else
ISAS := portable
endif
ISA_portable :=
ISA_avx2     := -mavx2 -mfma -mf16c
ISA_avx512   := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512

LIB_SRC := $(filter-out $(KERNELS),$(sort $(wildcard lib/*/*.c)))
LIB_OBJ := $(LIB_SRC:%.c=$(OUT)/%.o) $(ISAS:%=$(OUT)/lib/tensor/kernels.%.o)
LIB     := $(OUT)/libadapeft.a
CLI_OBJ := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard tools/*.c)))

.PHONY: all
all: $(PROGRAMS)

$(OUT)/lib/tensor/kernels.%.o: $(KERNELS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -O3 -ffp-contract=fast $(ISA_$*) -DKERNELS_ISA=$* -MMD -MP -c -o $@ $<

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(filter avx512,$(ISAS)),-DKERNELS_X86) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# ---- the programs -------------------------------------------------------------------

define program
$(2): $$(patsubst %.c,$$(OUT)/%.o,$$(sort $$(wildcard tools/$(1)/*.c))) $$(CLI_OBJ) $$(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(SANFLAGS) -fopenmp $$(LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call program,$(t),$(BIN)/adapeft-$(t))))
$(eval $(call program,adapeft,$(BIN)/adapeft))

# Pictures are gnuplot's: a shell program that finds its scripts in share/.
$(BIN)/adapeft-plot: tools/plot/adapeft-plot.sh Makefile
	@mkdir -p $(@D)
	@rm -f $@
	sed -e 's|@VERSION@|$(VERSION)|' -e 's|@SHAREDIR@|$(PREFIX)/share/adapeft|' $< >$@.part
	@chmod 755 $@.part
	@mv $@.part $@

# ---- tests -------------------------------------------------------------------------

UNIT_SRC := $(sort $(wildcard tests/lib/*/test_*.c))
UNITS    := $(UNIT_SRC:tests/lib/%.c=$(OUT)/tests/%)

$(UNITS): $(OUT)/tests/%: $(OUT)/tests/lib/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) -fopenmp $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

# Programs that print what the library computes, for tests/ref/*.py to compare.
DUMP_SRC := $(sort $(wildcard tests/lib/*/dump_*.c))
DUMPS    := $(DUMP_SRC:tests/lib/%.c=$(OUT)/tests/%)

$(DUMPS): $(OUT)/tests/%: $(OUT)/tests/lib/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) -fopenmp $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: units
units: $(UNITS) $(DUMPS)

# Unit tests (cmocka), then the programs as a user types them (tests/tools/*.sh).
# make check TESTS='test_num stream' runs those whose name holds one of the words.
.PHONY: check
check: deps
	@$(MAKE) --no-print-directory all units
	@BIN=$(BIN) sh tests/run.sh '$(TESTS)' $(UNITS)

# The golden files of the command-line tests, made anew from what the programs print.
.PHONY: accept
accept: all
	@ACCEPT=1 BIN=$(BIN) sh tests/run.sh '$(TESTS)'

.PHONY: check-layers
check-layers:
	@sh tests/layers.sh

# ---- the rest ----------------------------------------------------------------------

.PHONY: deps
deps:
	@sh .ci/deps

.PHONY: clean
clean:
	rm -rf build $(wildcard bin/adapeft*)

.PHONY: install uninstall
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/adapeft \
	  $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 \
	  $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard share/*.mk share/*.gp share/*.awk) $(DESTDIR)$(PREFIX)/share/adapeft
	for s in 1 5 7; do install -m 644 man/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s || exit 1; done

uninstall:
	rm -f $(PROGRAMS:$(BIN)/%=$(DESTDIR)$(PREFIX)/bin/%)
	rm -rf $(DESTDIR)$(PREFIX)/share/adapeft
	for s in 1 5 7; do for f in man/*.$$s; do \
	  rm -f $(DESTDIR)$(PREFIX)/share/man/man$$s/$${f##*/}; done; done

# The pictures of README.md, from what `make demo` left.
.PHONY: docs
docs: $(BIN)/adapeft-plot $(BIN)/adapeft-view
	$(BIN)/adapeft-plot demo/streams/layer-type.appi -o share/doc/influence.svg
	$(BIN)/adapeft-plot demo/all.point -o share/doc/frontier.svg

-include share/demo/demo.mk
-include tests/bench/bench.mk
-include share/reliability/reliability.mk

.PHONY: help
help:
	@echo 'make              build the programs into bin/'
	@echo 'make demo         the whole pipeline on a real model and real text, with pictures'
	@echo 'make demo-gpt2    a small GPT-2 from nothing, then taught to describe restaurants'
	@echo 'make demo-vit     a small vision transformer from nothing, then taught new classes'
	@echo 'make docs         renew the pictures of README.md, after make demo'
	@echo 'make reliability  how far the influence of each method can be trusted (half an hour)'
	@echo 'make reliability-doc  renew share/doc/reliability.md and its pictures of it'
	@echo 'make check        install what the tests need, and run them (SAN=1: sanitizers)'
	@echo 'make accept       renew the golden files of the command-line tests'
	@echo 'make check-layers fail when a file of lib/ includes a higher layer'
	@echo 'make bench        compare the speed with PyTorch in one run'
	@echo 'make install      install under PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make uninstall    remove what install put there'
	@echo 'make deps         install the Debian packages that are missing'
	@echo 'make clean        remove what was built'

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
