// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * host.bpf.c - the host's own connections to ports that it publishes; see include/heddle/publish.h
 *
 *   connect(192.0.2.1:8080) ── of the host's namespace, published? ──▶ connect(10.77.0.3:80)
 */
#include "heddle/publish.h"

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

/* All processes of the machine come here, so what is not ours goes on first. TCP, and UDP where it connects. */
SEC("cgroup/connect4")
int hd_connect4(struct bpf_sock_addr *ctx)
{
	struct hd_publish_key key = { .ip = ctx->user_ip4,
				      .port = (__be16)ctx->user_port,
				      .protocol = (__u8)ctx->protocol };
	const struct hd_publish_value *to = bpf_map_lookup_elem(&hd_published, &key);

	if (!to || bpf_get_netns_cookie(ctx) != cfg.netns)
		return 1;
	ctx->user_ip4 = to->ip;
	ctx->user_port = to->port;
	return 1;
}
