# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Tests, cheapest layer first. `make test` runs what needs no network (seconds), `make check` everything on this kernel, and
# `make check-kernels` what depends on the kernel on others.

TEST_LIBS := -lcmocka $(LIB_LIBS)
CHECK_B := build/san
FUZZ_SECONDS ?= 5

unit_tests := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
fuzz_tests := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
prog_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/prog/*.c))
perf_tools := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/perf/*.c))
cli_test_obj := $(filter-out $(B)/cli/main.o,$(cli_obj))

.PHONY: tests test-unit test-abi test-load test-prog test-fuzz test-netns check-kernels check-machine

tests: $(programs) $(unit_tests) $(fuzz_tests) $(B)/tests/prog_tests $(perf_tools)

$(B)/tests/unit/test_cli_%: $(B)/tests/unit/test_cli_%.o $(cli_test_obj) $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(TEST_LIBS) $(CLI_LIBS) -o $@

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(TEST_LIBS) -o $@

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/driver.o $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

# The plugin with its main() under another name, and without the way to the daemon, which the harness plays.
$(B)/tests/fuzz/fuzz_cni: $(B)/tests/fuzz/fuzz_cni.o $(B)/tests/fuzz/driver.o $(B)/tests/fuzz/cni_main.o \
		$(filter-out $(B)/cli/cni/main.o $(B)/cli/cni/http.o,$(cni_obj)) $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(B)/tests/fuzz/cni_main.o: cli/cni/main.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Dmain=hd_cni_main -Wno-missing-prototypes -c $< -o $@

$(B)/tests/prog_tests: $(prog_obj) $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(TEST_LIBS) -o $@

$(B)/tests/perf/%: $(B)/tests/perf/%.o $(B)/libheddle.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LIB_LIBS) -lm -o $@

.SECONDARY:

test: ## unit, abi, prog and load tests: seconds
	$(Q)scripts/deps.sh test
	$(Q)tests/run.sh unit abi prog load

check: ## everything: builds with sanitizers too, runs all tests
	$(Q)scripts/deps.sh test
	$(Q)tests/run.sh lint unit abi prog load fuzz netns

check-kernels: ## what depends on the kernel, on 6.1 and 6.12 in an emulator; KERNELS= others
	$(Q)scripts/deps.sh kernels
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)B=$(B) tests/kernels/run.sh $(KERNELS)

check-machine: ## README.md, typed in on a fresh Debian 12 in an emulator
	$(Q)scripts/deps.sh machine
	$(Q)B=$(B) tests/machine/run.sh

bench: ## speed against bare veth, the Linux bridge and Open vSwitch
	$(Q)scripts/deps.sh bench
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)tests/perf/bench.sh $(ROWS)

lint: ## clang-format, cppcheck, shellcheck
	$(Q)scripts/deps.sh test
	$(Q)scripts/lint.sh
