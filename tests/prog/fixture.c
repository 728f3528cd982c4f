// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* fixture.c - load, fill, send, and look what happened */
#include "tests/prog/fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define MAX_COPIES 256

struct fdb_row {
	struct hd_fdb_key key;
	struct hd_fdb_value value;
};

struct drop_row {
	struct hd_drop_key key;
	struct hd_drop_value value; /* of all CPUs together */
};

/* An entry of one of the eight flow tables. @key: of IPv4 shorter, the rest is zero. */
struct flow_row {
	bool is_new; /* of the tables for what is not answered */
	bool is_v6;
	bool routed;
	struct hd_flow6_key key;
	struct hd_flow_value value;
	struct hd_hop hop[2];
};

struct arp_row {
	struct hd_neigh_key key;
	struct hd_arp_value value;
};

/* Everything that the datapath may write. */
struct snapshot {
	struct flow_row flows[MAX_FLOWS];
	size_t n_flows;
	struct arp_row arp[MAX_ARP];
	size_t n_arp;
	uint32_t moved[MAX_PORTS];
	struct hd_rule_counters rules[MAX_RULES];
	struct hd_frag_value frags[MAX_FRAGS];
	size_t n_frags;
	size_t n_held;
	struct hd_counters counters[MAX_PORTS];
	uint32_t macs[MAX_PORTS];
	uint32_t flows_of[MAX_PORTS];
	struct fdb_row fdb[MAX_FDB];
	size_t n_fdb;
	struct drop_row drops[MAX_DROPS];
	size_t n_drops;
};

/* @tpid: 0 = none */
struct tag {
	uint16_t tpid;
	uint16_t tci;
};

/* One packet on its way. */
struct trip {
	struct fixture *f;
	const struct pkt *in;
	int action;
	uint8_t out[sizeof(((struct pkt *)0)->data) + 64];
	uint32_t out_len;
	uint32_t copies[MAX_COPIES]; /* ifindices */
	struct tag tags[MAX_COPIES]; /* beside them */
	size_t n_copies;
	char story[STORY_SIZE];
	size_t told;
};

static bool provoked[HD_REASON_MAX];

bool was_provoked(uint32_t reason)
{
	return reason < HD_REASON_MAX && provoked[reason];
}

/* --- the world --- */

uint32_t device(uint32_t number)
{
	if (number == 0)
		return 1; /* loopback: a device that is no port */
	return number == DEVICE_COLLIDING ? HD_IFINDEX_SLOTS + 101 : 100 + number;
}

void device_mac(uint32_t number, uint8_t ret[6])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	assert_non_null(if_indextoname(device(number), request.ifr_name));
	assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	(void)close(fd);
	memcpy(ret, request.ifr_hwaddr.sa_data, 6);
}

static int make_devices(void)
{
	FILE *ip = popen("ip -batch -", "w");

	if (!ip)
		return -errno;
	for (uint32_t n = 1; n <= N_DEVICES; n++) {
		(void)fprintf(ip, "link add p%u index %u mtu %u type veth peer name e%u\n", n,
			      device(n), DEVICE_MTU, n);
		(void)fprintf(ip, "link set p%u up\nlink set e%u up\n", n, n);
	}
	return pclose(ip) == 0 ? 0 : -EIO;
}

/* The kernel's own packets would be in the way of those that are counted here. */
static void silence_ipv6(void)
{
	_fclose_ FILE *file = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");

	if (file)
		(void)fputs("1\n", file);
}

/* libbpf tells of a second try that always succeeds, each time a prog array is made. */
static int print_errors(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_WARN || strstr(fmt, "Retrying without BTF"))
		return 0;
	return vfprintf(stderr, fmt, args);
}

int world_setup(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		(void)fprintf(stderr, "prog tests need root: %s\n", strerror(errno));
		return 4;
	}
	silence_ipv6();
	(void)libbpf_set_print(print_errors);
	if (make_devices() < 0) {
		(void)fprintf(stderr, "prog tests: can't make veth devices\n");
		return 1;
	}
	return 0;
}

/* Packets that devices send come to it at once, before the sender goes on. */
static int open_wire(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int yes = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)), 0);
	return fd;
}

/* --- small programs of our own, as instructions: building them needs no second compiler run --- */

#define INSN(op, to, from, offset, number)                                                         \
	((struct bpf_insn){ .code = (op),                                                          \
			    .dst_reg = (to),                                                       \
			    .src_reg = (from),                                                     \
			    .off = (offset),                                                       \
			    .imm = (int32_t)(number) })
#define MOV(to, from) INSN(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0)
#define SET(to, number) INSN(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, number)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int load_insns(const struct bpf_insn *insns, size_t n)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "hd_test", "GPL", insns, n, NULL);

	assert_true(fd >= 0);
	return fd;
}

/*
 * bpf_skb_vlan_push() puts the tag where the kernel keeps it after receiving: beside the packet.
 * The VID comes in skb->mark.
 */
static void load_tagger(struct fixture *f)
{
	int start = bpf_program__fd(f->skel->progs.hd_port_in);
	uint32_t key = 0;

	f->starts = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "hd_starts", 4, 4, 1, NULL);
	assert_true(f->starts >= 0);
	const struct bpf_insn insns[] = {
		MOV(6, 1),
		SET(2, htons(ETH_P_8021Q)),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 6, offsetof(struct __sk_buff, mark), 0),
		CALL(BPF_FUNC_skb_vlan_push),
		MOV(1, 6),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 2, BPF_PSEUDO_MAP_FD, 0, f->starts),
		INSN(0, 0, 0, 0, 0),
		SET(3, 0),
		CALL(BPF_FUNC_tail_call),
		SET(0, 77), /* no verdict of heddle's */
		EXIT(),
	};

	f->tagger = load_insns(insns, sizeof(insns) / sizeof(insns[0]));
	assert_int_equal(bpf_map_update_elem(f->starts, &key, &start, BPF_ANY), 0);
}

static void load_clock(struct fixture *f)
{
	const struct bpf_insn insns[] = {
		MOV(6, 1),
		CALL(BPF_FUNC_jiffies64),
		INSN(BPF_STX | BPF_MEM | BPF_W, 6, 0, offsetof(struct __sk_buff, cb[0]), 0),
		INSN(BPF_ALU64 | BPF_RSH | BPF_K, 0, 0, 0, 32),
		INSN(BPF_STX | BPF_MEM | BPF_W, 6, 0, offsetof(struct __sk_buff, cb[1]), 0),
		SET(0, 0),
		EXIT(),
	};

	f->clock = load_insns(insns, sizeof(insns) / sizeof(insns[0]));
}

uint64_t now(struct fixture *f)
{
	struct __sk_buff ctx = { .mark = 0 };
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &ctx,
		    .ctx_size_out = sizeof(ctx), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(f->clock, &opts), 0);
	return (uint64_t)ctx.cb[1] << 32 | ctx.cb[0];
}

/* --- loading --- */

static void set_sizes(struct port_bpf *skel, struct sizes sizes)
{
	const struct {
		struct bpf_map *map;
		uint32_t size;
	} maps[] = {
		{ skel->maps.hd_ports, MAX_PORTS },
		{ skel->maps.hd_port_counters, MAX_PORTS },
		{ skel->maps.hd_port_state, MAX_PORTS },
		{ skel->maps.hd_ifindex_far, MAX_PORTS },
		{ skel->maps.hd_networks, MAX_NETWORKS },
		{ skel->maps.hd_trunks, MAX_PORTS },
		{ skel->maps.hd_limits, MAX_PORTS },
		{ skel->maps.hd_buckets, MAX_PORTS },
		{ skel->maps.hd_ends, MAX_PORTS },
		{ skel->maps.hd_peers, MAX_PORTS },
		{ skel->maps.hd_peer_nets, MAX_PORTS },
		{ skel->maps.hd_tunnels, MAX_NETWORKS },
		{ skel->maps.hd_legs, MAX_NETWORKS },
		{ skel->maps.hd_neigh, MAX_PORTS },
		{ skel->maps.hd_fdb, sizes.fdb ? sizes.fdb : MAX_FDB },
		{ skel->maps.hd_drops, sizes.drops ? sizes.drops : MAX_DROPS },
		{ skel->maps.hd_flow4, sizes.flows ? sizes.flows : MAX_FLOWS },
		{ skel->maps.hd_flow6, sizes.flows ? sizes.flows : MAX_FLOWS },
		{ skel->maps.hd_new4, sizes.new_flows ? sizes.new_flows : MAX_FLOWS },
		{ skel->maps.hd_new6, sizes.new_flows ? sizes.new_flows : MAX_FLOWS },
		{ skel->maps.hd_rflow4, sizes.flows ? sizes.flows : MAX_FLOWS },
		{ skel->maps.hd_rflow6, sizes.flows ? sizes.flows : MAX_FLOWS },
		{ skel->maps.hd_rnew4, sizes.new_flows ? sizes.new_flows : MAX_FLOWS },
		{ skel->maps.hd_rnew6, sizes.new_flows ? sizes.new_flows : MAX_FLOWS },
		{ skel->maps.hd_routes, 256 },
		{ skel->maps.hd_hops, 1024 },
		{ skel->maps.hd_arp, MAX_ARP },
		{ skel->maps.hd_router_state, MAX_PORTS },
		{ skel->maps.hd_nat, sizes.endpoints ? sizes.endpoints : 1024 },
		{ skel->maps.hd_nat_users, 64 },
		{ skel->maps.hd_nat_asked, 1024 },
		{ skel->maps.hd_nat_pools, 8 },
		{ skel->maps.hd_nat_heads, 8 },
		{ skel->maps.hd_nat_log, 4096 },
		{ skel->maps.hd_fips, 64 },
		{ skel->maps.hd_fips6, 64 },
		{ skel->maps.hd_forwards, 64 },
		{ skel->maps.hd_forwards6, 64 },
		{ skel->maps.hd_outsides6, 8 },
		{ skel->maps.hd_nat_names, 64 },
		{ skel->maps.hd_nat_named, 64 },
		{ skel->maps.hd_nat_asked6, 1024 },
		{ skel->maps.hd_frags, sizes.frags ? sizes.frags : MAX_FRAGS },
		{ skel->maps.hd_held, sizes.frags ? sizes.frags : MAX_FRAGS },
		{ skel->maps.hd_rules, 1024 },
		{ skel->maps.hd_shapes, 64 },
		{ skel->maps.hd_members, 64 },
		{ skel->maps.hd_sources, 256 },
		{ skel->maps.hd_gateways, MAX_NETWORKS },
		{ skel->maps.hd_rule_counters, MAX_RULES },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		assert_int_equal(bpf_map__set_max_entries(maps[i].map, maps[i].size), 0);
}

static struct hd_port_config make_config(struct sizes sizes)
{
	static const uint32_t seconds[] = {
#define X(id, name, number) [id] = (number),
		HD_TIMEOUTS(X)
#undef X
	};
	struct hd_port_config config = { .hz = sizes.hz ? sizes.hz : HZ,
					 .max_ports = MAX_PORTS,
					 .flows_per_port = sizes.flows_per_port
								   ? sizes.flows_per_port
								   : MAX_FLOWS,
					 .nat_spread = sizes.nat_spread };

	for (size_t i = 0; i < HD_TIMEOUT_COUNT; i++)
		config.timeouts[i] = seconds[i] * config.hz;
	return config;
}

static void configure(struct port_bpf *skel, struct hd_port_config config)
{
	memcpy((void *)&skel->rodata->hd_cfg, &config, sizeof(config));
}

static void uplink_load(struct fixture *f, struct hd_port_config config)
{
	struct bpf_map *map;

	f->uplink = uplink_bpf__open();
	assert_non_null(f->uplink);
	memcpy((void *)&f->uplink->rodata->hd_cfg, &config, sizeof(config));
	bpf_object__for_each_map(map, f->uplink->obj)
	{
		const struct bpf_map *real =
			bpf_object__find_map_by_name(f->skel->obj, bpf_map__name(map));

		if (is_shared(map))
			assert_int_equal(bpf_map__reuse_fd(map, bpf_map__fd(real)), 0);
	}
	assert_int_equal(uplink_bpf__load(f->uplink), 0);
}

static void fixture_load(struct fixture *f, struct sizes sizes)
{
	f->skel = port_bpf__open();
	assert_non_null(f->skel);
	configure(f->skel, make_config(sizes));
	set_sizes(f->skel, sizes);
	assert_int_equal(port_bpf__load(f->skel), 0);
	uplink_load(f, make_config(sizes));
	load_tagger(f);
	load_clock(f);
}

static void fixture_unload(struct fixture *f)
{
	(void)close(f->tagger);
	(void)close(f->starts);
	(void)close(f->clock);
	uplink_bpf__destroy(f->uplink);
	port_bpf__destroy(f->skel);
}

static void twin_unload(struct fixture *f)
{
	port_bpf__destroy(f->twin); /* NULL is fine */
	f->twin = NULL;
}

/* --- one load for all tests: the verifier takes its time --- */

static struct fixture loaded;

static void forget_entries(const struct bpf_map *map)
{
	uint8_t key[sizeof(struct hd_held_key)];
	int fd = bpf_map__fd(map);

	assert_true(bpf_map__key_size(map) <= sizeof(key));
	while (bpf_map_get_next_key(fd, NULL, key) == 0)
		assert_int_equal(bpf_map_delete_elem(fd, key), 0);
}

static void zero_entry(const struct bpf_map *map, uint32_t key)
{
	size_t size = (bpf_map__value_size(map) + 7u) & ~7u;
	_free_ void *zero = calloc((size_t)libbpf_num_possible_cpus(), size);

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, zero, BPF_ANY), 0);
}

/* Those that tests use. */
static const uint32_t tunnel_ports[] = { 0, HD_VXLAN_PORT, HD_GENEVE_PORT, 8472 };

static void forget_map(const struct bpf_map *map)
{
	if (bpf_map__is_internal(map))
		return;
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		return;
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		if (!strcmp(bpf_map__name(map), "hd_tunnel_ports"))
			for (size_t i = 0; i < sizeof(tunnel_ports) / sizeof(tunnel_ports[0]); i++)
				zero_entry(map, tunnel_ports[i]);
		else if (bpf_map__max_entries(map) == HD_IFINDEX_SLOTS)
			for (uint32_t n = 0; n <= N_DEVICES; n++)
				zero_entry(map, device(n) % HD_IFINDEX_SLOTS);
		else
			for (uint32_t i = 0; i < bpf_map__max_entries(map); i++)
				zero_entry(map, i);
		return;
	default:
		forget_entries(map);
	}
}

static void restore_stages(struct fixture *f)
{
	const struct {
		uint32_t stage;
		const struct bpf_program *prog;
	} stages[] = {
		{ HD_STAGE_FLOOD, f->skel->progs.hd_stage_flood },
		{ HD_STAGE_NEIGH, f->skel->progs.hd_stage_neigh },
		{ HD_STAGE_JUDGE, f->skel->progs.hd_stage_judge },
		{ HD_STAGE_FLOW, f->skel->progs.hd_stage_flow },
		{ HD_STAGE_ENCAP, f->skel->progs.hd_stage_encap },
		{ HD_STAGE_SPREAD, f->skel->progs.hd_stage_spread },
		{ HD_STAGE_TOO_BIG, f->skel->progs.hd_stage_too_big },
		{ HD_STAGE_UPLINK_IN, f->skel->progs.hd_uplink_in },
		{ HD_STAGE_OPENED, f->skel->progs.hd_stage_opened },
		{ HD_STAGE_ROUTE, f->skel->progs.hd_stage_route },
		{ HD_STAGE_RFLOW, f->skel->progs.hd_stage_rflow },
		{ HD_STAGE_RESOLVE, f->skel->progs.hd_stage_resolve },
		{ HD_STAGE_TELL, f->skel->progs.hd_stage_tell },
	};

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		int fd = bpf_program__fd(stages[i].prog);

		assert_int_equal(bpf_map_update_elem(bpf_map__fd(f->skel->maps.hd_stages),
						     &stages[i].stage, &fd, BPF_ANY),
				 0);
	}
}

/* As it was when it was loaded. */
static void forget_everything(struct fixture *f)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, f->skel->obj) forget_map(map);
	restore_stages(f);
}

static void use_loaded(struct fixture *f)
{
	if (!loaded.skel)
		fixture_load(&loaded, (struct sizes){ 0 });
	f->skel = loaded.skel;
	f->uplink = loaded.uplink;
	f->tagger = loaded.tagger;
	f->starts = loaded.starts;
	f->clock = loaded.clock;
	forget_everything(f);
}

/* Scratch, log and what belongs to the programs themselves are each one's own. */
bool is_shared(const struct bpf_map *map)
{
	static const char *const own[] = { "hd_scratch",       "hd_hold_scratch", "hd_bytes",
					   "hd_rflow_scratch", "hd_frag_copy",	  "hd_trace_log",
					   "hd_stages",	       "hd_told" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(bpf_map__name(map), own[i]))
			return false;
	return !bpf_map__is_internal(map);
}

void twin_load(struct fixture *f)
{
	struct hd_port_config config;
	struct bpf_map *map;

	f->twin = port_bpf__open();
	assert_non_null(f->twin);
	memcpy(&config, (const void *)&f->skel->rodata->hd_cfg, sizeof(config));
	config.trace = true;
	configure(f->twin, config);
	bpf_object__for_each_map(map, f->twin->obj)
	{
		const struct bpf_map *real =
			bpf_object__find_map_by_name(f->skel->obj, bpf_map__name(map));

		if (is_shared(map))
			assert_int_equal(bpf_map__reuse_fd(map, bpf_map__fd(real)), 0);
	}
	assert_int_equal(port_bpf__load(f->twin), 0);
}

void fixture_resize(struct fixture *f, struct sizes sizes)
{
	static const struct sizes same;

	if (f->is_own)
		fixture_unload(f);
	f->is_own = memcmp(&sizes, &same, sizeof(sizes));
	if (f->is_own)
		fixture_load(f, sizes);
	else
		use_loaded(f);
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->before = calloc(2, sizeof(*f->before));
	assert_non_null(f->before);
	f->after = f->before + 1;
	f->wire = open_wire();
	use_loaded(f);
	*state = f;
	return 0;
}

int fixture_setup_xdp(void **state)
{
	int r = fixture_setup(state);

	((struct fixture *)*state)->xdp = true;
	return r;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	twin_unload(f);
	if (f->is_own)
		fixture_unload(f);
	(void)close(f->wire);
	free(f->before);
	free(f);
	return 0;
}

/* --- tables --- */

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

void net_add(struct fixture *f, uint32_t id, uint32_t flags, uint32_t ageing_s)
{
	struct hd_network_value value = { .flags = flags, .ageing_jiffies = ageing_s * HZ };

	put(f->skel->maps.hd_networks, &id, &value);
}

/* --- limits --- */

void port_limit(struct fixture *f, uint32_t id, enum hd_direction dir, uint64_t bytes_s,
		uint64_t burst)
{
	struct hd_port_value port = port_get(f, id);
	struct hd_limit_value value = { 0 };

	(void)bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_limits), &id, &value); /* or none */
	value.dir[dir].bytes_s = bytes_s;
	value.dir[dir].burst_ns = bytes_s ? burst * 1000000000 / bytes_s : 0;
	put(f->skel->maps.hd_limits, &id, &value);
	port.flags |= dir == HD_INGRESS ? HD_PORT_LIMIT_INGRESS : HD_PORT_LIMIT_EGRESS;
	port_put(f, id, port);
}

static struct hd_bucket bucket_get(struct fixture *f, uint32_t id)
{
	struct hd_bucket bucket;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_buckets), &id, &bucket),
			 0);
	return bucket;
}

uint64_t bucket_due(struct fixture *f, uint32_t id, enum hd_direction dir)
{
	return bucket_get(f, id).due_ns[dir];
}

void bucket_set_due(struct fixture *f, uint32_t id, enum hd_direction dir, uint64_t due_ns)
{
	struct hd_bucket bucket = bucket_get(f, id);

	bucket.due_ns[dir] = due_ns;
	put(f->skel->maps.hd_buckets, &id, &bucket);
}

/* --- tunnels --- */

static struct hd_network_value net_get(struct fixture *f, uint32_t id)
{
	struct hd_network_value value;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_networks), &id, &value),
			 0);
	return value;
}

void net_tunnel(struct fixture *f, uint32_t id, enum hd_tunnel_type type, uint32_t wire_id,
		uint16_t port)
{
	static const uint8_t overheads[] = { 0, 30, 30, 18, 22 };
	struct hd_network_value value = net_get(f, id);
	struct hd_tunnel_key key = { .id = wire_id, .port = htons(port), .type = (uint8_t)type };
	uint32_t at = port, what = type == HD_TUNNEL_GRE_KEY ? HD_TUNNEL_GRE : type;

	value.tunnel = (struct hd_tunnel){ .ttl = 64,
					   .tos_keep = 0xff,
					   .id = wire_id,
					   .port = htons(port),
					   .type = (uint8_t)type,
					   .overhead = overheads[type] };
	put(f->skel->maps.hd_networks, &id, &value);
	put(f->skel->maps.hd_tunnels, &key, &id);
	put(f->skel->maps.hd_tunnel_ports, &at, &what);
}

void net_outer(struct fixture *f, uint32_t id, uint8_t dscp, uint8_t ttl)
{
	struct hd_network_value value = net_get(f, id);

	value.tunnel.tos_keep = 3;
	value.tunnel.tos = (uint8_t)(dscp << 2);
	value.tunnel.ttl = ttl;
	put(f->skel->maps.hd_networks, &id, &value);
}

void net_first(struct fixture *f, uint32_t id, uint32_t port)
{
	struct hd_network_value value = net_get(f, id);

	value.first = port;
	put(f->skel->maps.hd_networks, &id, &value);
}

static bool map_address(const char *text, uint32_t ret[4])
{
	memset(ret, 0, 16);
	if (strchr(text, ':')) {
		assert_int_equal(inet_pton(AF_INET6, text, ret), 1);
		return true;
	}
	ret[2] = htonl(0xffff);
	assert_int_equal(inet_pton(AF_INET, text, &ret[3]), 1);
	return false;
}

static void map_device(struct fixture *f, uint32_t number, uint32_t id)
{
	struct hd_ifindex_value value = { .ifindex = device(number), .port = id };
	uint32_t slot = device(number) % HD_IFINDEX_SLOTS;

	put(f->skel->maps.hd_ifindex, &slot, &value);
}

void uplink_add(struct fixture *f, uint32_t id, uint32_t number, const char *ip)
{
	struct hd_port_value value = { .network = HD_NETWORK_UNDERLAY,
				       .ifindex = device(number),
				       .flags = HD_PORT_UPLINK | UP,
				       .next = id };
	struct hd_end_value end = { .ifindex = device(number) };

	end.flags = map_address(ip, end.local) ? HD_END_IPV6 : 0;
	memcpy(end.from, MAC_UPLINK, 6);
	put(f->skel->maps.hd_ends, &id, &end);
	port_put(f, id, value);
	map_device(f, number, id);
}

/* Plain sums, as in pkt.h: nothing that could be wrong in the same way as what is tested. */
static uint16_t peer_csum(const struct hd_end_value *end)
{
	uint32_t sum = 0x4500 + 0x4000 + (64 << 8);

	sum = pkt_sum((const uint8_t *)&end->local[3], 4, sum);
	sum = pkt_sum((const uint8_t *)&end->remote[3], 4, sum);
	return htons((uint16_t)~pkt_fold(sum));
}

void peer_add(struct fixture *f, uint32_t id, uint32_t number, const char *local,
	      const char *remote)
{
	struct hd_port_value value = { .network = HD_NETWORK_UNDERLAY,
				       .flags = HD_PORT_TUNNEL | HD_PORT_EVERYWHERE | UP,
				       .next = id,
				       .mac_limit = 16 };
	struct hd_end_value end = { .ifindex = device(number), .mtu = 1500 };
	struct hd_peer_key key;

	end.flags = map_address(remote, end.remote) ? HD_END_IPV6 : 0;
	(void)map_address(local, end.local);
	end.csum = peer_csum(&end);
	memcpy(end.to, MAC((uint8_t)id), 6);
	memcpy(end.from, MAC_UPLINK, 6);
	memcpy(key.addr, end.remote, 16);
	put(f->skel->maps.hd_ends, &id, &end);
	port_put(f, id, value);
	put(f->skel->maps.hd_peers, &key, &id);
}

static void epoch_add(struct fixture *f, struct hd_epoch more)
{
	struct hd_epoch epoch;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_epoch), &zero, &epoch),
			 0);
	epoch.underlay += more.underlay;
	epoch.fdb += more.fdb;
	put(f->skel->maps.hd_epoch, &zero, &epoch);
}

void epoch_underlay(struct fixture *f)
{
	epoch_add(f, (struct hd_epoch){ .underlay = 1 });
}

void epoch_fdb(struct fixture *f)
{
	epoch_add(f, (struct hd_epoch){ .fdb = 1 });
}

void peer_del(struct fixture *f, const char *remote)
{
	struct hd_peer_key key;

	(void)map_address(remote, key.addr);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_peers), &key), 0);
	epoch_underlay(f);
}

void peer_link(struct fixture *f, uint32_t network, uint32_t peer, uint32_t next)
{
	struct hd_peer_net_key key = { .network = network, .peer = peer };

	put(f->skel->maps.hd_peer_nets, &key, &next);
}

void end_flags(struct fixture *f, uint32_t id, uint32_t flags)
{
	struct hd_end_value end;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &id, &end), 0);
	end.flags |= flags;
	put(f->skel->maps.hd_ends, &id, &end);
}

void end_mtu(struct fixture *f, uint32_t id, uint32_t mtu)
{
	struct hd_end_value end;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &id, &end), 0);
	end.mtu = mtu;
	put(f->skel->maps.hd_ends, &id, &end);
}

struct hd_port_value port_get(struct fixture *f, uint32_t id)
{
	struct hd_port_value value;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ports), &id, &value), 0);
	return value;
}

void port_put(struct fixture *f, uint32_t id, struct hd_port_value value)
{
	put(f->skel->maps.hd_ports, &id, &value);
}

/*
 * From the highest to the lowest: each points to the one that was seen last, and the highest to the
 * lowest.
 */
static void ring_close(struct fixture *f, uint32_t network)
{
	uint32_t first = 0, highest = 0;

	for (uint32_t id = MAX_PORTS; id-- > 1;) {
		struct hd_port_value value = port_get(f, id);

		if (value.network != network)
			continue;
		if (!highest)
			highest = id;
		value.next = first;
		first = id;
		port_put(f, id, value);
	}
	port_next(f, highest, first);
}

static void ifindex_add(struct fixture *f, uint32_t ifindex, uint32_t port)
{
	uint32_t slot = ifindex % HD_IFINDEX_SLOTS;
	struct hd_ifindex_value value = { .ifindex = ifindex, .port = port }, old;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ifindex), &slot, &old),
			 0);
	if (old.ifindex && old.ifindex != ifindex)
		put(f->skel->maps.hd_ifindex_far, &ifindex, &port);
	else
		put(f->skel->maps.hd_ifindex, &slot, &value);
}

void leg_add(struct fixture *f, uint32_t id, uint32_t uplink, uint32_t network, uint16_t vid,
	     uint32_t flags)
{
	struct hd_leg_key key = { .uplink = uplink, .vid = vid };
	struct hd_port_value value = { .network = network,
				       .ifindex = port_get(f, uplink).ifindex,
				       .flags = HD_PORT_LEG | UP | flags,
				       .mtu = DEVICE_MTU,
				       .mac_limit = 16,
				       .vlan = vid };

	port_put(f, id, value);
	ring_close(f, network);
	put(f->skel->maps.hd_legs, &key, &id);
}

void leg_del(struct fixture *f, uint32_t uplink, uint16_t vid)
{
	struct hd_leg_key key = { .uplink = uplink, .vid = vid };

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_legs), &key), 0);
}

void leg_ends_at(struct fixture *f, uint32_t id, const char *ip)
{
	struct hd_end_value end = { 0 };

	end.flags = map_address(ip, end.local) ? HD_END_IPV6 : 0;
	put(f->skel->maps.hd_ends, &id, &end);
}

void port_add_on(struct fixture *f, uint32_t id, uint32_t number, uint32_t network, uint32_t flags)
{
	struct hd_port_value value = { .network = network,
				       .ifindex = device(number),
				       .flags = flags,
				       .mtu = DEVICE_MTU,
				       .mac_limit = 16 };

	port_put(f, id, value);
	ring_close(f, network);
	ifindex_add(f, device(number), id);
}

void port_add(struct fixture *f, uint32_t id, uint32_t network, uint32_t flags)
{
	port_add_on(f, id, id, network, flags);
}

void port_del(struct fixture *f, uint32_t id)
{
	uint32_t network = port_get(f, id).network;

	port_put(f, id, (struct hd_port_value){ 0 });
	ring_close(f, network);
}

void port_next(struct fixture *f, uint32_t id, uint32_t next)
{
	struct hd_port_value value = port_get(f, id);

	value.next = next;
	port_put(f, id, value);
}

void port_mtu(struct fixture *f, uint32_t id, uint32_t mtu)
{
	struct hd_port_value value = port_get(f, id);

	value.mtu = mtu;
	port_put(f, id, value);
}

void port_flags(struct fixture *f, uint32_t id, uint32_t flags)
{
	struct hd_port_value value = port_get(f, id);

	value.flags = flags;
	port_put(f, id, value);
}

void port_mac_limit(struct fixture *f, uint32_t id, uint32_t limit)
{
	struct hd_port_value value = port_get(f, id);

	value.mac_limit = limit;
	port_put(f, id, value);
}

void port_mac(struct fixture *f, uint32_t id, const uint8_t mac[6])
{
	struct hd_port_value value = port_get(f, id);

	memcpy(value.mac, mac, 6);
	value.flags |= HD_PORT_HAS_MAC;
	port_put(f, id, value);
}

uint32_t port_macs(struct fixture *f, uint32_t id)
{
	struct hd_port_state state;
	int fd = bpf_map__fd(f->skel->maps.hd_port_state);

	assert_int_equal(bpf_map_lookup_elem(fd, &id, &state), 0);
	return state.learned;
}

uint32_t port_flows(struct fixture *f, uint32_t id)
{
	struct hd_port_state state;
	int fd = bpf_map__fd(f->skel->maps.hd_port_state);

	assert_int_equal(bpf_map_lookup_elem(fd, &id, &state), 0);
	return state.flows;
}

uint32_t port_held(struct fixture *f, uint32_t id)
{
	struct hd_port_state state;
	int fd = bpf_map__fd(f->skel->maps.hd_port_state);

	assert_int_equal(bpf_map_lookup_elem(fd, &id, &state), 0);
	return state.held;
}

void port_set_held(struct fixture *f, uint32_t id, uint32_t held)
{
	struct hd_port_state state;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_port_state), &id, &state),
			 0);
	state.held = held;
	put(f->skel->maps.hd_port_state, &id, &state);
}

void port_set_macs(struct fixture *f, uint32_t id, uint32_t n)
{
	struct hd_port_state state;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_port_state), &id, &state),
			 0);
	state.learned = n;
	put(f->skel->maps.hd_port_state, &id, &state);
}

static struct hd_fdb_key fdb_key(uint32_t network, const uint8_t mac[6])
{
	struct hd_fdb_key key = { .network = network };

	memcpy(key.mac, mac, 6);
	return key;
}

void fdb_static(struct fixture *f, uint32_t network, const uint8_t mac[6], uint32_t port)
{
	struct hd_fdb_key key = fdb_key(network, mac);
	struct hd_fdb_value value = { .port = port, .flags = HD_FDB_STATIC };

	put(f->skel->maps.hd_fdb, &key, &value);
}

void fdb_static_vlan(struct fixture *f, uint32_t network, uint16_t vlan, const uint8_t mac[6],
		     uint32_t port)
{
	struct hd_fdb_key key = fdb_key(network, mac);
	struct hd_fdb_value value = { .port = port, .flags = HD_FDB_STATIC };

	key.vlan = vlan;
	put(f->skel->maps.hd_fdb, &key, &value);
}

void fdb_learned(struct fixture *f, uint32_t network, const uint8_t mac[6], uint32_t port,
		 int64_t age)
{
	struct hd_fdb_key key = fdb_key(network, mac);
	struct hd_fdb_value value = { .port = port, .seen = now(f) - (uint64_t)age };

	put(f->skel->maps.hd_fdb, &key, &value);
	port_set_macs(f, port, port_macs(f, port) + 1);
}

void fdb_del(struct fixture *f, uint32_t network, const uint8_t mac[6])
{
	struct hd_fdb_key key = fdb_key(network, mac);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_fdb), &key), 0);
}

uint64_t fdb_seen(struct fixture *f, uint32_t network, const uint8_t mac[6])
{
	struct hd_fdb_key key = fdb_key(network, mac);
	struct hd_fdb_value value;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_fdb), &key, &value), 0);
	return value.seen;
}

uint32_t fdb_count(struct fixture *f)
{
	int fd = bpf_map__fd(f->skel->maps.hd_fdb);
	struct hd_fdb_key key;
	void *prev = NULL;
	uint32_t n = 0;

	for (; bpf_map_get_next_key(fd, prev, &key) == 0; prev = &key)
		n++;
	return n;
}

static struct hd_neigh_key neigh_key(uint32_t network, const char *ip)
{
	struct hd_neigh_key key = { .network = network };

	if (inet_pton(AF_INET, ip, key.addr + 12) == 1)
		key.addr[10] = key.addr[11] = 0xff;
	else
		assert_int_equal(inet_pton(AF_INET6, ip, key.addr), 1);
	return key;
}

void neigh_add(struct fixture *f, uint32_t network, const char *ip, const uint8_t mac[6],
	       uint32_t port)
{
	struct hd_neigh_key key = neigh_key(network, ip);
	struct hd_neigh_value value = { .port = port };

	memcpy(value.mac, mac, 6);
	put(f->skel->maps.hd_neigh, &key, &value);
}

void neigh_add_vlan(struct fixture *f, uint32_t network, uint16_t vlan, const char *ip,
		    const uint8_t mac[6], uint32_t port)
{
	struct hd_neigh_key key = neigh_key(network, ip);
	struct hd_neigh_value value = { .port = port };

	key.vlan = vlan;
	memcpy(value.mac, mac, 6);
	put(f->skel->maps.hd_neigh, &key, &value);
}

void neigh_del(struct fixture *f, uint32_t network, const char *ip)
{
	struct hd_neigh_key key = neigh_key(network, ip);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_neigh), &key), 0);
}

void stage_del(struct fixture *f, uint32_t stage)
{
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_stages), &stage), 0);
}

void drop_seed(struct fixture *f, uint16_t reason, uint16_t stage)
{
	struct hd_drop_key key = { .reason = reason, .stage = stage };
	_free_ void *zero =
		calloc((size_t)libbpf_num_possible_cpus(), sizeof(struct hd_drop_value));

	assert_non_null(zero);
	put(f->skel->maps.hd_drops, &key, zero);
}

/* --- security --- */

/* IPv4 mapped; the whole length of the address in the key of hd_sources. */
static void any_address(const char *ip, void *addr)
{
	memcpy(addr, neigh_key(0, ip).addr, 16);
}

static bool text_is_v4(const char *ip)
{
	return !strchr(ip, ':');
}

void secure(struct fixture *f, uint32_t id, uint32_t policy, uint32_t gen)
{
	struct hd_port_value value = port_get(f, id);

	value.flags |= HD_PORT_SECURE;
	value.policy = policy;
	value.gen = gen;
	port_put(f, id, value);
}

void source_add(struct fixture *f, uint32_t port, const uint8_t *mac, const char *ip, uint32_t len)
{
	struct hd_source_key key = { .prefix_len = 96 + len + (text_is_v4(ip) ? 96 : 0),
				     .port = port };
	uint32_t yes = 1;

	if (mac)
		memcpy(key.mac, mac, 6);
	any_address(ip, key.addr);
	put(f->skel->maps.hd_sources, &key, &yes);
	port_flags(f, port, port_get(f, port).flags | HD_PORT_HAS_IPS);
}

void port_vlan(struct fixture *f, uint32_t id, uint32_t flags, uint16_t own)
{
	struct hd_port_value value = port_get(f, id);

	value.flags &= ~(uint32_t)(HD_PORT_VLAN | HD_PORT_TRUNK | HD_PORT_TRUNK_LIST |
				   HD_PORT_NATIVE_TAGGED | HD_PORT_QINQ);
	value.flags |= HD_PORT_VLAN | flags;
	value.vlan = own;
	port_put(f, id, value);
}

void trunk_put(struct fixture *f, uint32_t id, const char *list)
{
	struct hd_trunk_value value;

	assert_null(hd_vlans_parse(list, value.bits));
	put(f->skel->maps.hd_trunks, &id, &value);
}

static void address_put(const struct bpf_map *map, uint32_t network, const char *ip, uint32_t value)
{
	struct hd_member_key key = { .network = network };

	any_address(ip, key.addr);
	put(map, &key, &value);
}

void member_add(struct fixture *f, uint32_t network, const char *ip, uint32_t policy)
{
	address_put(f->skel->maps.hd_members, network, ip, policy);
}

void gateway_add(struct fixture *f, uint32_t network, const char *ip)
{
	address_put(f->skel->maps.hd_gateways, network, ip, 1);
}

static struct hd_rule_key rule_key(const struct allow *rule)
{
	struct hd_rule_key key = { .policy = rule->policy,
				   .dir = (uint8_t)rule->dir,
				   .proto = rule->proto,
				   .shape.has_proto = rule->proto != 0,
				   .shape.port_len = rule->port_len,
				   .port = rule->port };

	if (rule->group) {
		key.shape.kind = rule->v6 ? HD_SHAPE_GROUP6 : HD_SHAPE_GROUP4;
		key.remote[0] = rule->group;
		return key;
	}
	key.shape.kind = rule->v6 ? HD_SHAPE_IPV6 : HD_SHAPE_IPV4;
	key.shape.addr_len = rule->len;
	if (rule->remote)
		pkt_address(rule->v6 ? AF_INET6 : AF_INET, rule->remote, key.remote);
	return key;
}

void allow(struct fixture *f, struct allow rule)
{
	struct hd_rule_key key = rule_key(&rule);
	struct hd_shapes shapes = { .n = { 0 } };
	int fd = bpf_map__fd(f->skel->maps.hd_shapes);

	assert_true(rule.id > 0 && rule.id < MAX_RULES);
	put(f->skel->maps.hd_rules, &key, &rule.id);
	(void)bpf_map_lookup_elem(fd, &rule.policy, &shapes); /* none yet is fine */
	assert_true(shapes.n[rule.dir] < HD_SHAPES_MAX);
	shapes.shape[rule.dir][shapes.n[rule.dir]++] = key.shape;
	put(f->skel->maps.hd_shapes, &rule.policy, &shapes);
}

void disallow(struct fixture *f, struct allow rule)
{
	struct hd_rule_key key = rule_key(&rule);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_rules), &key), 0);
}

/* --- routers --- */

void router_add(struct fixture *f, uint32_t id, const uint8_t mac[6], const uint8_t asks[6])
{
	struct hd_port_value value = { .network = HD_NETWORK_UNDERLAY,
				       .flags = HD_PORT_ROUTER | HD_PORT_HAS_MAC | UP,
				       .next = id,
				       .gen = 1000 * id };
	struct hd_end_value end = { .flags = 0 };

	memcpy(value.mac, mac, 6);
	memcpy(end.from, asks, 6);
	put(f->skel->maps.hd_ends, &id, &end);
	port_put(f, id, value);
}

void router_gen(struct fixture *f, uint32_t id, uint32_t gen)
{
	struct hd_port_value value = port_get(f, id);

	value.gen = gen;
	port_put(f, id, value);
}

static struct hd_route_key route_key(const struct route *route)
{
	struct hd_route_key key = { .prefix_len = HD_ROUTE_FIXED_BITS + route->len +
						  (text_is_v4(route->prefix) ? 96 : 0),
				    .router = route->router };

	any_address(route->prefix, key.addr);
	return key;
}

static struct hd_route_value route_value(const struct route *route)
{
	struct hd_route_value value = { .kind = route->kind,
					.network = route->network,
					.id = route->id };

	if (route->via)
		any_address(route->via, value.via);
	if (route->gateway)
		any_address(route->gateway, value.gateway);
	return value;
}

void route_add(struct fixture *f, struct route route)
{
	struct hd_route_key key = route_key(&route);
	struct hd_route_value value = route_value(&route);

	put(f->skel->maps.hd_routes, &key, &value);
}

void route_del(struct fixture *f, struct route route)
{
	struct hd_route_key key = route_key(&route);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(f->skel->maps.hd_routes), &key), 0);
}

void hop_add(struct fixture *f, uint16_t group, uint16_t slot, struct route hop)
{
	struct hd_hop_key key = { .router = hop.router, .group = group, .slot = slot };
	struct hd_route_value value = route_value(&hop);

	put(f->skel->maps.hd_hops, &key, &value);
}

/* The first and the last address of an IPv4 prefix. */
static void route_broadcasts(struct fixture *f, struct route route)
{
	char text[INET_ADDRSTRLEN];
	uint32_t first, last;

	pkt_address(AF_INET, route.prefix, &first);
	last = first | htonl(0xffffffffu >> route.len);
	route.kind = HD_ROUTE_BROADCAST;
	route.gateway = NULL;
	route.len = 32;
	route_add(f, route);
	route.prefix = inet_ntop(AF_INET, &last, text, sizeof(text));
	route_add(f, route);
}

void router_joins(struct fixture *f, uint32_t id, uint32_t network, const char *prefix, uint8_t len,
		  const char *gateway)
{
	struct route route = { .router = id,
			       .prefix = prefix,
			       .len = len,
			       .kind = HD_ROUTE_CONNECTED,
			       .network = network,
			       .gateway = gateway };
	struct hd_end_value end;

	route_add(f, route);
	if (text_is_v4(prefix))
		route_broadcasts(f, route);
	route_add(f, (struct route){ .router = id,
				     .prefix = gateway,
				     .len = text_is_v4(prefix) ? 32 : 128,
				     .kind = HD_ROUTE_LOCAL,
				     .network = network });
	neigh_add(f, network, gateway, port_get(f, id).mac, id);
	fdb_static(f, network, port_get(f, id).mac, id);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &id, &end), 0);
	fdb_static(f, network, end.from, id);
}

void router_outside(struct fixture *f, uint32_t id, uint32_t network, const char *ip)
{
	struct hd_end_value end;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_ends), &id, &end), 0);
	end.ifindex = network;
	end.flags = HD_END_SNAT;
	(void)map_address(ip, end.local);
	put(f->skel->maps.hd_ends, &id, &end);
}

void nat_pool(struct fixture *f, uint32_t network, const char *ip, uint16_t first, uint32_t n)
{
	struct hd_nat_pool_key key = { .zone = network };
	struct hd_nat_pool pool = { .tail = n };
	uint32_t head = 0;

	pkt_address(AF_INET, ip, &key.addr);
	for (uint32_t i = 0; i < n; i++)
		pool.ring[i] = (uint16_t)(first + i);
	put(f->skel->maps.hd_nat_pools, &key, &pool);
	put(f->skel->maps.hd_nat_heads, &key, &head);
}

void arp_learned(struct fixture *f, uint32_t network, const char *ip, const uint8_t mac[6])
{
	router_learned(f, HD_PORT_NONE, network, ip, mac);
}

void router_learned(struct fixture *f, uint32_t router, uint32_t network, const char *ip,
		    const uint8_t mac[6])
{
	struct hd_neigh_key key = neigh_key(network, ip);
	struct hd_arp_value value = { .router = (uint16_t)router,
				      .since = (uint32_t)now(f),
				      .asked = (uint32_t)now(f) };

	memcpy(value.mac, mac, 6);
	put(f->skel->maps.hd_arp, &key, &value);
}

void arp_ages(struct fixture *f, uint32_t network, const char *ip, uint32_t jiffies)
{
	struct hd_neigh_key key = neigh_key(network, ip);
	struct hd_arp_value value;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.hd_arp), &key, &value), 0);
	value.since -= jiffies;
	value.asked -= jiffies;
	put(f->skel->maps.hd_arp, &key, &value);
}

void forget_told(struct fixture *f, uint32_t id)
{
	struct hd_router_state state = router_state(f, id);

	state.told = state.asked = 0;
	put(f->skel->maps.hd_router_state, &id, &state);
}

struct hd_router_state router_state(struct fixture *f, uint32_t id)
{
	struct hd_router_state state;
	int fd = bpf_map__fd(f->skel->maps.hd_router_state);

	assert_int_equal(bpf_map_lookup_elem(fd, &id, &state), 0);
	return state;
}

/* --- what the datapath has written --- */

static void read_counters(struct fixture *f, struct snapshot *s)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(f->skel->maps.hd_port_counters);
	_free_ struct hd_counters *each = calloc((size_t)cpus, sizeof(*each));

	for (uint32_t id = 0; id < MAX_PORTS; id++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &id, each), 0);
		s->macs[id] = port_macs(f, id);
		s->flows_of[id] = port_flows(f, id);
		for (int cpu = 0; cpu < cpus; cpu++) {
			s->counters[id].rx_packets += each[cpu].rx_packets;
			s->counters[id].rx_bytes += each[cpu].rx_bytes;
			s->counters[id].tx_packets += each[cpu].tx_packets;
			s->counters[id].tx_bytes += each[cpu].tx_bytes;
			s->counters[id].drops += each[cpu].drops;
		}
	}
}

static void read_drops(struct fixture *f, struct snapshot *s)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(f->skel->maps.hd_drops);
	_free_ struct hd_drop_value *each = calloc((size_t)cpus, sizeof(*each));
	void *prev = NULL;

	for (; bpf_map_get_next_key(fd, prev, &s->drops[s->n_drops].key) == 0; s->n_drops++) {
		struct drop_row *row = &s->drops[s->n_drops];

		assert_int_equal(bpf_map_lookup_elem(fd, &row->key, each), 0);
		for (int cpu = 0; cpu < cpus; cpu++) {
			row->value.packets += each[cpu].packets;
			row->value.bytes += each[cpu].bytes;
		}
		assert_true(s->n_drops + 1 < MAX_DROPS);
		prev = &row->key;
	}
}

static int compare_fdb(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hd_fdb_key));
}

static void read_fdb(struct fixture *f, struct snapshot *s)
{
	int fd = bpf_map__fd(f->skel->maps.hd_fdb);
	void *prev = NULL;

	for (; bpf_map_get_next_key(fd, prev, &s->fdb[s->n_fdb].key) == 0; s->n_fdb++) {
		prev = &s->fdb[s->n_fdb].key;
		assert_int_equal(bpf_map_lookup_elem(fd, prev, &s->fdb[s->n_fdb].value), 0);
		assert_true(s->n_fdb + 1 < MAX_FDB);
	}
	qsort(s->fdb, s->n_fdb, sizeof(s->fdb[0]), compare_fdb);
}

/* The entries of one table, which all are of the kind of @like. */
static void read_flow_table(struct snapshot *s, const struct bpf_map *map, struct flow_row like)
{
	int fd = bpf_map__fd(map);
	struct hd_rflow_value value;
	void *prev = NULL;

	for (;; s->n_flows++) {
		struct flow_row *row = &s->flows[s->n_flows];

		assert_true(s->n_flows < MAX_FLOWS);
		*row = like;
		if (bpf_map_get_next_key(fd, prev, &row->key) < 0)
			return;
		prev = &row->key;
		memset(&value, 0, sizeof(value));
		assert_int_equal(bpf_map_lookup_elem(fd, prev, &value), 0);
		row->value = value.flow;
		memcpy(row->hop, value.hop, sizeof(row->hop));
	}
}

static void read_flows(struct fixture *f, struct snapshot *s)
{
	const struct {
		const struct bpf_map *map;
		struct flow_row like;
	} tables[] = {
		{ f->skel->maps.hd_flow4, { .is_v6 = false } },
		{ f->skel->maps.hd_flow6, { .is_v6 = true } },
		{ f->skel->maps.hd_new4, { .is_new = true } },
		{ f->skel->maps.hd_new6, { .is_new = true, .is_v6 = true } },
		{ f->skel->maps.hd_rflow4, { .routed = true } },
		{ f->skel->maps.hd_rflow6, { .routed = true, .is_v6 = true } },
		{ f->skel->maps.hd_rnew4, { .routed = true, .is_new = true } },
		{ f->skel->maps.hd_rnew6, { .routed = true, .is_new = true, .is_v6 = true } },
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		read_flow_table(s, tables[i].map, tables[i].like);
}

static int compare_arp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hd_neigh_key));
}

static void read_arp(struct fixture *f, struct snapshot *s)
{
	int fd = bpf_map__fd(f->skel->maps.hd_arp);
	void *prev = NULL;

	for (; bpf_map_get_next_key(fd, prev, &s->arp[s->n_arp].key) == 0; s->n_arp++) {
		prev = &s->arp[s->n_arp].key;
		assert_int_equal(bpf_map_lookup_elem(fd, prev, &s->arp[s->n_arp].value), 0);
		assert_true(s->n_arp + 1 < MAX_ARP);
	}
	qsort(s->arp, s->n_arp, sizeof(s->arp[0]), compare_arp);
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		s->moved[id] = router_state(f, id).moved;
}

static void read_rules(struct fixture *f, struct snapshot *s)
{
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(f->skel->maps.hd_rule_counters);
	_free_ struct hd_rule_counters *each = calloc((size_t)cpus, sizeof(*each));

	for (uint32_t id = 0; id < MAX_RULES; id++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &id, each), 0);
		for (int cpu = 0; cpu < cpus; cpu++) {
			s->rules[id].packets += each[cpu].packets;
			s->rules[id].bytes += each[cpu].bytes;
		}
	}
}

static void read_frags(struct fixture *f, struct snapshot *s)
{
	int fd = bpf_map__fd(f->skel->maps.hd_frags);
	struct hd_frag_key key;
	void *prev = NULL;

	for (; bpf_map_get_next_key(fd, prev, &key) == 0; s->n_frags++) {
		assert_true(s->n_frags < MAX_FRAGS);
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &s->frags[s->n_frags]), 0);
		s->frags[s->n_frags].seen = 0; /* whether a tick has passed does not matter */
		prev = &key;
	}
}

static size_t count_held(struct fixture *f)
{
	int fd = bpf_map__fd(f->skel->maps.hd_held);
	struct hd_held_key key;
	void *prev = NULL;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, prev, &key) == 0; prev = &key)
		n++;
	return n;
}

static void take_snapshot(struct fixture *f, struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	read_flows(f, s);
	read_arp(f, s);
	read_rules(f, s);
	read_frags(f, s);
	s->n_held = count_held(f);
	read_counters(f, s);
	read_drops(f, s);
	read_fdb(f, s);
}

static const struct drop_row *find_drop(const struct snapshot *s, const struct hd_drop_key *key)
{
	for (size_t i = 0; i < s->n_drops; i++)
		if (!memcmp(&s->drops[i].key, key, sizeof(*key)))
			return &s->drops[i];
	return NULL;
}

static const struct fdb_row *find_fdb(const struct snapshot *s, const struct hd_fdb_key *key)
{
	return bsearch(key, s->fdb, s->n_fdb, sizeof(s->fdb[0]), compare_fdb);
}

/* --- the story --- */

__attribute__((format(printf, 2, 3))) static void tell(struct trip *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->story + t->told, sizeof(t->story) - t->told, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof(t->story) - t->told)
		t->told += (size_t)n;
}

/* "1/a", or the whole MAC of a stranger. */
static const char *host_name(const struct hd_fdb_key *key, char text[40])
{
	const uint8_t *m = key->mac, *known = MAC(m[5]);
	char vlan[16] = "";

	if (key->vlan)
		(void)snprintf(vlan, sizeof(vlan), ".%u", key->vlan);
	if (m[5] >= 0x0a && m[5] <= 0x0f && !memcmp(m, known, 6))
		(void)snprintf(text, 40, "%u%s/%x", key->network, vlan, m[5]);
	else
		(void)snprintf(text, 40, "%u%s/%02x:%02x:%02x:%02x:%02x:%02x", key->network, vlan,
			       m[0], m[1], m[2], m[3], m[4], m[5]);
	return text;
}

static void tell_fdb_row(struct trip *t, const struct fdb_row *old, const struct fdb_row *new)
{
	char name[40];

	(void)host_name(&new->key, name);
	if (!old)
		tell(t, "new %s at %u%s, ", name, new->value.port,
		     new->value.flags ? "!static" : "");
	else if (old->value.flags != new->value.flags)
		tell(t, "changed %s, ", name);
	else if (old->value.port != new->value.port)
		tell(t, "moved %s from %u to %u, ", name, old->value.port, new->value.port);
	else if (old->value.seen != new->value.seen)
		tell(t, "heard %s, ", name);
}

static void tell_fdb(struct trip *t)
{
	const struct snapshot *before = t->f->before, *after = t->f->after;
	char name[40];

	for (size_t i = 0; i < after->n_fdb; i++)
		tell_fdb_row(t, find_fdb(before, &after->fdb[i].key), &after->fdb[i]);
	for (size_t i = 0; i < before->n_fdb; i++)
		if (!find_fdb(after, &before->fdb[i].key))
			tell(t, "gone %s, ", host_name(&before->fdb[i].key, name));
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		if (before->macs[id] != after->macs[id])
			tell(t, "macs %u %+d, ", id, (int)(after->macs[id] - before->macs[id]));
}

static const struct flow_row *find_flow(const struct snapshot *s, const struct flow_row *like,
					bool is_new)
{
	for (size_t i = 0; i < s->n_flows; i++)
		if (s->flows[i].is_new == is_new && s->flows[i].is_v6 == like->is_v6 &&
		    s->flows[i].routed == like->routed &&
		    !memcmp(&s->flows[i].key, &like->key, sizeof(like->key)))
			return &s->flows[i];
	return NULL;
}

/* The zone comes first in both keys, the ports last. */
static uint8_t row_proto(const struct flow_row *row)
{
	static const uint8_t protos[HD_ZONE_CLASS_MASK + 1] = {
		[HD_FLOW_ICMP] = IPPROTO_ICMP, [HD_FLOW_ICMPV6] = IPPROTO_ICMPV6,
		[HD_FLOW_TCP] = IPPROTO_TCP,   [HD_FLOW_UDP] = IPPROTO_UDP,
		[HD_FLOW_SCTP] = IPPROTO_SCTP, [HD_FLOW_UDPLITE] = IPPROTO_UDPLITE,
	};
	const struct hd_flow4_key *v4 = (const void *)&row->key;
	uint32_t class = row->key.zone & HD_ZONE_CLASS_MASK;

	if (class != HD_FLOW_OTHER)
		return protos[class];
	return (uint8_t)ntohs(row->is_v6 ? row->key.port[0] : v4->port[0]);
}

static const char *flow_name(const struct flow_row *row, char text[16])
{
	uint8_t proto = row_proto(row);

	switch (proto) {
	case IPPROTO_TCP:
		return row->is_v6 ? "tcp6" : "tcp";
	case IPPROTO_UDP:
		return row->is_v6 ? "udp6" : "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		(void)snprintf(text, 16, "proto%u%s", proto, row->is_v6 ? "-6" : "");
		return text;
	}
}

/* A row that is there now, and where it was before, in one of the two tables or both. */
static void tell_flow(struct trip *t, const struct flow_row *row)
{
	static const char *const states[] = HD_FLOW_STATE_NAMES;
	const struct flow_row *was = find_flow(t->f->before, row, row->is_new);
	const struct flow_row *moved = find_flow(t->f->before, row, true);
	char text[16];

	if (was && !memcmp(&was->value, &row->value, sizeof(was->value)) &&
	    !memcmp(was->hop, row->hop, sizeof(row->hop)))
		return;
	tell(t, "%s%s ", row->routed ? "routed " : "", flow_name(row, text));
	if (row->is_new && row->value.state == HD_FLOW_NEW &&
	    row->value.packets[0] + row->value.packets[1] <= 1)
		tell(t, "begins, ");
	else if (was && was->value.state == row->value.state)
		tell(t, row->is_new ? "waits, " : "goes on, ");
	else if (row->value.state >= HD_FLOW_STATE_COUNT)
		tell(t, "!state %u, ", row->value.state);
	else if (was)
		tell(t, "%s, ", states[row->value.state]);
	else if (!row->is_new && moved && !find_flow(t->f->after, row, true))
		tell(t, "%s for good, ", states[row->value.state]);
	else
		tell(t, "!%s from nowhere, ", states[row->value.state]);
}

/* Established flows that a port has begun. */
static uint32_t flows_begun(const struct snapshot *s, uint32_t port)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s->n_flows; i++)
		n += !s->flows[i].is_new &&
		     s->flows[i].value.port[s->flows[i].value.opener & 1] == port;
	return n;
}

static void tell_flows(struct trip *t)
{
	const struct snapshot *before = t->f->before, *after = t->f->after;
	char text[16];

	for (size_t i = 0; i < after->n_flows; i++)
		tell_flow(t, &after->flows[i]);
	for (size_t i = 0; i < before->n_flows; i++)
		if (!find_flow(after, &before->flows[i], false) &&
		    !find_flow(after, &before->flows[i], true))
			tell(t, "%s%s ends, ", before->flows[i].routed ? "routed " : "",
			     flow_name(&before->flows[i], text));
	if (before->n_frags != after->n_frags)
		tell(t, "pieces %+d, ", (int)(after->n_frags - before->n_frags));
	else if (memcmp(before->frags, after->frags, sizeof(after->frags)))
		tell(t, "piece, ");
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		if (after->flows_of[id] - before->flows_of[id] !=
		    flows_begun(after, id) - flows_begun(before, id))
			tell(t, "!port %u counts %+d flows, ", id,
			     (int)(after->flows_of[id] - before->flows_of[id]));
	if (before->n_held != after->n_held)
		tell(t, "held %+d, ", (int)(after->n_held - before->n_held));
}

static const struct arp_row *find_arp(const struct snapshot *s, const struct hd_neigh_key *key)
{
	return bsearch(key, s->arp, s->n_arp, sizeof(s->arp[0]), compare_arp);
}

static const char *arp_name(const struct hd_neigh_key *key, char text[64])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool is_v4 = !memcmp(key->addr, mapped, sizeof(mapped));
	int n = snprintf(text, 64, "%u/", key->network);

	(void)inet_ntop(is_v4 ? AF_INET : AF_INET6, key->addr + (is_v4 ? 12 : 0), text + n,
			(socklen_t)(64 - n));
	return text;
}

static void tell_arp_row(struct trip *t, const struct arp_row *row)
{
	const struct arp_row *was = find_arp(t->f->before, &row->key);
	char name[64];

	if (was && !memcmp(&was->value, &row->value, sizeof(row->value)))
		return;
	if (!memcmp(row->value.mac, MAC_ZERO, 6))
		tell(t, "asks %s, ", arp_name(&row->key, name));
	else
		tell(t, "knows %s at %x, ", arp_name(&row->key, name), row->value.mac[5]);
}

static void tell_arp(struct trip *t)
{
	const struct snapshot *before = t->f->before, *after = t->f->after;
	char name[64];

	for (size_t i = 0; i < after->n_arp; i++)
		tell_arp_row(t, &after->arp[i]);
	for (size_t i = 0; i < before->n_arp; i++)
		if (!find_arp(after, &before->arp[i].key))
			tell(t, "forgets %s, ", arp_name(&before->arp[i].key, name));
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		if (before->moved[id] != after->moved[id])
			tell(t, "router %u moved %+d, ", id,
			     (int)(after->moved[id] - before->moved[id]));
}

/* Whether so many bytes were counted for so many packets: as they were, or what was inside of them. */
static bool adds_up(const struct trip *t, uint64_t bytes, uint64_t packets, uint32_t len)
{
	return bytes == packets * len || (t->f->inside && bytes == packets * t->f->inside->len);
}

static void tell_rules(struct trip *t)
{
	const char *comma = "";

	for (uint32_t id = 0; id < MAX_RULES; id++) {
		const struct hd_rule_counters *old = &t->f->before->rules[id],
					      *new = &t->f->after->rules[id];
		uint64_t packets = new->packets - old->packets, bytes = new->bytes - old->bytes;

		for (uint64_t i = 0; i < packets; i++, comma = ", ")
			tell(t, "%s%u", *comma ? " " : "rules ", id);
		if (!adds_up(t, bytes, packets, t->in->len))
			tell(t, " !%llu bytes", (unsigned long long)bytes);
	}
	tell(t, "%s", comma);
}

static void tell_in(struct trip *t)
{
	for (uint32_t id = 0; id < MAX_PORTS; id++) {
		const struct hd_counters *old = &t->f->before->counters[id];
		const struct hd_counters *new = &t->f->after->counters[id];
		uint64_t packets = new->rx_packets - old->rx_packets;

		if (packets)
			tell(t, "in %u, ", id);
		if (packets > 1 || !adds_up(t, new->rx_bytes - old->rx_bytes, packets, t->in->len))
			tell(t, "!%llu bytes in, ",
			     (unsigned long long)(new->rx_bytes - old->rx_bytes));
	}
}

static void tell_out(struct trip *t)
{
	const char *comma = "";

	for (uint32_t id = 0; id < MAX_PORTS; id++) {
		const struct hd_counters *old = &t->f->before->counters[id];
		const struct hd_counters *new = &t->f->after->counters[id];
		uint64_t packets = new->tx_packets - old->tx_packets;

		for (uint64_t i = 0; i < packets; i++, comma = ", ")
			tell(t, "%s%u", *comma ? " " : "out ", id);
		if (!adds_up(t, new->tx_bytes - old->tx_bytes, packets, t->out_len))
			tell(t, " !%llu bytes",
			     (unsigned long long)(new->tx_bytes - old->tx_bytes));
	}
	tell(t, "%s", comma);
}

static uint32_t device_number(uint32_t ifindex)
{
	for (uint32_t n = 1; n <= N_DEVICES; n++)
		if (device(n) == ifindex)
			return n;
	return 0;
}

static void tell_copies(struct trip *t)
{
	for (size_t i = 0; i < t->n_copies; i++) {
		const struct tag *tag = &t->tags[i];

		tell(t, "%s%u", i ? " " : "copies ", device_number(t->copies[i]));
		if (tag->tpid)
			tell(t, "@%u", tag->tci & 0xfff);
		if (tag->tci >> 12)
			tell(t, "p%x", tag->tci >> 12);
		if (tag->tpid == ETH_P_8021AD)
			tell(t, "s");
	}
	if (t->n_copies)
		tell(t, ", ");
}

static const char *reason_name(uint32_t reason)
{
	static const char *const names[HD_REASON_MAX] = {
#define X(number, symbol, name, sentence, remedy) [number] = (name),
		HD_REASONS(X)
#undef X
	};

	return reason < HD_REASON_MAX && names[reason] ? names[reason] : "?";
}

static int compare_drops(const void *a, const void *b)
{
	const struct hd_drop_key *x = a, *y = b;

	if (x->stage != y->stage)
		return x->stage < y->stage
			       ? 1
			       : -1; /* what a later stage refused happened before the end */
	return x->port < y->port ? -1 : x->port > y->port;
}

/* Drops of this trip under @port, by hd_drops. */
static uint64_t drops_of_port(const struct trip *t, uint32_t port)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < t->f->after->n_drops; i++) {
		const struct drop_row *new = &t->f->after->drops[i];
		const struct drop_row *old = find_drop(t->f->before, &new->key);

		if (new->key.port == port)
			packets += new->value.packets - (old ? old->value.packets : 0);
	}
	return packets;
}

static void tell_drop(struct trip *t, const struct drop_row *new)
{
	static const char *const stages[] = HD_STAGE_NAMES;
	const struct drop_row *old = find_drop(t->f->before, &new->key);
	uint64_t packets = new->value.packets - (old ? old->value.packets : 0);
	uint64_t bytes = new->value.bytes - (old ? old->value.bytes : 0);

	if (!packets)
		return;
	if ((int64_t)packets < 0) {
		tell(t, "%d undone %s at %u, ", (int)-packets, reason_name(new->key.reason),
		     new->key.port);
		return;
	}
	if (new->key.reason < HD_REASON_MAX)
		provoked[new->key.reason] = true;
	tell(t, "drop %s", reason_name(new->key.reason));
	if (new->key.rule)
		tell(t, "/%u", new->key.rule);
	tell(t, " at %u in %s", new->key.port,
	     new->key.stage < HD_STAGE_COUNT ? stages[new->key.stage] : "?");
	if (packets > 1)
		tell(t, " x%llu", (unsigned long long)packets);
	tell(t, ", ");
	if (!adds_up(t, bytes, packets, t->in->len))
		tell(t, "!%llu packets %llu bytes, ", (unsigned long long)packets,
		     (unsigned long long)bytes);
}

static void tell_drops(struct trip *t)
{
	struct snapshot *after = t->f->after;

	qsort(after->drops, after->n_drops, sizeof(after->drops[0]), compare_drops);
	for (size_t i = 0; i < after->n_drops; i++)
		tell_drop(t, &after->drops[i]);
	for (uint32_t id = 0; id < MAX_PORTS; id++) {
		uint64_t counted = after->counters[id].drops - t->f->before->counters[id].drops;

		if (counted != drops_of_port(t, id))
			tell(t, "!port %u counts %llu drops, ", id, (unsigned long long)counted);
	}
}

static void tell_action(struct trip *t)
{
	switch (t->action) {
	case TC_ACT_UNSPEC:
		tell(t, "pass");
		break;
	case TC_ACT_REDIRECT:
		tell(t, "redirect");
		break;
	case TC_ACT_SHOT:
		tell(t, "shot");
		break;
	default:
		tell(t, "!action %d", t->action);
	}
}

/* --- sending --- */

static bool is_expected_copy(const struct trip *t, uint8_t *data, uint32_t len)
{
	if (t->f->hash_at && t->f->also[0] && len > t->f->hash_at + 2)
		memcpy(data + t->f->hash_at, t->f->also[0]->data + t->f->hash_at, 2);
	if (len == t->in->len && !memcmp(data, t->in->data, len))
		return true;
	for (size_t i = 0; i < MAX_ALSO && t->f->also[i]; i++)
		if (len == t->f->also[i]->len && !memcmp(data, t->f->also[i]->data, len))
			return true;
	return false;
}

/* The tag that lies beside a packet. */
static struct tag read_tag(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux;

	if (!c || c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
		return (struct tag){ 0 };
	memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return (struct tag){ 0 };
	return (struct tag){ aux.tp_vlan_tpid, aux.tp_vlan_tci };
}

/*
 * A clone on its way out of a device; anything else that the socket sees is the other end receiving
 * it.
 */
static bool read_copy(struct trip *t)
{
	uint8_t data[sizeof(t->in->data) + 1], control[256];
	struct iovec part = { data, sizeof(data) };
	struct sockaddr_ll from = { 0 };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(t->f->wire, &message, 0);

	if (len < 0)
		return false;
	if (from.sll_pkttype != PACKET_OUTGOING || !t->in ||
	    !device_number((uint32_t)from.sll_ifindex))
		return true;
	assert_true(is_expected_copy(t, data, (uint32_t)len));
	assert_true(t->n_copies < MAX_COPIES);
	t->tags[t->n_copies] = read_tag(&message);
	t->copies[t->n_copies++] = (uint32_t)from.sll_ifindex;
	return true;
}

static void drain_wire(struct fixture *f)
{
	struct trip nobody = { .f = f };

	while (read_copy(&nobody))
		;
}

static int run(struct trip *t, int prog, struct __sk_buff *ctx)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = t->in->data, .data_size_in = t->in->len,
		    .data_out = t->out, .data_size_out = sizeof(t->out), .ctx_in = ctx,
		    .ctx_size_in = sizeof(*ctx), .repeat = 1);
	int r = bpf_prog_test_run_opts(prog, &opts);

	t->action = (int)opts.retval;
	t->out_len = opts.data_size_out;
	return r;
}

static struct __sk_buff make_ctx(const struct fixture *f, uint32_t number, uint32_t from)
{
	struct __sk_buff ctx = { .ifindex = device(number), .mark = f->vid };

	ctx.ingress_ifindex = from ? device(from) : 0;
	return ctx;
}

int run_in(struct fixture *f, uint32_t number, const struct pkt *in)
{
	struct __sk_buff ctx = { .ifindex = device(number) };
	struct trip t = { .f = f, .in = in };

	return run(&t, bpf_program__fd(f->skel->progs.hd_port_in), &ctx) == 0 ? t.action
									      : TC_ACT_STOLEN;
}

uint32_t shortest_frame(struct fixture *f)
{
	struct pkt p = pkt_eth(MAC_ALL, MAC_A, ETH_P_OTHER);
	struct __sk_buff ctx = { .ifindex = 1 };
	struct trip t = { .f = f, .in = &p };

	return run(&t, f->clock, &ctx) == 0 ? ETH_HLEN : ETH_HLEN + 1;
}

static void tell_all(struct trip *t)
{
	take_snapshot(t->f, t->f->after);
	while (read_copy(t))
		;
	tell_in(t);
	tell_fdb(t);
	tell_flows(t);
	tell_arp(t);
	tell_rules(t);
	tell_copies(t);
	tell_out(t);
	tell_drops(t);
}

static void check(struct trip *t, const struct pkt *out, const char *story, const char *file,
		  int line)
{
	tell_all(t);
	tell_action(t);
	_assert_string_equal(t->story, story, file, line);
	_assert_int_equal(t->out_len, out->len, file, line);
	if (t->f->hash_at) {
		uint8_t *source = t->out + t->f->hash_at;

		_assert_true(source[0] >= 0xc0, "source port from 49152 on", file, line);
		memcpy(source, out->data + t->f->hash_at, 2);
	}
	_assert_memory_equal(t->out, out->data, out->len, file, line);
	t->f->vid = 0;
	t->f->hash_at = 0;
	t->f->inside = NULL;
}

static void travel(struct fixture *f, int prog, struct __sk_buff ctx, const struct pkt *in,
		   const struct pkt *out, const char *story, const char *file, int line)
{
	struct trip t = { .f = f, .in = in };

	drain_wire(f);
	take_snapshot(f, f->before);
	_assert_int_equal(run(&t, prog, &ctx), 0, file, line);
	check(&t, out, story, file, line);
}

void enters_(struct fixture *f, uint32_t number, const struct pkt *in, const struct pkt *out,
	     const char *story, const char *file, int line)
{
	int prog = f->vid ? f->tagger : bpf_program__fd(f->skel->progs.hd_port_in);

	travel(f, prog, make_ctx(f, number, 0), in, out, story, file, line);
}

int run_xdp(struct fixture *f, uint32_t number, void *data, uint32_t *len, uint32_t space)
{
	struct xdp_md ctx = { .data_end = *len, .ingress_ifindex = device(number) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = *len,
		    .data_out = data, .data_size_out = space, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx),
		    .repeat = 1);

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(f->uplink->progs.hd_uplink_xdp), &opts), 0);
	memset(&f->opened, 0, sizeof(f->opened));
	*len = opts.data_size_out;
	if (!ctx.data) /* no metadata */
		return (int)opts.retval;
	assert_int_equal(ctx.data, sizeof(f->opened));
	memcpy(&f->opened, data, sizeof(f->opened));
	assert_int_equal(f->opened.magic, HD_OPENED_MAGIC);
	return (int)opts.retval;
}

/* What hd_uplink_opened leaves for the stage: a test run can give a packet no metadata. */
static void put_note(struct fixture *f, struct hd_opened note)
{
	size_t cpus = (size_t)libbpf_num_possible_cpus();
	size_t size = bpf_map__value_size(f->skel->maps.hd_scratch);
	const struct btf *btf = bpf_object__btf(f->skel->obj);
	const struct btf_type *ip = btf__type_by_id(
		btf, (uint32_t)btf__find_by_name_kind(btf, "hd_ip", BTF_KIND_STRUCT));
	_free_ uint8_t *all = NULL;
	uint32_t slot = 0;

	size = (size + 7) & ~7u;
	all = calloc(cpus, size);
	for (uint16_t i = 0; i < btf_vlen(ip); i++) {
		const char *name = btf__name_by_offset(btf, btf_members(ip)[i].name_off);
		uint32_t off = btf_member_bit_offset(ip, i) / 8;

		for (size_t cpu = 0; cpu < cpus; cpu++) {
			if (!strcmp(name, "port"))
				memcpy(all + cpu * size + off, &note.port, 4);
			if (!strcmp(name, "network"))
				memcpy(all + cpu * size + off, &note.network, 4);
		}
	}
	put(f->skel->maps.hd_scratch, &slot, all);
}

/*
 * As the kernel would: XDP, then TC with what is left. What is opened, or left to TC, is then run as hd_stage_opened, or hd_uplink_in, sees it.
 */
static void run_hooks(struct trip *t, uint32_t number, struct __sk_buff *ctx)
{
	static struct pkt rest;
	const struct bpf_program *next = t->f->skel->progs.hd_uplink_opened;
	uint32_t skip;
	int r;

	rest = *t->in;
	r = t->f->xdp ? run_xdp(t->f, number, rest.data, &rest.len, sizeof(rest.data)) : XDP_PASS;
	skip = t->f->xdp && t->f->opened.magic ? sizeof(t->f->opened) : 0;
	memmove(rest.data, rest.data + skip, rest.len - skip);
	rest.len -= skip;
	t->f->action = r;
	if (r != XDP_PASS) {
		memcpy(t->out, rest.data, rest.len);
		t->out_len = rest.len;
		t->action = r == XDP_DROP ? TC_ACT_SHOT : TC_ACT_REDIRECT;
		return;
	}
	if (skip) {
		put_note(t->f, t->f->opened);
		next = t->f->skel->progs.hd_stage_opened;
	} else if (!t->f->xdp) {
		next = t->f->skel->progs.hd_uplink_in;
	}
	t->in = &rest;
	if (run(t, bpf_program__fd(next), ctx) == 0)
		return;
	assert_true(
		skip &&
		rest.len <
			ETH_HLEN + sizeof(struct iphdr)); /* what newer kernels run no program on */
	memcpy(t->out, rest.data, rest.len);
	t->out_len = rest.len;
	t->action = TC_ACT_REDIRECT;
}

/* "drop tunnel-ip at 20 in uplink-in": at XDP already; a loop and what is forged are found out later. */
static const char *story_at_xdp(const char *story, char text[STORY_SIZE])
{
	const char *drop = strstr(story, "drop tunnel-"), *stage = strstr(story, "in uplink-in");

	if (!drop || !stage || strstr(story, "tunnel-to-tunnel"))
		return story;
	(void)snprintf(text, STORY_SIZE, "%.*sin uplink-xdp%s", (int)(stage - story), story,
		       stage + strlen("in uplink-in"));
	return text;
}

void uplink_gets_(struct fixture *f, uint32_t number, const struct pkt *in, const struct pkt *out,
		  const char *story, const char *file, int line)
{
	struct __sk_buff ctx = make_ctx(f, number, 0);
	struct trip t = { .f = f, .in = in };
	char text[STORY_SIZE];

	drain_wire(f);
	take_snapshot(f, f->before);
	run_hooks(&t, number, &ctx);
	t.in = in;
	check(&t, out, f->xdp ? story_at_xdp(story, text) : story, file, line);
}

void opened_gets_(struct fixture *f, uint32_t number, struct hd_opened note, const struct pkt *in,
		  const struct pkt *out, const char *story, const char *file, int line)
{
	int prog = bpf_program__fd(f->skel->progs.hd_stage_opened), usual;
	uint32_t key = 0;

	put_note(f, note);
	usual = bpf_program__fd(f->skel->progs.hd_port_in);
	assert_int_equal(bpf_map_update_elem(f->starts, &key, &prog, BPF_ANY), 0);
	travel(f, f->vid ? f->tagger : prog, make_ctx(f, number, 0), in, out, story, file, line);
	assert_int_equal(bpf_map_update_elem(f->starts, &key, &usual, BPF_ANY), 0);
}

void uplink_sends_(struct fixture *f, uint32_t number, uint32_t from, const struct pkt *in,
		   const char *story, const char *file, int line)
{
	int prog = bpf_program__fd(f->skel->progs.hd_uplink_out);

	travel(f, prog, make_ctx(f, number, from), in, in, story, file, line);
}

void leaves_(struct fixture *f, uint32_t number, uint32_t from, const struct pkt *in,
	     const char *story, const char *file, int line)
{
	int prog = bpf_program__fd(f->skel->progs.hd_port_out);

	travel(f, prog, make_ctx(f, number, from), in, in, story, file, line);
}

int run_out(struct fixture *f, uint32_t number, const struct pkt *in)
{
	struct __sk_buff ctx = { .ifindex = device(number) };
	struct trip t = { .f = f, .in = in };

	return run(&t, bpf_program__fd(f->skel->progs.hd_port_out), &ctx) == 0 ? t.action
									       : TC_ACT_STOLEN;
}

int run_through(struct fixture *f, uint32_t number, const struct pkt *in, struct pkt *ret_out)
{
	struct __sk_buff ctx = { .ifindex = device(number) };
	struct trip t = { .f = f, .in = in };

	assert_int_equal(run(&t, bpf_program__fd(f->skel->progs.hd_port_in), &ctx), 0);
	memcpy(ret_out->data, t.out, t.out_len);
	ret_out->len = t.out_len;
	return t.action;
}

int run_uplink(struct fixture *f, uint32_t number, const struct pkt *in, struct pkt *ret_out)
{
	struct __sk_buff ctx = { .ifindex = device(number) };
	struct trip t = { .f = f, .in = in };

	run_hooks(&t, number, &ctx);
	memcpy(ret_out->data, t.out, t.out_len);
	ret_out->len = t.out_len;
	return t.action;
}

uint64_t drops_total(struct fixture *f)
{
	uint64_t n = 0;

	memset(f->after, 0, sizeof(*f->after));
	read_drops(f, f->after);
	for (size_t i = 0; i < f->after->n_drops; i++)
		n += f->after->drops[i].value.packets;
	return n;
}

uint64_t packets_out(struct fixture *f)
{
	uint64_t n = 0;

	memset(f->after, 0, sizeof(*f->after));
	read_counters(f, f->after);
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		n += f->after->counters[id].tx_packets;
	return n;
}

int run_twin(struct fixture *f, uint32_t number, const struct pkt *in)
{
	struct __sk_buff ctx = { .ifindex = device(number) };
	struct trip t = { .f = f, .in = in };

	return run(&t, bpf_program__fd(f->twin->progs.hd_port_in), &ctx) == 0 ? t.action
									      : TC_ACT_STOLEN;
}

static bool has_end(const struct flow_row *row, int i, const char *ip, uint16_t port)
{
	uint8_t addr[16] = { 0 };

	if ((row->key.zone & HD_ZONE_CLASS_MASK) == HD_FLOW_OTHER)
		port = row_proto(row);
	if (row->is_v6 != !text_is_v4(ip))
		return false;
	pkt_address(row->is_v6 ? AF_INET6 : AF_INET, ip, addr);
	if (row->is_v6)
		return !memcmp(row->key.addr[i], addr, 16) && ntohs(row->key.port[i]) == port;
	const struct hd_flow4_key *key = (const void *)&row->key;

	return !memcmp(&key->addr[i], addr, 4) && ntohs(key->port[i]) == port;
}

struct flow flow_of(struct fixture *f, uint8_t proto, const char *opener, uint16_t from,
		    const char *other, uint16_t to)
{
	struct flow flow = { .there = false };

	take_snapshot(f, f->after);
	for (size_t i = 0; i < f->after->n_flows; i++) {
		const struct flow_row *row = &f->after->flows[i];

		if (row_proto(row) != proto)
			continue;
		for (int side = 0; side < 2; side++) {
			if (!has_end(row, side, opener, from) || !has_end(row, !side, other, to))
				continue;
			assert_false(flow.there);
			flow = (struct flow){ .there = true,
					      .is_new = row->is_new,
					      .side = side,
					      .network = row->key.zone >> HD_ZONE_NETWORK_SHIFT,
					      .vlan = row->key.zone >> HD_ZONE_VLAN_SHIFT &
						      HD_ZONE_VLAN_MASK,
					      .value = row->value };
			memcpy(flow.key, &row->key, sizeof(flow.key));
			memcpy(flow.hop, row->hop, sizeof(flow.hop));
			if (!row->routed)
				continue;
			assert_int_equal(flow.vlan, HD_ZONE_ROUTED);
			flow.router = flow.network;
			flow.network = flow.vlan = 0;
		}
	}
	return flow;
}

static const struct bpf_map *flow_map(struct fixture *f, const struct flow *flow, bool v6)
{
	if (flow->router && v6)
		return flow->is_new ? f->skel->maps.hd_rnew6 : f->skel->maps.hd_rflow6;
	if (flow->router)
		return flow->is_new ? f->skel->maps.hd_rnew4 : f->skel->maps.hd_rflow4;
	if (v6)
		return flow->is_new ? f->skel->maps.hd_new6 : f->skel->maps.hd_flow6;
	return flow->is_new ? f->skel->maps.hd_new4 : f->skel->maps.hd_flow4;
}

void flow_put(struct fixture *f, const struct flow *flow, bool v6)
{
	struct hd_rflow_value value = { .flow = flow->value };

	memcpy(value.hop, flow->hop, sizeof(value.hop));
	put(flow_map(f, flow, v6), flow->key, &value);
}

/* --- packets that really arrive --- */

static struct bpf_tc_hook clsact_of(uint32_t number)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = (int)device(number),
				     .attach_point = BPF_TC_INGRESS };
}

static void attach(struct fixture *f, uint32_t number)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(f->skel->progs.hd_port_in));
	struct bpf_tc_hook hook = clsact_of(number);

	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

static void detach(uint32_t number)
{
	struct bpf_tc_hook hook = clsact_of(number);

	hook.attach_point |= BPF_TC_EGRESS; /* destroys the qdisc as well */
	assert_int_equal(bpf_tc_hook_destroy(&hook), 0);
}

static int open_far_end(uint32_t number)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	char name[16];

	(void)snprintf(name, sizeof(name), "e%u", number);
	at.sll_ifindex = (int)if_nametoindex(name);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void transmit(int fd, const struct pkt *in, uint16_t gso_size)
{
	const struct pkt_layer *l3 = &in->layers[0], *l4 = &in->layers[1];
	struct virtio_net_hdr hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type =
			l3->proto == ETH_P_IP ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = l4->off + sizeof(struct tcphdr),
		.gso_size = gso_size,
		.csum_start = l4->off,
		.csum_offset = offsetof(struct tcphdr, check),
	};
	struct iovec parts[] = { { &hdr, sizeof(hdr) }, { (void *)in->data, in->len } };

	assert_int_equal(writev(fd, parts, 2), sizeof(hdr) + in->len);
}

static uint64_t packets_in(struct fixture *f)
{
	uint64_t n = 0;

	memset(f->after, 0, sizeof(*f->after));
	read_counters(f, f->after);
	for (uint32_t id = 0; id < MAX_PORTS; id++)
		n += f->after->counters[id].rx_packets;
	return n;
}

/* The far end's packet is on its way through a backlog of this CPU, mostly already through. */
static void await_arrival(struct fixture *f, uint64_t before)
{
	time_t deadline = time(NULL) + 5;

	while (packets_in(f) == before && time(NULL) < deadline)
		(void)sched_yield();
}

void arrives_(struct fixture *f, uint32_t number, const struct pkt *in, uint16_t gso_size,
	      const char *story, const char *file, int line)
{
	struct trip t = { .f = f, .in = in, .out_len = in->len };
	uint64_t before = packets_in(f);
	int fd = open_far_end(number);

	attach(f, number);
	drain_wire(f);
	take_snapshot(f, f->before);
	transmit(fd, in, gso_size);
	await_arrival(f, before);
	detach(number); /* waits for a program that runs */
	(void)close(fd);
	tell_all(&t);
	t.story[t.told > 2 ? t.told - 2 : 0] = '\0'; /* no verdict after the last comma */
	_assert_string_equal(t.story, story, file, line);
}
