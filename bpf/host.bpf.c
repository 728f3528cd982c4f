// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * host.bpf.c - the host's own sockets and the ports that it publishes; see include/heddle/publish.h
 *
 *   connect(192.0.2.1:8080)    ── of the host's namespace, published? ──▶ connect(10.77.0.3:80)      connect4, connect6
 *   sendto(192.0.2.1:5300)     ── the same for each datagram ───────────▶ sendto(10.77.0.3:53)       sendmsg4, sendmsg6
 *   recvfrom() = 10.77.0.3:53  ── did this socket ask for it so? ───────▶ = 192.0.2.1:5300           recvmsg4, recvmsg6
 *   getpeername()              ── the same ─────────────────────────────▶                            getpeername4, getpeername6
 *
 * All processes of the machine come here, so what is not ours goes on first. A socket of IPv6 that asks for ::ffff:192.0.2.1 is one of IPv4 to all but
 * connect6, recvmsg6 and getpeername6; the kernel takes what it sends by sendto() to sendmsg4.
 */
#include "heddle/publish.h"

#include "lib/base.h"

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

/* How many endpoints of workloads a socket may have asked at a time. */
#define ASKED_MAX 16

/** struct asked - an endpoint of a workload, @to, that a socket has asked for as @as; all of it zero: free */
struct asked {
	struct hd_publish_value to;
	struct hd_publish_key as;
};

/** struct asked_all - those of one socket; @next: the one that makes room */
struct asked_all {
	struct bpf_spin_lock lock;
	__u32 next;
	struct asked one[ASKED_MAX];
};

/*
 * What a socket has asked for, kept at the socket itself: nobody else's sockets make it forget, and it goes with the socket. Written and read here; pinned, for
 * the programs of the next daemon. What does not fit in pushes out the oldest: its answers come from the workload's address until it asks again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct asked_all);
} hd_asked SEC(".maps");

/* ---- what is published ---- */

static __always_inline bool is_mapped(const __be32 *addr)
{
	return !(addr[0] | addr[1]) && addr[2] == bpf_htonl(0xffff);
}

static __always_inline bool is_loopback(const __be32 *addr)
{
	if (is_mapped(addr))
		return (bpf_ntohl(addr[3]) >> 24) == 127;
	return !(addr[0] | addr[1] | addr[2]) && addr[3] == bpf_htonl(1);
}

static __always_inline bool is_hosts(struct hd_publish_key key)
{
	key.port = 0;
	key.protocol = 0;
	return is_loopback(key.addr) || bpf_map_lookup_elem(&hd_published, &key);
}

/* What is asked for, at that very address, or at each of the host's. */
static __always_inline const struct hd_publish_value *find(const struct hd_publish_key *asked)
{
	const struct hd_publish_value *to = bpf_map_lookup_elem(&hd_published, asked);
	struct hd_publish_key key = *asked;

	if (to && to->port)
		return to;
	if (!is_mapped(key.addr))
		key.addr[0] = key.addr[1] = key.addr[2] = 0;
	key.addr[3] = 0;
	to = bpf_map_lookup_elem(&hd_published, &key);
	return to && to->port && is_hosts(*asked) ? to : NULL;
}

/* ---- what sockets have asked for ---- */

static __always_inline bool is_same(const struct hd_publish_value *a,
				    const struct hd_publish_value *b)
{
	return !((a->addr[0] ^ b->addr[0]) | (a->addr[1] ^ b->addr[1]) | (a->addr[2] ^ b->addr[2]) |
		 (a->addr[3] ^ b->addr[3]) | (__u32)(a->port ^ b->port));
}

/* What is asked last counts: an answer says which workload it is of, not which of its names was asked for. */
static __always_inline void remember(struct bpf_sock_addr *ctx, const struct hd_publish_key *as,
				     const struct hd_publish_value *to)
{
	struct asked_all *all =
		bpf_sk_storage_get(&hd_asked, ctx->sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct asked one = { .to = *to, .as = *as };
	__u32 at = ASKED_MAX;

	if (!all)
		return; /* its answers come from the workload's address */
	bpf_spin_lock(&all->lock);
	for (__u32 i = 0; i < ASKED_MAX; i++)
		if (is_same(&all->one[i].to, &one.to))
			at = i;
	if (at == ASKED_MAX)
		at = all->next++ % ASKED_MAX;
	if (at < ASKED_MAX)
		all->one[at] = one;
	bpf_spin_unlock(&all->lock);
}

/* As what a workload's endpoint was asked for: false if by its own name. With @forget it is asked so now. */
static __always_inline bool recall(struct bpf_sock_addr *ctx, const struct hd_publish_value *to,
				   bool forget, struct hd_publish_key *ret)
{
	struct asked_all *all = bpf_sk_storage_get(&hd_asked, ctx->sk, NULL, 0);
	bool found = false;

	if (!all)
		return false;
	bpf_spin_lock(&all->lock);
	for (__u32 i = 0; i < ASKED_MAX; i++) {
		if (!is_same(&all->one[i].to, to))
			continue;
		*ret = all->one[i].as;
		if (forget)
			all->one[i].to.port = 0;
		found = true;
	}
	bpf_spin_unlock(&all->lock);
	return found;
}

/* ---- all of it ---- */

/*
 * A socket of IPv6 that is connected to an address of IPv4 comes to sendmsg4 with whatever it sends, and with the address that it was led to. That is no
 * question by another name. Elsewhere connected sockets come to sendmsg for what names its destination alone.
 */
static __always_inline bool is_connected(const struct bpf_sock_addr *ctx)
{
	return ctx->sk->state == TCP_ESTABLISHED;
}

/* Where what is asked for leads; false if nowhere else. */
static __always_inline bool lead(struct bpf_sock_addr *ctx, const struct hd_publish_key *asked,
				 bool connects, struct hd_publish_value *ret)
{
	const struct hd_publish_value *to;
	struct hd_publish_key was;

	if (bpf_get_netns_cookie(ctx) != cfg.netns)
		return false;
	to = find(asked);
	if (to) {
		*ret = *to;
		remember(ctx, asked, ret);
		return true;
	}
	*ret = (struct hd_publish_value){ .port = asked->port };
	hd_memcpy(ret->addr, asked->addr, sizeof(ret->addr));
	if (connects || !is_connected(ctx))
		(void)recall(ctx, ret, true, &was);
	return false;
}

/* Under which name a socket knows whom it hears. The address of a workload may be another one's by now: the name must still lead there. */
static __always_inline bool name(struct bpf_sock_addr *ctx, const struct hd_publish_value *from,
				 struct hd_publish_key *ret)
{
	const struct hd_publish_value *to;

	if (!recall(ctx, from, false, ret))
		return false;
	to = find(ret);
	return to && is_same(to, from);
}

/* The kernel takes no address at all for the loopback's. */
static __always_inline struct hd_publish_key asked4(const struct bpf_sock_addr *ctx)
{
	return (struct hd_publish_key){
		.addr = { 0, 0, bpf_htonl(0xffff),
			  ctx->user_ip4 ? ctx->user_ip4 : bpf_htonl(0x7f000001) },
		.port = (__be16)ctx->user_port,
		.protocol = (__u8)ctx->protocol,
	};
}

static __always_inline struct hd_publish_key asked6(const struct bpf_sock_addr *ctx)
{
	struct hd_publish_key key = {
		.addr = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] },
		.port = (__be16)ctx->user_port,
		.protocol = (__u8)ctx->protocol,
	};

	if (!key.addr[3] && is_mapped(key.addr))
		key.addr[3] = bpf_htonl(0x7f000001);
	else if (!(key.addr[0] | key.addr[1] | key.addr[2] | key.addr[3]))
		key.addr[3] = bpf_htonl(1);
	return key;
}

static __always_inline int there4(struct bpf_sock_addr *ctx, bool connects)
{
	struct hd_publish_key asked = asked4(ctx);
	struct hd_publish_value to;

	if (!lead(ctx, &asked, connects, &to))
		return 1;
	ctx->user_ip4 = to.addr[3];
	ctx->user_port = to.port;
	return 1;
}

static __always_inline int there6(struct bpf_sock_addr *ctx, bool connects)
{
	struct hd_publish_key asked = asked6(ctx);
	struct hd_publish_value to;

	if (!lead(ctx, &asked, connects, &to))
		return 1;
	ctx->user_ip6[0] = to.addr[0];
	ctx->user_ip6[1] = to.addr[1];
	ctx->user_ip6[2] = to.addr[2];
	ctx->user_ip6[3] = to.addr[3];
	ctx->user_port = to.port;
	return 1;
}

static __always_inline int back4(struct bpf_sock_addr *ctx)
{
	struct hd_publish_value from = { .addr = { 0, 0, bpf_htonl(0xffff), ctx->user_ip4 },
					 .port = (__be16)ctx->user_port };
	struct hd_publish_key as;

	if (!name(ctx, &from, &as))
		return 1;
	ctx->user_ip4 = as.addr[3];
	ctx->user_port = as.port;
	return 1;
}

static __always_inline int back6(struct bpf_sock_addr *ctx)
{
	struct hd_publish_value from = { .addr = { ctx->user_ip6[0], ctx->user_ip6[1],
						   ctx->user_ip6[2], ctx->user_ip6[3] },
					 .port = (__be16)ctx->user_port };
	struct hd_publish_key as;

	if (!name(ctx, &from, &as))
		return 1;
	ctx->user_ip6[0] = as.addr[0];
	ctx->user_ip6[1] = as.addr[1];
	ctx->user_ip6[2] = as.addr[2];
	ctx->user_ip6[3] = as.addr[3];
	ctx->user_port = as.port;
	return 1;
}

SEC("cgroup/connect4")
int hd_connect4(struct bpf_sock_addr *ctx)
{
	return there4(ctx, true);
}

SEC("cgroup/connect6")
int hd_connect6(struct bpf_sock_addr *ctx)
{
	return there6(ctx, true);
}

SEC("cgroup/sendmsg4")
int hd_sendmsg4(struct bpf_sock_addr *ctx)
{
	return there4(ctx, false);
}

SEC("cgroup/sendmsg6")
int hd_sendmsg6(struct bpf_sock_addr *ctx)
{
	return there6(ctx, false);
}

SEC("cgroup/recvmsg4")
int hd_recvmsg4(struct bpf_sock_addr *ctx)
{
	return back4(ctx);
}

SEC("cgroup/recvmsg6")
int hd_recvmsg6(struct bpf_sock_addr *ctx)
{
	return back6(ctx);
}

SEC("cgroup/getpeername4")
int hd_getpeername4(struct bpf_sock_addr *ctx)
{
	return back4(ctx);
}

SEC("cgroup/getpeername6")
int hd_getpeername6(struct bpf_sock_addr *ctx)
{
	return back6(ctx);
}
