// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * host.bpf.c - the host's own sockets and the ports that it publishes; see include/heddle/publish.h
 *
 *   connect(192.0.2.1:8080) ── of the host's namespace, published? ──▶ connect(10.77.0.3:80)
 *
 * All processes of the machine come here, so what is not ours goes on first.
 */
#include "heddle/publish.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lib/uapi.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile struct hd_host_config cfg = {};

/*
 * Key: address, port and protocol that are asked for. Written by the daemon (sync/publish.c), read here. Entries go with their port forwards; when
 * it is full the host does not reach the rest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HD_PUBLISHED_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hd_publish_key);
	__type(value, struct hd_publish_value);
} hd_published SEC(".maps");

static __always_inline bool is_hosts(struct hd_publish_key key)
{
	key.port = 0;
	key.protocol = 0;
	return (bpf_ntohl(key.addr[3]) >> 24) == 127 || bpf_map_lookup_elem(&hd_published, &key);
}

/* What is asked for, at that very address, or at each of the host's. */
static __always_inline const struct hd_publish_value *find(const struct hd_publish_key *asked)
{
	const struct hd_publish_value *to = bpf_map_lookup_elem(&hd_published, asked);
	struct hd_publish_key key = *asked;

	if (to)
		return to;
	key.addr[3] = 0;
	to = bpf_map_lookup_elem(&hd_published, &key);
	return to && is_hosts(*asked) ? to : NULL;
}

/* The kernel takes no address at all for the loopback's. */
static __always_inline struct hd_publish_key key4(const struct bpf_sock_addr *ctx)
{
	return (struct hd_publish_key){
		.addr = { 0, 0, bpf_htonl(0xffff),
			  ctx->user_ip4 ? ctx->user_ip4 : bpf_htonl(0x7f000001) },
		.port = (__be16)ctx->user_port,
		.protocol = (__u8)ctx->protocol,
	};
}

SEC("cgroup/connect4")
int hd_connect4(struct bpf_sock_addr *ctx)
{
	struct hd_publish_key asked = key4(ctx);
	const struct hd_publish_value *to;

	if (bpf_get_netns_cookie(ctx) != cfg.netns)
		return 1;
	to = find(&asked);
	if (!to)
		return 1;
	ctx->user_ip4 = to->addr[3];
	ctx->user_port = to->port;
	return 1;
}
