// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * load.c LABEL OBJECT - each program through this kernel's verifier, with several configurations
 *
 * Prints a line for each: LABEL ports=N hz=N PROGRAM[/twin|/live] verified-insns xlated-bytes jited-bytes. A
 * program that is refused prints the verifier's log instead, and makes the exit status 1.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heddle/config.h"
#include "heddle/trace.h"

static const uint32_t all_ports[] = { 64, 16384 };
static const uint32_t all_hz[] = { 100, 250, 1000 };

/* Held back until it is known whether it matters: libbpf warns about things that then succeed. A verifier's log is up to 16 MiB. */
static char messages[(16 << 20) + (1 << 16)];
static size_t said;
#define LOG_TAIL 9000

static int keep_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	int n;

	if (level == LIBBPF_DEBUG)
		return 0;
	n = vsnprintf(messages + said, sizeof(messages) - said, fmt, args);
	said += n > 0 && (size_t)n < sizeof(messages) - said ? (size_t)n : 0;
	return n;
}

/* What the verifier objects to comes last. */
static const char *last_messages(void)
{
	return said > LOG_TAIL ? messages + said - LOG_TAIL : messages;
}

/* The tables whose number of entries the daemon sets to that of ports. */
static bool is_by_port(const char *map)
{
	static const char *const names[] = { "hd_ports", "hd_port_counters", "hd_port_state",
					     "hd_ifindex_far" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(map, names[i]))
			return true;
	return false;
}

/* Where hd_cfg lies in .rodata, which the compiler shares; -ENOENT if the object has none. */
static int config_offset(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	uint16_t n = section ? btf_vlen(section) : 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct btf_var_secinfo *at = btf_var_secinfos(section) + i;
		const struct btf_type *var = btf__type_by_id(btf, at->type);

		if (!strcmp(btf__name_by_offset(btf, var->name_off), "hd_cfg"))
			return (int)at->offset;
	}
	return -ENOENT;
}

static bool is_rodata(const char *map)
{
	size_t len = strlen(map);

	return len > 7 && !strcmp(map + len - 7, ".rodata");
}

static int configure(struct bpf_object *object, const struct hd_port_config *config)
{
	int off = config_offset(bpf_object__btf(object));
	struct bpf_map *map;
	int r = -ENOENT;

	bpf_object__for_each_map(map, object)
	{
		size_t size = 0;
		char *rodata = NULL;

		if (is_by_port(bpf_map__name(map)) &&
		    bpf_map__set_max_entries(map, config->max_ports) < 0)
			return -EINVAL;
		if (is_rodata(bpf_map__name(map)))
			rodata = (char *)bpf_map__initial_value(map, &size);
		if (rodata && size < sizeof(*config)) { /* host.bpf.o: a configuration of its own */
			r = 0;
			continue;
		}
		if (!rodata || off < 0 || (size_t)off + sizeof(*config) > size)
			continue;
		memcpy(rodata + off, config, sizeof(*config));
		r = 0;
	}
	return r;
}

static int report(const char *label, const struct hd_port_config *config,
		  const struct bpf_program *program)
{
	static const char *const modes[] = {
		[HD_TRACE_OFF] = "",
		[HD_TRACE_TWIN] = "/twin",
		[HD_TRACE_LIVE] = "/live",
	};
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	char name[32];

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len) < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "%s%s", bpf_program__name(program),
		       modes[config->trace]);
	printf("%-9s ports=%-5u hz=%-4u %-20s %6u %6u %6u\n", label, config->max_ports, config->hz,
	       name, info.verified_insns, info.xlated_prog_len, info.jited_prog_len);
	return 0;
}

static int load(const char *label, const char *path, const struct hd_port_config *config)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int r;

	said = 0;
	messages[0] = '\0';
	r = object ? configure(object, config) : -errno;
	if (r == 0)
		r = bpf_object__load(object);
	if (r == 0)
		bpf_object__for_each_program(program, object) r =
			r < 0 ? r : report(label, config, program);
	if (r < 0)
		printf("FAIL %s ports=%u hz=%u: %s\n%s", label, config->max_ports, config->hz,
		       strerror(-r), last_messages());
	bpf_object__close(object);
	return r;
}

int main(int argc, char **argv)
{
	bool failed = false;

	if (argc != 3)
		return 2;
	(void)libbpf_set_print(keep_message);
	for (size_t p = 0; p < sizeof(all_ports) / sizeof(all_ports[0]); p++)
		for (size_t h = 0; h < sizeof(all_hz) / sizeof(all_hz[0]); h++) {
			struct hd_port_config config = { .hz = all_hz[h],
							 .max_ports = all_ports[p],
							 .nat_spread = 63 };

			failed |= load(argv[1], argv[2], &config) < 0;
		}
	for (uint32_t mode = HD_TRACE_TWIN; mode <= HD_TRACE_LIVE; mode++) {
		struct hd_port_config config = {
			.hz = 250, .max_ports = 16384, .trace = mode, .nat_spread = 63
		};

		failed |= load(argv[1], argv[2], &config) < 0;
	}
	return failed;
}
