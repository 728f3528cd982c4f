# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# heddle - build, test, demo. `make help` lists the targets.
#
#   V=1     show whole commands           SAN=1   address and undefined-behaviour sanitizers, in build/san
#   B=DIR   build there                   CLANG=  compiler of the BPF objects (clang-19 builds them too)

VERSION := 0.1.0
SAN ?= 0
B ?= $(if $(filter 1,$(SAN)),build/san,build)
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
BPFTOOL ?= /usr/sbin/bpftool
CC ?= gcc
prefix ?= /usr/local
cnidir ?= $(prefix)/libexec/cni
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' '$1' '$(patsubst $(B)/%,%,$2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

CPPFLAGS := -D_GNU_SOURCE -DHD_VERSION='"$(VERSION)"' -Iinclude -I. -Iloader -I$(B)
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Werror=implicit -Wstrict-prototypes -Wmissing-prototypes
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
ifeq ($(SAN),1)
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
ALL_CFLAGS := -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN) -MMD -MP
LDFLAGS += $(if $(filter 1,$(SAN)),,-pie -Wl,-z,relro,-z,now)

LIB_LIBS := -lbpf -lelf -lz -lmnl -ljansson -lyaml -lsqlite3 -lmicrohttpd -lsystemd -pthread
CLI_LIBS := -lcurl -ljansson -lyaml

BPF_CFLAGS := -std=gnu11 -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror \
	-Iinclude -Ivmlinux -Ibpf -MMD -MP

lib_src := $(filter-out loader/main.c,$(wildcard loader/*.c loader/*/*.c))
lib_obj := $(lib_src:%.c=$(B)/%.o)
cli_src := $(wildcard cli/*.c)
cli_obj := $(cli_src:%.c=$(B)/%.o)
bpf_src := $(wildcard bpf/*.bpf.c)
skeletons := $(bpf_src:bpf/%.bpf.c=$(B)/%.skel.h)
cni_src := $(wildcard cli/cni/*.c)
cni_obj := $(cni_src:%.c=$(B)/%.o) $(B)/cli/answer.o
programs := $(B)/heddled $(B)/heddle $(B)/heddle-cni

.PHONY: all bpf clean help demo demo-stop check test bench install uninstall lint man vmlinux

all: $(programs) ## daemon, CLI and CNI plugin

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile tests/tests.mk | expand -t 22
	@echo
	@sed -n 's/^#   //p' Makefile | head -2

# --- datapath ---
bpf: $(skeletons) ## only the BPF objects

$(B)/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

vmlinux: ## make vmlinux/vmlinux.h anew from the running kernel
	vmlinux/gen.sh > vmlinux/vmlinux.h.new && mv vmlinux/vmlinux.h.new vmlinux/vmlinux.h

# --- programs ---
$(B)/%.o: %.c | $(skeletons)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

$(B)/libheddle.a: $(lib_obj)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/heddled: $(B)/loader/main.o $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(B)/heddle: $(cli_obj) $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(CLI_LIBS) -o $@

$(B)/heddle-cni: $(cni_obj) $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ -ljansson -lmnl -o $@

# --- install and demo ---
man_pages := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))

$(B)/man/%: docs/man/%.scd
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scdoc < $< > $@

man: $(man_pages) ## manual pages

install: all man ## into DESTDIR, under prefix (/usr/local)
	install -D -m 755 $(B)/heddled $(DESTDIR)$(prefix)/sbin/heddled
	install -D -m 755 $(B)/heddle $(DESTDIR)$(prefix)/bin/heddle
	install -D -m 755 $(B)/heddle-cni $(DESTDIR)$(cnidir)/heddle-cni
	install -D -m 644 cli/completion/heddle.bash \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/heddle
	install -D -m 644 docs/examples/heddled.service $(DESTDIR)$(prefix)/lib/systemd/system/heddled.service
	sed -i 's|/usr/local/|$(prefix)/|' $(DESTDIR)$(prefix)/lib/systemd/system/heddled.service
	for page in $(man_pages); do install -D -m 644 $$page \
		$(DESTDIR)$(prefix)/share/man/man$${page##*.}/$${page##*/} || exit 1; done

uninstall: ## remove what install has installed; the datapath is removed by `heddle purge`, before
	rm -f $(DESTDIR)$(prefix)/sbin/heddled $(DESTDIR)$(prefix)/bin/heddle $(DESTDIR)$(cnidir)/heddle-cni \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/heddle \
		$(DESTDIR)$(prefix)/lib/systemd/system/heddled.service \
		$(foreach page,$(notdir $(man_pages)),$(DESTDIR)$(prefix)/share/man/man$(subst .,,$(suffix $(page)))/$(page))

demo: ## install what is missing, build, bring up a network and show it
	$(Q)scripts/deps.sh build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)scripts/demo.sh

demo-stop: ## remove the demo's network
	$(Q)scripts/demo.sh stop

clean: ## remove build/
	$(Q)rm -rf build

include tests/tests.mk

-include $(shell find $(B) -name '*.d' 2>/dev/null)
