// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* datapath.c - load the programs and maps, or adopt those that are pinned */
#include "sync/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "hash.h"
#include "heddle/abi.h"
#include "heddle/config.h"
#include "heddle/epoch.h"
#include "heddle/nat.h"
#include "heddle/port.h"
#include "heddle/reason.h"
#include "heddle/stage.h"
#include "log.h"
#include "port.skel.h"
#include "sync/bpffs.h"
#include "uplink.skel.h"

/*
 * What to do with a pinned map when other programs are loaded: KEEP it (or its entries) while its layout is the same; FRESH ones
 * belong to the programs and change with them.
 */
enum keep { FRESH, KEEP };

static const struct {
	const char *name;
	enum keep keep;
} maps[HD_MAP_COUNT] = {
	[HD_MAP_IFINDEX] = { "hd_ifindex", KEEP },
	[HD_MAP_IFINDEX_FAR] = { "hd_ifindex_far", KEEP },
	[HD_MAP_PORTS] = { "hd_ports", KEEP },
	[HD_MAP_NETWORKS] = { "hd_networks", KEEP },
	[HD_MAP_TRUNKS] = { "hd_trunks", KEEP },
	[HD_MAP_LIMITS] = { "hd_limits", KEEP },
	[HD_MAP_BUCKETS] = { "hd_buckets", KEEP },
	[HD_MAP_ENDS] = { "hd_ends", KEEP },
	[HD_MAP_PEER_NETS] = { "hd_peer_nets", KEEP },
	[HD_MAP_PEERS] = { "hd_peers", KEEP },
	[HD_MAP_TUNNELS] = { "hd_tunnels", KEEP },
	[HD_MAP_TUNNEL_PORTS] = { "hd_tunnel_ports", KEEP },
	[HD_MAP_LEGS] = { "hd_legs", KEEP },
	[HD_MAP_PORT_COUNTERS] = { "hd_port_counters", KEEP },
	[HD_MAP_PORT_STATE] = { "hd_port_state", KEEP },
	[HD_MAP_EPOCH] = { "hd_epoch", KEEP },
	[HD_MAP_FDB] = { "hd_fdb", KEEP },
	[HD_MAP_NEIGH] = { "hd_neigh", KEEP },
	[HD_MAP_DROPS] = { "hd_drops", KEEP },
	[HD_MAP_FLOW4] = { "hd_flow4", KEEP },
	[HD_MAP_FLOW6] = { "hd_flow6", KEEP },
	[HD_MAP_NEW4] = { "hd_new4", KEEP },
	[HD_MAP_NEW6] = { "hd_new6", KEEP },
	[HD_MAP_RFLOW4] = { "hd_rflow4", KEEP },
	[HD_MAP_RFLOW6] = { "hd_rflow6", KEEP },
	[HD_MAP_RNEW4] = { "hd_rnew4", KEEP },
	[HD_MAP_RNEW6] = { "hd_rnew6", KEEP },
	[HD_MAP_ROUTES] = { "hd_routes", KEEP },
	[HD_MAP_HOPS] = { "hd_hops", KEEP },
	[HD_MAP_ARP] = { "hd_arp", KEEP },
	[HD_MAP_ROUTER_STATE] = { "hd_router_state", KEEP },
	[HD_MAP_FIPS] = { "hd_fips", KEEP },
	[HD_MAP_FIPS6] = { "hd_fips6", KEEP },
	[HD_MAP_FORWARDS] = { "hd_forwards", KEEP },
	[HD_MAP_FORWARDS6] = { "hd_forwards6", KEEP },
	[HD_MAP_OUTSIDES6] = { "hd_outsides6", KEEP },
	[HD_MAP_NAT] = { "hd_nat", KEEP },
	[HD_MAP_NAT_POOLS] = { "hd_nat_pools", KEEP },
	[HD_MAP_NAT_HEADS] = { "hd_nat_heads", KEEP },
	[HD_MAP_NAT_USERS] = { "hd_nat_users", KEEP },
	[HD_MAP_NAT_NAMES] = { "hd_nat_names", KEEP },
	[HD_MAP_NAT_NAMED] = { "hd_nat_named", KEEP },
	[HD_MAP_NAT_ASKED] = { "hd_nat_asked", KEEP },
	[HD_MAP_NAT_ASKED6] = { "hd_nat_asked6", KEEP },
	[HD_MAP_NAT_QUOTAS] = { "hd_nat_quotas", KEEP },
	[HD_MAP_NAT_SHARES] = { "hd_nat_shares", KEEP },
	[HD_MAP_NAT_LOG] = { "hd_nat_log", KEEP },
	[HD_MAP_NAT_LOST] = { "hd_nat_lost", KEEP },
	[HD_MAP_ONWARD] = { "hd_onward", KEEP },
	[HD_MAP_FRAGS] = { "hd_frags", KEEP },
	[HD_MAP_RULES] = { "hd_rules", KEEP },
	[HD_MAP_SHAPES] = { "hd_shapes", KEEP },
	[HD_MAP_FW_RULES] = { "hd_fw_rules", KEEP },
	[HD_MAP_FW_SHAPES] = { "hd_fw_shapes", KEEP },
	[HD_MAP_MEMBERS] = { "hd_members", KEEP },
	[HD_MAP_SOURCES] = { "hd_sources", KEEP },
	[HD_MAP_GATEWAYS] = { "hd_gateways", KEEP },
	[HD_MAP_RULE_COUNTERS] = { "hd_rule_counters", KEEP },
	[HD_MAP_STAGES] = { "hd_stages", FRESH },
	[HD_MAP_META] = { "hd_meta", FRESH },
};

static const char *const progs[HD_PROG_COUNT] = {
	[HD_PROG_IN] = "hd_port_in",
	[HD_PROG_OUT] = "hd_port_out",
	[HD_PROG_UPLINK] = "hd_uplink_in",
	[HD_PROG_UPLINK_OUT] = "hd_uplink_out",
	[HD_PROG_UPLINK_OPENED] = "hd_uplink_opened",
	[HD_PROG_UPLINK_XDP] = "hd_uplink_xdp",
	[HD_PROG_CLOCK] = "hd_clock",
	[HD_PROG_NAT_GIVE] = "hd_nat_give",
};

const char *hd_map_name(enum hd_map_id id)
{
	return maps[id].name;
}

static uint32_t map_size(const struct hd_limits *limits, enum hd_map_id id)
{
	switch (id) {
	case HD_MAP_PORTS:
	case HD_MAP_PORT_COUNTERS:
	case HD_MAP_PORT_STATE:
	case HD_MAP_IFINDEX_FAR:
	case HD_MAP_TRUNKS:
	case HD_MAP_LIMITS:
	case HD_MAP_BUCKETS:
	case HD_MAP_ENDS:
	case HD_MAP_PEERS:
	case HD_MAP_ROUTER_STATE:
		return limits->ports;
	case HD_MAP_NETWORKS:
	case HD_MAP_TUNNELS:
	case HD_MAP_LEGS:
		return limits->networks;
	case HD_MAP_FDB:
		return limits->fdb;
	case HD_MAP_NEIGH:
		return limits->neighbours;
	case HD_MAP_DROPS:
		return limits->drops;
	case HD_MAP_FLOW4:
	case HD_MAP_FLOW6:
	case HD_MAP_RFLOW4:
	case HD_MAP_RFLOW6:
		return limits->flows;
	case HD_MAP_NEW4:
	case HD_MAP_NEW6:
	case HD_MAP_RNEW4:
	case HD_MAP_RNEW6:
	case HD_MAP_NAT_ASKED:
		return limits->new_flows;
	case HD_MAP_ROUTES:
	case HD_MAP_HOPS:
		return limits->routes;
	case HD_MAP_ARP:
		return limits->arp;
	case HD_MAP_FRAGS:
		return limits->fragments;
	case HD_MAP_RULES:
	case HD_MAP_FW_RULES:
		return limits->rules;
	case HD_MAP_RULE_COUNTERS:
		return limits->rule_ids;
	case HD_MAP_SHAPES:
	case HD_MAP_FW_SHAPES:
		return limits->policies;
	case HD_MAP_MEMBERS:
		return limits->members;
	case HD_MAP_SOURCES:
		return limits->sources;
	case HD_MAP_GATEWAYS:
		return limits->networks;
	default:
		return 0; /* fixed */
	}
}

static struct hd_port_config make_config(const struct hd_datapath *dp)
{
	struct hd_port_config config = { .hz = dp->hz,
					 .max_ports = dp->limits.ports,
					 .flows_per_port = dp->limits.flows_per_port,
					 .nat_spread = HD_NAT_BLOCK_PORTS - 1 };

	for (int i = 0; i < HD_TIMEOUT_COUNT; i++)
		config.timeouts[i] = dp->limits.timeouts_s[i] * dp->hz;
	return config;
}

static uint64_t object_hash(const struct hd_datapath *dp)
{
	struct hd_port_config config = make_config(dp);
	uint64_t hash = HD_HASH64_START;
	const void *elf;
	size_t size;

	elf = port_bpf__elf_bytes(&size);
	hash = hd_hash64(hash, elf, size);
	elf = uplink_bpf__elf_bytes(&size);
	hash = hd_hash64(hash, elf, size);
	hash = hd_hash64(hash, &config, sizeof(config));
	return hd_hash64(hash, &dp->limits, sizeof(dp->limits));
}

static void pin_path(const struct hd_datapath *dp, const char *folder, const char *name,
		     char path[300])
{
	(void)snprintf(path, 300, "%s/%s/%s", dp->dir, folder, name);
}

static int open_pin(const struct hd_datapath *dp, const char *folder, const char *name)
{
	char path[300];
	int fd;

	pin_path(dp, folder, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int open_pins(struct hd_datapath *dp)
{
	for (int i = 0; i < HD_MAP_COUNT; i++) {
		dp->maps[i] = open_pin(dp, "maps", maps[i].name);
		if (dp->maps[i] < 0)
			return dp->maps[i];
	}
	for (int i = 0; i < HD_PROG_COUNT; i++) {
		dp->progs[i] = open_pin(dp, "progs", progs[i]);
		if (dp->progs[i] < 0)
			return dp->progs[i];
	}
	return 0;
}

static void close_fds(struct hd_datapath *dp)
{
	for (int i = 0; i < HD_MAP_COUNT; i++) {
		hd_closep(&dp->maps[i]);
		dp->maps[i] = -1;
	}
	for (int i = 0; i < HD_PROG_COUNT; i++) {
		hd_closep(&dp->progs[i]);
		dp->progs[i] = -1;
	}
}

/* True when the pins are there and were made by the same object with the same configuration. */
static bool adopt(struct hd_datapath *dp)
{
	struct hd_meta meta = { 0 };
	uint32_t key = 0;

	if (open_pins(dp) == 0 && bpf_map_lookup_elem(dp->maps[HD_MAP_META], &key, &meta) == 0 &&
	    meta.abi == HD_ABI_VERSION && meta.object_hash == object_hash(dp))
		return true;
	close_fds(dp);
	return false;
}

static bool same_layout(const struct bpf_map_info *old, const struct bpf_map *map)
{
	return old->type == bpf_map__type(map) && old->key_size == bpf_map__key_size(map) &&
	       old->value_size == bpf_map__value_size(map);
}

static int map_info(int fd, struct bpf_map_info *ret)
{
	uint32_t len = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(fd, ret, &len) < 0 ? -errno : 0;
}

/* Before loading: let the new programs use the pinned map, when it is just what they want. */
static int reuse_map(struct hd_datapath *dp, enum hd_map_id id, struct bpf_map *map)
{
	_close_ int old = open_pin(dp, "maps", maps[id].name);
	struct bpf_map_info info;

	if (old < 0 || maps[id].keep == FRESH || map_info(old, &info) < 0)
		return 0;
	if (!same_layout(&info, map) || info.max_entries != bpf_map__max_entries(map) ||
	    info.map_flags != bpf_map__map_flags(map))
		return 0;
	return bpf_map__reuse_fd(map, old);
}

static int prepare_maps(struct hd_datapath *dp)
{
	for (int i = 0; i < HD_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(dp->skel->obj, maps[i].name);
		uint32_t size = map_size(&dp->limits, i);
		int r;

		if (!map)
			return -ENOENT;
		if (size)
			(void)bpf_map__set_max_entries(map,
						       size); /* fails only once the map exists */
		r = reuse_map(dp, i, map);
		if (r < 0)
			return r;
	}
	return 0;
}

/* All entries of one map into another with the same key and value; what does not fit any more is left out and counted. */
static void copy_entries(int from, int to, const struct bpf_map_info *info, const char *name)
{
	size_t value_size = (info->value_size + 7u) & ~7u;
	_free_ void *value = calloc((size_t)libbpf_num_possible_cpus(), value_size);
	_free_ void *key = calloc(2, info->key_size);
	void *next = key ? (uint8_t *)key + info->key_size : NULL;
	unsigned int copied = 0, lost = 0;
	void *prev = NULL;

	if (!value || !key)
		return;
	while (bpf_map_get_next_key(from, prev, next) == 0) {
		prev = memcpy(key, next, info->key_size);
		if (bpf_map_lookup_elem(from, key, value) < 0)
			continue;
		if (bpf_map_update_elem(to, key, value, BPF_ANY) == 0)
			copied++;
		else
			lost++;
	}
	log_info("map %s: new size, %u entries moved, %u did not fit", name, copied, lost);
}

/* After loading: a pinned map that is not the one in use gives its entries, or the reason is said. */
static void move_entries(struct hd_datapath *dp, enum hd_map_id id)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(dp->skel->obj, maps[id].name);
	_close_ int old = open_pin(dp, "maps", maps[id].name);
	struct bpf_map_info was, is;

	if (old < 0 || maps[id].keep == FRESH || map_info(old, &was) < 0 ||
	    map_info(dp->maps[id], &is) < 0 || was.id == is.id)
		return;
	if (same_layout(&was, map))
		copy_entries(old, dp->maps[id], &was, maps[id].name);
	else
		(void)log_warn(
			0,
			"map %s: its layout changed (key %u to %u bytes, value %u to %u): entries "
			"are not kept",
			maps[id].name, was.key_size, is.key_size, was.value_size, is.value_size);
}

/* A dup of each, so that an adopted and a loaded datapath own their fds alike. */
static int take_fds(struct hd_datapath *dp)
{
	for (int i = 0; i < HD_MAP_COUNT; i++)
		dp->maps[i] = dup(bpf_object__find_map_fd_by_name(dp->skel->obj, maps[i].name));
	for (int i = 0; i < HD_PROG_COUNT; i++) {
		struct bpf_program *prog =
			bpf_object__find_program_by_name(dp->skel->obj, progs[i]);

		if (!prog)
			prog = bpf_object__find_program_by_name(dp->xdp->obj, progs[i]);
		dp->progs[i] = dup(bpf_program__fd(prog));
	}
	return 0;
}

/* Counters for drops that find their table full; see bpf/lib/drop.h. */
static void seed_drops(const struct hd_datapath *dp)
{
	_free_ struct hd_drop_value *zero =
		calloc((size_t)libbpf_num_possible_cpus(), sizeof(struct hd_drop_value));

	for (uint16_t stage = 0; zero && stage < HD_STAGE_COUNT; stage++) {
#define X(number, symbol, name, sentence, remedy)                                                  \
	(void)bpf_map_update_elem(dp->maps[HD_MAP_DROPS],                                          \
				  &(struct hd_drop_key){ .reason = (number), .stage = stage },     \
				  zero, BPF_NOEXIST); /* there already is fine */
		HD_REASONS(X)
#undef X
	}
}

/* Each object has its own room for the packet in hand; all else the programs for XDP share with those for TC. */
static bool is_own(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return bpf_map__is_internal(map) || !strcmp(name, "hd_scratch") ||
	       !strcmp(name, "hd_bytes") || !strcmp(name, "hd_live_scratch");
}

static int borrow_maps(struct bpf_object *obj, const struct bpf_object *owner)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, obj)
	{
		const struct bpf_map *theirs =
			bpf_object__find_map_by_name(owner, bpf_map__name(map));

		if (r == 0 && !is_own(map))
			r = theirs ? bpf_map__reuse_fd(map, bpf_map__fd(theirs)) : -ENOENT;
	}
	return r;
}

static int load_xdp(const struct port_bpf *port, const struct hd_port_config *config,
		    struct uplink_bpf **ret)
{
	struct uplink_bpf *skel = uplink_bpf__open();
	int r;

	if (!skel)
		return -errno;
	memcpy((void *)&skel->rodata->hd_cfg, config, sizeof(*config));
	r = borrow_maps(skel->obj, port->obj);
	if (r == 0)
		r = uplink_bpf__load(skel);
	if (r < 0) {
		uplink_bpf__destroy(skel);
		return r;
	}
	*ret = skel;
	return 0;
}

static int load(struct hd_datapath *dp, struct hd_error *err)
{
	struct hd_port_config config = make_config(dp);
	struct hd_meta meta = { .abi = HD_ABI_VERSION, .object_hash = object_hash(dp) };
	uint32_t key = 0;
	int r;

	dp->skel = port_bpf__open();
	if (!dp->skel)
		return hd_error_set(err, HD_ERR_FAILED,
				    "datapath: can't open the program object: %s", strerror(errno));
	memcpy((void *)&dp->skel->rodata->hd_cfg, &config, sizeof(config));
	r = prepare_maps(dp);
	if (r == 0)
		r = port_bpf__load(dp->skel);
	if (r == 0)
		r = load_xdp(dp->skel, &config, &dp->xdp);
	if (r < 0) {
		hd_error_set(err, HD_ERR_FAILED, "datapath: the kernel refused the programs: %s",
			     strerror(-r));
		hd_error_hint(err,
			      "heddle needs Linux 6.1 or later and CAP_BPF, CAP_NET_ADMIN; with "
			      "log-level debug the verifier's log is shown");
		return r;
	}
	(void)take_fds(dp);
	for (int i = 0; i < HD_MAP_COUNT; i++)
		move_entries(dp, i);
	seed_drops(dp);
	dp->changed = true;
	return bpf_map_update_elem(dp->maps[HD_MAP_META], &key, &meta, BPF_ANY) < 0 ? -errno : 0;
}

int hd_prog_id(int fd, uint32_t *ret)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret = info.id;
	return 0;
}

static int learn_prog_ids(struct hd_datapath *dp)
{
	int r = 0;

	for (int i = 0; r == 0 && i < HD_PROG_COUNT; i++)
		r = hd_prog_id(dp->progs[i], &dp->prog_ids[i]);
	return r;
}

static void *map_memory(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t states_size(const struct hd_datapath *dp)
{
	return dp->limits.ports * sizeof(*dp->states);
}

static int map_shared(struct hd_datapath *dp)
{
	dp->states = map_memory(dp->maps[HD_MAP_PORT_STATE], states_size(dp));
	if (dp->states)
		dp->epoch = map_memory(dp->maps[HD_MAP_EPOCH], sizeof(*dp->epoch));
	return dp->epoch ? 0 : -errno;
}

static void unmap_shared(struct hd_datapath *dp)
{
	if (dp->states)
		(void)munmap(dp->states, states_size(dp));
	if (dp->epoch)
		(void)munmap(dp->epoch, sizeof(*dp->epoch));
	dp->states = NULL;
	dp->epoch = NULL;
}

/* The coarse clocks tick once a jiffy, and their resolution says how long that is. */
static uint32_t kernel_hz(void)
{
	struct timespec tick = { .tv_nsec = 0 };

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) < 0 || tick.tv_nsec <= 0)
		return 250;
	return (uint32_t)((1000000000L + tick.tv_nsec / 2) / tick.tv_nsec);
}

static int make_folders(const struct hd_datapath *dp, struct hd_error *err)
{
	static const char *const folders[] = { "maps", "progs", "links" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[300];
		int r;

		pin_path(dp, folders[i], "", path);
		r = hd_mkdir_p(path, 0700);
		if (r < 0)
			return hd_error_set(err, HD_ERR_FAILED, "%s: can't make it: %s", path,
					    strerror(-r));
	}
	return 0;
}

int hd_datapath_open(const char *instance, const struct hd_limits *limits, struct hd_datapath *ret,
		     struct hd_error *err)
{
	int r;

	*ret = (struct hd_datapath){ .limits = *limits, .hz = kernel_hz() };
	memset(ret->maps, -1, sizeof(ret->maps));
	memset(ret->progs, -1, sizeof(ret->progs));
	(void)snprintf(ret->dir, sizeof(ret->dir), HD_PIN_ROOT "/%s", instance);
	r = make_folders(ret, err);
	if (r < 0)
		return r;
	if (!adopt(ret)) {
		r = load(ret, err);
		if (r < 0)
			return r;
	}
	log_info("datapath: %s", ret->changed ? "loaded" : "adopted what is pinned");
	r = learn_prog_ids(ret);
	if (r == 0)
		r = map_shared(ret);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "datapath: can't look at it: %s",
				    strerror(-r));
	return 0;
}

/* Pin beside the old one, then rename over it: at each moment there is one. */
static int replace_pin(const struct hd_datapath *dp, const char *folder, const char *name, int fd)
{
	char path[300], fresh[310];

	pin_path(dp, folder, name, path);
	(void)snprintf(fresh, sizeof(fresh), "%s-new", path);
	(void)unlink(fresh); /* left by a daemon that was killed here */
	if (bpf_obj_pin(fd, fresh) < 0)
		return -errno;
	return rename(fresh, path) < 0 ? -errno : 0;
}

int hd_datapath_commit(struct hd_datapath *dp, struct hd_error *err)
{
	int r = 0;

	if (!dp->changed)
		return 0;
	for (int i = 0; r == 0 && i < HD_PROG_COUNT; i++)
		r = replace_pin(dp, "progs", progs[i], dp->progs[i]);
	for (int i = 0; r == 0 && i < HD_MAP_COUNT;
	     i++) /* hd_meta last: it vouches for all the others */
		r = replace_pin(dp, "maps", maps[i].name, dp->maps[i]);
	if (r < 0)
		return hd_error_set(err, HD_ERR_FAILED, "datapath: can't pin under %s: %s", dp->dir,
				    strerror(-r));
	dp->changed = false;
	uplink_bpf__destroy(TAKE_PTR(dp->xdp));
	port_bpf__destroy(TAKE_PTR(dp->skel));
	return 0;
}

void hd_datapath_close(struct hd_datapath *dp)
{
	unmap_shared(dp);
	close_fds(dp);
	uplink_bpf__destroy(TAKE_PTR(dp->xdp));
	port_bpf__destroy(TAKE_PTR(dp->skel));
}

int hd_datapath_unpin(const struct hd_datapath *dp)
{
	int r = hd_rm_rf(dp->dir);

	(void)rmdir(HD_PIN_ROOT); /* stays while there are other instances */
	return r;
}

uint32_t hd_datapath_now(const struct hd_datapath *dp)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	(void)bpf_prog_test_run_opts(dp->progs[HD_PROG_CLOCK],
				     &opts); /* can't fail with a frame this long */
	return opts.retval;
}

/* @dp: borrowed, for its fds. @log: what the twin writes. */
struct hd_twin {
	const struct hd_datapath *dp;
	struct port_bpf *skel;
	int log;
	int prog;
};

/* Every map that the real one has pinned, but for what belongs to the programs themselves. */
static int share_maps(const struct hd_datapath *dp, struct port_bpf *skel)
{
	for (int i = 0; i < HD_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, maps[i].name);
		int r = maps[i].keep == KEEP ? bpf_map__reuse_fd(map, dp->maps[i]) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int size_maps(const struct hd_datapath *dp, struct port_bpf *skel)
{
	for (int i = 0; i < HD_MAP_COUNT; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, maps[i].name);

		if (map_size(&dp->limits, i))
			(void)bpf_map__set_max_entries(map, map_size(&dp->limits, i));
	}
	return 0;
}

int hd_datapath_load_again(const struct hd_datapath *dp, enum hd_trace_mode mode, bool apart,
			   struct port_bpf **ret)
{
	struct hd_port_config config = make_config(dp);
	struct port_bpf *skel = port_bpf__open();
	int r;

	if (!skel)
		return -errno;
	config.trace = mode;
	memcpy((void *)&skel->rodata->hd_cfg, &config, sizeof(config));
	r = apart ? size_maps(dp, skel) : share_maps(dp, skel);
	if (r == 0 && mode == HD_TRACE_LIVE)
		r = bpf_map__set_max_entries(skel->maps.hd_live, HD_LIVE_RING);
	if (r == 0)
		r = port_bpf__load(skel);
	if (r < 0) {
		port_bpf__destroy(skel);
		return r;
	}
	*ret = skel;
	return 0;
}

int hd_datapath_load_xdp_again(const struct hd_datapath *dp, enum hd_trace_mode mode,
			       const struct port_bpf *port, struct uplink_bpf **ret)
{
	struct hd_port_config config = make_config(dp);

	config.trace = mode;
	return load_xdp(port, &config, ret);
}

static int twin_load(struct hd_twin *twin, bool apart)
{
	int r = hd_datapath_load_again(twin->dp, HD_TRACE_TWIN, apart, &twin->skel);

	if (r < 0)
		return r;
	twin->log = bpf_map__fd(twin->skel->maps.hd_trace_log);
	twin->prog = bpf_program__fd(twin->skel->progs.hd_port_in);
	return 0;
}

static int twin_open(const struct hd_datapath *dp, bool apart, struct hd_twin **ret,
		     struct hd_error *err)
{
	struct hd_twin *twin = calloc(1, sizeof(*twin));
	int r;

	if (!twin)
		return hd_error_set(err, HD_ERR_FAILED, "trace: no memory");
	twin->dp = dp;
	r = twin_load(twin, apart);
	if (r < 0) {
		hd_twin_close(twin);
		return hd_error_set(err, HD_ERR_FAILED, "trace: can't load the programs: %s",
				    strerror(-r));
	}
	*ret = twin;
	return 0;
}

int hd_twin_open(const struct hd_datapath *dp, struct hd_twin **ret, struct hd_error *err)
{
	return twin_open(dp, false, ret, err);
}

int hd_twin_open_apart(const struct hd_datapath *dp, struct hd_twin **ret,
		       struct hd_datapath *tables, struct hd_error *err)
{
	int r = twin_open(dp, true, ret, err);

	*tables = *dp;
	tables->states = NULL;
	tables->epoch = NULL;
	for (int i = 0; r == 0 && i < HD_MAP_COUNT; i++)
		tables->maps[i] = bpf_object__find_map_fd_by_name((*ret)->skel->obj, maps[i].name);
	return r;
}

void hd_twin_close(struct hd_twin *twin)
{
	if (!twin)
		return;
	port_bpf__destroy(twin->skel);
	free(twin);
}

int hd_twin_run(struct hd_twin *twin, uint32_t ifindex, const void *frame, size_t len,
		struct hd_trace_record *ret, size_t *ret_n)
{
	struct hd_trace_record head = { 0 };
	struct __sk_buff ctx = { .ifindex = ifindex };
	uint32_t key = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)len,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	if (bpf_map_update_elem(twin->log, &key, &head, BPF_ANY) < 0 ||
	    bpf_prog_test_run_opts(twin->prog, &opts) < 0 ||
	    bpf_map_lookup_elem(twin->log, &key, &head) < 0)
		return -errno;
	*ret_n = head.stage < HD_TRACE_MAX ? head.stage : HD_TRACE_MAX;
	for (key = 1; key <= *ret_n; key++)
		if (bpf_map_lookup_elem(twin->log, &key, &ret[key - 1]) < 0)
			return -errno;
	return 0;
}
