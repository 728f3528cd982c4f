/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* port.h - which port a packet belongs to, and what is counted for it; whatever the hook */
#pragma once

#include "heddle/abi.h"

#include "lib/peer.h"

/*
 * hd_ifindex, hd_ifindex_far: device -> port. Writer: the daemon. Reader: every packet.
 * The first is direct-mapped: two loads and no hash. The second holds devices whose slot another device has; it is nearly always
 * empty. Entries die with the port's device.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_IFINDEX_SLOTS);
	__type(key, __u32);
	__type(value, struct hd_ifindex_value);
} hd_ifindex SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, __u32);
} hd_ifindex_far SEC(".maps");

/* hd_ports, hd_networks: see heddle/port.h. Writer: the daemon. Reader: every packet. Sized by the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_port_value);
} hd_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HD_NETWORKS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_network_value);
} hd_networks SEC(".maps");

/* hd_port_counters: by port id. Writer: the datapath. Reader: the daemon. Zeroed when the id is given to a new port. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HD_PORTS_DEFAULT);
	__type(key, __u32);
	__type(value, struct hd_counters);
} hd_port_counters SEC(".maps");

static __always_inline __u32 port_of_ifindex(__u32 ifindex)
{
	__u32 slot = ifindex % HD_IFINDEX_SLOTS;
	const struct hd_ifindex_value *near = bpf_map_lookup_elem(&hd_ifindex, &slot);
	const __u32 *far;

	if (near && near->ifindex == ifindex)
		return near->port;
	far = bpf_map_lookup_elem(&hd_ifindex_far, &ifindex);
	return far ? *far : HD_PORT_NONE;
}

/** hd_port_is_held - whether the port may use only MACs that are configured */
static __always_inline bool hd_port_is_held(const struct hd_pkt *pkt)
{
	return (pkt->from->flags & (HD_PORT_SECURE | HD_PORT_HAS_MAC)) ==
	       (HD_PORT_SECURE | HD_PORT_HAS_MAC);
}

/** hd_port_lookup - a port's entry; NULL if the id is not in use */
static __always_inline const struct hd_port_value *hd_port_lookup(__u32 id)
{
	const struct hd_port_value *port = bpf_map_lookup_elem(&hd_ports, &id);

	return port && port->network != HD_NETWORK_NONE ? port : NULL;
}

/** hd_port_is_member - whether a port, or a peer, is in a network */
__noinline int hd_port_is_member(__u32 network, __u32 id)
{
	const struct hd_port_value *port = hd_port_lookup(id);
	struct hd_peer_net_key key = { .network = network, .peer = id };

	if (!port || port->network == network || !(port->flags & HD_PORT_TUNNEL))
		return port && port->network == network;
	return (port->flags & HD_PORT_EVERYWHERE) || bpf_map_lookup_elem(&hd_peer_nets, &key);
}

/** hd_port_is_in - the same where it must be fast */
static __always_inline bool hd_port_is_in(const struct hd_pkt *pkt, __u32 id,
					  const struct hd_port_value *port)
{
	return port->network == pkt->network || hd_port_is_member(pkt->network, id);
}

/**
 * hd_port_identify - find the port of the device that the packet is on, and its network
 *
 * Also notes them for the stages, see hd_port_resume().
 *
 * Return: 0, or -HD_DROP_NO_PORT: the device is attached but belongs to no port (yet, or any more), so nothing may pass.
 */
static __always_inline int hd_port_identify(struct hd_pkt *pkt)
{
	__u32 id = port_of_ifindex(ctx_ifindex(pkt->ctx)), slot = pkt->stage == HD_STAGE_PORT_OUT;
	const struct hd_port_value *port;

	pkt->ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (id == HD_PORT_NONE || !pkt->ip)
		return -HD_DROP_NO_PORT;
	port = hd_port_lookup(id);
	if (!port || (port->flags & (HD_PORT_UPLINK | HD_PORT_TUNNEL)))
		return -HD_DROP_NO_PORT;
	pkt->port = id;
	pkt->from = port;
	pkt->network =
		*(const volatile __u32 *)&port->network; /* once: the slot may be freed now */
	pkt->vlan = port->vlan;				 /* that of untagged frames */
	if (pkt->network == HD_NETWORK_NONE)
		return -HD_DROP_NO_PORT;
	hd_ip_enter(pkt->ip, pkt->port, pkt->network);
	if (pkt->stage == HD_STAGE_PORT_IN)
		hd_trace(pkt, HD_TRACE_PORT, pkt->port, pkt->network);
	if (pkt->stage == HD_STAGE_PORT_OUT)
		hd_trace(pkt, HD_TRACE_HOST, pkt->port, pkt->network);
	return 0;
}

/**
 * hd_port_resume - the same for a stage: which port, or peer, the packet came from
 *
 * The device does not say it for what came out of a tunnel. The entry program of this very run has noted it.
 */
static __always_inline int hd_port_resume(struct hd_pkt *pkt)
{
	__u32 slot = 0;

	pkt->ip = bpf_map_lookup_elem(&hd_scratch, &slot);
	if (!pkt->ip)
		return -HD_DROP_NO_PORT;
	pkt->port = pkt->ip->port;
	pkt->network = pkt->ip->network;
	pkt->from = hd_port_lookup(pkt->port);
	return pkt->from ? 0 : -HD_DROP_NO_PORT;
}

/** hd_network_flags, hd_network_ageing - what the packet's network says; not asked for where it is not needed: it may be a cold line */
static __always_inline __u32 hd_network_flags(const struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);

	return net ? net->flags : 0;
}

static __always_inline __u32 hd_network_ageing(const struct hd_pkt *pkt)
{
	const struct hd_network_value *net = bpf_map_lookup_elem(&hd_networks, &pkt->network);

	return net ? net->ageing_jiffies : 0;
}

/** hd_port_count_in - count a packet that entered the host by a port */
static __always_inline void hd_port_count_in(const struct hd_pkt *pkt)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &pkt->port);

	if (!count || !hd_may_write())
		return;
	count->rx_packets++;
	count->rx_bytes += ctx_len(pkt->ctx);
}

/** hd_port_count_out - count a packet that leaves the host by port @id */
static __always_inline void hd_port_count_out(const struct hd_pkt *pkt, __u32 id)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &id);

	if (!count || !hd_may_write())
		return;
	count->tx_packets++;
	count->tx_bytes += ctx_len(pkt->ctx);
}

/** hd_drop - count a drop for the port that it is to be told of, by reason and in its sum */
static __always_inline void hd_drop(const struct hd_pkt *pkt, __u32 id, __u32 reason)
{
	struct hd_counters *count = bpf_map_lookup_elem(&hd_port_counters, &id);
	__u32 rule = reason == HD_DROP_FIREWALL && pkt->ip ? pkt->ip->firewall : 0;

	hd_trace(pkt, HD_TRACE_DROP, reason, id);
	(void)hd_drop_count(id, reason, pkt->stage, rule, ctx_len(pkt->ctx));
	if (count && hd_may_write())
		count->drops++;
}
